/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sealed-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* What a service left that ended while it wrote is written over by the next. */
#define UNFINISHED_SUFFIX ".unfinished"

#define END "[end]\n"
#define END_FORMAT END "sha256=%s\n"

/** tokend_sealed_file_to_text: Returns: (transfer full): @key_file, sealed. */
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
 * @key_file: empty; gets what is in the file.
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

/**
 * tokend_sealed_file_write:
 * @path: the file, which is replaced whole, by `PATH.unfinished`; mode 0600. Nobody else writes either.
 * @text: of tokend_sealed_file_to_text().
 * @error: of #GFileError.
 *
 * Blocks until it is on the disk. The folder is opened first, because a descriptor is told of the errors since then.
 *
 * Returns: whether it is on the disk, the folder with it.
 */
gboolean
tokend_sealed_file_write (const char *path, const char *text, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *unfinished = g_strconcat (path, UNFINISHED_SUFFIX, NULL);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean written;

  if (fd < 0)
    return set_errno_error (error, folder);
  written =
      g_file_set_contents_full (unfinished, text, -1, G_FILE_SET_CONTENTS_DURABLE, 0600, error);
  if (written && g_rename (unfinished, path) != 0)
    written = set_errno_error (error, path);
  if (written && fsync (fd) != 0)
    written = set_errno_error (error, folder);
  close (fd);
  return written;
}
