/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation.h"

#include "call.h"
#include "operation-run.h"
#include "tokend-error.h"

/*
 * Unlock and SetPin. Each step of operation-steps.h is a function that does it, here or in operation-try.c, and at its end
 * calls tokend_operation_advance() with how it ended; what comes then is not said here but in the table of
 * operation-steps.c.
 */

static void
on_may_peek (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  operation->may_peek = tokend_gate_check_finish (TOKEND_GATE (source), result, &operation->error);
  /* To ask a polkit that does not answer once more would take as long again. */
  if (operation->may_peek || tokend_gate_check_get_answer (result) == TOKEND_GATE_UNANSWERED) {
    tokend_operation_end_step (operation, operation->may_peek);
    return;
  }
  g_clear_error (&operation->error);
  tokend_operation_advance (operation, TOKEND_STEP_NOT_ALLOWED);
}

/* What may be left by then is given up. */
void
tokend_operation_lose_caller (Operation *operation)
{
  operation->caller_left = TRUE;
  g_cancellable_cancel (operation->cancellable);
}

static void
on_caller_vanished (GDBusConnection *bus, const char *name, gpointer user_data)
{
  tokend_operation_lose_caller (user_data);
}

static void
ask_may_peek (Operation *operation)
{
  operation->caller_watch = g_bus_watch_name_on_connection (
      operation->service->bus, g_dbus_method_invocation_get_sender (operation->invocation),
      G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, on_caller_vanished, operation, NULL);
  tokend_gate_check_async (operation->service->gate, operation->invocation,
                           TOKEND_ACTION_READ_STATUS, TOKEND_GATE_SILENT, NULL, NULL,
                           operation->cancellable, on_may_peek, operation);
}

static void
on_refreshed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  tokend_operation_end_step (
      operation, tokend_token_refresh_finish (operation->token, result, &operation->error));
}

static void
read_token (Operation *operation)
{
  tokend_token_refresh_async (operation->token, on_refreshed, operation);
}

/* The state, as of the last read. */
static void
check (Operation *operation)
{
  GError **error = &operation->error;
  g_auto (GStrv) cards = tokend_place_list_cards (tokend_token_get_place (operation->token));
  TokendCounter counter = tokend_token_judge (
      operation->token, tokend_token_get_reading (operation->token), operation->role);

  tokend_operation_end_step (
      operation, tokend_token_supports (operation->token, operation->role, error)
                     && tokend_attempt_check (&operation->attempt, operation->role, &counter, error)
                     && tokend_claims_check_free (operation->service->claims,
                                                  (const char *const *) cards, error));
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  tokend_operation_end_step (
      operation, tokend_gate_check_finish (TOKEND_GATE (source), result, &operation->error));
}

static void
ask (Operation *operation)
{
  const char *label = tokend_token_get_label (operation->token);
  const char *serial = tokend_token_get_serial (operation->token);

  /* The prompt is shown by an agent of the caller's: it names the token only to one who may read it. */
  tokend_gate_check_async (operation->service->gate, operation->invocation,
                           tokend_call_get_action (operation->invocation),
                           TOKEND_GATE_AS_CALLER_SAYS, operation->may_peek ? label : NULL,
                           operation->may_peek ? serial : NULL, operation->cancellable, on_asked,
                           operation);
}

static void
claim (Operation *operation)
{
  operation->cards = tokend_place_list_cards (tokend_token_get_place (operation->token));
  operation->lock_fd = tokend_claims_take (
      operation->service->claims, (const char *const *) operation->cards, &operation->error);
  tokend_operation_end_step (operation, operation->lock_fd >= 0);
}

static gboolean
is_given_up (const Operation *operation)
{
  return tokend_step_may_be_left (operation->step)
         && g_cancellable_is_cancelled (operation->service->ending);
}

static void
operation_free (Operation *operation)
{
  g_clear_signal_handler (&operation->ending_handler, operation->service->ending);
  g_clear_handle_id (&operation->caller_watch, g_bus_unwatch_name);
  tokend_code_descriptors_close (&operation->descriptors);
  if (operation->lock_fd >= 0)
    tokend_claims_release (operation->service->claims, operation->cards[0], operation->lock_fd,
                           !operation->in_doubt);
  g_strfreev (operation->cards);
  g_clear_pointer (&operation->prepared, tokend_reading_free);
  g_clear_pointer (&operation->digest, g_bytes_unref);
  g_clear_error (&operation->error);
  g_clear_object (&operation->host);
  g_clear_object (&operation->cancellable);
  g_clear_object (&operation->token);
  g_free (operation);
}

static void
report_end (Operation *operation)
{
  TokendModule *module = operation->module;
  TokendReport *report = g_new0 (TokendReport, 1);

  report->role = operation->role;
  report->token = g_strdup (tokend_token_get_physical_id (operation->token));
  report->label = g_strdup (tokend_token_get_label (operation->token));
  report->module = module != NULL ? g_strdup (tokend_module_get_name (module)) : NULL;
  report->is_done = operation->error == NULL;
  report->error = report->is_done ? 0 : operation->error->code;
  report->sent = operation->verdict.sent;
  report->in_doubt = operation->in_doubt;
  report->caller_left = operation->caller_left;
  report->settlement = operation->verdict.settlement;
  report->before = operation->before;
  report->after = tokend_token_get_counter (operation->token, operation->role);
  tokend_audit_end (operation->service->audit, operation->caller, report);
}

static void
tell_subscribers (TokendService *service, const char *const *cards)
{
  for (guint i = 0; i < service->modules->len; i++)
    tokend_module_end_operation (service->modules->pdata[i], cards);
}

/* Frees @operation. The claim goes first: who hears the reply may begin the next operation. */
static void
reply (Operation *operation)
{
  TokendService *service = operation->service;
  GDBusMethodInvocation *invocation = operation->invocation;
  gboolean was_claimed = operation->lock_fd >= 0;
  g_auto (GStrv) cards = g_strdupv (operation->cards);
  GError *error = NULL;
  g_autoptr (GVariant) status = NULL;

  if (operation->error != NULL && operation->error->domain != TOKEND_ERROR) {
    operation->error->domain = TOKEND_ERROR;
    operation->error->code = TOKEND_ERROR_FAILED;
  }
  report_end (operation);
  error = g_steal_pointer (&operation->error);
  if (error == NULL)
    status = g_variant_ref_sink (tokend_token_get_status (operation->token));
  operation_free (operation);

  if (error != NULL)
    tokend_call_return_error (invocation, error);
  else
    g_dbus_method_invocation_return_value_with_unix_fd_list (
        invocation, g_variant_new ("(@a{sv})", status), NULL);
  if (was_claimed)
    tell_subscribers (service, (const char *const *) cards);
}

/* Ends the step that @operation is at, and begins the next; that may be the last, and @operation gone. */
void
tokend_operation_advance (Operation *operation, TokendStepResult result)
{
  static void (*const begin[TOKEND_N_STEPS]) (Operation *) = {
    [TOKEND_STEP_MAY_PEEK] = ask_may_peek,
    [TOKEND_STEP_PEEK] = read_token,
    [TOKEND_STEP_FORESEE] = check,
    [TOKEND_STEP_ASK] = ask,
    [TOKEND_STEP_READ] = read_token,
    [TOKEND_STEP_CHECK] = check,
    [TOKEND_STEP_CLAIM] = claim,
    [TOKEND_STEP_PREPARE] = tokend_operation_prepare,
    [TOKEND_STEP_COMPARE] = tokend_operation_compare,
    [TOKEND_STEP_CONFIRM] = tokend_operation_confirm,
    [TOKEND_STEP_RECORD] = tokend_operation_record,
    [TOKEND_STEP_COMMIT] = tokend_operation_commit,
    [TOKEND_STEP_SETTLE] = tokend_operation_settle,
    [TOKEND_STEP_READ_AFTER] = tokend_operation_read_after,
    [TOKEND_STEP_REPLY] = reply,
  };

  if (is_given_up (operation)) {
    g_clear_error (&operation->error);
    operation->error = tokend_call_new_ending_error ();
    result = TOKEND_STEP_FAILED;
  }
  if (result != TOKEND_STEP_FAILED && tokend_step_may_be_left (operation->step)
      && g_cancellable_set_error_if_cancelled (operation->cancellable, &operation->error))
    result = TOKEND_STEP_FAILED;
  operation->step = tokend_step_next (operation->step, result);
  begin[operation->step](operation);
}

/* Of a step that, if it is not done, has set the operation's error. */
void
tokend_operation_end_step (Operation *operation, gboolean is_done)
{
  tokend_operation_advance (operation, is_done ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

static void
on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  tokend_operation_end_step (
      operation, tokend_callers_admit_finish (TOKEND_CALLERS (source), result, &operation->error));
}

/**
 * tokend_operation_start:
 * @token: on which.
 * @role: the PUK's: Unlock; the PIN's: SetPin.
 * @invocation: (transfer full): the call, which is replied to when the operation ends.
 * @fds: (nullable): the descriptors that came with it.
 * @code_handle: the index of the code's descriptor in @fds.
 * @new_pin_handle: likewise, of the new PIN's.
 * @options: a{sv}.
 */
void
tokend_operation_start (TokendService *service, TokendToken *token, TokendRole role,
                        GDBusMethodInvocation *invocation, GUnixFDList *fds, int code_handle,
                        int new_pin_handle, GVariant *options)
{
  Operation *operation = g_new0 (Operation, 1);

  operation->step = TOKEND_STEP_ACCEPT;
  operation->service = service;
  operation->token = g_object_ref (token);
  operation->role = role;
  operation->invocation = invocation;
  operation->caller =
      tokend_audit_begin (service->audit, g_dbus_method_invocation_get_sender (invocation));
  operation->before = tokend_counter_unknown;
  operation->lock_fd = -1;
  operation->cancellable = g_cancellable_new ();
  operation->ending_handler = g_signal_connect_swapped (
      service->ending, "cancelled", G_CALLBACK (g_cancellable_cancel), operation->cancellable);
  if (tokend_code_descriptors_take (&operation->descriptors, fds, code_handle, new_pin_handle,
                                    &operation->error)
      && tokend_attempt_parse (options, &operation->attempt, &operation->error))
    tokend_callers_admit_async (service->callers, invocation, on_admitted, operation);
  else
    tokend_operation_end_step (operation, FALSE);
}
