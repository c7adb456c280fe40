/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code.h"
#include "status.h"

G_BEGIN_DECLS

/**
 * TokenctlNewPin:
 * @status: an a{sv} as Token.GetStatus gives it, with the token's rules for a PIN
 * @role: what the PIN is set with
 * @code: (nullable): that PUK or present PIN; %NULL: not known yet
 *
 * What a new PIN must be.
 */
typedef struct {
  GVariant *status;
  TokendRole role;
  TokenctlCode *code;
} TokenctlNewPin;

char *tokenctl_check_describe (const TokendCodeResult *result);
gboolean tokenctl_check_new_pin (TokenctlCode *pin, const TokenctlNewPin *wanted, GError **error);

G_END_DECLS
