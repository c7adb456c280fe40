/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ledger.h"

G_BEGIN_DECLS

/**
 * TokendTryEffect:
 *
 * What an operating host's outcome means for the ledger and for the refused codes.
 */
typedef struct {
  TokendTryResult try_result;
  gboolean sent;    /* the token saw the code, or may have */
  gboolean refused; /* the token refused this very code, proven */
} TokendTryEffect;

TokendTryEffect tokend_outcome_interpret (GVariant *outcome, TokendRole role, gboolean counts,
                                          GError **error);
void tokend_outcome_review (TokendTryEffect *effect, TokendRole role, const TokendCounter *before,
                            const TokendCounter *after, GError **error);

G_END_DECLS
