/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-private.h"

#include "printable.h"
#include "profile-rules.h"
#include "tokend-error.h"

#include <glib/gi18n.h>
#include <string.h>

G_DEFINE_FINAL_TYPE (TokendToken, tokend_token, G_TYPE_OBJECT)

enum {
  SIGNAL_GONE,
  SIGNAL_LEFT,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void
tokend_token_init (TokendToken *self)
{
  for (guint role = 0; role < TOKEND_N_ROLES; role++)
    self->counters[role] = tokend_counter_unknown;
  tokend_tracker_reset (&self->tracker);
}

static void
tokend_token_finalize (GObject *object)
{
  TokendToken *self = TOKEND_TOKEN (object);

  g_clear_pointer (&self->reading, tokend_reading_free);
  g_clear_error (&self->unread);
  g_free (self->object_path);
  g_clear_pointer (&self->target, tokend_target_free);
  g_free (self->manufacturer);
  g_free (self->model);
  g_free (self->serial);
  g_free (self->label);
  g_free (self->issuer);
  g_clear_pointer (&self->certificate, g_bytes_unref);
  g_free (self->reader);
  g_free (self->relations.card_id);
  g_free (self->relations.pin_id);
  G_OBJECT_CLASS (tokend_token_parent_class)->finalize (object);
}

static void
tokend_token_class_init (TokendTokenClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_token_finalize;
  signals[SIGNAL_GONE] = g_signal_new ("gone", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                       NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_LEFT] = g_signal_new ("left", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                       NULL, NULL, NULL, G_TYPE_NONE, 0);
}

/* Evaluates the status again, but not during an operation of ours, whose end tells it. */
static void
evaluate_again (TokendToken *self)
{
  gboolean changed = self->is_owed || self->told_not_after != self->certificate_not_after
                     || self->told_double != self->reading->is_double;

  if (tokend_claims_is_held (self->service->claims, self->target->card))
    return;
  self->is_owed = FALSE;
  self->told_not_after = self->certificate_not_after;
  self->told_double = self->reading->is_double;
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    TokendCounter now = tokend_token_get_counter (self, role);

    changed = changed || !tokend_counter_equal (&self->counters[role], &now);
    self->counters[role] = now;
  }
  if (changed && self->is_shown)
    tokend_callers_notify (self->service->callers, self->object_path);
}

static TokendSnapshot
see (TokendToken *self, const TokendReading *reading, const char *module)
{
  TokendSnapshot snapshot = {
    .target = self->target, .label = self->label, .module = module, .reading = reading
  };

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    snapshot.rules[role] = tokend_profile_rules_get (self->profile, self->provider, reading, role);
  return snapshot;
}

static void
take_issuer (TokendToken *self, const char *issuer)
{
  g_autoptr (GBytes) bytes = g_bytes_new (issuer, strlen (issuer));

  g_free (self->issuer);
  self->issuer = tokend_printable (bytes);
  self->provider = tokend_profiles_match_provider (self->service->profiles, issuer);
}

/* Begins a new stay if the card may be another one; not during an operation, which ends where it
 * began. */
static void
check_stay (TokendToken *self, const TokendReading *reading)
{
  if (reading->insertion == self->insertion
      || tokend_claims_is_held (self->service->claims, self->target->card))
    return;
  self->insertion = reading->insertion;
  tokend_target_set_stay (self->target, g_random_int ());
}

/* @by_trier: whether it is by the host that has sent a code. */
static void
take_reading (TokendToken *self, const TokendReading *reading, gboolean by_trier)
{
  TokendReading *copy = tokend_reading_copy (reading);

  tokend_tracker_observe_flags (&self->tracker, copy, by_trier);
  g_clear_pointer (&self->reading, tokend_reading_free);
  self->reading = copy;
  g_clear_error (&self->unread);
  self->counters_known = TRUE;
  self->read_at = g_get_real_time ();
  self->read_at_monotonic = g_get_monotonic_time ();
  /* An operating host does not read certificates. */
  if (copy->issuer != NULL)
    take_issuer (self, copy->issuer);
}

/* Keeps the last reading, as old as it is, and tells who asks that the token could not be read. */
static void
take_failure (TokendToken *self, const TokendReading *reading)
{
  g_clear_error (&self->unread);
  self->unread =
      reading->is_busy
          ? g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_BUSY,
                                 N_ ("Another program is using the token for itself alone"))
          : g_error_new (TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                         "The token could not be read: %s", reading->unread);
}

/* Ends its time in the reader: whatever else is seen there may have been there meanwhile. */
static void
note_absence (TokendToken *self)
{
  self->seen_since = 0;
  g_signal_emit (self, signals[SIGNAL_LEFT], 0);
}

/* Notices that the token was out between two readings that both show it. */
static void
notice_absence (TokendToken *self, const TokendReading *reading)
{
  const gboolean was_out =
      self->is_seen
      && (self->slot_events != reading->slot_events || self->seen_insertion != reading->insertion);

  /* A host that begins to tell insertions, or ends to, tells of no absence. */
  if (was_out
      || (self->seen_insertion != 0 && reading->insertion != 0
          && self->seen_insertion != reading->insertion))
    self->is_left_open = FALSE;
  self->is_seen = TRUE;
  self->slot_events = reading->slot_events;
  self->seen_insertion = reading->insertion;
  if (was_out)
    note_absence (self);
}

/**
 * tokend_token_mark_unseen:
 *
 * Counts the token as out until another host reads it, since nobody watches it.
 */
void
tokend_token_mark_unseen (TokendToken *self)
{
  self->is_seen = FALSE;
  note_absence (self);
}

/* An operating host tells neither. */
static void
take_whereabouts (TokendToken *self, const TokendReading *reading, gint64 begun_at)
{
  if (self->seen_since == 0 || g_strcmp0 (self->reader, reading->reader) != 0)
    self->seen_since = g_get_monotonic_time ();
  self->seen_at = begun_at;
  g_free (self->reader);
  self->reader = g_strdup (reading->reader);
  g_clear_pointer (&self->certificate, g_bytes_unref);
  if (reading->certificate != NULL)
    self->certificate = g_bytes_ref (reading->certificate);
}

/** tokend_token_get_reader: Returns: (transfer none) (nullable): pcscd's name of where it is. */
const char *
tokend_token_get_reader (TokendToken *self)
{
  return self->reader;
}

/**
 * tokend_token_see_again:
 * @reading: of this token, spared by a host that has seen it stay.
 * @begun_at: see tokend_token_update().
 *
 * Keeps the last reading.
 */
void
tokend_token_see_again (TokendToken *self, const TokendReading *reading, gint64 begun_at)
{
  if (self->seen_since != 0 && self->seen_insertion == reading->insertion)
    self->seen_at = begun_at;
}

/**
 * tokend_token_update:
 * @reading: of this token.
 * @begun_at: when the read began, monotonic, in microseconds.
 *
 * Takes over what was read, and tells the subscribers if the status has changed. Ignores a read
 * that an operation overtook, which would show a counter that seems to rise.
 */
void
tokend_token_update (TokendToken *self, const TokendReading *reading, gint64 begun_at)
{
  TokendSnapshot snapshot;

  notice_absence (self, reading);
  if (begun_at < self->not_before)
    return;
  if (reading->unread != NULL) {
    take_failure (self, reading);
    return;
  }
  check_stay (self, reading);
  take_reading (self, reading, FALSE);
  self->certificate_not_after = reading->certificate_not_after;
  self->has_no_certificate = reading->has_no_certificate;
  take_whereabouts (self, reading, begun_at);
  snapshot = see (self, self->reading, tokend_token_source_get_name (self->source));
  /* Lets what the token shows stand above the record. An operation that is about to change it, or
   * has, excludes that; also one of an earlier service, whose end nobody tells. */
  if (tokend_claims_was_free_since (self->service->claims, self->target->card, begun_at))
    tokend_tracker_update (&self->tracker, self->service, &snapshot);
  else
    tokend_tracker_reset (&self->tracker);
  evaluate_again (self);
}

/* Forgets what others showed before the operation. */
static void
forget_what_others_show (TokendToken *self)
{
  memset (self->relations.shown, 0, sizeof self->relations.shown);
}

/**
 * tokend_token_update_after:
 * @reading: by the operating host, after the outcome.
 * @module: the name of the module.
 *
 * Takes over what the token shows right after an operation, whose result the ledger has.
 */
void
tokend_token_update_after (TokendToken *self, const TokendReading *reading, const char *module)
{
  TokendSnapshot snapshot;

  take_reading (self, reading, TRUE);
  self->not_before = g_get_monotonic_time ();
  self->is_read_after = TRUE;
  forget_what_others_show (self);
  snapshot = see (self, self->reading, module);
  tokend_snapshot_update_refused (&snapshot, self->service->refused, TRUE);
}

/**
 * tokend_token_note_failure:
 * @reading: what the token showed the operating host after a code that failed.
 * @role: whose code.
 *
 * Records a lock or final try that the token may show to nobody else. Exact flags are shown to all.
 */
void
tokend_token_note_failure (TokendToken *self, const TokendReading *reading, TokendRole role)
{
  const TokendSnapshot snapshot = see (self, reading, NULL);
  const TokendCounter shown = tokend_snapshot_evaluate (&snapshot, role);

  if (shown.source == TOKEND_RETRIES_SOURCE_FLAGS
      && snapshot.rules[role].flags != TOKEND_FLAGS_MEANING_EXACT)
    tokend_ledger_note (self->service->ledger, self->target, role, shown.state);
}

/**
 * tokend_token_set_left_open:
 * @is_left_open: whether the card may take a code of an operation for verified after its end.
 *
 * Tells so in the status until the card leaves, or a later operation has closed it. Subscribers are
 * told by tokend_token_end_operation().
 */
void
tokend_token_set_left_open (TokendToken *self, gboolean is_left_open)
{
  self->is_owed = self->is_owed || self->is_left_open != is_left_open;
  self->is_left_open = is_left_open;
}

/**
 * tokend_token_end_operation:
 *
 * Tells the subscribers of the status after an operation on this physical token, which nobody holds
 * any more.
 */
void
tokend_token_end_operation (TokendToken *self)
{
  self->not_before = g_get_monotonic_time ();
  /* The operation was by another module or label: the last reading is older. */
  if (!self->is_read_after)
    self->read_at_monotonic = 0;
  self->is_read_after = FALSE;
  /* Nobody tells of insertions, so this may be another card next time. */
  if (self->insertion == 0)
    tokend_target_set_stay (self->target, g_random_int ());
  forget_what_others_show (self);
  tokend_tracker_reset (&self->tracker);
  evaluate_again (self);
}

/**
 * tokend_token_lose_reading:
 *
 * Notes that a code went to the token, and what it shows now could not be read.
 */
void
tokend_token_lose_reading (TokendToken *self)
{
  self->not_before = g_get_monotonic_time ();
  self->counters_known = FALSE;
  evaluate_again (self);
}

/* Never gives out a path twice, not even after a restart: a client with an old path must not reach
 * another token by it, and spend that one's try. */
static char *
make_object_path (void)
{
  static guint64 next_number = 0;

  if (next_number == 0)
    next_number = (guint64) g_random_int () << 32 | g_random_int ();
  return g_strdup_printf (TOKEND_TOKENS_PATH "/%" G_GUINT64_FORMAT, next_number++);
}

/**
 * tokend_token_new:
 * @reading: its first.
 * @begun_at: see tokend_token_update().
 *
 * Returns: (transfer full): the token.
 */
TokendToken *
tokend_token_new (TokendService *service, TokendTokenSource *source, const TokendReading *reading,
                  gint64 begun_at)
{
  TokendToken *self = g_object_new (TOKEND_TYPE_TOKEN, NULL);

  self->service = service;
  self->source = source;
  self->object_path = make_object_path ();
  self->manufacturer = tokend_printable (reading->manufacturer);
  self->model = tokend_printable (reading->model);
  self->serial = tokend_printable (reading->serial);
  self->label = tokend_printable (reading->label);
  self->profile = tokend_profiles_match (service->profiles, tokend_token_source_get_path (source),
                                         self->manufacturer, self->model, reading->atr);
  self->target =
      tokend_target_new (reading, self->profile != NULL && self->profile->shared_by_slots);
  tokend_target_set_stay (self->target, g_random_int ());
  tokend_token_update (self, reading, begun_at);
  self->is_shown = TRUE;
  return self;
}

/**
 * tokend_token_remove:
 *
 * Tells its object on the bus, and operations on it, that the token has left.
 */
void
tokend_token_remove (TokendToken *self)
{
  self->source = NULL;
  self->is_shown = FALSE;
  g_signal_emit (self, signals[SIGNAL_LEFT], 0);
  g_signal_emit (self, signals[SIGNAL_GONE], 0);
}

/**
 * tokend_token_make_view:
 * @module_rank: of its module.
 *
 * Returns: what tells which other tokens it is; valid until it is read again.
 */
TokendView
tokend_token_make_view (TokendToken *self, guint module_rank)
{
  const TokendSnapshot snapshot = see (self, self->reading, NULL);
  TokendView view = { .target = self->target,
                      .module = module_rank,
                      .reader = self->reader,
                      .seen_since = self->seen_since,
                      .seen_at = self->seen_at,
                      .path = self->object_path,
                      .certificate = self->certificate,
                      .can_unlock = tokend_token_supports (self, TOKEND_ROLE_PUK, NULL),
                      .can_set_pin = tokend_token_supports (self, TOKEND_ROLE_PIN, NULL) };

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    if (tokend_token_is_fresh (self))
      view.shown[role] = tokend_snapshot_evaluate (&snapshot, role).state;
  return view;
}

/* Tells whether subscribers must be told. Keys that were not known before are no news. */
static gboolean
is_news (const TokendRelations *before, const TokendRelations *now)
{
  return before->card_id != NULL
         && (!g_str_equal (before->card_id, now->card_id)
             || !g_str_equal (before->pin_id, now->pin_id)
             || before->is_preferred != now->is_preferred);
}

/**
 * tokend_token_set_relations:
 * @relations: how it stands to the others now.
 * @related: (element-type TokendTarget): as the others, see tokend_target_relate().
 *
 * Takes over how it stands to the others, and tells the subscribers if that is news.
 */
void
tokend_token_set_relations (TokendToken *self, const TokendRelations *relations, GPtrArray *related,
                            guint first_doubtful, guint n_doubtful, guint n_one)
{
  const gboolean was_owed = self->is_owed;

  self->is_owed = is_news (&self->relations, relations);
  g_free (self->relations.card_id);
  g_free (self->relations.pin_id);
  self->relations = *relations;
  self->relations.card_id = g_strdup (relations->card_id);
  self->relations.pin_id = g_strdup (relations->pin_id);
  tokend_target_relate (self->target, related, first_doubtful, n_doubtful, n_one);
  tokend_ledger_spread (self->service->ledger, self->target);
  tokend_refused_spread (self->service->refused, self->target);
  evaluate_again (self);
  /* Still owed to who asked earlier, until it is read. */
  self->is_owed = self->is_owed || was_owed;
}

static void
on_refreshed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  TokendToken *self = g_task_get_source_object (task);
  gint64 *asked_at = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;

  if (tokend_token_source_read_finish (TOKEND_TOKEN_SOURCE (source), result, &error)
      && self->unread != NULL)
    error = g_error_copy (self->unread);
  /* Reads again, once, after a read that an operation by another module or label overtook. A host
   * may never read the token. */
  if (error == NULL && self->source != NULL && self->read_at_monotonic < *asked_at) {
    *asked_at = 0;
    tokend_token_source_read_async (self->source, on_refreshed, g_steal_pointer (&task));
    return;
  }
  self->is_owed = self->is_owed || error != NULL;
  if (error == NULL && self->source == NULL)
    g_set_error_literal (&error, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                         "The token is not there any more");
  if (error != NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else
    g_task_return_boolean (task, TRUE);
}

/**
 * tokend_token_refresh_async:
 *
 * Reads the token now. Callers at the same time share one read.
 */
void
tokend_token_refresh_async (TokendToken *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  gint64 *asked_at = g_new (gint64, 1);

  *asked_at = g_get_monotonic_time ();
  g_task_set_task_data (task, asked_at, g_free);
  if (self->source == NULL) {
    g_task_return_new_error (task, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                             "The token is not there any more");
    g_object_unref (task);
    return;
  }
  tokend_token_source_read_async (self->source, on_refreshed, task);
}

/**
 * tokend_token_refresh_finish:
 * @error: NotFound, ModuleFailed, TimedOut or Busy.
 *
 * Returns: whether it was read.
 */
gboolean
tokend_token_refresh_finish (TokendToken *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
