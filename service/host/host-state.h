/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "cards.h"
#include "host.h"
#include "operation.h"
#include "pkcs11-module.h"
#include "slot-events.h"
#include "worker.h"

G_BEGIN_DECLS

/**
 * TokendHostStage:
 *
 * How far a host has come.
 */
typedef enum {
  TOKEND_HOST_STAGE_NEW,
  TOKEND_HOST_STAGE_LOADED,
  TOKEND_HOST_STAGE_PREPARED,
  /* A code may be on its way: only its deadline ends the process. */
  TOKEND_HOST_STAGE_COMMITTING,
  TOKEND_HOST_STAGE_COMMITTED,
  TOKEND_HOST_STAGE_CLOSING, /* likewise */
  TOKEND_HOST_STAGE_CLOSED,  /* the module is finalized */
  TOKEND_HOST_STAGE_FAILED,  /* nothing can follow */
} TokendHostStage;

/**
 * TokendHostCall:
 *
 * The methods, as masks of the stages at which they may be called.
 */
typedef enum {
  TOKEND_HOST_CALL_LOAD = 1 << TOKEND_HOST_STAGE_NEW,
  TOKEND_HOST_CALL_READ = 1 << TOKEND_HOST_STAGE_LOADED | 1 << TOKEND_HOST_STAGE_PREPARED
                          | 1 << TOKEND_HOST_STAGE_COMMITTED,
  TOKEND_HOST_CALL_PREPARE = 1 << TOKEND_HOST_STAGE_LOADED,
  TOKEND_HOST_CALL_COMMIT = 1 << TOKEND_HOST_STAGE_PREPARED,
  TOKEND_HOST_CALL_CLOSE = 1 << TOKEND_HOST_STAGE_COMMITTED,
} TokendHostCall;

/**
 * TokendHostState:
 *
 * The state that the interfaces of a host share. It is the main thread's; but while @busy, @read,
 * @readings, @certificates, @functions and @operation are the worker's.
 */
typedef struct {
  TokendHostMode mode;
  TokendHostStage stage;
  gboolean busy;
  gboolean waiting;     /* a thread of its own waits for a change */
  gboolean peer_left;   /* the process ends when nothing is under way on the card */
  gboolean may_be_open; /* the card, once COMMITTED */
  TokendWorker *worker;
  TokendReadFunctions read;
  TokendSlotEvents *slot_events; /* of any thread */
  /* Of TokendSlotReading: the last readings, without those of @cards. */
  GArray *readings;
  TokendCards *cards; /* NULL: its tokens are not watched by pcscd's readers */
  GPtrArray *certificates;
  TokendOperationFunctions functions; /* operating hosts only */
  TokendPkcs11Operation *operation;
} TokendHostState;

gboolean tokend_host_begin (TokendHostState *host, TokendHostCall call,
                            GDBusMethodInvocation *invocation);
void tokend_host_end (TokendHostState *host, TokendHostStage stage);

void tokend_host_leave (int status) G_GNUC_NORETURN;

G_END_DECLS
