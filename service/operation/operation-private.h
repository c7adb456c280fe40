/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attempt-private.h"
#include "audit.h"
#include "code-pipes-private.h"
#include "gate.h"
#include "host.h"
#include "module.h"
#include "open-operations.h"
#include "operation-steps-private.h"
#include "operation.h"
#include "outcome-private.h"
#include "refusal-limit.h"
#include "token.h"

G_BEGIN_DECLS

/**
 * Operation:
 *
 * For the files of the steps alone.
 */
typedef struct _TokendOperation {
  TokendStep step;
  TokendService *service;
  TokendToken *token;
  TokendTokenSource *source; /* the module that has shown the token; NULL before it is prepared */
  TokendRole role;
  const char *action; /* polkit's */
  gulong left_handler;
  gulong ending_handler;

  TokendCaller *caller; /* that opens it; known once the call is admitted */
  gulong gone_handler;
  gboolean may_read_unasked; /* the caller may read the status without being asked */
  TokendIdentity opener;     /* the caller when it was opened */
  TokendIdentity present;    /* the caller when looked up again */

  const char *path; /* NULL: it is not open yet */
  gboolean is_needing_service;
  guint expiry;
  gint64 deadline;        /* of @expiry, also while the machine is suspended */
  TokendCodePipes *pipes; /* NULL: none */
  gboolean have_pipes_expired;
  guint n_untaken; /* earlier pairs of pipes that the caller is not known to have got */
  /* A Finish was replied to and is in the journal, and no Again has followed. */
  gboolean was_finished;
  gboolean is_told;   /* the reply that ends it is in the journal */
  GError *over;       /* why it has ended, or is about to; or NULL */
  TokendAuditEnd end; /* the same, for the journal */

  GDBusMethodInvocation *invocation; /* the call under way, or NULL */
  GVariant *options;                 /* of that call */
  GCancellable *cancellable;         /* cancels what that call waits for */
  TokendAttempt attempt;

  GStrv cards; /* all that are claimed, see tokend_target_list_cards(); NULL before */
  int lock_fd; /* -1: the token is not claimed */
  TokendHost *host;
  TokendReading *prepared;
  TokendCounter before; /* of @role, as @prepared has it */
  GBytes *digest;
  TokendTryEffect effect; /* set once a try is recorded */
  gboolean may_be_open;   /* the card may take the code for verified, and the host close it yet */
  gboolean is_left_open;  /* the card may do so still at the end */
  gboolean is_unread;     /* what the token shows after the code is still to be read */
  GError *error;          /* the reply; NULL: the new status */
} Operation;

/* Ends the present step and begins the next, which may be the last and free @operation. */
void tokend_operation_advance (Operation *operation, TokendStepResult result);
void tokend_operation_end_step (Operation *operation, gboolean is_done);
void tokend_operation_read_token (Operation *operation);

/* Ends the operation by what comes from outside. */
void tokend_operation_stop (Operation *operation, TokendAuditEnd end, GError *why);
void tokend_operation_drop_pipes (Operation *operation);
GUnixFDList *tokend_operation_make_pipes (Operation *operation, GError **error);

/* The steps of operation-open.c */
void tokend_operation_accept (Operation *operation);
void tokend_operation_ask_may_read (Operation *operation);
void tokend_operation_check_before_prompt (Operation *operation);
void tokend_operation_identify (Operation *operation);
void tokend_operation_authorize (Operation *operation);
void tokend_operation_identify_again (Operation *operation);
void tokend_operation_read_after_prompt (Operation *operation);
void tokend_operation_hand_out (Operation *operation);
void tokend_operation_expire (Operation *operation);

/* The steps of operation-finish.c */
void tokend_operation_collect (Operation *operation);
void tokend_operation_authorize_again (Operation *operation);
void tokend_operation_check (Operation *operation);
void tokend_operation_claim (Operation *operation);

/* The steps of operation-try.c */
void tokend_operation_prepare (Operation *operation);
void tokend_operation_compare (Operation *operation);
void tokend_operation_record (Operation *operation);
void tokend_operation_commit (Operation *operation);
void tokend_operation_resolve (Operation *operation);
void tokend_operation_read_after (Operation *operation);
void tokend_operation_close (Operation *operation);

G_END_DECLS
