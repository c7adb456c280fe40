/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger.h"

#include "journal.h"
#include "ledger-entry.h"
#include "sealed-file.h"

#include <errno.h>
#include <glib/gstdio.h>

/*
 * The file is a sealed file, `ledger` in the service's state folder:
 *
 *   [ledger]
 *   version=1
 *   assume-spent=true         an earlier file could not be read: whatever is not known is taken for spent
 *
 *   [PHYSICAL-ID]             a physical token, see tokend_reading_physical_id()
 *   pin-spent=, pin-pending=  tries since the last success
 *   pin-locked=, pin-confirmed=, pin-final-try=
 *   pin-told=                 how many of the pending ones the journal has been told of at a start
 *   pin-module=               by which module the first of them was sent
 *   puk-…                     likewise
 *
 * Each write replaces it whole and is on the disk (file and folder) before it is called done.
 */
#define FILE_NAME "ledger"
#define ASIDE_SUFFIX ".unreadable"
#define FILE_VERSION 1
#define HEAD "ledger"

/* Recorded of a token of which nothing is known, after the ledger was lost. */
static const TokendCounterRecord assumed = { .spent = 255 };

typedef struct {
  gboolean known[TOKEND_N_ROLES];
  char *modules[TOKEND_N_ROLES]; /* or NULL */
  guint told[TOKEND_N_ROLES];    /* how many of the pending ones the journal has been told of */
  TokendLedgerEntry entries[TOKEND_N_ROLES];
} Tries;

static void
tries_free (gpointer data)
{
  Tries *tries = data;

  for (guint role = 0; role < TOKEND_N_ROLES; role++)
    g_free (tries->modules[role]);
  g_free (tries);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tries, tries_free)

struct _TokendLedger {
  GObject parent_instance;

  char *path;
  GHashTable *tokens; /* of physical id → Tries */
  gboolean assume_spent;
  GThreadPool *writer; /* one thread: writes reach the disk in the order they were asked for */
};

G_DEFINE_FINAL_TYPE (TokendLedger, tokend_ledger, G_TYPE_OBJECT)

static const char *const role_names[TOKEND_N_ROLES] = { "pin", "puk" };

/* Also in the writer's thread. What the file says is then worse than what is known, never better. */
static void
report_failed_write (const GError *error)
{
  tokend_journal (G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_LEDGER_UNWRITABLE, "TOKEND_REASON",
                  error->message, "MESSAGE", "The ledger could not be written: %s", error->message);
}

static void
write_in_thread (gpointer data, gpointer user_data)
{
  g_autoptr (GTask) task = data;
  TokendLedger *self = g_task_get_source_object (task);
  const char *content = g_task_get_task_data (task);
  GError *error = NULL;

  if (tokend_sealed_file_write (self->path, content, &error)) {
    g_task_return_boolean (task, TRUE);
  } else {
    report_failed_write (error);
    g_task_return_error (task, error);
  }
}

static void
tokend_ledger_init (TokendLedger *self)
{
  self->tokens = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, tries_free);
  self->writer = g_thread_pool_new (write_in_thread, NULL, 1, FALSE, NULL);
}

static void
tokend_ledger_finalize (GObject *object)
{
  TokendLedger *self = TOKEND_LEDGER (object);

  /* Every write holds a reference: none is left, and this may be the writer's own thread. */
  g_thread_pool_free (self->writer, FALSE, FALSE);
  g_hash_table_unref (self->tokens);
  g_free (self->path);
  G_OBJECT_CLASS (tokend_ledger_parent_class)->finalize (object);
}

static void
tokend_ledger_class_init (TokendLedgerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_ledger_finalize;
}

static guint
get_count (GKeyFile *key_file, const char *group, const char *role, const char *what,
           GError **error)
{
  g_autofree char *key = g_strconcat (role, "-", what, NULL);
  guint64 count;

  if (*error != NULL || !g_key_file_has_key (key_file, group, key, NULL))
    return 0;
  count = g_key_file_get_uint64 (key_file, group, key, error);
  return (guint) MIN (count, assumed.spent);
}

static gboolean
get_flag (GKeyFile *key_file, const char *group, const char *role, const char *what, GError **error)
{
  g_autofree char *key = g_strconcat (role, "-", what, NULL);

  if (*error != NULL || !g_key_file_has_key (key_file, group, key, NULL))
    return FALSE;
  return g_key_file_get_boolean (key_file, group, key, error);
}

static char *
get_text (GKeyFile *key_file, const char *group, const char *role, const char *what)
{
  g_autofree char *key = g_strconcat (role, "-", what, NULL);

  return g_key_file_get_string (key_file, group, key, NULL);
}

static gboolean
load_token (TokendLedger *self, GKeyFile *key_file, const char *group, GError **error)
{
  g_autoptr (Tries) tries = g_new0 (Tries, 1);
  GError *local_error = NULL;

  for (guint role = 0; role < TOKEND_N_ROLES; role++) {
    const char *name = role_names[role];
    TokendLedgerEntry *entry = &tries->entries[role];

    entry->spent = get_count (key_file, group, name, "spent", &local_error);
    entry->pending = get_count (key_file, group, name, "pending", &local_error);
    entry->locked = get_flag (key_file, group, name, "locked", &local_error);
    entry->confirmed = get_flag (key_file, group, name, "confirmed", &local_error);
    entry->final_try = get_flag (key_file, group, name, "final-try", &local_error);
    tries->told[role] = get_count (key_file, group, name, "told", &local_error);
    tries->modules[role] = get_text (key_file, group, name, "module");
    tries->known[role] = get_flag (key_file, group, name, "known", &local_error)
                         || !tokend_ledger_entry_is_clear (entry);
  }
  if (local_error != NULL) {
    g_propagate_error (error, local_error);
    return FALSE;
  }
  g_hash_table_insert (self->tokens, g_strdup (group), g_steal_pointer (&tries));
  return TRUE;
}

static gboolean
load (TokendLedger *self, GError **error)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  int version;

  if (!tokend_sealed_file_read (self->path, key_file, error))
    return FALSE;
  version = g_key_file_get_integer (key_file, HEAD, "version", error);
  if (version != FILE_VERSION) {
    if (*error == NULL)
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                   "version %d is not known here", version);
    return FALSE;
  }
  if (g_key_file_has_key (key_file, HEAD, "assume-spent", NULL))
    self->assume_spent = g_key_file_get_boolean (key_file, HEAD, "assume-spent", error);
  if (*error != NULL)
    return FALSE;

  groups = g_key_file_get_groups (key_file, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    if (!g_str_equal (groups[i], HEAD) && !load_token (self, key_file, groups[i], error))
      return FALSE;
  return TRUE;
}

static void
put_entry (GKeyFile *key_file, const char *group, TokendRole role, const Tries *tries,
           gboolean remember_known)
{
  const char *name = role_names[role];
  const TokendLedgerEntry *entry = &tries->entries[role];
  g_autofree char *spent = g_strconcat (name, "-spent", NULL);
  g_autofree char *pending = g_strconcat (name, "-pending", NULL);
  g_autofree char *locked = g_strconcat (name, "-locked", NULL);
  g_autofree char *confirmed = g_strconcat (name, "-confirmed", NULL);
  g_autofree char *final_try = g_strconcat (name, "-final-try", NULL);
  g_autofree char *module = g_strconcat (name, "-module", NULL);
  g_autofree char *known = g_strconcat (name, "-known", NULL);
  g_autofree char *told = g_strconcat (name, "-told", NULL);

  if (tokend_ledger_entry_is_clear (entry)) {
    if (remember_known && tries->known[role])
      g_key_file_set_boolean (key_file, group, known, TRUE);
    return;
  }
  if (entry->spent > 0)
    g_key_file_set_uint64 (key_file, group, spent, entry->spent);
  if (entry->pending > 0)
    g_key_file_set_uint64 (key_file, group, pending, entry->pending);
  if (MIN (tries->told[role], entry->pending) > 0)
    g_key_file_set_uint64 (key_file, group, told, MIN (tries->told[role], entry->pending));
  if (entry->locked)
    g_key_file_set_boolean (key_file, group, locked, TRUE);
  if (entry->confirmed)
    g_key_file_set_boolean (key_file, group, confirmed, TRUE);
  if (entry->final_try)
    g_key_file_set_boolean (key_file, group, final_try, TRUE);
  if (tries->modules[role] != NULL)
    g_key_file_set_string (key_file, group, module, tries->modules[role]);
}

static char *
serialize (TokendLedger *self)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  GHashTableIter iter;
  gpointer physical_id, value;

  g_key_file_set_integer (key_file, HEAD, "version", FILE_VERSION);
  if (self->assume_spent)
    g_key_file_set_boolean (key_file, HEAD, "assume-spent", TRUE);

  g_hash_table_iter_init (&iter, self->tokens);
  while (g_hash_table_iter_next (&iter, &physical_id, &value)) {
    const Tries *tries = value;

    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
      put_entry (key_file, physical_id, role, tries, self->assume_spent);
  }
  return tokend_sealed_file_to_text (key_file);
}

static void
save_now (TokendLedger *self)
{
  g_autofree char *content = serialize (self);
  g_autoptr (GError) error = NULL;

  if (!tokend_sealed_file_write (self->path, content, &error))
    report_failed_write (error);
}

/* The loss itself is written down: the next start must not take the missing file for a first one. */
static void
start_anew (TokendLedger *self, const GError *reason)
{
  g_autofree char *aside = g_strconcat (self->path, ASIDE_SUFFIX, NULL);

  tokend_journal (G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_LEDGER_UNREADABLE, "TOKEND_REASON",
                  reason->message, "MESSAGE",
                  "The ledger %s cannot be read: %s. It is kept as %s; every try counts as spent "
                  "until a token says otherwise",
                  self->path, reason->message, aside);
  g_hash_table_remove_all (self->tokens);
  self->assume_spent = TRUE;
  if (g_rename (self->path, aside) != 0)
    tokend_warning ("%s could not be renamed: %s", self->path, g_strerror (errno));
  save_now (self);
}

/* The service may have ended in the middle of an operation, which then has no other entry. Once for each: the service starts
 * whenever somebody needs it. Returns: whether there was one. */
static gboolean
report_pending (TokendLedger *self)
{
  gboolean is_told = FALSE;
  GHashTableIter iter;
  gpointer physical_id, value;

  g_hash_table_iter_init (&iter, self->tokens);
  while (g_hash_table_iter_next (&iter, &physical_id, &value)) {
    Tries *tries = value;

    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      const char *code = role == TOKEND_ROLE_PUK ? "PUK" : "PIN";

      if (tries->entries[role].pending <= tries->told[role])
        continue;
      tries->told[role] = tries->entries[role].pending;
      is_told = TRUE;
      tokend_journal (G_LOG_LEVEL_MESSAGE, TOKEND_MESSAGE_TRY_PENDING, "TOKEND_TOKEN", physical_id,
                      "TOKEND_ROLE", code, "MESSAGE",
                      "What came of an earlier operation is not known: a %s try of the token "
                      "%.8s… counts as spent until the token says otherwise",
                      code, (const char *) physical_id);
    }
  }
  return is_told;
}

/**
 * tokend_ledger_new:
 * @directory: the service's state folder, which no other service uses.
 *
 * Reads the ledger. One that cannot be read is kept as `ledger.unreadable`; until the token's own number or a success says
 * otherwise, every token's tries then count as spent.
 *
 * Returns: (transfer full): the ledger.
 */
TokendLedger *
tokend_ledger_new (const char *directory)
{
  TokendLedger *self = g_object_new (TOKEND_TYPE_LEDGER, NULL);
  g_autoptr (GError) error = NULL;

  self->path = g_build_filename (directory, FILE_NAME, NULL);
  if (load (self, &error)) {
    if (report_pending (self))
      save_now (self);
  } else if (!g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
    start_anew (self, error);
  }
  return self;
}

static Tries *
ensure_tries (TokendLedger *self, const char *physical_id)
{
  Tries *tries = g_hash_table_lookup (self->tokens, physical_id);

  if (tries == NULL) {
    tries = g_new0 (Tries, 1);
    g_hash_table_insert (self->tokens, g_strdup (physical_id), tries);
  }
  return tries;
}

/**
 * tokend_ledger_get_record:
 * @physical_id: see tokend_reading_physical_id().
 * @role: whose tries.
 *
 * Returns: what is recorded; pending tries count as spent.
 */
TokendCounterRecord
tokend_ledger_get_record (TokendLedger *self, const char *physical_id, TokendRole role)
{
  const Tries *tries = g_hash_table_lookup (self->tokens, physical_id);
  const TokendLedgerEntry *entry;

  if (tries == NULL || !tries->known[role])
    return self->assume_spent ? assumed : (TokendCounterRecord){ 0 };
  entry = &tries->entries[role];
  return (TokendCounterRecord){ .spent = entry->spent + entry->pending,
                                .locked = entry->locked,
                                .final_try = entry->final_try };
}

static void
save (TokendLedger *self, GTask *task)
{
  g_task_set_task_data (task, serialize (self), g_free);
  g_thread_pool_push (self->writer, task, NULL);
}

/**
 * tokend_ledger_begin_async:
 * @physical_id: see tokend_reading_physical_id().
 * @role: whose try.
 * @module: by which module it is to be sent.
 * @callback: called when it is on the disk, or could not be: then no code may be sent.
 *
 * Records that one try is pending. Settle it with tokend_ledger_settle_async(), also after an
 * error.
 */
void
tokend_ledger_begin_async (TokendLedger *self, const char *physical_id, TokendRole role,
                           const char *module, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Tries *tries = ensure_tries (self, physical_id);

  if (!tries->known[role] && self->assume_spent)
    tries->entries[role].spent = assumed.spent;
  tries->known[role] = TRUE;
  /* Tries that wait to be settled stay their module's, also when another one shows the token and sends the next. */
  if (tries->modules[role] == NULL || tokend_ledger_entry_is_clear (&tries->entries[role])) {
    g_free (tries->modules[role]);
    tries->modules[role] = g_strdup (module);
  }
  /* What was told of is settled, if less is pending now: this one is another. */
  tries->told[role] = MIN (tries->told[role], tries->entries[role].pending);
  tokend_ledger_entry_begin (&tries->entries[role]);
  save (self, task);
}

/** tokend_ledger_begin_finish: Returns: whether the pending try is on the disk. */
gboolean
tokend_ledger_begin_finish (TokendLedger *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tokend_ledger_settle_async:
 * @physical_id: as for tokend_ledger_begin_async().
 * @role: likewise.
 * @settlement: what became of the try.
 * @callback: called when it is on the disk, or could not be: then the try counts as spent after the
 * next start.
 */
void
tokend_ledger_settle_async (TokendLedger *self, const char *physical_id, TokendRole role,
                            TokendSettlement settlement, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);
  Tries *tries = ensure_tries (self, physical_id);

  tokend_ledger_entry_settle (&tries->entries[role], settlement);
  /* A PUK that was accepted sets the PIN's counter back too. */
  if (role == TOKEND_ROLE_PUK && settlement == TOKEND_SETTLEMENT_SUCCEEDED) {
    tries->entries[TOKEND_ROLE_PIN] = (TokendLedgerEntry){ 0 };
    tries->known[TOKEND_ROLE_PIN] = TRUE;
  }
  save (self, task);
}

/** tokend_ledger_settle_finish: Returns: whether the outcome is on the disk. */
gboolean
tokend_ledger_settle_finish (TokendLedger *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tokend_ledger_note:
 * @physical_id: see tokend_reading_physical_id().
 * @role: whose try was sent, and refused.
 * @shown: what the token then showed the host that had sent it.
 *
 * Keeps a lock or a final try that other processes may not be shown, see tokend_ledger_entry_note().
 */
void
tokend_ledger_note (TokendLedger *self, const char *physical_id, TokendRole role, TokendState shown)
{
  Tries *tries = g_hash_table_lookup (self->tokens, physical_id);

  if (tries != NULL && tokend_ledger_entry_note (&tries->entries[role], shown))
    save (self, g_task_new (self, NULL, NULL, NULL));
}

/**
 * tokend_ledger_observe:
 * @physical_id: see tokend_reading_physical_id().
 * @role: whose counter.
 * @module: which module shows it. Only what the module shows that sent the first of the tries can settle them: another
 *   one may be wrong about which token it is.
 * @reading: what the token shows while no operation of ours is under way on it.
 * @rules: the profile's.
 *
 * Lets the token's own word stand above the record, see tokend_ledger_entry_observe().
 */
void
tokend_ledger_observe (TokendLedger *self, const char *physical_id, TokendRole role,
                       const char *module, const TokendCounterReading *reading,
                       const TokendCounterRules *rules)
{
  Tries *tries = g_hash_table_lookup (self->tokens, physical_id);

  if (tries == NULL || (tries->modules[role] != NULL && !g_str_equal (tries->modules[role], module))
      || !tokend_ledger_entry_observe (&tries->entries[role], reading, rules))
    return;
  save (self, g_task_new (self, NULL, NULL, NULL));
}
