/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation.h"

#include "attempt.h"
#include "call.h"
#include "code-descriptors.h"
#include "environment.h"
#include "host.h"
#include "journal.h"
#include "module.h"
#include "operation-steps.h"
#include "outcome.h"
#include "prepare-request.h"
#include "tokend-error.h"

#include <gio/gunixfdlist.h>

/*
 * Unlock and SetPin. Each step of operation-steps.h is a function that does it, and at its end calls advance() with how
 * it ended; what comes then is not said here but in the table of operation-steps.c.
 */

/* Reading the codes may take 5 s of it. */
#define PREPARE_TIMEOUT_MS 15000
/* The slowest known token takes some seconds to set a PIN. A host ends by itself after 120 s. */
#define COMMIT_TIMEOUT_MS 60000

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
  GCancellable *cancellable; /* the caller left */
  guint caller_watch;

  int lock_fd;       /* -1: the token is not claimed */
  gboolean in_doubt; /* a code went and no answer came: the host may still be at it */
  TokendHost *host;
  TokendReading *prepared;
  TokendCounter before; /* as @prepared says it */
  GBytes *digest;
  TokendVerdict verdict; /* once a try is recorded */
  GError *error;         /* what the reply will be; NULL: the new status */
} Operation;

static void advance (Operation *operation, TokendStepResult result);

/* Of a step that, if it is not done, has set the operation's error. */
static void
end_step (Operation *operation, gboolean is_done)
{
  advance (operation, is_done ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

static void
on_may_peek (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  operation->may_peek = tokend_gate_check_finish (TOKEND_GATE (source), result, &operation->error);
  if (operation->may_peek || tokend_gate_check_is_overdue (result)) {
    end_step (operation, operation->may_peek);
    return;
  }
  g_clear_error (&operation->error);
  advance (operation, TOKEND_STEP_NOT_ALLOWED);
}

static void
on_caller_vanished (GDBusConnection *bus, const char *name, gpointer user_data)
{
  Operation *operation = user_data;

  g_cancellable_cancel (operation->cancellable);
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

  end_step (operation, tokend_token_refresh_finish (operation->token, result, &operation->error));
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
  const char *physical_id = tokend_token_get_physical_id (operation->token);
  TokendCounter counter = tokend_token_judge (
      operation->token, tokend_token_get_reading (operation->token), operation->role);

  end_step (operation,
            tokend_token_supports (operation->token, operation->role, error)
                && tokend_attempt_check (&operation->attempt, operation->role, &counter, error)
                && tokend_claims_check_free (operation->service->claims, physical_id, error));
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  end_step (operation, tokend_gate_check_finish (TOKEND_GATE (source), result, &operation->error));
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
  const char *physical_id = tokend_token_get_physical_id (operation->token);

  operation->lock_fd =
      tokend_claims_take (operation->service->claims, physical_id, &operation->error);
  end_step (operation, operation->lock_fd >= 0);
}

/* What the host says it prepared, which may be anything. */
static gboolean
take_prepared (Operation *operation, GVariant *token, GVariant *digest, GError **error)
{
  gsize size;
  gconstpointer bytes = g_variant_get_fixed_array (digest, &size, 1);

  operation->prepared = tokend_reading_parse (token, error);
  if (operation->prepared == NULL)
    return FALSE;
  if (size != (gsize) g_checksum_type_get_length (G_CHECKSUM_SHA256)
      || !tokend_reading_same_token (operation->prepared,
                                     tokend_token_get_reading (operation->token))) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                         "The module host prepared something else than was asked for; "
                         "nothing was sent");
    return FALSE;
  }
  operation->digest = g_bytes_new (bytes, size);
  return TRUE;
}

static void
on_prepared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GVariant) token = NULL;
  g_autoptr (GVariant) digest = NULL;

  if (tokend_dbus_module1_operation_call_prepare_finish (TOKEND_DBUS_MODULE1_OPERATION (source),
                                                         &token, &digest, NULL, result,
                                                         &operation->error)) {
    end_step (operation, take_prepared (operation, token, digest, &operation->error));
    return;
  }
  tokend_host_normalise_error (operation->error, TRUE);
  end_step (operation, FALSE);
}

static void
on_host_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  GError **error = &operation->error;
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  int code, new_pin, lock;

  operation->host = tokend_host_start_finish (result, error);
  if (operation->host == NULL
      || (code = g_unix_fd_list_append (fds, operation->descriptors.code, error)) < 0
      || (new_pin = g_unix_fd_list_append (fds, operation->descriptors.new_pin, error)) < 0
      || (lock = g_unix_fd_list_append (fds, operation->lock_fd, error)) < 0) {
    end_step (operation, FALSE);
    return;
  }
  tokend_code_descriptors_close (&operation->descriptors);
  tokend_dbus_module1_operation_call_prepare (
      tokend_host_get_operation (operation->host),
      tokend_prepare_request_new (operation->token, operation->role,
                                  tokend_refused_get_key (operation->service->refused)),
      g_variant_new_handle (code), g_variant_new_handle (new_pin), g_variant_new_handle (lock),
      G_DBUS_CALL_FLAGS_NONE, PREPARE_TIMEOUT_MS, fds, operation->cancellable, on_prepared,
      operation);
}

/* A PIN change is no unlock, whatever the profile's way. */
static TokendUnlockWay
get_way (const Operation *operation)
{
  return operation->role == TOKEND_ROLE_PUK
             ? tokend_token_get_profile (operation->token)->unlock_way
             : TOKEND_UNLOCK_WAY_NONE;
}

static void
prepare (Operation *operation)
{
  g_autoptr (GHashTable) environment = NULL;

  operation->module = tokend_token_get_module (operation->token);
  environment =
      tokend_environment_new (tokend_module_get_profile (operation->module),
                              tokend_token_get_profile (operation->token), get_way (operation));
  tokend_host_start_async (TOKEND_HOST_OPERATE, tokend_module_get_path (operation->module),
                           environment, TOKEND_WATCH_WAY_POLL, operation->cancellable,
                           on_host_started, operation);
}

/* The counter that the host's own session shows, and the code's digest. */
static void
compare (Operation *operation)
{
  const char *physical_id = tokend_token_get_physical_id (operation->token);
  gboolean may_be_sent;

  operation->before = tokend_token_judge (operation->token, operation->prepared, operation->role);
  may_be_sent = tokend_attempt_check (&operation->attempt, operation->role, &operation->before,
                                      &operation->error);
  if (may_be_sent && !operation->attempt.send_refused_code
      && tokend_refused_contains (operation->service->refused, physical_id, operation->role,
                                  operation->digest)) {
    may_be_sent = FALSE;
    g_set_error (&operation->error, TOKEND_ERROR, TOKEND_ERROR_ALREADY_REFUSED,
                 "This token has refused this very %s before; nothing was sent",
                 operation->role == TOKEND_ROLE_PUK ? "PUK" : "PIN");
  }
  end_step (operation, may_be_sent);
}

static void
on_recorded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GError) error = NULL;
  gboolean is_recorded = tokend_ledger_begin_finish (TOKEND_LEDGER (source), result, &error);

  if (!is_recorded)
    operation->error =
        g_error_new (TOKEND_ERROR, TOKEND_ERROR_FAILED,
                     "The try cannot be recorded (%s), so nothing was sent", error->message);
  end_step (operation, is_recorded);
}

static void
record (Operation *operation)
{
  g_clear_handle_id (&operation->caller_watch, g_bus_unwatch_name);
  operation->verdict.settlement = TOKEND_SETTLEMENT_NOT_SPENT; /* if nothing is sent */
  tokend_ledger_begin_async (operation->service->ledger,
                             tokend_token_get_physical_id (operation->token), operation->role,
                             tokend_module_get_name (operation->module), on_recorded, operation);
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  const TokendProfile *profile = tokend_token_get_profile (operation->token);
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GError) error = NULL;
  gboolean counts;

  if (!tokend_dbus_module1_operation_call_commit_finish (TOKEND_DBUS_MODULE1_OPERATION (source),
                                                         &variant, result, &error)) {
    tokend_debug ("The host gave no outcome: %s", error->message);
    operation->verdict.sent = TRUE;
    operation->verdict.settlement = TOKEND_SETTLEMENT_UNKNOWN;
    operation->in_doubt = TRUE;
    operation->error = g_error_new_literal (
        TOKEND_ERROR, TOKEND_ERROR_OUTCOME_UNKNOWN,
        "The code was sent and no answer came: count the try as spent, and ask the status");
    end_step (operation, FALSE);
    return;
  }

  counts = operation->role == TOKEND_ROLE_PUK || profile == NULL || profile->change_counts;
  operation->verdict = tokend_outcome_judge (variant, operation->role, counts, &operation->error);
  advance (operation, TOKEND_STEP_DONE);
}

static void
commit (Operation *operation)
{
  if (!tokend_host_is_open (operation->host)) {
    operation->error = g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                                            "The module host ended; nothing was sent");
    end_step (operation, FALSE);
    return;
  }
  tokend_dbus_module1_operation_call_commit (tokend_host_get_operation (operation->host),
                                             G_DBUS_CALL_FLAGS_NONE, COMMIT_TIMEOUT_MS, NULL,
                                             on_committed, operation);
}

static void
on_settled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GError) error = NULL;

  if (!tokend_ledger_settle_finish (TOKEND_LEDGER (source), result, &error))
    tokend_debug ("The try stays recorded as pending: %s", error->message);
  advance (operation, TOKEND_STEP_DONE);
}

static void
settle (Operation *operation)
{
  const char *physical_id = tokend_token_get_physical_id (operation->token);
  TokendSettlement settlement = operation->verdict.settlement;

  if (settlement == TOKEND_SETTLEMENT_SUCCEEDED || settlement == TOKEND_SETTLEMENT_ACCEPTED)
    tokend_refused_forget (operation->service->refused, physical_id, operation->role);
  /* A new PIN is set: what was refused before says nothing of it. */
  if (settlement == TOKEND_SETTLEMENT_SUCCEEDED)
    tokend_refused_forget (operation->service->refused, physical_id, TOKEND_ROLE_PIN);
  tokend_ledger_settle_async (operation->service->ledger, physical_id, operation->role, settlement,
                              on_settled, operation);
}

/* What another program left may call for a clearer word than "changed". */
static void
explain_change (Operation *operation)
{
  TokendCounter counter = tokend_token_judge (
      operation->token, tokend_token_get_reading (operation->token), operation->role);
  GError *clearer = NULL;

  if (g_error_matches (operation->error, TOKEND_ERROR, TOKEND_ERROR_RETRIES_CHANGED)
      && !tokend_attempt_check (&operation->attempt, operation->role, &counter, &clearer)) {
    g_error_free (operation->error);
    operation->error = clearer;
  }
}

/* What the host that sent the code saw may put its answer in another light. */
static void
review (Operation *operation, const TokendReading *seen)
{
  TokendCounter after = tokend_token_judge (operation->token, seen, operation->role);

  tokend_outcome_review (&operation->verdict, operation->role, &operation->before, &after,
                         &operation->error);
  if (operation->error != NULL && operation->verdict.sent)
    tokend_token_note_failure (operation->token, seen, operation->role);
}

/* Flags of the PIN that a wrong PUK has changed are the PUK's: it cannot cost a PIN try. */
static void
review_puk_shown_as_pin (Operation *operation, const TokendReading *seen)
{
  g_autoptr (TokendReading) reading = tokend_reading_copy (operation->prepared);
  const TokendCounterReading *before = &operation->prepared->counters[TOKEND_ROLE_PIN];
  const TokendCounterReading *now = &seen->counters[TOKEND_ROLE_PIN];

  reading->counters[TOKEND_ROLE_PUK].locked = now->locked && !before->locked;
  reading->counters[TOKEND_ROLE_PUK].final_try = now->final_try && !before->final_try;
  review (operation, reading);
}

/* A code that was refused for what it is, as far as is known. */
static void
remember_refusal (Operation *operation)
{
  if (operation->verdict.refused)
    tokend_refused_add (operation->service->refused,
                        tokend_token_get_physical_id (operation->token), operation->role,
                        operation->digest);
}

static void
on_refreshed_after (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GError) error = NULL;

  if (!tokend_token_refresh_finish (operation->token, result, &error))
    tokend_debug ("No status after it: %s", error->message);
  remember_refusal (operation);
  advance (operation, TOKEND_STEP_DONE);
}

/* To the process that sent a wrong PUK, some modules show the tries of the PUK as those of the PIN. */
static gboolean
is_puk_shown_as_pin (const Operation *operation)
{
  const TokendProfile *profile = tokend_token_get_profile (operation->token);

  return operation->role == TOKEND_ROLE_PUK && operation->error != NULL && operation->verdict.sent
         && profile->puk_shown_as_pin;
}

static void
refresh_after (Operation *operation)
{
  tokend_token_lose_reading (operation->token);
  tokend_token_refresh_async (operation->token, on_refreshed_after, operation);
}

static gboolean
is_of_token (GPtrArray *readings, const Operation *operation)
{
  return readings != NULL && readings->len == 1
         && tokend_reading_same_token (readings->pdata[0], operation->prepared);
}

static void
on_read_after (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) readings = tokend_host_read_finish (TOKEND_HOST (source), result, &error);

  if (is_puk_shown_as_pin (operation)) {
    if (is_of_token (readings, operation))
      review_puk_shown_as_pin (operation, readings->pdata[0]);
    refresh_after (operation);
    return;
  }
  if (is_of_token (readings, operation)) {
    tokend_token_update_after (operation->token, readings->pdata[0],
                               tokend_module_get_name (operation->module));
    review (operation, readings->pdata[0]);
  } else {
    tokend_token_lose_reading (operation->token);
  }
  remember_refusal (operation);
  explain_change (operation);
  advance (operation, TOKEND_STEP_DONE);
}

/* The host that sent the code is asked: some cards look fine to a fresh process. */
static void
read_after (Operation *operation)
{
  if (operation->in_doubt)
    refresh_after (operation);
  else
    tokend_host_read_async (operation->host, NULL, on_read_after, operation);
}

static void
operation_free (Operation *operation)
{
  g_clear_handle_id (&operation->caller_watch, g_bus_unwatch_name);
  tokend_code_descriptors_close (&operation->descriptors);
  if (operation->lock_fd >= 0)
    tokend_claims_release (operation->service->claims,
                           tokend_token_get_physical_id (operation->token), operation->lock_fd,
                           !operation->in_doubt);
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
  report->caller_left = g_cancellable_is_cancelled (operation->cancellable);
  report->settlement = operation->verdict.settlement;
  report->before = operation->before;
  report->after = tokend_token_get_counter (operation->token, operation->role);
  tokend_audit_end (operation->service->audit, operation->caller, report);
}

static void
tell_subscribers (TokendService *service, const char *physical_id)
{
  for (guint i = 0; i < service->modules->len; i++)
    tokend_module_end_operation (service->modules->pdata[i], physical_id);
}

/* Frees @operation. The claim goes first: who hears the reply may begin the next operation. */
static void
reply (Operation *operation)
{
  TokendService *service = operation->service;
  GDBusMethodInvocation *invocation = operation->invocation;
  gboolean was_claimed = operation->lock_fd >= 0;
  g_autofree char *physical_id = g_strdup (tokend_token_get_physical_id (operation->token));
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
    tell_subscribers (service, physical_id);
}

/* Ends the step that @operation is at, and begins the next; that may be the last, and @operation gone. */
static void
advance (Operation *operation, TokendStepResult result)
{
  static void (*const begin[TOKEND_N_STEPS]) (Operation *) = {
    [TOKEND_STEP_MAY_PEEK] = ask_may_peek, [TOKEND_STEP_PEEK] = read_token,
    [TOKEND_STEP_FORESEE] = check,         [TOKEND_STEP_ASK] = ask,
    [TOKEND_STEP_READ] = read_token,       [TOKEND_STEP_CHECK] = check,
    [TOKEND_STEP_CLAIM] = claim,           [TOKEND_STEP_PREPARE] = prepare,
    [TOKEND_STEP_COMPARE] = compare,       [TOKEND_STEP_RECORD] = record,
    [TOKEND_STEP_COMMIT] = commit,         [TOKEND_STEP_SETTLE] = settle,
    [TOKEND_STEP_READ_AFTER] = read_after, [TOKEND_STEP_REPLY] = reply,
  };

  if (result != TOKEND_STEP_FAILED && tokend_step_may_be_left (operation->step)
      && g_cancellable_set_error_if_cancelled (operation->cancellable, &operation->error))
    result = TOKEND_STEP_FAILED;
  operation->step = tokend_step_next (operation->step, result);
  begin[operation->step](operation);
}

static void
on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;

  end_step (operation,
            tokend_callers_admit_finish (TOKEND_CALLERS (source), result, &operation->error));
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
  if (tokend_code_descriptors_take (&operation->descriptors, fds, code_handle, new_pin_handle,
                                    &operation->error)
      && tokend_attempt_parse (options, &operation->attempt, &operation->error))
    tokend_callers_admit_async (service->callers, invocation, on_admitted, operation);
  else
    end_step (operation, FALSE);
}
