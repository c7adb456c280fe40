/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "claims.h"
#include "ledger.h"
#include "refused.h"
#include "subscribers.h"
#include "rate-limit.h"
#include "loss-log.h"

G_BEGIN_DECLS

/* Those of the rooms above are held here, and used there. */
typedef struct _TokendAudit TokendAudit;
typedef struct _TokendCallers TokendCallers;
typedef struct _TokendGate TokendGate;
typedef struct _TokendOpened TokendOpened;
typedef struct _TokendRefusalLimit TokendRefusalLimit;

/**
 * TokendService:
 *
 * The parts that every room of the service stands on. Made and owned by the daemon; outlives them
 * all.
 */
typedef struct {
  GDBusConnection *bus;
  GDBusObjectManagerServer *objects;
  TokendGate *gate;
  TokendCallers *callers;
  TokendOpened *opened;
  TokendAudit *audit;
  TokendSubscribers *subscribers;
  TokendLedger *ledger;
  TokendRefused *refused;
  TokendRefusalLimit *refusal_limit;
  TokendClaims *claims;
  TokendLossLog *loss_log;
  TokendRateLimit *snapshot_limit; /* of what modules show */
  GCancellable
      *ending; /* cancelled: the service was asked to end, and what has sent nothing is given up */
  GBytes *key; /* of this process: random, for the keys of what is one; see relate.c */
  /* Because nobody needs it: its name is given up, and what is begun now could not be gone on
   * with */
  gboolean is_leaving;
  GPtrArray *profiles; /* of TokendProfile */
  GPtrArray *modules;  /* of TokendModule, by priority */
} TokendService;

G_END_DECLS
