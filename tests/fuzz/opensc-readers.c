/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opensc-readers.h"

#include "fuzz.h"

#include <string.h>

#define BEFORE "# For OpenSC\n\napp default {\n"
#define AFTER "  debug = 0;\n}\n"
#define LIST "  ignored_readers = "

/* As pcscd tells it: any bytes. */
static char *
take_name (FuzzInput *input)
{
  g_autoptr (GBytes) bytes = fuzz_take_bytes (input);
  gsize size;
  const char *name = g_bytes_get_data (bytes, &size);

  return g_strndup (size > 0 ? name : "", size);
}

/* The bytes up to the next @end, without it; @text: (inout): what comes after it. */
static char *
read_until (const char **text, const char *end)
{
  const char *found = strstr (*text, end);
  char *taken;

  g_assert_nonnull (found);
  taken = g_strndup (*text, (gsize) (found - *text));
  *text = found + strlen (end);
  return taken;
}

static void
skip (const char **text, const char *word)
{
  g_assert_true (g_str_has_prefix (*text, word));
  *text += strlen (word);
}

/* As OpenSC reads it: what is quoted ends at the next quote or line. All else is as it was. */
static void
check_text (const char *text, GHashTable *readers)
{
  skip (&text, BEFORE);
  if (g_hash_table_size (readers) > 0) {
    skip (&text, LIST);
    for (guint i = 0; i < g_hash_table_size (readers); i++) {
      g_autofree char *name = NULL;

      skip (&text, i == 0 ? "\"" : ", \"");
      name = read_until (&text, "\"");
      g_assert_null (strpbrk (name, "\r\n"));
      g_assert_true (g_hash_table_contains (readers, name));
    }
    skip (&text, ";\n");
  }
  g_assert_cmpstr (text, ==, AFTER);
}

/* Readers' names, one after another. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const guint n_readers = fuzz_take_byte (&input) % 8;
  g_autoptr (GHashTable) readers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean can_be_said = TRUE;
  g_autoptr (GPtrArray) drivers = g_ptr_array_new ();
  g_autofree char *text = NULL;
  g_autofree char *nowhere = NULL;

  for (guint i = 0; i < n_readers; i++) {
    char *name = take_name (&input);

    can_be_said = can_be_said && *name != '\0' && strpbrk (name, "\"\r\n") == NULL;
    g_hash_table_add (readers, name);
  }
  text = tokend_opensc_readers_configure (BEFORE AFTER, readers, drivers);
  g_assert_cmpint (text != NULL, ==, can_be_said);
  if (text != NULL)
    check_text (text, readers);
  nowhere = tokend_opensc_readers_configure (AFTER, readers, drivers);
  g_assert_cmpint (nowhere != NULL, ==, g_hash_table_size (readers) == 0);
  return 0;
}
