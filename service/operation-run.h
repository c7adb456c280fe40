/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attempt.h"
#include "code-descriptors.h"
#include "host.h"
#include "module.h"
#include "operation-steps.h"
#include "outcome.h"
#include "token.h"

G_BEGIN_DECLS

/** Operation: an Unlock or SetPin under way; for the files of its steps alone. */
typedef struct {
  TokendStep step;
  TokendService *service;
  TokendToken *token;
  TokendModule *module; /* that shows the token; outlives the operation */
  TokendRole role;
  GDBusMethodInvocation *invocation; /* NULL once it is replied to */
  TokendAuditCaller *caller;
  TokendAttempt attempt;
  TokendCodeDescriptors descriptors;

  gboolean may_peek;         /* the caller may read the status without being asked */
  GCancellable *cancellable; /* the caller left, or the service is to end */
  gboolean caller_left;      /* before the try was recorded */
  guint caller_watch;
  gulong ending_handler;

  GStrv cards;       /* all that are claimed, once they were to be: see tokend_place_list_cards() */
  int lock_fd;       /* -1: the token is not claimed */
  gboolean in_doubt; /* a code went and no answer came: the host may still be at it */
  TokendHost *host;
  TokendReading *prepared;
  TokendCounter before; /* as @prepared says it */
  GBytes *digest;
  TokendVerdict verdict; /* once a try is recorded */
  GError *error;         /* what the reply will be; NULL: the new status */
} Operation;

/* How a step ends: then the next one begins, which may be the last, and @operation gone. */
void tokend_operation_advance (Operation *operation, TokendStepResult result);
void tokend_operation_end_step (Operation *operation, gboolean is_done);
void tokend_operation_lose_caller (Operation *operation);

/* The steps of operation-try.c */
void tokend_operation_prepare (Operation *operation);
void tokend_operation_compare (Operation *operation);
void tokend_operation_confirm (Operation *operation);
void tokend_operation_record (Operation *operation);
void tokend_operation_commit (Operation *operation);
void tokend_operation_settle (Operation *operation);
void tokend_operation_read_after (Operation *operation);

G_END_DECLS
