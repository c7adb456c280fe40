/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendAttempt:
 *
 * What the caller allows, by the options of Unlock and SetPin, or of Finish.
 */
typedef struct {
  gboolean final_attempt;
  gboolean send_refused_code;
  gboolean expects_retries;
  guint expected_retries;
  gboolean send_unusual_code;
} TokendAttempt;

gboolean tokend_attempt_parse (GVariant *options, gboolean opens, TokendAttempt *attempt,
                               GError **error);
gboolean tokend_attempt_check_opening (const TokendAttempt *attempt, TokendRole role,
                                       const TokendCounter *counter, GError **error);
gboolean tokend_attempt_check (const TokendAttempt *attempt, TokendRole role,
                               const TokendCounter *counter, GError **error);
gboolean tokend_attempt_check_prepared (const TokendAttempt *attempt, TokendRole role,
                                        const TokendCounter *counter, gint64 refused_at,
                                        GError **error);

G_END_DECLS
