/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-table.h"

static void
row_free (CodeRow *row)
{
  g_free (row->bytes);
  g_free (row->what);
  g_free (row->words);
  g_free (row);
}

static int
index_of (const char *const *names, const char *name)
{
  for (int i = 0; names[i] != NULL; i++) {
    if (g_str_equal (names[i], name))
      return i;
  }
  g_error ("tests/codes.tsv: “%s” is no word of it", name);
}

static char *
bytes_of_hex (const char *hex, gsize *length)
{
  char *bytes = g_malloc0 (strlen (hex) / 2 + 1);

  g_assert_cmpuint (strlen (hex) % 2, ==, 0);
  *length = strlen (hex) / 2;
  for (gsize i = 0; i < *length; i++)
    bytes[i] =
        (char) (g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  return bytes;
}

static CodeRow *
parse_row (const char *line)
{
  static const char *const roles[] = { "code", "new", NULL };
  static const char *const answers[] = { "send", "ask", "refuse", "never", NULL };
  g_auto (GStrv) fields = g_strsplit (line, "\t", -1);
  CodeRow *row = g_new0 (CodeRow, 1);

  g_assert_cmpuint (g_strv_length (fields), ==, 5);
  row->bytes = bytes_of_hex (fields[0], &row->length);
  row->kind = (TokendCodeKind) index_of (roles, fields[1]);
  row->answer = (TokendCodeAnswer) index_of (answers, fields[2]);
  row->what = g_strdup (fields[3]);
  row->words = g_strdup (fields[4]);
  return row;
}

/**
 * code_table_load:
 *
 * Returns: (transfer full) (element-type CodeRow): the rows of tests/codes.tsv
 */
GPtrArray *
code_table_load (void)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func ((GDestroyNotify) row_free);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (CODE_TABLE, &text, NULL, &error);
  g_assert_no_error (error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    if (*lines[i] != '\0' && *lines[i] != '#')
      g_ptr_array_add (rows, parse_row (lines[i]));
  }
  g_assert_cmpuint (rows->len, >, 50);
  return rows;
}
