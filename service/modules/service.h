/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callers.h"
#include "claims.h"
#include "ledger.h"
#include "refused.h"
#include "rate-limit.h"
#include "loss-log.h"

G_BEGIN_DECLS

/* Of the rooms above, which use them; held here. */
typedef struct _TokendAudit TokendAudit;
typedef struct _TokendGate TokendGate;
typedef struct _TokendOpenOperations TokendOpenOperations;
typedef struct _TokendRefusalLimit TokendRefusalLimit;

/**
 * TokendService:
 *
 * The parts that the rooms of the service share. The daemon owns it; it outlives them all.
 */
typedef struct {
  GDBusConnection *bus;
  GDBusObjectManagerServer *objects;
  TokendGate *gate;
  TokendCallers *callers;
  TokendOpenOperations *operations;
  TokendAudit *audit;
  TokendLedger *ledger;
  TokendRefused *refused;
  TokendRefusalLimit *refusal_limit;
  TokendClaims *claims;
  TokendLossLog *loss_log;
  TokendRateLimit *snapshot_limit; /* on what modules show */
  /* Cancelled when the service is asked to end, which gives up what has sent nothing. */
  GCancellable *ending;
  GBytes *key; /* random, of this process; makes the keys card-id and pin-id, see relate.c */
  /* The service is about to end because nobody needs it. Its name is given up, so that nothing new
   * may begin. */
  gboolean is_leaving;
  GPtrArray *profiles; /* of TokendProfile */
  GPtrArray *modules;  /* of TokendModule, by priority */
} TokendService;

G_END_DECLS
