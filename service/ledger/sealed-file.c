/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sealed-file-private.h"

#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#define UNFINISHED_SUFFIX ".unfinished"

#define END "[end]\n"
#define END_FORMAT END "sha256=%s\n"

char *
tokend_sealed_file_to_text (GKeyFile *key_file)
{
  g_autofree char *body = g_key_file_to_data (key_file, NULL, NULL);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, body, -1);

  return g_strdup_printf ("%s" END_FORMAT, body, sum);
}

/**
 * tokend_sealed_file_read:
 * @path: the file.
 * @key_file: empty; gets the file's content.
 * @error: of #GFileError, NOENT if there is no such file; else of #GKeyFileError.
 *
 * Returns: whether the file is there and whole.
 */
gboolean
tokend_sealed_file_read (const char *path, GKeyFile *key_file, GError **error)
{
  g_autofree char *text = NULL;
  const char *end;
  g_autofree char *sum = NULL;
  g_autofree char *wanted = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return FALSE;
  end = g_strrstr (text, END);
  if (end != NULL) {
    sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text,
                                       (gsize) (end - text));
    wanted = g_strdup_printf (END_FORMAT, sum);
  }
  if (end == NULL || !g_str_equal (end, wanted)) {
    g_set_error_literal (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE,
                         "it is not whole, or was changed");
    return FALSE;
  }
  return g_key_file_load_from_data (key_file, text, (gsize) (end - text), G_KEY_FILE_NONE, error);
}

static gboolean
set_errno_error (GError **error, const char *path)
{
  g_set_error (error, G_FILE_ERROR, (int) g_file_error_from_errno (errno), "%s: %s", path,
               g_strerror (errno));
  return FALSE;
}

/* Removes what a failed or killed write left: GLib writes over an existing file without making it
 * shorter. A new file of a random name, GLib's other method, would leave one more at each kill. */
static gboolean
write_new (const char *path, const char *text, GError **error)
{
  if (unlink (path) != 0 && errno != ENOENT)
    return set_errno_error (error, path);
  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_DURABLE, 0600, error);
}

/* Replaces the previous version without a moment in which there is none: by it a loss is known.
 * After a failed write both names may be of one file already; the name left over goes with the next
 * write. */
static void
keep_previous (const char *path, const char *previous)
{
  g_autofree char *next = g_strconcat (previous, UNFINISHED_SUFFIX, NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return;
  if ((unlink (next) != 0 && errno != ENOENT) || link (path, next) != 0
      || g_rename (next, previous) != 0)
    tokend_debug ("%s could not be kept as %s: %s", path, previous, g_strerror (errno));
}

/* Exchanges the two names at once, so that there is a file at @path at any moment. Writes over what
 * is at @aside and does not remove it, so that there always is one by which a loss is known.
 * Returns: the name of the new file. */
static const char *
put_aside (const char *unfinished, const char *path, const char *aside)
{
  int error_number;

  if (g_rename (unfinished, aside) == 0) {
    if (renameat2 (AT_FDCWD, aside, AT_FDCWD, path, RENAME_EXCHANGE) == 0)
      return path;
    error_number = errno;
    unfinished = aside;
  } else {
    error_number = errno;
  }
  tokend_warning ("%s could not be kept as %s: %s", path, aside, g_strerror (error_number));
  return unfinished;
}

static gboolean
put_in_place (const char *unfinished, const char *path, const char *aside, GError **error)
{
  g_autofree char *previous = g_strconcat (path, TOKEND_SEALED_FILE_PREVIOUS, NULL);
  const char *now = unfinished;

  if (aside != NULL)
    now = put_aside (unfinished, path, aside);
  else
    keep_previous (path, previous);
  return g_str_equal (now, path) || g_rename (now, path) == 0 || set_errno_error (error, path);
}

/**
 * tokend_sealed_file_write:
 * @path: the file. It is replaced whole by a new one, written as `PATH.unfinished`, mode 0600.
 *   Nobody else writes either.
 * @text: of tokend_sealed_file_to_text().
 * @aside: (nullable): where to keep the present file, which is lost if it cannot be kept; %NULL: it
 *   is whole, and becomes the previous version, see #TOKEND_SEALED_FILE_PREVIOUS.
 * @error: of #GFileError.
 *
 * Blocks until it is on the disk. Opens the folder first, because a descriptor is told only of
 * errors since then.
 *
 * Returns: whether file and folder are on the disk. Else the old file is still at @path, unless the
 *   folder failed.
 */
gboolean
tokend_sealed_file_write (const char *path, const char *text, const char *aside, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *unfinished = g_strconcat (path, UNFINISHED_SUFFIX, NULL);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean written;

  if (fd < 0)
    return set_errno_error (error, folder);
  written = write_new (unfinished, text, error) && put_in_place (unfinished, path, aside, error);
  if (written && fsync (fd) != 0)
    written = set_errno_error (error, folder);
  close (fd);
  return written;
}
