/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "table.h"

#include "printable.h"

static void
test_alignment (void)
{
  const char *const headers[] = { "LABEL", "PIN", "REASON", NULL };
  g_autoptr (TokenctlTable) table = tokenctl_table_new (headers);
  g_autofree char *plain = NULL;
  g_autofree char *coloured = NULL;

  tokenctl_table_add (table, "ş日", TOKENCTL_EMPHASIS_NONE);
  tokenctl_table_add (table, "locked", TOKENCTL_EMPHASIS_LOCKED);
  tokenctl_table_add (table, "x", TOKENCTL_EMPHASIS_NONE);
  tokenctl_table_add (table, "ETOKEN", TOKENCTL_EMPHASIS_NONE);
  tokenctl_table_add (table, "", TOKENCTL_EMPHASIS_LOW);
  tokenctl_table_add (table, "y", TOKENCTL_EMPHASIS_NONE);
  tokenctl_table_add (table, "A", TOKENCTL_EMPHASIS_NONE);
  tokenctl_table_add (table, "ok", TOKENCTL_EMPHASIS_NONE);
  tokenctl_table_add (table, "", TOKENCTL_EMPHASIS_NONE);

  plain = tokenctl_table_to_text (table, FALSE);
  g_assert_cmpstr (plain, ==,
                   "LABEL   PIN     REASON\n"
                   "ş日     locked  x\n"
                   "ETOKEN          y\n"
                   "A       ok\n");
  coloured = tokenctl_table_to_text (table, TRUE);
  g_assert_nonnull (strstr (coloured, "ş日     \033[1;31mlocked\033[0m  x\n"));
  g_assert_nonnull (strstr (coloured, "ETOKEN          y\n"));
}

static void
test_printable (void)
{
  static const struct {
    const char *text;
    const char *printable;
  } rows[] = {
    { "Ayşe's İMZA 1", "Ayşe's İMZA 1" },         { "a\033[31mb", "a\\u{1B}[31mb" },
    { "a\nb\tc\x7f", "a\\u{A}b\\u{9}c\\u{7F}" },  { "a\u202eb\u2066", "a\\u{202E}b\\u{2066}" },
    { "a\u200bb\xc2\x9b", "a\\u{200B}b\\u{9B}" }, { "<b>&", "<b>&" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *printable = tokenctl_printable (rows[i].text);

    g_assert_cmpstr (printable, ==, rows[i].printable);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/table/alignment", test_alignment);
  g_test_add_func ("/table/printable", test_printable);
  return g_test_run ();
}
