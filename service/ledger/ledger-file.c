/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger-file-private.h"

#include "journal.h"
#include "sealed-file-private.h"

#include <errno.h>
#include <glib/gstdio.h>

/*
 * The file is a sealed file, `ledger` in the service's state folder:
 *
 *   [ledger]
 *   version=2
 *   assume-spent=true         an earlier file could not be read: whatever is not known is taken for
 *                             spent
 *
 *   [CARD/LABEL]              a target, see TokendTarget
 *   pin-spent=, pin-pending=  tries since the last success
 *   pin-locked=, pin-confirmed=, pin-final-try=
 *   pin-wrong=                codes that the token refused since then, for people
 *   pin-seen=                 locked, final-try or unknown: what the last code let us see, for
 *                             people; absent: as pin-locked and pin-final-try say
 *   pin-sent-at=              when the last code was sent, for people; microseconds since the epoch
 *   pin-told=                 how many of the pending ones the journal has been told of at a start
 *   pin-module=               by which module the first of them was sent
 *   pin-also-at=              other targets where they count, which were the same token when they
 *                             were sent, or may have been
 *   pin-right-at=             other targets where a code was right since then, where they do not
 *                             count
 *   puk-…                     likewise
 *
 *   spent=255 says that an earlier file could not be read: any number may have been spent.
 *
 * Each write replaces it whole and is on the disk (file and folder) before it is called done; the
 * one before stays, as `ledger.previous`. One that cannot be read is kept beside it, as
 * `ledger.unreadable`, from the moment at which a new one that tells of the loss is in its place.
 */
#define ASIDE_SUFFIX ".unreadable"
#define FILE_VERSION 2
#define HEAD "ledger"

static void
tries_free (gpointer data)
{
  TokendLedgerTries *tries = data;

  for (guint role = 0; role < TOKEND_N_ROLES; role++) {
    g_free (tries->modules[role]);
    tokend_scope_clear (&tries->scope[role]);
  }
  g_free (tries);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendLedgerTries, tries_free)

/**
 * tokend_ledger_file_make_targets:
 *
 * Returns: (transfer full): an empty table of a target's id → #TokendLedgerTries.
 */
GHashTable *
tokend_ledger_file_make_targets (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, tries_free);
}

static const char *const role_names[TOKEND_N_ROLES] = { "pin", "puk" };

static guint
get_count (GKeyFile *key_file, const char *group, const char *role, const char *what,
           GError **error)
{
  g_autofree char *key = g_strconcat (role, "-", what, NULL);
  guint64 count;

  if (*error != NULL || !g_key_file_has_key (key_file, group, key, NULL))
    return 0;
  count = g_key_file_get_uint64 (key_file, group, key, error);
  return (guint) MIN (count, TOKEND_TRIES_MAX);
}

static gint64
get_time (GKeyFile *key_file, const char *group, const char *role, const char *what, GError **error)
{
  g_autofree char *key = g_strconcat (role, "-", what, NULL);

  if (*error != NULL || !g_key_file_has_key (key_file, group, key, NULL))
    return 0;
  return g_key_file_get_int64 (key_file, group, key, error);
}

static gboolean
get_flag (GKeyFile *key_file, const char *group, const char *role, const char *what, GError **error)
{
  g_autofree char *key = g_strconcat (role, "-", what, NULL);

  if (*error != NULL || !g_key_file_has_key (key_file, group, key, NULL))
    return FALSE;
  return g_key_file_get_boolean (key_file, group, key, error);
}

static const char *const seen_names[] = { [TOKEND_STATE_UNKNOWN] = "unknown",
                                          [TOKEND_STATE_FINAL_TRY] = "final-try",
                                          [TOKEND_STATE_LOCKED] = "locked" };

static TokendState
get_seen (GKeyFile *key_file, const char *group, const char *role, const TokendLedgerEntry *entry)
{
  static const TokendState states[] = { TOKEND_STATE_LOCKED, TOKEND_STATE_FINAL_TRY };
  g_autofree char *key = g_strconcat (role, "-seen", NULL);
  g_autofree char *text = g_key_file_get_string (key_file, group, key, NULL);

  if (text == NULL)
    return tokend_ledger_entry_get_worst (entry);
  for (gsize i = 0; i < G_N_ELEMENTS (states); i++)
    if (g_str_equal (text, seen_names[states[i]]))
      return states[i];
  return TOKEND_STATE_UNKNOWN;
}

static char *
get_text (GKeyFile *key_file, const char *group, const char *role, const char *what)
{
  g_autofree char *key = g_strconcat (role, "-", what, NULL);

  return g_key_file_get_string (key_file, group, key, NULL);
}

/* Takes a list that cannot be read for none. */
static GStrv
get_list (GKeyFile *key_file, const char *group, const char *role, const char *what)
{
  g_autofree char *key = g_strconcat (role, "-", what, NULL);

  return g_key_file_get_string_list (key_file, group, key, NULL, NULL);
}

/* Ends a stay with the service. What is known of a card without a serial number then holds for any
 * of its kind, but tries that it did not spend say nothing of another. */
static void
end_stay (TokendLedgerTries *kind, const TokendLedgerTries *stay)
{
  for (guint role = 0; role < TOKEND_N_ROLES; role++) {
    if (tokend_ledger_entry_is_clear (&stay->entries[role]))
      continue;
    tokend_ledger_entry_add (&kind->entries[role], &stay->entries[role]);
    kind->known[role] = TRUE;
    kind->told[role] = MIN (kind->told[role] + stay->told[role], TOKEND_TRIES_MAX);
    if (kind->modules[role] == NULL)
      kind->modules[role] = g_strdup (stay->modules[role]);
    tokend_scope_take (&kind->scope[role], &stay->scope[role]);
  }
  for (guint role = 0; role < TOKEND_N_ROLES; role++)
    g_clear_pointer (&kind->scope[role].right_at, g_strfreev);
}

/* Takes @tries. */
static void
put_target (GHashTable *targets, const char *id, TokendLedgerTries *tries)
{
  g_autofree char *name = tokend_target_id_get_name (id);
  g_autoptr (TokendLedgerTries) owned = NULL;
  TokendLedgerTries *there = g_hash_table_lookup (targets, name);

  if (g_str_equal (name, id) && there == NULL) {
    g_hash_table_insert (targets, g_steal_pointer (&name), tries);
    return;
  }
  owned = tries;
  if (there == NULL) {
    there = g_new0 (TokendLedgerTries, 1);
    g_hash_table_insert (targets, g_steal_pointer (&name), there);
  }
  end_stay (there, owned);
}

static gboolean
load_target (GHashTable *targets, GKeyFile *key_file, const char *group, GError **error)
{
  g_autoptr (TokendLedgerTries) tries = g_new0 (TokendLedgerTries, 1);
  GError *local_error = NULL;

  for (guint role = 0; role < TOKEND_N_ROLES; role++) {
    const char *name = role_names[role];
    TokendLedgerEntry *entry = &tries->entries[role];

    entry->spent = get_count (key_file, group, name, "spent", &local_error);
    entry->pending = get_count (key_file, group, name, "pending", &local_error);
    entry->locked = get_flag (key_file, group, name, "locked", &local_error);
    entry->confirmed = get_flag (key_file, group, name, "confirmed", &local_error);
    entry->final_try = get_flag (key_file, group, name, "final-try", &local_error);
    entry->wrong = get_count (key_file, group, name, "wrong", &local_error);
    entry->seen = get_seen (key_file, group, name, entry);
    entry->sent_at = get_time (key_file, group, name, "sent-at", &local_error);
    tries->told[role] = get_count (key_file, group, name, "told", &local_error);
    tries->modules[role] = get_text (key_file, group, name, "module");
    tries->scope[role].also_at = get_list (key_file, group, name, "also-at");
    tries->scope[role].right_at = get_list (key_file, group, name, "right-at");
    tokend_scope_end_stays (&tries->scope[role]);
    tries->known[role] = get_flag (key_file, group, name, "known", &local_error)
                         || !tokend_ledger_entry_is_clear (entry);
  }
  if (local_error != NULL) {
    g_propagate_error (error, local_error);
    return FALSE;
  }
  put_target (targets, group, g_steal_pointer (&tries));
  return TRUE;
}

static gboolean
load (const char *path, GHashTable *targets, gboolean *assume_spent, GError **error)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  int version;

  if (!tokend_sealed_file_read (path, key_file, error))
    return FALSE;
  version = g_key_file_get_integer (key_file, HEAD, "version", error);
  if (version != FILE_VERSION) {
    if (*error == NULL)
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                   "version %d is not known here", version);
    return FALSE;
  }
  if (g_key_file_has_key (key_file, HEAD, "assume-spent", NULL))
    *assume_spent = g_key_file_get_boolean (key_file, HEAD, "assume-spent", error);
  if (*error != NULL)
    return FALSE;

  groups = g_key_file_get_groups (key_file, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    if (!g_str_equal (groups[i], HEAD) && !load_target (targets, key_file, groups[i], error))
      return FALSE;
  return TRUE;
}

/* Tells whether there is a file, or may be. */
static gboolean
is_there (const char *path, const char *suffix)
{
  g_autofree char *beside = g_strconcat (path, suffix, NULL);
  GStatBuf status;

  return g_lstat (beside, &status) == 0 || errno != ENOENT;
}

/**
 * tokend_ledger_file_read:
 * @path: the file.
 * @targets: of tokend_ledger_file_make_targets(), empty; it may hold anything after an error.
 * @assume_spent: (out): whether an earlier ledger was lost, so that what is not known counts as
 *   spent.
 * @error: of #GFileError, NOENT if there was never a ledger; anything else is a loss.
 *
 * Also finds an earlier loss that was not recorded: older versions could end, or find the disk
 * full, after putting a ledger aside. A file that replaced others and is missing is a loss too.
 *
 * Returns: whether it could be read.
 */
gboolean
tokend_ledger_file_read (const char *path, GHashTable *targets, gboolean *assume_spent,
                         GError **error)
{
  gboolean lost_one = is_there (path, ASIDE_SUFFIX);

  *assume_spent = FALSE;
  if (load (path, targets, assume_spent, error)) {
    if (*assume_spent || !lost_one)
      return TRUE;
    g_set_error_literal (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                         "an earlier one was lost, and it does not tell of that");
  } else if ((lost_one || is_there (path, TOKEND_SEALED_FILE_PREVIOUS))
             && g_error_matches (*error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
    g_clear_error (error);
    g_set_error_literal (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_NOT_FOUND,
                         "there was one before, and it is gone");
  }
  return FALSE;
}

/* Keeps only what bars. The file lacks what was written last: what it says for a token may not be
 * true any more, what it says against it is. People are told nothing of it, since it lacks the
 * result of the last code. */
static void
keep_what_bars (TokendLedgerTries *tries)
{
  for (guint role = 0; role < TOKEND_N_ROLES; role++) {
    TokendLedgerEntry *entry = &tries->entries[role];

    tries->known[role] = !tokend_ledger_entry_is_clear (entry);
    if (tries->known[role])
      entry->spent = TOKEND_TRIES_MAX;
    entry->confirmed = FALSE;
    entry->pending = entry->wrong = tries->told[role] = 0;
    entry->seen = TOKEND_STATE_UNKNOWN;
    entry->sent_at = 0;
    g_clear_pointer (&tries->scope[role].right_at, g_strfreev);
  }
}

/**
 * tokend_ledger_file_read_previous:
 * @path: the file, which cannot be read.
 * @targets: of tokend_ledger_file_make_targets(); gets what the previous file says against sending
 *   a code, if that can be read.
 */
void
tokend_ledger_file_read_previous (const char *path, GHashTable *targets)
{
  g_autofree char *previous = g_strconcat (path, TOKEND_SEALED_FILE_PREVIOUS, NULL);
  gboolean assume_spent; /* nobody looks at it */
  g_autoptr (GError) error = NULL;
  GHashTableIter iter;
  gpointer tries;

  g_hash_table_remove_all (targets);
  if (!load (previous, targets, &assume_spent, &error)) {
    tokend_debug ("Nor can the ledger before it be read: %s", error->message);
    g_hash_table_remove_all (targets);
  }
  g_hash_table_iter_init (&iter, targets);
  while (g_hash_table_iter_next (&iter, NULL, &tries))
    keep_what_bars (tries);
}

/* Where the keys of one role of one target are written. */
typedef struct {
  GKeyFile *key_file;
  const char *group;
  const char *role; /* see role_names */
} Keys;

static void
put_count (const Keys *keys, const char *what, guint count)
{
  g_autofree char *key = g_strconcat (keys->role, "-", what, NULL);

  if (count > 0)
    g_key_file_set_uint64 (keys->key_file, keys->group, key, count);
}

static void
put_flag (const Keys *keys, const char *what, gboolean is_set)
{
  g_autofree char *key = g_strconcat (keys->role, "-", what, NULL);

  if (is_set)
    g_key_file_set_boolean (keys->key_file, keys->group, key, TRUE);
}

static void
put_time (const Keys *keys, const char *what, gint64 moment)
{
  g_autofree char *key = g_strconcat (keys->role, "-", what, NULL);

  if (moment != 0)
    g_key_file_set_int64 (keys->key_file, keys->group, key, moment);
}

static void
put_text (const Keys *keys, const char *what, const char *text)
{
  g_autofree char *key = g_strconcat (keys->role, "-", what, NULL);

  if (text != NULL)
    g_key_file_set_string (keys->key_file, keys->group, key, text);
}

static void
put_list (const Keys *keys, const char *what, GStrv list)
{
  g_autofree char *key = g_strconcat (keys->role, "-", what, NULL);

  if (list != NULL)
    g_key_file_set_string_list (keys->key_file, keys->group, key, (const char *const *) list,
                                g_strv_length (list));
}

static void
put_entry (const Keys *keys, const TokendLedgerEntry *entry)
{
  put_count (keys, "spent", entry->spent);
  put_count (keys, "pending", entry->pending);
  put_count (keys, "wrong", entry->wrong);
  put_time (keys, "sent-at", entry->sent_at);
  put_flag (keys, "locked", entry->locked);
  put_flag (keys, "confirmed", entry->confirmed);
  put_flag (keys, "final-try", entry->final_try);
  if (entry->seen != tokend_ledger_entry_get_worst (entry))
    put_text (keys, "seen", seen_names[entry->seen]);
}

/* Writes one role. After a loss, what is known of a stay ends with it: any number of tries may be
 * spent of its kind, also for a version that does not know stays. */
static void
put_role (const Keys *keys, TokendRole role, const TokendLedgerTries *tries, gboolean assume_spent)
{
  const gboolean has_stay = tokend_target_id_has_stay (keys->group);
  TokendLedgerEntry entry = tries->entries[role];

  if (tokend_ledger_entry_is_clear (&entry)) {
    put_flag (keys, "known", assume_spent && !has_stay && tries->known[role]);
    return;
  }
  if (assume_spent && has_stay)
    entry.spent = TOKEND_TRIES_MAX;
  put_entry (keys, &entry);
  put_count (keys, "told", MIN (tries->told[role], entry.pending));
  put_text (keys, "module", tries->modules[role]);
  put_list (keys, "also-at", tries->scope[role].also_at);
  put_list (keys, "right-at", tries->scope[role].right_at);
}

/**
 * tokend_ledger_file_to_text:
 * @targets: of tokend_ledger_file_make_targets().
 * @assume_spent: whether an earlier ledger was lost.
 *
 * Returns: (transfer full): the content of the file.
 */
char *
tokend_ledger_file_to_text (GHashTable *targets, gboolean assume_spent)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  GHashTableIter iter;
  gpointer id, value;

  g_key_file_set_integer (key_file, HEAD, "version", FILE_VERSION);
  if (assume_spent)
    g_key_file_set_boolean (key_file, HEAD, "assume-spent", TRUE);

  g_hash_table_iter_init (&iter, targets);
  while (g_hash_table_iter_next (&iter, &id, &value))
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
      put_role (&(Keys){ key_file, id, role_names[role] }, role, value, assume_spent);
  return tokend_sealed_file_to_text (key_file);
}

/**
 * tokend_ledger_file_write:
 * @path: the file.
 * @text: of tokend_ledger_file_to_text().
 * @keep_old: whether the present file cannot be read and is kept as such; else it becomes the
 *   previous one.
 * @error: of #GFileError.
 *
 * Returns: whether it is on the disk.
 */
gboolean
tokend_ledger_file_write (const char *path, const char *text, gboolean keep_old, GError **error)
{
  g_autofree char *aside = g_strconcat (path, ASIDE_SUFFIX, NULL);

  return tokend_sealed_file_write (path, text, keep_old ? aside : NULL, error);
}
