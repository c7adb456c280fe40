/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "contradiction.h"
#include "place.h"
#include "service.h"

G_BEGIN_DECLS

/**
 * TokendSighting:
 *
 * What one module shows of a token now.
 */
typedef struct {
  const TokendPlace *place;
  const char *label;
  const char *module; /* its name */
  const TokendReading *reading;
  TokendCounterRules rules[TOKEND_N_ROLES];
} TokendSighting;

/**
 * TokendObserver:
 *
 * What is remembered of a token from one sighting to the next; filled with zeros and then
 * tokend_observer_forget() at first.
 */
typedef struct {
  TokendCounter shown[TOKEND_N_ROLES];
  TokendContradiction contradictions[TOKEND_N_ROLES];
} TokendObserver;

TokendTellLimit *tokend_observer_limit_new (void);

TokendCounter tokend_sighting_judge (const TokendSighting *self, TokendRole role);
void tokend_sighting_settle_refused (const TokendSighting *self, TokendRefused *refused,
                                     gboolean by_number);

void tokend_observer_take (TokendObserver *self, TokendService *service,
                           const TokendSighting *sighting);
void tokend_observer_forget (TokendObserver *self);

G_END_DECLS
