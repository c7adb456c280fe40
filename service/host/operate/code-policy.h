/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code-check.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendCodeName:
 *
 * Which code of an operation it is.
 */
typedef enum {
  TOKEND_CODE_PUK,
  TOKEND_CODE_PIN,
  TOKEND_CODE_NEW_PIN,
} TokendCodeName;

const char *tokend_code_name (TokendCodeName name);

gboolean tokend_code_check (const char *bytes, gsize length, TokendCodeName name,
                            const TokendCodeLimits *limits, gboolean send_unusual, GError **error);
gboolean tokend_new_pin_check (const char *bytes, gsize length, const TokendNewPinRules *policy,
                               GError **error);
gboolean tokend_new_pin_check_differs (gboolean is_same, TokendCodeName name, GError **error);

G_END_DECLS
