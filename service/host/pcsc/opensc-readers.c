/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opensc-readers.h"

#include "opensc-configuration.h"
#include "pcsc.h"
#include "tokend-error.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The block of our own files; what follows it is for all of OpenSC's programs. */
#define BLOCK "\napp default {\n"

/* OpenSC cannot have these within quotes. */
#define NOT_QUOTABLE "\"\r\n"

/* The file that this process was given, and where its text is with the readers that are left out.
 */
static const char *given;
static int written = -1;

/**
 * tokend_opensc_readers_get_configuration:
 *
 * Returns: (transfer none) (nullable): the file that OpenSC was given, with or without readers left
 *   out.
 */
const char *
tokend_opensc_readers_get_configuration (void)
{
  return given != NULL ? given : g_getenv (TOKEND_OPENSC_VARIABLE);
}

static gboolean
can_name (const char *reader)
{
  /* An empty name is part of every other. */
  return *reader != '\0' && strpbrk (reader, NOT_QUOTABLE) == NULL;
}

/**
 * tokend_opensc_readers_configure:
 * @base: the text of one of our configurations for OpenSC
 * @readers: (element-type char *): names
 *
 * Returns: (transfer full) (nullable): the text for an OpenSC that ignores @readers; %NULL: not
 *   possible
 */
char *
tokend_opensc_readers_configure (const char *base, GHashTable *readers)
{
  const char *block = strstr (base, BLOCK);
  g_autoptr (GString) text = NULL;
  const char *separator = "";
  GHashTableIter iter;
  gpointer name;

  if (g_hash_table_size (readers) == 0)
    return g_strdup (base);
  if (block == NULL)
    return NULL;
  text = g_string_new_len (base, block + strlen (BLOCK) - base);
  g_string_append (text, "  ignored_readers = ");
  g_hash_table_iter_init (&iter, readers);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    if (!can_name (name))
      return NULL;
    g_string_append_printf (text, "%s\"%s\"", separator, (char *) name);
    separator = ", ";
  }
  g_string_append_printf (text, ";\n%s", block + strlen (BLOCK));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/**
 * tokend_opensc_readers_list_others:
 * @readers: (element-type char *): all readers
 * @reader: one of them
 *
 * Leaves out a name that is part of @reader: OpenSC looks for it anywhere in a reader's name.
 *
 * Returns: (transfer container) (element-type char *): the others that OpenSC can ignore
 */
GHashTable *
tokend_opensc_readers_list_others (GHashTable *readers, const char *reader)
{
  GHashTable *others = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, readers);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (can_name (name) && strstr (reader, name) == NULL)
      g_hash_table_add (others, name);
  return others;
}

static gboolean
fail (GError **error)
{
  const char *file = tokend_opensc_readers_get_configuration ();

  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
               "OpenSC cannot be told by %s to leave out other readers",
               file != NULL ? file : "its configuration");
  return FALSE;
}

/**
 * tokend_opensc_readers_check:
 * @error: ModuleFailed.
 *
 * Returns: whether the module of this process can be told to ignore readers.
 */
gboolean
tokend_opensc_readers_check (GError **error)
{
  const char *file = tokend_opensc_readers_get_configuration ();
  g_autofree char *base = NULL;

  return (file != NULL && g_file_get_contents (file, &base, NULL, NULL)
          && strstr (base, BLOCK) != NULL)
         || fail (error);
}

static gboolean
write_all (int fd, const char *text)
{
  gsize left = strlen (text);

  if (ftruncate (fd, 0) != 0 || lseek (fd, 0, SEEK_SET) != 0)
    return FALSE;
  while (left > 0) {
    const gssize n = write (fd, text, left);

    if (n < 0 && errno != EINTR)
      return FALSE;
    text += MAX (n, 0);
    left -= (gsize) MAX (n, 0);
  }
  return TRUE;
}

static gboolean
open_written (void)
{
  g_autofree char *path = NULL;

  if (written >= 0)
    return TRUE;
  given = g_strdup (g_getenv (TOKEND_OPENSC_VARIABLE));
  written = memfd_create ("opensc.conf", MFD_CLOEXEC);
  if (written < 0)
    return FALSE;
  path = g_strdup_printf ("/proc/self/fd/%d", written);
  return g_setenv (TOKEND_OPENSC_VARIABLE, path, TRUE);
}

/**
 * tokend_opensc_readers_leave_out_others:
 * @reader: the name of a reader
 * @error: ModuleFailed
 *
 * Makes OpenSC ignore the other readers that there are now, from the next C_Initialize on, which
 * reads its configuration anew. It does not connect to their cards. The rest of the file stays,
 * since it decides what a code is taken for.
 *
 * Returns: %FALSE: not the module of this process
 */
gboolean
tokend_opensc_readers_leave_out_others (const char *reader, GError **error)
{
  const char *file = tokend_opensc_readers_get_configuration ();
  g_autoptr (GHashTable) readers = tokend_pcsc_list_once ();
  g_autoptr (GHashTable) others = tokend_opensc_readers_list_others (readers, reader);
  g_autofree char *base = NULL;
  g_autofree char *text = NULL;

  return (file != NULL && g_file_get_contents (file, &base, NULL, NULL)
          && (text = tokend_opensc_readers_configure (base, others)) != NULL && open_written ()
          && write_all (written, text))
         || fail (error);
}
