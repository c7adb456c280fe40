/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cards.h"
#include "host.h"
#include "operation.h"
#include "pkcs11-module.h"
#include "slot-events.h"
#include "worker.h"

G_BEGIN_DECLS

/** TokendHostStage: how far a host has come. */
typedef enum {
  TOKEND_HOST_STAGE_NEW,
  TOKEND_HOST_STAGE_LOADED,
  TOKEND_HOST_STAGE_PREPARED,
  TOKEND_HOST_STAGE_COMMITTING, /* a code may be on its way: nothing ends the process but its
                                   deadline */
  TOKEND_HOST_STAGE_COMMITTED,
  TOKEND_HOST_STAGE_FAILED, /* nothing can follow */
} TokendHostStage;

/** TokendHostCall: the methods, as masks of the stages that they may be called at. */
typedef enum {
  TOKEND_HOST_CALL_LOAD = 1 << TOKEND_HOST_STAGE_NEW,
  TOKEND_HOST_CALL_READ = 1 << TOKEND_HOST_STAGE_LOADED | 1 << TOKEND_HOST_STAGE_PREPARED
                          | 1 << TOKEND_HOST_STAGE_COMMITTED,
  TOKEND_HOST_CALL_PREPARE = 1 << TOKEND_HOST_STAGE_LOADED,
  TOKEND_HOST_CALL_COMMIT = 1 << TOKEND_HOST_STAGE_PREPARED,
} TokendHostCall;

/**
 * TokendHostState:
 *
 * What the interfaces of a host share. The main thread's; but while @busy, @read, @readings,
 * @certificates, @functions and @operation are the worker's.
 */
typedef struct {
  TokendHostMode mode;
  TokendHostStage stage;
  gboolean busy;
  gboolean waiting;   /* for a change, which has a thread of its own */
  gboolean peer_left; /* during COMMITTING; the process ends when the outcome is known */
  TokendWorker *worker;
  TokendReadFunctions read;
  TokendSlotEvents *slot_events; /* of any thread */
  GArray *readings;              /* of TokendSlotReading: the last read's; not of @cards */
  TokendCards *cards;            /* NULL: its tokens are not watched by pcscd's readers */
  GPtrArray *certificates;
  TokendOperationFunctions functions; /* operating hosts only */
  TokendPkcs11Operation *operation;
} TokendHostState;

gboolean tokend_host_begin (TokendHostState *host, TokendHostCall call,
                            GDBusMethodInvocation *invocation);
void tokend_host_end (TokendHostState *host, TokendHostStage stage);

void tokend_host_leave (int status) G_GNUC_NORETURN;

G_END_DECLS
