/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger.h"

#include "journal.h"
#include "ledger-file-private.h"

#define FILE_NAME "ledger"

struct _TokendLedger {
  GObject parent_instance;

  char *path;
  GHashTable *targets; /* of a target's id → TokendLedgerTries */
  gboolean assume_spent;
  /* The file could not be read, and is still there; only the writer's thread uses this after the
   * start. */
  gboolean keep_old;
  gboolean is_failure_told; /* that it cannot be written; likewise the writer's */
  GThreadPool *writer;      /* one thread, so that writes reach the disk in their order */
};

G_DEFINE_FINAL_TYPE (TokendLedger, tokend_ledger, G_TYPE_OBJECT)

/* Tells of a failed write once until one succeeds, since a module can cause one at each read. The
 * file then says something worse than what is known, never better. Also called in the writer's
 * thread. */
static void
report_failed_write (TokendLedger *self, const GError *error)
{
  if (self->is_failure_told)
    return;
  self->is_failure_told = TRUE;
  tokend_journal (G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_LEDGER_UNWRITABLE, "TOKEND_REASON",
                  error->message, "MESSAGE", "The ledger could not be written: %s", error->message);
}

/* Keeps what could not be read until a write succeeds, so that the next start finds the same. */
static gboolean
write_file (TokendLedger *self, const char *content, GError **error)
{
  if (!tokend_ledger_file_write (self->path, content, self->keep_old, error)) {
    report_failed_write (self, *error);
    return FALSE;
  }
  self->keep_old = FALSE;
  self->is_failure_told = FALSE;
  return TRUE;
}

static void
write_in_thread (gpointer data, gpointer user_data)
{
  g_autoptr (GTask) task = data;
  TokendLedger *self = g_task_get_source_object (task);
  const char *content = g_task_get_task_data (task);
  GError *error = NULL;

  if (content == NULL || write_file (self, content, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
tokend_ledger_init (TokendLedger *self)
{
  self->targets = tokend_ledger_file_make_targets ();
  self->writer = g_thread_pool_new (write_in_thread, NULL, 1, FALSE, NULL);
}

static void
tokend_ledger_finalize (GObject *object)
{
  TokendLedger *self = TOKEND_LEDGER (object);

  /* Each write holds a reference, so none is left. This may be the writer's own thread. */
  g_thread_pool_free (self->writer, FALSE, FALSE);
  g_hash_table_unref (self->targets);
  g_free (self->path);
  G_OBJECT_CLASS (tokend_ledger_parent_class)->finalize (object);
}

static void
tokend_ledger_class_init (TokendLedgerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_ledger_finalize;
}

static char *
serialize (TokendLedger *self)
{
  return tokend_ledger_file_to_text (self->targets, self->assume_spent);
}

static void
save_now (TokendLedger *self)
{
  g_autofree char *content = serialize (self);
  g_autoptr (GError) error = NULL;

  write_file (self, content, &error);
}

static void
report_loss (TokendLedger *self, const GError *reason, gboolean is_there)
{
  g_autofree char *what_is_there =
      is_there ? g_strdup_printf (
          "What is there is kept as %s.unreadable once a new one is on the disk", self->path)
               : g_strdup_printf ("Whoever deletes it to begin anew deletes %s.previous and "
                                  "%s.unreadable with it",
                                  self->path, self->path);

  tokend_journal (G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_LEDGER_UNREADABLE, "TOKEND_REASON",
                  reason->message, "MESSAGE",
                  "The ledger %s cannot be read: %s. How many tries a token has left is not known "
                  "until it tells a number itself or accepts a code: each may be the last, and is "
                  "sent only with the word for that. %s",
                  self->path, reason->message, what_is_there);
}

/* Records the loss. The old file stays until that is on the disk: no start may take a missing file
 * for a first start. */
static void
start_anew (TokendLedger *self, const GError *reason)
{
  self->keep_old = !g_error_matches (reason, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_NOT_FOUND);
  report_loss (self, reason, self->keep_old);
  tokend_ledger_file_read_previous (self->path, self->targets);
  self->assume_spent = TRUE;
  save_now (self);
}

/* Tells of each pending try once, since the service starts whenever somebody needs it. The service
 * may have ended in the middle of an operation, which has no other entry. Returns: whether there
 * was one. */
static gboolean
report_pending (TokendLedger *self)
{
  gboolean is_told = FALSE;
  GHashTableIter iter;
  gpointer id, value;

  g_hash_table_iter_init (&iter, self->targets);
  while (g_hash_table_iter_next (&iter, &id, &value)) {
    g_autofree char *card = tokend_target_id_get_card (id);
    TokendLedgerTries *tries = value;

    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      const char *code = role == TOKEND_ROLE_PUK ? "PUK" : "PIN";

      if (tries->entries[role].pending <= tries->told[role])
        continue;
      tries->told[role] = tries->entries[role].pending;
      is_told = TRUE;
      tokend_journal (G_LOG_LEVEL_MESSAGE, TOKEND_MESSAGE_TRY_PENDING, "TOKEND_TOKEN", card,
                      "TOKEND_ROLE", code, "MESSAGE",
                      "What came of an earlier operation is not known: a %s try of the token "
                      "%.8s… counts as spent until the token says otherwise",
                      code, card);
    }
  }
  return is_told;
}

/**
 * tokend_ledger_new:
 * @directory: the service's state folder, which no other service uses.
 *
 * Reads the ledger. Keeps a ledger that cannot be read, see ledger-file.c. Any number of each
 * token's tries then counts as spent, until the token's own number or a success says otherwise.
 *
 * Returns: (transfer full): the ledger.
 */
TokendLedger *
tokend_ledger_new (const char *directory)
{
  TokendLedger *self = g_object_new (TOKEND_TYPE_LEDGER, NULL);
  g_autoptr (GError) error = NULL;

  self->path = g_build_filename (directory, FILE_NAME, NULL);
  if (tokend_ledger_file_read (self->path, self->targets, &self->assume_spent, &error)) {
    if (report_pending (self))
      save_now (self);
  } else if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
    start_anew (self, error);
  }
  return self;
}

static TokendLedgerTries *
ensure_tries (TokendLedger *self, const TokendTarget *target)
{
  TokendLedgerTries *tries = g_hash_table_lookup (self->targets, target->id);

  if (tries == NULL) {
    tries = g_new0 (TokendLedgerTries, 1);
    g_hash_table_insert (self->targets, g_strdup (target->id), tries);
  }
  return tries;
}

static gboolean
is_known (TokendLedger *self, const TokendTarget *target, TokendRole role)
{
  GHashTableIter iter;
  gpointer id, tries;

  g_hash_table_iter_init (&iter, self->targets);
  while (g_hash_table_iter_next (&iter, &id, &tries))
    if (tokend_target_is_same (target, id) && ((TokendLedgerTries *) tries)->known[role])
      return TRUE;
  return FALSE;
}

/* Tells whether a record of @target may have been lost. */
static gboolean
is_lost (TokendLedger *self, const TokendTarget *target, TokendRole role)
{
  return self->assume_spent && !is_known (self, target, role);
}

/* Returns: (transfer container): each TokendLedgerTries that certainly is of @target's counter. */
static GPtrArray *
list_recorded (TokendLedger *self, const TokendTarget *target, TokendRole role)
{
  GPtrArray *recorded = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer id, value;

  g_hash_table_iter_init (&iter, self->targets);
  while (g_hash_table_iter_next (&iter, &id, &value)) {
    TokendLedgerTries *tries = value;

    if (tokend_target_is_same (target, id) && !tokend_ledger_entry_is_clear (&tries->entries[role]))
      g_ptr_array_add (recorded, tries);
  }
  return recorded;
}

/* Tells whether people are told. What may be another card's bars this one too, but nobody is told
 * that it was sent to this one. */
static gboolean
is_told (const TokendTarget *target, const char *id)
{
  return target->is_known_card ? tokend_target_is_shown_as (target, id)
                               : g_str_equal (id, target->id);
}

/**
 * tokend_ledger_get_record:
 * @target: where a code would be sent.
 * @role: whose tries.
 *
 * Returns: the record, with that of other targets whose tries may be the same. Pending tries count
 *   as spent.
 */
TokendCounterRecord
tokend_ledger_get_record (TokendLedger *self, const TokendTarget *target, TokendRole role)
{
  TokendLedgerEntry sum = { 0 };
  TokendLedgerEntry told = { 0 };
  gboolean is_elsewhere = FALSE;
  GHashTableIter iter;
  gpointer id, value;

  if (is_lost (self, target, role))
    sum.spent = TOKEND_TRIES_MAX;
  g_hash_table_iter_init (&iter, self->targets);
  while (g_hash_table_iter_next (&iter, &id, &value)) {
    const TokendLedgerTries *tries = value;

    if (!tokend_scope_counts_at (&tries->scope[role], id, target, role))
      continue;
    tokend_ledger_entry_add (&sum, &tries->entries[role]);
    if (is_told (target, id)) {
      const TokendLedgerEntry now = tokend_ledger_entry_get_told (&tries->entries[role]);

      tokend_ledger_entry_add (&told, &now);
    } else if (!tokend_ledger_entry_is_clear (&tries->entries[role])) {
      is_elsewhere = TRUE;
    }
  }
  return (TokendCounterRecord){ .spent = sum.spent + sum.pending,
                                .locked = sum.locked,
                                .final_try = sum.final_try,
                                .lost = sum.spent >= TOKEND_TRIES_MAX,
                                .is_elsewhere = is_elsewhere,
                                .seen = told.seen,
                                .wrong = told.wrong,
                                .pending = told.pending,
                                .sent_at = told.sent_at };
}

static void
save (TokendLedger *self, GTask *task)
{
  g_task_set_task_data (task, serialize (self), g_free);
  g_thread_pool_push (self->writer, task, NULL);
}

/* Returns: (transfer none) (nullable): the module whose tries may be pending there. */
static const char *
find_module (TokendLedger *self, const TokendTarget *target, TokendRole role)
{
  g_autoptr (GPtrArray) recorded = list_recorded (self, target, role);

  for (guint i = 0; i < recorded->len; i++) {
    const TokendLedgerTries *tries = recorded->pdata[i];

    if (tries->modules[role] != NULL)
      return tries->modules[role];
  }
  return NULL;
}

/* Keeps the first module of unresolved tries, also when another one shows the token and sends the
 * next. */
static void
take_module (TokendLedger *self, const TokendTarget *target, TokendRole role, const char *module)
{
  TokendLedgerTries *tries = ensure_tries (self, target);
  const char *first = find_module (self, target, role);
  char *taken = g_strdup (first != NULL ? first : module);

  g_free (tries->modules[role]);
  tries->modules[role] = taken;
}

/**
 * tokend_ledger_begin_async:
 * @target: where the code is to be sent.
 * @role: whose try.
 * @module: the module that is to send it.
 * @callback: called when the try is on the disk, or could not be written: then no code may be sent.
 *
 * Records one pending try. Resolve it with tokend_ledger_resolve_async(), also after an error.
 */
void
tokend_ledger_begin_async (TokendLedger *self, const TokendTarget *target, TokendRole role,
                           const char *module, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  TokendLedgerTries *tries = ensure_tries (self, target);

  if (is_lost (self, target, role))
    tries->entries[role].spent = TOKEND_TRIES_MAX;
  tries->known[role] = TRUE;
  take_module (self, target, role, module);
  /* If fewer are pending than were told of, those are resolved, and this is another one. */
  tries->told[role] = MIN (tries->told[role], tries->entries[role].pending);
  if (tokend_ledger_entry_is_clear (&tries->entries[role]))
    tokend_scope_clear (&tries->scope[role]);
  tokend_scope_begin (&tries->scope[role], target);
  tokend_ledger_entry_begin (&tries->entries[role], g_get_real_time ());
  save (self, task);
}

gboolean
tokend_ledger_begin_finish (TokendLedger *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
clear (TokendLedger *self, const TokendTarget *target, TokendRole role)
{
  g_autoptr (GPtrArray) recorded = list_recorded (self, target, role);

  for (guint i = 0; i < recorded->len; i++)
    ((TokendLedgerTries *) recorded->pdata[i])->entries[role] = (TokendLedgerEntry){ 0 };
}

/* Records that a code of @target is right: nothing of this target is spent, whatever is recorded of
 * others that may be the same. */
static void
note_right (TokendLedger *self, const TokendTarget *target, TokendRole role)
{
  GHashTableIter iter;
  gpointer id, value;

  g_hash_table_iter_init (&iter, self->targets);
  while (g_hash_table_iter_next (&iter, &id, &value)) {
    TokendLedgerTries *tries = value;

    if (!tokend_ledger_entry_is_clear (&tries->entries[role]))
      tokend_scope_note_right (&tries->scope[role], id, target, role);
  }
}

static void
take_right (TokendLedger *self, const TokendTarget *target, TokendRole role)
{
  clear (self, target, role);
  note_right (self, target, role);
}

/**
 * tokend_ledger_resolve_async:
 * @target: as for tokend_ledger_begin_async().
 * @role: the same.
 * @try_result: the result of the try.
 * @callback: called when it is on the disk, or could not be written: then the try counts as spent
 *   after the next start.
 *
 * Resolves the pending try. A success clears what certainly is of the same code; a PUK's also
 * clears what is of the PIN that it has set. What may be of the same PUK stays, for its own target.
 */
void
tokend_ledger_resolve_async (TokendLedger *self, const TokendTarget *target, TokendRole role,
                             TokendTryResult try_result, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  TokendLedgerTries *tries = ensure_tries (self, target);
  const gboolean is_right = try_result == TOKEND_TRY_SUCCEEDED || try_result == TOKEND_TRY_ACCEPTED;

  tokend_ledger_entry_resolve (&tries->entries[role], try_result);
  if (is_right)
    take_right (self, target, role);
  if (role == TOKEND_ROLE_PUK && try_result == TOKEND_TRY_SUCCEEDED) {
    take_right (self, target, TOKEND_ROLE_PIN);
    tries->known[TOKEND_ROLE_PIN] = TRUE;
  }
  save (self, task);
}

gboolean
tokend_ledger_resolve_finish (TokendLedger *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tokend_ledger_note:
 * @target: where a code was sent and refused.
 * @role: whose code.
 * @shown: what the token then showed the host that had sent it.
 *
 * Keeps a lock or a final try that other processes may not be shown, see
 * tokend_ledger_entry_note().
 */
void
tokend_ledger_note (TokendLedger *self, const TokendTarget *target, TokendRole role,
                    TokendState shown)
{
  TokendLedgerTries *tries = g_hash_table_lookup (self->targets, target->id);

  if (tries != NULL && tokend_ledger_entry_note (&tries->entries[role], shown))
    save (self, g_task_new (self, NULL, NULL, NULL));
}

/**
 * tokend_ledger_flush_async:
 * @callback: called when everything recorded until now is on the disk, or the journal has been told
 *   that it is not.
 */
void
tokend_ledger_flush_async (TokendLedger *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_thread_pool_push (self->writer, g_task_new (self, NULL, callback, user_data), NULL);
}

void
tokend_ledger_flush_finish (TokendLedger *self, GAsyncResult *result)
{
  g_task_propagate_boolean (G_TASK (result), NULL);
}

/* Adds what is @recorded to @sum. Returns: whether @module may clear it. */
static gboolean
sum_up (GPtrArray *recorded, TokendRole role, const char *module, TokendLedgerEntry *sum)
{
  for (guint i = 0; i < recorded->len; i++) {
    const TokendLedgerTries *tries = recorded->pdata[i];

    if (tries->modules[role] != NULL && !g_str_equal (tries->modules[role], module))
      return FALSE;
    tokend_ledger_entry_add (sum, &tries->entries[role]);
  }
  return TRUE;
}

/* Tells whether the token has told of a try that is not recorded. */
static gboolean
is_more (const TokendLedgerEntry *shown, const TokendLedgerEntry *recorded)
{
  return shown->spent > recorded->spent + recorded->pending || (shown->locked && !recorded->locked)
         || (shown->final_try && !recorded->final_try);
}

/* Leaves each confirmed try at its target, since the profile may say something else of the slots
 * one day. Records what the token says instead of the tries at one target, and lets it count for
 * all. It counts where a code was right after all of them only if the token tells of more. */
static void
take_observed (GPtrArray *recorded, TokendRole role, const TokendLedgerEntry *sum,
               gboolean has_more)
{
  TokendLedgerTries *first = recorded->pdata[0];

  for (guint i = 0; i < recorded->len; i++) {
    TokendLedgerTries *tries = recorded->pdata[i];

    if (sum->confirmed) {
      tries->entries[role].confirmed = TRUE;
      continue;
    }
    tries->entries[role] = i == 0 ? *sum : (TokendLedgerEntry){ 0 };
    if (has_more || recorded->len > 1)
      g_clear_pointer (&tries->scope[role].right_at, g_strfreev);
    if (i > 0)
      tokend_scope_take (&first->scope[role], &tries->scope[role]);
  }
}

/**
 * tokend_ledger_observe:
 * @target: where it is seen.
 * @role: whose counter.
 * @module: the module that shows it. Only the module that sent the first of the tries can clear
 *   them: another one may be wrong about which token it is.
 * @reading: what the token shows while no operation of ours is under way on it.
 * @rules: the profile's.
 *
 * Lets what the token says stand above the record, see tokend_ledger_entry_observe().
 */
void
tokend_ledger_observe (TokendLedger *self, const TokendTarget *target, TokendRole role,
                       const char *module, const TokendCounterReading *reading,
                       const TokendCounterRules *rules)
{
  g_autoptr (GPtrArray) recorded = list_recorded (self, target, role);
  TokendLedgerEntry sum = { 0 };
  TokendLedgerEntry before;

  if (!sum_up (recorded, role, module, &sum))
    return;
  before = sum;
  if (!tokend_ledger_entry_observe (&sum, reading, rules))
    return;
  take_observed (recorded, role, &sum, is_more (&sum, &before));
  save (self, g_task_new (self, NULL, NULL, NULL));
}

/**
 * tokend_ledger_spread:
 * @target: a target that may have been found to be the same token as others, see
 *   tokend_target_relate().
 *
 * Lets the record of those count at @target, whether they are shown or not, until a code is right
 * at @target.
 */
void
tokend_ledger_spread (TokendLedger *self, const TokendTarget *target)
{
  gboolean has_changed = FALSE;
  GHashTableIter iter;
  gpointer id, value;

  g_hash_table_iter_init (&iter, self->targets);
  while (g_hash_table_iter_next (&iter, &id, &value))
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      TokendLedgerTries *tries = value;

      if (!tokend_ledger_entry_is_clear (&tries->entries[role])
          && tokend_scope_spread (&tries->scope[role], id, target, role))
        has_changed = TRUE;
    }
  if (has_changed)
    save (self, g_task_new (self, NULL, NULL, NULL));
}
