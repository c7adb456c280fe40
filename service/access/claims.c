/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "claims.h"

#include "tokend-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct _TokendClaims {
  GObject parent_instance;

  char *directory;
  GHashTable *taken; /* of physical id → GStrv: everything that its file claims */
  GHashTable *held;  /* of physical id → gint64: when anybody was last seen to claim it */
  gint64 blind_at;   /* when that could last not be seen */
  gboolean stopped;
};

G_DEFINE_FINAL_TYPE (TokendClaims, tokend_claims, G_TYPE_OBJECT)

static void
tokend_claims_init (TokendClaims *self)
{
  self->taken =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_strfreev);
  self->held = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->blind_at = -1;
}

static void
tokend_claims_finalize (GObject *object)
{
  TokendClaims *self = TOKEND_CLAIMS (object);

  g_free (self->directory);
  g_hash_table_unref (self->taken);
  g_hash_table_unref (self->held);
  G_OBJECT_CLASS (tokend_claims_parent_class)->finalize (object);
}

static void
tokend_claims_class_init (TokendClaimsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_claims_finalize;
}

/**
 * tokend_claims_new:
 * @directory: of the lock files, below the service's run folder; made when it is needed.
 *
 * Returns: (transfer full): no claims.
 */
TokendClaims *
tokend_claims_new (const char *directory)
{
  TokendClaims *self = g_object_new (TOKEND_TYPE_CLAIMS, NULL);

  self->directory = g_strdup (directory);
  return self;
}

static void
set_busy (GError **error)
{
  g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_BUSY,
                       "Another operation is under way on this token; nothing was sent");
}

static void
note_held (TokendClaims *self, const char *physical_id)
{
  gint64 *now = g_new (gint64, 1);

  *now = g_get_monotonic_time ();
  g_hash_table_insert (self->held, g_strdup (physical_id), now);
}

static gboolean
is_listed (const char *const *physical_ids, const char *physical_id)
{
  return g_strv_contains (physical_ids, physical_id);
}

static gboolean
is_taken (TokendClaims *self, const char *physical_id)
{
  GHashTableIter iter;
  gpointer physical_ids;

  g_hash_table_iter_init (&iter, self->taken);
  while (g_hash_table_iter_next (&iter, NULL, &physical_ids))
    if (is_listed (physical_ids, physical_id))
      return TRUE;
  return FALSE;
}

/* Takes a file that cannot be looked at for locked. */
static gboolean
is_locked (TokendClaims *self, const char *physical_id)
{
  g_autofree char *path = g_build_filename (self->directory, physical_id, NULL);
  int fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  gboolean locked;

  if (fd < 0)
    return errno != ENOENT;
  locked = flock (fd, LOCK_EX | LOCK_NB) != 0;
  close (fd);
  return locked;
}

/* Returns: (transfer full): everything that the file of @holder claims besides itself, while it is
 *   locked. */
static GStrv
read_others (TokendClaims *self, const char *holder)
{
  g_autofree char *path = g_build_filename (self->directory, holder, NULL);
  g_autofree char *text = NULL;

  return g_file_get_contents (path, &text, NULL, NULL) ? g_strsplit (text, "\n", -1)
                                                       : g_new0 (char *, 1);
}

/* Tells whether the operating host of an earlier service claims it. This service may not know yet
 * that both are the same token. */
static gboolean
is_locked_by_another (TokendClaims *self, const char *physical_id)
{
  g_autoptr (GDir) directory = g_dir_open (self->directory, 0, NULL);
  const char *name;

  while (directory != NULL && (name = g_dir_read_name (directory)) != NULL) {
    g_auto (GStrv) others = read_others (self, name);

    if (is_listed ((const char *const *) others, physical_id) && is_locked (self, name))
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_claimed (TokendClaims *self, const char *physical_id)
{
  gboolean claimed = is_taken (self, physical_id) || is_locked (self, physical_id)
                     || is_locked_by_another (self, physical_id);

  if (claimed)
    note_held (self, physical_id);
  return claimed;
}

/**
 * tokend_claims_check_free:
 * @physical_ids: all that the token may be, see tokend_target_list_cards().
 * @error: Busy.
 *
 * Returns: whether a claim could be taken now; does not take it.
 */
gboolean
tokend_claims_check_free (TokendClaims *self, const char *const *physical_ids, GError **error)
{
  gboolean is_free = TRUE;

  for (guint i = 0; physical_ids[i] != NULL; i++)
    if (is_claimed (self, physical_ids[i]))
      is_free = FALSE;
  if (!is_free)
    set_busy (error);
  return is_free;
}

static void
set_not_made (GError **error)
{
  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED,
               "The lock of this token cannot be made (%s); nothing was sent", g_strerror (errno));
}

/* Writes into a file that is locked; its content counts only as long. Opens it anew, since the host
 * is handed a descriptor that can only read. */
static gboolean
write_others (const char *path, const char *const *physical_ids)
{
  g_autofree char *text = g_strjoinv ("\n", (char **) physical_ids + 1);
  const gsize length = strlen (text);
  int fd = open (path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
  gboolean is_written;

  if (fd < 0)
    return FALSE;
  is_written = write (fd, text, length) == (gssize) length;
  close (fd);
  return is_written;
}

/* Returns: the lock's descriptor; -1 on error. */
static int
lock (TokendClaims *self, const char *const *physical_ids, GError **error)
{
  g_autofree char *path = g_build_filename (self->directory, physical_ids[0], NULL);
  int fd;

  if (g_mkdir_with_parents (self->directory, 0700) != 0
      || (fd = open (path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0) {
    set_not_made (error);
    return -1;
  }
  if (flock (fd, LOCK_EX | LOCK_NB) != 0) {
    close (fd);
    set_busy (error);
    return -1;
  }
  if (!write_others (path, physical_ids)) {
    set_not_made (error);
    close (fd);
    return -1;
  }
  return fd;
}

/**
 * tokend_claims_take:
 * @physical_ids: all that the token may be, see tokend_target_list_cards(); the first one's file is
 *   locked.
 * @error: Busy; Failed if the lock file cannot be made.
 *
 * Returns: the lock's descriptor for the operating host and for tokend_claims_release(); -1 on
 *   error.
 */
int
tokend_claims_take (TokendClaims *self, const char *const *physical_ids, GError **error)
{
  gboolean is_free = !self->stopped;
  int fd;

  for (guint i = 0; is_free && physical_ids[i] != NULL; i++)
    is_free = !is_taken (self, physical_ids[i]) && !is_locked_by_another (self, physical_ids[i])
              && (i == 0 || !is_locked (self, physical_ids[i]));
  if (!is_free) {
    set_busy (error);
    return -1;
  }
  fd = lock (self, physical_ids, error);
  if (fd < 0)
    return -1;
  g_hash_table_insert (self->taken, g_strdup (physical_ids[0]), g_strdupv ((char **) physical_ids));
  for (guint i = 0; physical_ids[i] != NULL; i++)
    note_held (self, physical_ids[i]);
  return fd;
}

/**
 * tokend_claims_look:
 *
 * Notes which tokens are claimed now, also unknown ones. Must be called before a reading begins:
 * the host of a service that died may send its code while the token is read, and end before that is
 * known.
 */
void
tokend_claims_look (TokendClaims *self)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) directory = g_dir_open (self->directory, 0, &error);
  const char *physical_id;

  if (directory == NULL && !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
    self->blind_at = g_get_monotonic_time ();
  while (directory != NULL && (physical_id = g_dir_read_name (directory)) != NULL) {
    g_auto (GStrv) others = read_others (self, physical_id);
    const gboolean is_held = is_claimed (self, physical_id);

    for (guint i = 0; is_held && others[i] != NULL; i++)
      note_held (self, others[i]);
  }
}

/**
 * tokend_claims_was_free_since:
 * @physical_id: see tokend_reading_physical_id().
 * @since: when a reading began, just before tokend_claims_look(); monotonic, in microseconds.
 *
 * Returns: whether the token has been free since then, so that no code went to it.
 */
gboolean
tokend_claims_was_free_since (TokendClaims *self, const char *physical_id, gint64 since)
{
  const gint64 *held_at;

  if (is_claimed (self, physical_id) || self->blind_at >= since)
    return FALSE;
  held_at = g_hash_table_lookup (self->held, physical_id);
  return held_at == NULL || *held_at < since;
}

/**
 * tokend_claims_release:
 * @physical_id: the first of those that were taken.
 * @lock_fd: (transfer full): what tokend_claims_take() returned.
 * @host_is_done: whether the operating host will not touch the token any more; else it keeps the
 *   lock until it ends.
 */
void
tokend_claims_release (TokendClaims *self, const char *physical_id, int lock_fd,
                       gboolean host_is_done)
{
  char **physical_ids;

  /* The host's descriptor is of the same open file, so that this unlocks it there too. */
  if (host_is_done)
    flock (lock_fd, LOCK_UN);
  close (lock_fd);
  physical_ids = g_hash_table_lookup (self->taken, physical_id);
  for (guint i = 0; physical_ids[i] != NULL; i++)
    note_held (self, physical_ids[i]);
  g_hash_table_remove (self->taken, physical_id);
}

/**
 * tokend_claims_is_held:
 *
 * Returns: whether an operation of this process is under way on the token.
 */
gboolean
tokend_claims_is_held (TokendClaims *self, const char *physical_id)
{
  return is_taken (self, physical_id);
}

/**
 * tokend_claims_stop:
 *
 * Lets nothing be claimed from now on, since the service is about to end.
 */
void
tokend_claims_stop (TokendClaims *self)
{
  self->stopped = TRUE;
}

/**
 * tokend_claims_count:
 *
 * Returns: how many operations are under way.
 */
guint
tokend_claims_count (TokendClaims *self)
{
  return g_hash_table_size (self->taken);
}
