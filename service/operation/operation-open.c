/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-private.h"

#include "deadline.h"
#include "open-limits-private.h"
#include "tokend-error.h"

/* The steps of Unlock and SetPin, until the caller has the pipes: 1 to 3 of ARCHITECTURE.md. */

static void
on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  GError **error = &operation->error;

  tokend_operation_end_step (
      operation, tokend_callers_admit_finish (TOKEND_CALLERS (source), result, error) != NULL
                     && tokend_attempt_parse (operation->options, TRUE, &operation->attempt, error)
                     && tokend_open_operations_check_room (operation->service->operations,
                                                           operation->caller->uid, error));
}

void
tokend_operation_accept (Operation *operation)
{
  tokend_callers_admit_async (operation->service->callers, operation->invocation, on_admitted,
                              operation);
}

static void
on_may_peek (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  operation->may_read_unasked =
      tokend_gate_check_finish (TOKEND_GATE (source), result, &operation->error);
  /* Does not ask a polkit again that does not answer, which would take as long once more. */
  if (operation->may_read_unasked
      || tokend_gate_check_get_answer (result) == TOKEND_GATE_UNANSWERED) {
    tokend_operation_end_step (operation, operation->may_read_unasked);
    return;
  }
  g_clear_error (&operation->error);
  tokend_operation_advance (operation, TOKEND_STEP_NOT_ALLOWED);
}

void
tokend_operation_ask_may_read (Operation *operation)
{
  tokend_gate_check_async (operation->service->gate, operation->invocation,
                           TOKEND_ACTION_READ_STATUS, TOKEND_GATE_SILENT, NULL, NULL,
                           operation->caller->gone, operation->cancellable, on_may_peek, operation);
}

void
tokend_operation_check_before_prompt (Operation *operation)
{
  GError **error = &operation->error;
  g_auto (GStrv) cards = tokend_target_list_cards (tokend_token_get_target (operation->token));
  TokendCounter counter = tokend_token_evaluate (
      operation->token, tokend_token_get_reading (operation->token), operation->role);

  tokend_operation_end_step (
      operation,
      tokend_token_supports (operation->token, operation->role, error)
          && tokend_token_check_certain (operation->token, error)
          && tokend_attempt_check_opening (&operation->attempt, operation->role, &counter, error)
          && tokend_claims_check_free (operation->service->claims, (const char *const *) cards,
                                       error));
}

static void
on_met (GObject *source, GAsyncResult *result, gpointer user_data)
{
  tokend_operation_advance (user_data, TOKEND_STEP_DONE);
}

void
tokend_operation_identify (Operation *operation)
{
  tokend_identity_look_up (&operation->opener, operation->service->bus, operation->caller, on_met,
                           operation);
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  tokend_operation_end_step (
      operation, tokend_gate_check_finish (TOKEND_GATE (source), result, &operation->error));
}

void
tokend_operation_authorize (Operation *operation)
{
  const char *label = tokend_token_get_label (operation->token);
  const char *serial = tokend_token_get_serial (operation->token);

  /* The caller's own agent shows the prompt, so the prompt names the token only to a caller who may
   * read it. */
  tokend_gate_check_async (operation->service->gate, operation->invocation, operation->action,
                           TOKEND_GATE_AS_CALLER_SAYS, operation->may_read_unasked ? label : NULL,
                           operation->may_read_unasked ? serial : NULL, operation->caller->gone,
                           operation->cancellable, on_asked, operation);
}

static void
on_met_again (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  tokend_identity_look_again (&operation->opener, &operation->present);
  tokend_operation_advance (operation, TOKEND_STEP_DONE);
}

void
tokend_operation_identify_again (Operation *operation)
{
  tokend_identity_look_up (&operation->present, operation->service->bus, operation->caller,
                           on_met_again, operation);
}

void
tokend_operation_read_after_prompt (Operation *operation)
{
  TokendTokenSource *source;

  operation->is_needing_service = TRUE;
  tokend_open_operations_begin_need (operation->service->operations);
  /* The token is gone if its module is not configured any more. */
  source = tokend_token_get_source (operation->token);
  if (source != NULL)
    tokend_token_source_begin_wait (source);
  tokend_operation_read_token (operation);
}

void
tokend_operation_expire (Operation *operation)
{
  tokend_operation_stop (operation, TOKEND_AUDIT_END_EXPIRED,
                         g_error_new (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                                      "The operation ended %d minutes after it was opened; nothing "
                                      "was sent: open a new one",
                                      TOKEND_OPERATION_MINUTES));
}

static gboolean
on_expired (gpointer user_data)
{
  Operation *operation = user_data;

  operation->expiry = 0;
  tokend_operation_expire (operation);
  return G_SOURCE_REMOVE;
}

void
tokend_operation_hand_out (Operation *operation)
{
  TokendOpenOperations *opened = operation->service->operations;
  g_autoptr (GUnixFDList) write_ends = NULL;

  /* Others may have opened operations while polkit was asked. */
  if (tokend_open_operations_check_room (opened, operation->caller->uid, &operation->error))
    write_ends = tokend_operation_make_pipes (operation, &operation->error);
  if (write_ends == NULL) {
    tokend_operation_end_step (operation, FALSE);
    return;
  }
  operation->path = tokend_open_operations_add (opened, operation, operation->caller);
  operation->deadline = tokend_deadline_in (TOKEND_OPERATION_MINUTES * 60);
  operation->expiry = tokend_deadline_add (TOKEND_OPERATION_MINUTES * 60, on_expired, operation);
  g_dbus_method_invocation_return_value_with_unix_fd_list (
      g_steal_pointer (&operation->invocation), g_variant_new ("(ohh)", operation->path, 0, 1),
      write_ends);
  tokend_operation_advance (operation, TOKEND_STEP_DONE);
}
