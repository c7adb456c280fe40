/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation.h"

#include "call.h"
#include "deadline.h"
#include "journal.h"
#include "open-limits-private.h"
#include "operation-private.h"
#include "tokend-error.h"

/* An operation's life. Each step of operation-steps-private.h is a function, in operation-open.c,
 * operation-finish.c or operation-try.c. It ends with tokend_operation_advance(), which finds the
 * next step in the table of operation-steps.c. */

static void
on_token_left (TokendToken *token, gpointer user_data)
{
  Operation *operation = user_data;

  tokend_operation_stop (
      operation, TOKEND_AUDIT_END_NONE,
      operation->path != NULL
          ? g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_TOKEN_REMOVED,
                                 "The token was removed or could not be watched, if only for a "
                                 "moment; nothing was sent: open a new operation")
          : g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                                 "The token was removed or could not be watched, if only for a "
                                 "moment; nothing was sent"));
}

/* A removal that the first reading finds was before the call. */
static void
on_refreshed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  const gboolean is_read =
      tokend_token_refresh_finish (operation->token, result, &operation->error);

  if (is_read && operation->left_handler == 0)
    operation->left_handler =
        g_signal_connect (operation->token, "left", G_CALLBACK (on_token_left), operation);
  tokend_operation_end_step (operation, is_read);
}

void
tokend_operation_read_token (Operation *operation)
{
  tokend_token_refresh_async (operation->token, on_refreshed, operation);
}

void
tokend_operation_drop_pipes (Operation *operation)
{
  if (operation->pipes != NULL)
    operation->n_untaken += !tokend_code_pipes_were_taken (operation->pipes);
  g_clear_pointer (&operation->pipes, tokend_code_pipes_free);
}

static gboolean
on_pipes_expired (gpointer user_data)
{
  Operation *operation = user_data;

  tokend_operation_drop_pipes (operation);
  operation->have_pipes_expired = TRUE;
  return G_SOURCE_REMOVE;
}

/**
 * tokend_operation_make_pipes:
 * @error: Failed.
 *
 * Replaces the pipes.
 *
 * Returns: (transfer full) (nullable): the ends for the caller.
 */
GUnixFDList *
tokend_operation_make_pipes (Operation *operation, GError **error)
{
  const char *code = operation->role == TOKEND_ROLE_PUK ? "PUK" : "PIN";
  GUnixFDList *write_ends = NULL;
  TokendCodePipes *pipes = tokend_code_pipes_new (code, &write_ends, error);

  if (pipes == NULL)
    return NULL;
  tokend_operation_drop_pipes (operation);
  operation->pipes = pipes;
  operation->have_pipes_expired = FALSE;
  tokend_code_pipes_watch (pipes, on_pipes_expired, operation);
  return write_ends;
}

static void
operation_free (Operation *operation)
{
  g_clear_signal_handler (&operation->gone_handler, operation->caller->gone);
  if (operation->path != NULL)
    tokend_open_operations_remove (operation->service->operations, operation->path);
  tokend_identity_clear (&operation->opener);
  tokend_identity_clear (&operation->present);
  g_clear_error (&operation->over);
  g_clear_object (&operation->source);
  g_object_unref (operation->token);
  tokend_caller_release (operation->caller);
  g_free (operation);
}

/* Forgets the call, and releases the claim before the reply: the caller may begin the next try
 * then, unless the host is at the card still. */
static void
clear_call (Operation *operation)
{
  tokend_operation_drop_pipes (operation);
  if (operation->lock_fd >= 0)
    tokend_claims_release (operation->service->claims, operation->cards[0], operation->lock_fd,
                           !operation->may_be_open);
  operation->lock_fd = -1;
  g_clear_pointer (&operation->cards, g_strfreev);
  g_clear_object (&operation->host);
  g_clear_pointer (&operation->prepared, tokend_reading_free);
  operation->before = tokend_counter_unknown;
  g_clear_pointer (&operation->digest, g_bytes_unref);
  operation->effect = (TokendTryEffect){ 0 };
  operation->may_be_open = operation->is_left_open = operation->is_unread = FALSE;
  g_clear_error (&operation->error);
  g_clear_pointer (&operation->options, g_variant_unref);
  g_clear_object (&operation->cancellable);
}

static void
report_end (Operation *operation, const GError *error)
{
  TokendTokenSource *source = operation->source;
  TokendAuditRecord *record = g_new0 (TokendAuditRecord, 1);

  record->role = operation->role;
  record->token = g_strdup (tokend_token_get_physical_id (operation->token));
  record->label = g_strdup (tokend_token_get_label (operation->token));
  record->module = source != NULL ? g_strdup (tokend_token_source_get_name (source)) : NULL;
  record->is_done = error == NULL;
  record->error = record->is_done ? 0 : error->code;
  record->effect = operation->effect;
  record->end = operation->end;
  record->before = operation->before;
  record->after = tokend_token_get_counter (operation->token, operation->role);
  record->barred = tokend_token_evaluate_now (operation->token, operation->role).state;
  tokend_audit_write (operation->service->audit, operation->caller, record);
}

/* Tells whether this error ends the operation, though nothing was sent. */
static gboolean
is_final (const GError *error)
{
  return error->code == TOKEND_ERROR_NOT_FOUND || error->code == TOKEND_ERROR_NOT_AUTHORIZED
         || error->code == TOKEND_ERROR_TOKEN_REMOVED;
}

/* Returns: whether Finish may be called again. */
static gboolean
evaluate_end (Operation *operation)
{
  const GError *error = operation->error;
  const gboolean was_sent = error == NULL || operation->effect.sent;
  const gboolean is_over = operation->over != NULL || (error != NULL && is_final (error));

  if (tokend_step_may_go_on (operation->path != NULL, is_over, was_sent))
    return TRUE;
  /* What ended the operation while the code was on its way says wrongly that nothing was sent. */
  if (was_sent) {
    g_clear_error (&operation->over);
    operation->over =
        g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                             "This operation has sent a code, and so is over: open a new one");
  } else if (operation->over == NULL) {
    operation->over = g_error_copy (error);
  }
  return FALSE;
}

static void
tell_subscribers (TokendService *service, const char *const *cards)
{
  for (guint i = 0; i < service->modules->len; i++)
    tokend_module_end_operation (service->modules->pdata[i], cards);
}

static void
reply (Operation *operation)
{
  GDBusMethodInvocation *invocation = g_steal_pointer (&operation->invocation);
  gboolean was_claimed = operation->lock_fd >= 0;
  g_auto (GStrv) cards = g_strdupv (operation->cards);
  g_autoptr (GVariant) status = NULL;
  GError *error = NULL;
  gboolean may_go_on;

  if (operation->error != NULL)
    tokend_call_normalise_error (operation->error);
  may_go_on = evaluate_end (operation);
  report_end (operation, operation->error);
  if (operation->is_left_open)
    tokend_warning ("The card of “%s” may take a code for verified still that was sent to it: it "
                    "could not be closed",
                    tokend_token_get_label (operation->token));
  operation->was_finished = TRUE;
  operation->is_told = !may_go_on;
  error = g_steal_pointer (&operation->error);
  if (error == NULL)
    status = g_variant_ref_sink (tokend_token_get_status (operation->token));
  clear_call (operation);

  if (error != NULL)
    tokend_call_return_error (invocation, error);
  else
    g_dbus_method_invocation_return_value (invocation, g_variant_new ("(@a{sv})", status));
  if (was_claimed)
    tell_subscribers (operation->service, (const char *const *) cards);
  tokend_operation_end_step (operation, may_go_on);
}

/* Tells whether the journal has the end: as a reply, or as a Finish that sent nothing, after which
 * the caller left. */
static gboolean
is_end_told (const Operation *operation)
{
  return operation->is_told
         || (operation->was_finished && operation->end == TOKEND_AUDIT_END_CALLER_LEFT);
}

/* Keeps the operation while its connection is there: it counts, and says why it is over. */
static void
end (Operation *operation)
{
  g_clear_signal_handler (&operation->left_handler, operation->token);
  g_clear_signal_handler (&operation->ending_handler, operation->service->ending);
  g_clear_handle_id (&operation->expiry, g_source_remove);
  if (!is_end_told (operation))
    report_end (operation, operation->over);
  clear_call (operation);
  if (operation->is_needing_service)
    tokend_open_operations_end_need (operation->service->operations);
  operation->is_needing_service = FALSE;
  if (operation->path == NULL || g_cancellable_is_cancelled (operation->caller->gone))
    operation_free (operation);
}

static void
wait_for_finish (Operation *operation)
{
}

void
tokend_operation_advance (Operation *operation, TokendStepResult result)
{
  static void (*const begin[TOKEND_N_STEPS]) (Operation *) = {
    [TOKEND_STEP_MAY_READ] = tokend_operation_ask_may_read,
    [TOKEND_STEP_READ_BEFORE_PROMPT] = tokend_operation_read_token,
    [TOKEND_STEP_CHECK_BEFORE_PROMPT] = tokend_operation_check_before_prompt,
    [TOKEND_STEP_IDENTIFY] = tokend_operation_identify,
    [TOKEND_STEP_AUTHORIZE] = tokend_operation_authorize,
    [TOKEND_STEP_IDENTIFY_AGAIN] = tokend_operation_identify_again,
    [TOKEND_STEP_READ_AFTER_PROMPT] = tokend_operation_read_after_prompt,
    [TOKEND_STEP_CHECK_AFTER_PROMPT] = tokend_operation_check_before_prompt,
    [TOKEND_STEP_HAND_OUT] = tokend_operation_hand_out,
    [TOKEND_STEP_OPEN] = wait_for_finish,
    [TOKEND_STEP_COLLECT] = tokend_operation_collect,
    [TOKEND_STEP_AUTHORIZE_AGAIN] = tokend_operation_authorize_again,
    [TOKEND_STEP_READ] = tokend_operation_read_token,
    [TOKEND_STEP_CHECK] = tokend_operation_check,
    [TOKEND_STEP_CLAIM] = tokend_operation_claim,
    [TOKEND_STEP_PREPARE] = tokend_operation_prepare,
    [TOKEND_STEP_COMPARE] = tokend_operation_compare,
    [TOKEND_STEP_RECORD] = tokend_operation_record,
    [TOKEND_STEP_COMMIT] = tokend_operation_commit,
    [TOKEND_STEP_RESOLVE] = tokend_operation_resolve,
    [TOKEND_STEP_READ_AFTER] = tokend_operation_read_after,
    [TOKEND_STEP_CLOSE] = tokend_operation_close,
    [TOKEND_STEP_REPLY] = reply,
    [TOKEND_STEP_END] = end,
  };

  const TokendStepResult counted =
      tokend_step_evaluate (operation->step, result, operation->over != NULL);

  if (operation->over != NULL && tokend_step_may_be_left (operation->step)) {
    g_clear_error (&operation->error);
    operation->error = g_error_copy (operation->over);
  }
  operation->step = tokend_step_next (operation->step, counted);
  begin[operation->step](operation);
}

/* Ends a step that has set the operation's error unless it is done. */
void
tokend_operation_end_step (Operation *operation, gboolean is_done)
{
  tokend_operation_advance (operation, is_done ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

/**
 * tokend_operation_stop:
 * @end: why, for the journal.
 * @why: (transfer full): the same, for the caller.
 *
 * Ends the operation, unless a try is recorded, which then completes. May free it.
 */
void
tokend_operation_stop (Operation *operation, TokendAuditEnd end, GError *why)
{
  g_autoptr (GError) owned = why;

  if (operation->over != NULL)
    return;
  operation->over = g_steal_pointer (&owned);
  if (!tokend_step_may_be_left (operation->step))
    return;
  operation->end = end;
  if (operation->step == TOKEND_STEP_OPEN)
    tokend_operation_advance (operation, TOKEND_STEP_FAILED);
  else
    g_cancellable_cancel (operation->cancellable);
}

static void
on_caller_gone (GCancellable *gone, gpointer user_data)
{
  Operation *operation = user_data;

  if (operation->step == TOKEND_STEP_END)
    operation_free (operation);
  else
    tokend_operation_stop (operation, TOKEND_AUDIT_END_CALLER_LEFT,
                           g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_FAILED,
                                                "The caller left; nothing was sent"));
}

static void
on_ending (GCancellable *ending, gpointer user_data)
{
  tokend_operation_stop (user_data, TOKEND_AUDIT_END_NONE, tokend_call_new_ending_error ());
}

static void
begin_call (Operation *operation, GDBusMethodInvocation *invocation, GVariant *options)
{
  /* Drops the options of the call that opened it. */
  g_clear_pointer (&operation->options, g_variant_unref);
  g_clear_object (&operation->cancellable);
  operation->invocation = invocation;
  operation->options = g_variant_ref (options);
  operation->cancellable = g_cancellable_new ();
}

/**
 * tokend_operation_start:
 * @token: the token.
 * @role: the PUK's for Unlock, the PIN's for SetPin.
 * @action: (transfer none): the polkit action; a constant.
 * @invocation: (transfer full): the call; it is replied to when the operation is open or has
 *   failed.
 * @options: a{sv}.
 *
 * Opens an operation.
 */
void
tokend_operation_start (TokendService *service, TokendToken *token, TokendRole role,
                        const char *action, GDBusMethodInvocation *invocation, GVariant *options)
{
  Operation *operation = g_new0 (Operation, 1);

  operation->step = TOKEND_STEP_ACCEPT;
  operation->service = service;
  operation->token = g_object_ref (token);
  operation->role = role;
  operation->action = action;
  operation->before = tokend_counter_unknown;
  operation->lock_fd = -1;
  operation->caller =
      tokend_callers_take (service->callers, g_dbus_method_invocation_get_sender (invocation));
  tokend_caller_identify (operation->caller);
  operation->ending_handler =
      g_signal_connect (service->ending, "cancelled", G_CALLBACK (on_ending), operation);
  begin_call (operation, invocation, options);
  operation->gone_handler =
      g_cancellable_connect (operation->caller->gone, G_CALLBACK (on_caller_gone), operation, NULL);
  if (service->is_leaving)
    on_ending (service->ending, operation);
  tokend_operation_accept (operation);
}

static void
return_busy (GDBusMethodInvocation *invocation, const char *message)
{
  tokend_call_return_error (invocation,
                            g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_BUSY, message));
}

/* Returns: whether the operation waits for Finish; else replies. */
static gboolean
check_open (Operation *operation, GDBusMethodInvocation *invocation)
{
  /* After the machine was suspended, a call may come before the timer. */
  if (operation->step == TOKEND_STEP_OPEN && tokend_deadline_is_over (operation->deadline))
    tokend_operation_expire (operation);
  if (operation->step == TOKEND_STEP_OPEN)
    return TRUE;
  if (operation->step == TOKEND_STEP_END)
    tokend_call_return_error (invocation, g_error_copy (operation->over));
  else
    return_busy (invocation, "A Finish of this operation is under way");
  return FALSE;
}

/**
 * tokend_operation_finish:
 * @invocation: (transfer full): the call; it is replied to when the try has ended or cannot be
 *   made.
 * @options: a{sv}.
 *
 * Sends the codes.
 */
void
tokend_operation_finish (TokendOperation *operation, GDBusMethodInvocation *invocation,
                         GVariant *options)
{
  if (!check_open (operation, invocation))
    return;
  begin_call (operation, invocation, options);
  tokend_operation_advance (operation, TOKEND_STEP_DONE);
}

static gboolean
check_untaken (const Operation *operation, GError **error)
{
  const guint n_untaken =
      operation->n_untaken
      + (operation->pipes != NULL && !tokend_code_pipes_were_taken (operation->pipes));

  if (n_untaken < TOKEND_UNTAKEN_PIPES_MAX)
    return TRUE;
  g_set_error (
      error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
      "%u pairs of pipes of this operation were neither written to nor closed; nothing was "
      "sent: open a new one",
      n_untaken);
  return FALSE;
}

/**
 * tokend_operation_again:
 * @invocation: (transfer full): the call, which is replied to.
 *
 * Hands out new pipes.
 */
void
tokend_operation_again (TokendOperation *operation, GDBusMethodInvocation *invocation)
{
  g_autoptr (GUnixFDList) write_ends = NULL;
  GError *error = NULL;

  if (!check_open (operation, invocation))
    return;
  if (check_untaken (operation, &error))
    write_ends = tokend_operation_make_pipes (operation, &error);
  if (write_ends == NULL) {
    tokend_call_return_error (invocation, error);
    return;
  }
  operation->was_finished = FALSE;
  g_dbus_method_invocation_return_value_with_unix_fd_list (invocation, g_variant_new ("(hh)", 0, 1),
                                                           write_ends);
}

/**
 * tokend_operation_cancel:
 * @invocation: (transfer full): the call, which is replied to.
 *
 * Ends the operation.
 */
void
tokend_operation_cancel (TokendOperation *operation, GDBusMethodInvocation *invocation)
{
  if (operation->step == TOKEND_STEP_END) {
    check_open (operation, invocation);
    return;
  }
  if (!tokend_step_may_be_left (operation->step)) {
    return_busy (invocation, "The code is on its way to the token, and Finish will say what came "
                             "of it");
    return;
  }
  tokend_operation_stop (operation, TOKEND_AUDIT_END_CANCELLED,
                         g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                                              "The operation was cancelled; nothing was sent"));
  /* The reply says that the pipes of an open operation are closed. */
  g_dbus_method_invocation_return_value (invocation, NULL);
}
