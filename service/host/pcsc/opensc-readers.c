/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opensc-readers.h"

#include "opensc-configuration.h"
#include "opensc-words.h"
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

static gboolean
append_list (GString *text, const char *key, gpointer *names, guint n_names)
{
  if (n_names == 0)
    return TRUE;
  g_string_append_printf (text, "  %s = ", key);
  for (guint i = 0; i < n_names; i++) {
    if (!can_name (names[i]))
      return FALSE;
    g_string_append_printf (text, "%s\"%s\"", i > 0 ? ", " : "", (char *) names[i]);
  }
  g_string_append (text, ";\n");
  return TRUE;
}

/**
 * tokend_opensc_readers_configure:
 * @base: the text of one of our configurations for OpenSC
 * @readers: (element-type char *): names
 * @drivers: (element-type char *): names
 *
 * Returns: (transfer full) (nullable): the text for an OpenSC that ignores @readers, and all cards
 *   that are not of one of @drivers, if there are any; %NULL: not possible
 */
char *
tokend_opensc_readers_configure (const char *base, GHashTable *readers, GPtrArray *drivers)
{
  const char *block = strstr (base, BLOCK);
  g_autoptr (GString) text = NULL;
  g_autofree gpointer *names = NULL;
  guint n_names;

  if (g_hash_table_size (readers) == 0 && drivers->len == 0)
    return g_strdup (base);
  if (block == NULL)
    return NULL;
  text = g_string_new_len (base, block + strlen (BLOCK) - base);
  names = g_hash_table_get_keys_as_array (readers, &n_names);
  if (!append_list (text, "ignored_readers", names, n_names)
      || !append_list (text, "card_drivers", drivers->pdata, drivers->len))
    return NULL;
  g_string_append (text, block + strlen (BLOCK));
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

/* Adds what can be said. A word that is not quotable was none of OpenSC's, and an empty one leaves
 * out every reader, which nobody who has one reader left can want. */
static void
add_words (GHashTable *readers, const TokendOpenscWords *words)
{
  for (guint i = 0; i < words->ignored_readers->len; i++)
    if (can_name (words->ignored_readers->pdata[i]))
      g_hash_table_add (readers, words->ignored_readers->pdata[i]);
}

/**
 * tokend_opensc_readers_leave_out_others:
 * @reader: the name of a reader; empty: any
 * @error: ModuleFailed
 *
 * Makes OpenSC ignore the other readers that there are now, and what the administrator has it leave
 * alone, from the next C_Initialize on, which reads its configuration anew. It does not connect to
 * their cards. The rest of the file stays, since it decides what a code is taken for.
 *
 * Returns: %FALSE: not the module of this process
 */
gboolean
tokend_opensc_readers_leave_out_others (const char *reader, GError **error)
{
  const char *file = tokend_opensc_readers_get_configuration ();
  g_autoptr (TokendOpenscWords) words = tokend_opensc_words_load ();
  g_autoptr (GHashTable) readers = tokend_pcsc_list_once ();
  g_autoptr (GHashTable) others = NULL;
  g_autofree char *base = NULL;
  g_autofree char *text = NULL;

  if (*reader == '\0')
    g_hash_table_remove_all (readers);
  others = tokend_opensc_readers_list_others (readers, reader);
  add_words (others, words);
  return (file != NULL && g_file_get_contents (file, &base, NULL, NULL)
          && (text = tokend_opensc_readers_configure (base, others, words->card_drivers)) != NULL
          && open_written () && write_all (written, text))
         || fail (error);
}
