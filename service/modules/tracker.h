/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "inconsistency.h"
#include "target.h"
#include "service.h"

G_BEGIN_DECLS

/**
 * TokendSnapshot:
 *
 * What one module shows of a token at a time.
 */
typedef struct {
  const TokendTarget *target;
  const char *label;
  const char *module; /* its name */
  const TokendReading *reading;
  TokendCounterRules rules[TOKEND_N_ROLES];
} TokendSnapshot;

/**
 * TokendTracker:
 *
 * What is remembered of a token from one snapshot to the next. Filled with zeros, and then reset,
 * at first.
 */
typedef struct {
  TokendCounter shown[TOKEND_N_ROLES];
  TokendFlagMemory flags[TOKEND_N_ROLES];
  TokendInconsistency inconsistencies[TOKEND_N_ROLES];
} TokendTracker;

TokendRateLimit *tokend_tracker_limit_new (void);

TokendCounter tokend_snapshot_evaluate (const TokendSnapshot *self, TokendRole role);
void tokend_snapshot_update_refused (const TokendSnapshot *self, TokendRefused *refused,
                                     gboolean by_number);

void tokend_tracker_update (TokendTracker *self, TokendService *service,
                            const TokendSnapshot *snapshot);
void tokend_tracker_observe_flags (TokendTracker *self, TokendReading *reading, gboolean by_trier);
void tokend_tracker_reset (TokendTracker *self);

G_END_DECLS
