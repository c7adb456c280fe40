/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What OpenSC is told to leave out, and what it leaves out then. */
#include "opensc-readers.h"

#define BASE "# For OpenSC\n\napp default {\n  debug = 0;\n}\n"

static const struct {
  const char *base;
  const char *reader;
  const char *text; /* NULL: it cannot be said */
} rows[] = {
  { BASE, NULL, BASE },
  { BASE, "Reader 00 01",
    "# For OpenSC\n\napp default {\n  ignored_readers = \"Reader 00 01\";\n  debug = 0;\n}\n" },
  { BASE, "Reader [1;{}] # 00 01",
    "# For OpenSC\n\napp default {\n  ignored_readers = \"Reader [1;{}] # 00 01\";\n"
    "  debug = 0;\n}\n" },
  { BASE, "", NULL },
  { BASE, "\"; debug = 9; \"", NULL },
  { BASE, "two\nlines", NULL },
  { BASE, "two\rlines", NULL },
  { "app other {\n}\n", NULL, "app other {\n}\n" },
  { "app other {\n}\n", "Reader 00 01", NULL },
};

static GHashTable *
make_set (const char *first, const char *second)
{
  GHashTable *set = g_hash_table_new (g_str_hash, g_str_equal);

  if (first != NULL)
    g_hash_table_add (set, (gpointer) first);
  if (second != NULL)
    g_hash_table_add (set, (gpointer) second);
  return set;
}

static void
test_configure (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GHashTable) readers = make_set (rows[i].reader, NULL);
    g_autoptr (GPtrArray) drivers = g_ptr_array_new ();
    g_autofree char *text = tokend_opensc_readers_configure (rows[i].base, readers, drivers);

    g_assert_cmpstr (text, ==, rows[i].text);
  }
}

static void
test_several (void)
{
  g_autoptr (GHashTable) readers = make_set ("A 00 00", "B 01 00");
  g_autoptr (GPtrArray) drivers = g_ptr_array_new ();
  g_autofree char *text = tokend_opensc_readers_configure (BASE, readers, drivers);

  g_assert_nonnull (strstr (text, "\"A 00 00\""));
  g_assert_nonnull (strstr (text, "\", \""));
  g_assert_nonnull (strstr (text, "\"B 01 00\""));
}

static void
test_drivers (void)
{
  g_autoptr (GHashTable) readers = make_set (NULL, NULL);
  g_autoptr (GPtrArray) drivers = g_ptr_array_new ();
  g_autofree char *text = NULL;
  g_autofree char *none = NULL;

  g_ptr_array_add (drivers, (gpointer) "openpgp");
  g_ptr_array_add (drivers, (gpointer) "internal");
  text = tokend_opensc_readers_configure (BASE, readers, drivers);
  g_assert_cmpstr (text, ==,
                   "# For OpenSC\n\napp default {\n  card_drivers = \"openpgp\", \"internal\";\n"
                   "  debug = 0;\n}\n");
  g_ptr_array_add (drivers, (gpointer) "\"");
  none = tokend_opensc_readers_configure (BASE, readers, drivers);
  g_assert_null (none);
}

/* OpenSC looks for what it was told in the whole name: a part of the one that is meant is not left
 * out. */
static void
test_others (void)
{
  static const struct {
    const char *other;
    gboolean is_left_out;
  } cases[] = {
    { "Reader 01 00", TRUE },
    { "A Reader 00 00", TRUE },
    { "Reader 00 00", FALSE },
    { "Reader 00 0", FALSE },
    { "", FALSE },
    { "\"quoted\"", FALSE },
    { "two\nlines", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GHashTable) readers = make_set ("Reader 00 00", cases[i].other);
    g_autoptr (GHashTable) others = tokend_opensc_readers_list_others (readers, "Reader 00 00");

    g_test_message ("%s", cases[i].other);
    g_assert_cmpint (g_hash_table_contains (others, cases[i].other), ==, cases[i].is_left_out);
    g_assert_false (g_hash_table_contains (others, "Reader 00 00"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/opensc-readers/drivers", test_drivers);
  g_test_add_func ("/opensc-readers/configure", test_configure);
  g_test_add_func ("/opensc-readers/several", test_several);
  g_test_add_func ("/opensc-readers/others", test_others);
  return g_test_run ();
}
