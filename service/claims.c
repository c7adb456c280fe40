/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "claims.h"

#include "tokend-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

struct _TokendClaims {
  GObject parent_instance;

  char *directory;
  GHashTable *taken; /* of physical ids */
  gboolean stopped;
};

G_DEFINE_FINAL_TYPE (TokendClaims, tokend_claims, G_TYPE_OBJECT)

static void
tokend_claims_init (TokendClaims *self)
{
  self->taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
tokend_claims_finalize (GObject *object)
{
  TokendClaims *self = TOKEND_CLAIMS (object);

  g_free (self->directory);
  g_hash_table_unref (self->taken);
  G_OBJECT_CLASS (tokend_claims_parent_class)->finalize (object);
}

static void
tokend_claims_class_init (TokendClaimsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_claims_finalize;
}

/** tokend_claims_new: @directory: where the lock files are, below the service's run folder; made
 * when it is needed. */
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

/**
 * tokend_claims_take:
 * @physical_id: see tokend_reading_physical_id().
 * @error: Busy; Failed if the lock file cannot be made.
 *
 * Returns: the lock's descriptor, to be handed to the operating host and to
 * tokend_claims_release(); -1 on error.
 */
int
tokend_claims_take (TokendClaims *self, const char *physical_id, GError **error)
{
  g_autofree char *path = g_build_filename (self->directory, physical_id, NULL);
  int fd;

  if (self->stopped || g_hash_table_contains (self->taken, physical_id)) {
    set_busy (error);
    return -1;
  }
  if (g_mkdir_with_parents (self->directory, 0700) != 0
      || (fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) < 0) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED,
                 "The lock of this token cannot be made (%s); nothing was sent",
                 g_strerror (errno));
    return -1;
  }
  if (flock (fd, LOCK_EX | LOCK_NB) != 0) {
    close (fd);
    set_busy (error);
    return -1;
  }
  g_hash_table_add (self->taken, g_strdup (physical_id));
  return fd;
}

/**
 * tokend_claims_check_free:
 * @physical_id: see tokend_reading_physical_id().
 * @error: Busy.
 *
 * Whether a claim could be taken now; does not take it.
 */
gboolean
tokend_claims_check_free (TokendClaims *self, const char *physical_id, GError **error)
{
  g_autofree char *path = g_build_filename (self->directory, physical_id, NULL);
  gboolean is_free = !g_hash_table_contains (self->taken, physical_id);
  int fd;

  if (is_free && (fd = open (path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)) >= 0) {
    is_free = flock (fd, LOCK_EX | LOCK_NB) == 0;
    close (fd);
  }
  if (!is_free)
    set_busy (error);
  return is_free;
}

/**
 * tokend_claims_release:
 * @physical_id: as it was taken.
 * @lock_fd: (transfer full): what tokend_claims_take() returned.
 * @host_is_done: the operating host will touch the token no more. Else it keeps the lock until it
 * ends.
 */
void
tokend_claims_release (TokendClaims *self, const char *physical_id, int lock_fd,
                       gboolean host_is_done)
{
  /* The host's descriptor is of the same open file: unlocking here unlocks there. */
  if (host_is_done)
    flock (lock_fd, LOCK_UN);
  close (lock_fd);
  g_hash_table_remove (self->taken, physical_id);
}

/** tokend_claims_is_held: whether an operation of this process is under way on the token. */
gboolean
tokend_claims_is_held (TokendClaims *self, const char *physical_id)
{
  return g_hash_table_contains (self->taken, physical_id);
}

/** tokend_claims_stop: from now on nothing can be claimed: the service is about to end. */
void
tokend_claims_stop (TokendClaims *self)
{
  self->stopped = TRUE;
}

/** tokend_claims_count: Returns: how many operations are under way. */
guint
tokend_claims_count (TokendClaims *self)
{
  return g_hash_table_size (self->taken);
}
