/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-private.h"

#include "environment.h"
#include "journal.h"
#include "prepare-request-private.h"
#include "profile-rules.h"
#include "tokend-error.h"

#include <gio/gunixfdlist.h>

/* The steps with the operating host, from its start to its end: 5 to 10 of ARCHITECTURE.md. */

/* Includes the 5 s for reading the codes. */
#define PREPARE_TIMEOUT_MS 15000
/* The slowest known token takes some seconds to set a PIN. A host ends by itself after 120 s. */
#define COMMIT_TIMEOUT_MS 60000
/* Includes the 2 s for the reset. The outcome is known and recorded: nobody waits for it longer. */
#define CLOSE_TIMEOUT_MS 5000

/* Checks what the host says that it prepared, which may be anything. */
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
    tokend_operation_end_step (operation,
                               take_prepared (operation, token, digest, &operation->error));
    return;
  }
  tokend_host_normalise_error (operation->error, TRUE);
  tokend_operation_end_step (operation, FALSE);
}

static void
on_host_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  GError **error = &operation->error;
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  operation->host = tokend_host_start_finish (result, error);
  if (operation->host == NULL || !tokend_code_pipes_append (operation->pipes, fds, error)
      || g_unix_fd_list_append (fds, operation->lock_fd, error) < 0) {
    tokend_operation_end_step (operation, FALSE);
    return;
  }
  /* Leaves the host as the only one that has the codes. */
  tokend_operation_drop_pipes (operation);
  tokend_dbus_module1_operation_call_prepare (
      tokend_host_get_operation (operation->host),
      tokend_prepare_request_new (operation->token, operation->role, &operation->attempt,
                                  tokend_refused_get_key (operation->service->refused)),
      g_variant_new_handle (0), g_variant_new_handle (1), g_variant_new_handle (2),
      G_DBUS_CALL_FLAGS_NONE, PREPARE_TIMEOUT_MS, fds, operation->cancellable, on_prepared,
      operation);
}

/* Takes no method for a PIN change, whatever the profile says. */
static TokendUnlockMethod
get_unlock_method (const Operation *operation)
{
  return operation->role == TOKEND_ROLE_PUK
             ? tokend_token_get_profile (operation->token)->unlock_method
             : TOKEND_UNLOCK_METHOD_NONE;
}

void
tokend_operation_prepare (Operation *operation)
{
  g_autoptr (GHashTable) environment = NULL;

  g_set_object (&operation->source, tokend_token_get_source (operation->token));
  environment = tokend_environment_new (tokend_token_source_get_profile (operation->source),
                                        tokend_token_get_profile (operation->token),
                                        get_unlock_method (operation));
  tokend_host_start_async (
      TOKEND_HOST_OPERATE, tokend_token_source_get_path (operation->source), environment,
      TOKEND_WATCH_METHOD_POLL, tokend_token_get_reader (operation->token),
      tokend_profiles_list_questions (operation->service->profiles,
                                      tokend_token_source_get_path (operation->source)),
      operation->cancellable, on_host_started, operation);
}

/* Does not look up the code for a user who was told too often. */
static gboolean
check_refused (Operation *operation)
{
  TokendService *service = operation->service;
  const TokendTarget *target = tokend_token_get_target (operation->token);
  g_auto (GStrv) list = tokend_target_list_cards (target);
  const char *const *cards = (const char *const *) list;
  const gint64 now = g_get_monotonic_time ();
  gint64 refused_at;
  gboolean may_be_sent;

  if (!operation->attempt.send_refused_code
      && tokend_refusal_limit_is_reached (service->refusal_limit, operation->caller->uid, cards,
                                          now)) {
    g_set_error (&operation->error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
                 "%d codes within an hour that this token had refused before; nothing was sent: "
                 "wait, or set send-refused-code for a code that you know to be right",
                 TOKEND_REFUSALS_MAX);
    return FALSE;
  }
  refused_at = tokend_refused_find (service->refused, target, operation->role, operation->digest);
  may_be_sent = tokend_attempt_check_prepared (&operation->attempt, operation->role,
                                               &operation->before, refused_at, &operation->error);
  if (g_error_matches (operation->error, TOKEND_ERROR, TOKEND_ERROR_ALREADY_REFUSED))
    tokend_refusal_limit_count (service->refusal_limit, operation->caller->uid, cards, now);
  return may_be_sent;
}

void
tokend_operation_compare (Operation *operation)
{
  operation->before =
      tokend_token_evaluate (operation->token, operation->prepared, operation->role);
  tokend_operation_end_step (operation, tokend_profile_rules_support (
                                            tokend_token_get_profile (operation->token),
                                            operation->prepared, operation->role, &operation->error)
                                            && check_refused (operation));
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
  tokend_operation_end_step (operation, is_recorded);
}

void
tokend_operation_record (Operation *operation)
{
  operation->effect.try_result = TOKEND_TRY_NOT_SPENT; /* if nothing is sent */
  tokend_ledger_begin_async (operation->service->ledger, tokend_token_get_target (operation->token),
                             operation->role, tokend_token_source_get_name (operation->source),
                             on_recorded, operation);
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GVariant) variant = NULL;
  g_autoptr (GError) error = NULL;

  if (!tokend_dbus_module1_operation_call_commit_finish (TOKEND_DBUS_MODULE1_OPERATION (source),
                                                         &variant, result, &error)) {
    tokend_debug ("The host gave no outcome: %s", error->message);
    operation->effect = (TokendTryEffect){ TOKEND_TRY_UNKNOWN, .sent = TRUE, .in_doubt = TRUE };
    operation->may_be_open = TRUE;
    operation->error = g_error_new_literal (
        TOKEND_ERROR, TOKEND_ERROR_OUTCOME_UNKNOWN,
        "The code was sent and no answer came: count the try as spent, and ask the status");
    tokend_operation_end_step (operation, FALSE);
    return;
  }

  operation->effect = tokend_outcome_interpret (
      variant, operation->role,
      tokend_profile_rules_count (tokend_token_get_profile (operation->token), operation->role),
      &operation->error);
  if (!g_variant_lookup (variant, "may-be-open", "b", &operation->may_be_open))
    operation->may_be_open = operation->effect.sent;
  tokend_operation_advance (operation, TOKEND_STEP_DONE);
}

void
tokend_operation_commit (Operation *operation)
{
  if (!tokend_host_is_open (operation->host)) {
    operation->error = g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                                            "The module host ended; nothing was sent");
    tokend_operation_end_step (operation, FALSE);
    return;
  }
  tokend_dbus_module1_operation_call_commit (tokend_host_get_operation (operation->host),
                                             G_DBUS_CALL_FLAGS_NONE, COMMIT_TIMEOUT_MS, NULL,
                                             on_committed, operation);
}

static void
on_resolved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GError) error = NULL;

  if (!tokend_ledger_resolve_finish (TOKEND_LEDGER (source), result, &error))
    tokend_debug ("The try stays recorded as pending: %s", error->message);
  tokend_operation_advance (operation, TOKEND_STEP_DONE);
}

void
tokend_operation_resolve (Operation *operation)
{
  tokend_ledger_resolve_async (operation->service->ledger,
                               tokend_token_get_target (operation->token), operation->role,
                               operation->effect.try_result, on_resolved, operation);
}

/* Replaces RetriesChanged by a clearer error, where what another program left has one. */
static void
explain_change (Operation *operation)
{
  TokendCounter counter = tokend_token_evaluate (
      operation->token, tokend_token_get_reading (operation->token), operation->role);
  GError *clearer = NULL;

  if (g_error_matches (operation->error, TOKEND_ERROR, TOKEND_ERROR_RETRIES_CHANGED)
      && !tokend_attempt_check (&operation->attempt, operation->role, &counter, &clearer)) {
    g_error_free (operation->error);
    operation->error = clearer;
  }
}

/* Reviews the host's answer by what it read after it had sent the code. */
static void
review (Operation *operation, const TokendReading *seen)
{
  TokendCounter after = tokend_token_evaluate (operation->token, seen, operation->role);
  TokendTryResult try_result = operation->effect.try_result;

  tokend_outcome_review (&operation->effect, operation->role, &operation->before, &after,
                         &operation->error);
  /* Until this is on the disk, the ledger has the earlier result. */
  if (operation->effect.try_result != try_result)
    tokend_ledger_resolve_async (operation->service->ledger,
                                 tokend_token_get_target (operation->token), operation->role,
                                 operation->effect.try_result, NULL, NULL);
  if (operation->error != NULL && operation->effect.sent)
    tokend_token_note_failure (operation->token, seen, operation->role);
}

/* Takes changed flags of the PIN for the PUK's: a wrong PUK cannot cost a PIN try. */
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

/* Waits for the review: by the module's answer alone, a wrong code may have been accepted. */
static void
update_refused (Operation *operation)
{
  const TokendTarget *target = tokend_token_get_target (operation->token);
  TokendRefused *refused = operation->service->refused;
  const TokendTryResult try_result = operation->effect.try_result;

  if (operation->effect.refused)
    tokend_refused_add (refused, target, operation->role, operation->digest);
  if (try_result == TOKEND_TRY_SUCCEEDED || try_result == TOKEND_TRY_ACCEPTED)
    tokend_refused_forget (refused, target, operation->role);
  /* A new PIN is set, so earlier refusals say nothing of it. */
  if (try_result == TOKEND_TRY_SUCCEEDED)
    tokend_refused_forget (refused, target, TOKEND_ROLE_PIN);
}

static void
on_flushed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  tokend_ledger_flush_finish (TOKEND_LEDGER (source), result);
  tokend_operation_advance (user_data, TOKEND_STEP_DONE);
}

/* Waits until the ledger is on the disk: the host that saw the result is about to end, and the
 * caller may begin the next operation after the reply. */
static void
end_read_after (Operation *operation)
{
  update_refused (operation);
  tokend_ledger_flush_async (operation->service->ledger, on_flushed, operation);
}

/* Tells whether the module shows the PUK's tries as the PIN's to the process that sent a wrong PUK.
 */
static gboolean
is_puk_shown_as_pin (const Operation *operation)
{
  const TokendProfile *profile = tokend_token_get_profile (operation->token);

  return operation->role == TOKEND_ROLE_PUK && operation->error != NULL && operation->effect.sent
         && profile->puk_shown_as_pin;
}

/* Leaves the token to its watching host, which reads it once the card is closed: until then either
 * would be in the other's way. */
static void
leave_unread (Operation *operation)
{
  tokend_token_lose_reading (operation->token);
  operation->is_unread = TRUE;
  end_read_after (operation);
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
    leave_unread (operation);
    return;
  }
  if (is_of_token (readings, operation)) {
    tokend_token_update_after (operation->token, readings->pdata[0],
                               tokend_token_source_get_name (operation->source));
    review (operation, readings->pdata[0]);
  } else {
    tokend_token_lose_reading (operation->token);
  }
  explain_change (operation);
  end_read_after (operation);
}

/**
 * tokend_operation_read_after:
 *
 * Asks the host that sent the code, since some cards show a fresh process less.
 */
void
tokend_operation_read_after (Operation *operation)
{
  if (operation->effect.in_doubt)
    leave_unread (operation);
  else
    tokend_host_read_async (operation->host, TRUE, NULL, on_read_after, operation);
}

static void
on_refreshed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GError) error = NULL;

  if (!tokend_token_refresh_finish (operation->token, result, &error))
    tokend_debug ("No status after it: %s", error->message);
  tokend_operation_advance (operation, TOKEND_STEP_DONE);
}

static void
end_close (Operation *operation)
{
  if (operation->is_unread)
    tokend_token_refresh_async (operation->token, on_refreshed, operation);
  else
    tokend_operation_advance (operation, TOKEND_STEP_DONE);
}

/* Tells the status of all that show the card, by whichever module; their hosts may use it again.
 * What only may be this card may be open; that it is closed is known of what certainly is. */
static void
tell_left_open (Operation *operation)
{
  const TokendTarget *target = tokend_token_get_target (operation->token);
  g_auto (GStrv) cards = tokend_target_list_cards (target);
  const char *const certain[] = { target->is_known_card ? target->card : NULL, NULL };
  GPtrArray *modules = operation->service->modules;

  /* Its module may be configured no more. */
  tokend_token_set_left_open (operation->token, operation->is_left_open);
  for (guint i = 0; i < modules->len; i++) {
    tokend_module_set_left_open (modules->pdata[i],
                                 operation->is_left_open ? (const char *const *) cards : certain,
                                 operation->is_left_open);
    tokend_module_go_on (modules->pdata[i]);
  }
}

/* Makes room where the card is to be reset: our own watching hosts are connected to it as other
 * programs are. */
static void
make_room (Operation *operation)
{
  const TokendProfile *module = tokend_token_source_get_profile (operation->source);
  const TokendProfile *profile = tokend_token_get_profile (operation->token);
  g_auto (GStrv) cards = tokend_target_list_cards (tokend_token_get_target (operation->token));
  GPtrArray *modules = operation->service->modules;

  if (module == NULL || !module->is_opensc || (profile != NULL && profile->logout_closes))
    return;
  for (guint i = 0; i < modules->len; i++)
    tokend_module_let_go (modules->pdata[i], (const char *const *) cards);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Operation *operation = user_data;
  g_autoptr (GError) error = NULL;

  operation->is_left_open = TRUE;
  if (tokend_dbus_module1_operation_call_close_finish (TOKEND_DBUS_MODULE1_OPERATION (source),
                                                       &operation->is_left_open, result, &error))
    operation->may_be_open = FALSE;
  else
    tokend_debug ("The host has not closed the card: %s", error->message);
  tell_left_open (operation);
  end_close (operation);
}

/**
 * tokend_operation_close:
 *
 * Has the host close the card, and then the token read that could not be before. What the code has
 * come to is recorded by then, and does not depend on either.
 */
void
tokend_operation_close (Operation *operation)
{
  if (!operation->may_be_open) {
    end_close (operation);
    return;
  }
  make_room (operation);
  tokend_dbus_module1_operation_call_close (tokend_host_get_operation (operation->host),
                                            G_DBUS_CALL_FLAGS_NONE, CLOSE_TIMEOUT_MS, NULL,
                                            on_closed, operation);
}
