/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "audit-record.h"

G_BEGIN_DECLS

TokendTryEffect tokend_outcome_interpret (GVariant *outcome, TokendRole role, gboolean counts,
                                          GError **error);
void tokend_outcome_review (TokendTryEffect *effect, TokendRole role, const TokendCounter *before,
                            const TokendCounter *after, GError **error);

G_END_DECLS
