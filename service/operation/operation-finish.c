/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-private.h"

#include "tokend-error.h"

/* The steps of Finish until the token is claimed: 4 of ARCHITECTURE.md. */

static void
on_collected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  tokend_operation_end_step (operation,
                             tokend_code_pipes_collect_finish (result, &operation->error));
}

static gboolean
check_has_pipes (Operation *operation, GError **error)
{
  if (operation->pipes != NULL)
    tokend_code_pipes_check_time (operation->pipes);
  if (operation->pipes != NULL)
    return TRUE;
  if (operation->have_pipes_expired)
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT,
                 "Finish was not called within %d seconds of the first byte, and what was written "
                 "is lost; nothing was sent: call Again, and write the codes once more",
                 TOKEND_CODE_PIPES_FILLED_SECONDS);
  else
    g_set_error_literal (
        error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
        "The pipes were closed by the Finish before; nothing was sent: call Again, "
        "and write the codes once more");
  return FALSE;
}

void
tokend_operation_collect (Operation *operation)
{
  if (tokend_attempt_parse (operation->options, FALSE, &operation->attempt, &operation->error)
      && check_has_pipes (operation, &operation->error))
    tokend_code_pipes_collect_async (operation->pipes, operation->cancellable, on_collected,
                                     operation);
  else
    tokend_operation_end_step (operation, FALSE);
}

static void
on_met (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  const gboolean has_lapsed = tokend_identity_has_lapsed (&operation->opener, &operation->present);

  if (has_lapsed)
    operation->error = g_error_new_literal (
        TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED,
        operation->opener.presence == TOKEND_PRESENCE_ACTIVE
            ? "The session was active when the operation was opened, and is not now; nothing was "
              "sent: open a new one"
            : "Whether the session was active when the operation was opened is not known, and it "
              "is not now; nothing was sent: open a new one");
  tokend_operation_end_step (operation, !has_lapsed);
}

/* Takes a challenge for consent: who was asked for a password is not asked again. */
static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  const gboolean is_allowed =
      tokend_gate_check_finish (TOKEND_GATE (source), result, &operation->error);

  if (!is_allowed && tokend_gate_check_get_answer (result) != TOKEND_GATE_NEEDS_PERSON) {
    tokend_operation_end_step (operation, FALSE);
    return;
  }
  g_clear_error (&operation->error);
  tokend_identity_clear (&operation->present);
  tokend_identity_look_up (&operation->present, operation->service->bus, operation->caller, on_met,
                           operation);
}

void
tokend_operation_authorize_again (Operation *operation)
{
  tokend_gate_check_async (operation->service->gate, operation->invocation, operation->action,
                           TOKEND_GATE_SILENT, NULL, NULL, operation->caller->gone,
                           operation->cancellable, on_asked, operation);
}

void
tokend_operation_check (Operation *operation)
{
  GError **error = &operation->error;
  g_auto (GStrv) cards = tokend_target_list_cards (tokend_token_get_target (operation->token));
  TokendCounter counter = tokend_token_evaluate (
      operation->token, tokend_token_get_reading (operation->token), operation->role);

  tokend_operation_end_step (
      operation, tokend_token_supports (operation->token, operation->role, error)
                     && tokend_token_check_certain (operation->token, error)
                     && tokend_attempt_check (&operation->attempt, operation->role, &counter, error)
                     && tokend_claims_check_free (operation->service->claims,
                                                  (const char *const *) cards, error));
}

void
tokend_operation_claim (Operation *operation)
{
  operation->cards = tokend_target_list_cards (tokend_token_get_target (operation->token));
  operation->lock_fd = tokend_claims_take (
      operation->service->claims, (const char *const *) operation->cards, &operation->error);
  tokend_operation_end_step (operation, operation->lock_fd >= 0);
}
