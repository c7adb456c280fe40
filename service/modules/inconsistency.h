/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"

G_BEGIN_DECLS

/**
 * TokendInconsistency:
 *
 * How a token's number and flags for one role contradict each other, if they do; zero at first.
 */
typedef struct {
  TokendCounterReading reading;
  gboolean is_seen;
  gboolean is_told;
} TokendInconsistency;

gboolean tokend_inconsistency_observe (TokendInconsistency *self,
                                       const TokendCounterReading *reading,
                                       const TokendCounterRules *rules);
GVariant *tokend_inconsistency_compose (const TokendInconsistency *self, TokendRole role,
                                        TokendState believed, const char *physical_id,
                                        const char *label, const char *module);

G_END_DECLS
