/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "audit.h"
#include "callers.h"
#include "claims.h"
#include "gate.h"
#include "ledger.h"
#include "refused.h"
#include "subscribers.h"
#include "tell-limit.h"
#include "told-losses.h"

G_BEGIN_DECLS

/** TokendService: the parts that every room of the service stands on. Made and owned by the daemon;
 * outlives them all. */
typedef struct {
  GDBusConnection *bus;
  GDBusObjectManagerServer *objects;
  TokendGate *gate;
  TokendCallers *callers;
  TokendAudit *audit;
  TokendSubscribers *subscribers;
  TokendLedger *ledger;
  TokendRefused *refused;
  TokendClaims *claims;
  TokendToldLosses *told_losses;
  TokendTellLimit *sightings; /* of what modules show */
  GCancellable
      *ending; /* cancelled: the service was asked to end, and what has sent nothing is given up */
  GBytes *key; /* of this process: random, for the keys of what is one; see relate.c */
  GPtrArray *profiles; /* of TokendProfile */
  GPtrArray *modules;  /* of TokendModule, by priority */
} TokendService;

G_END_DECLS
