/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-reader.h"

#include <string.h>

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN
#define SIXTY_FOUR SIXTY "abcd"

/* The readers, "|" between them; the description of a slot, filled up with blanks; and which reader
 * that is. */
static const struct {
  const char *readers;
  const char *description;
  const char *found; /* or NULL */
  gboolean is_other_possible;
} rows[] = {
  { "", "Reader", NULL, FALSE },
  { "Reader", "Reader", "Reader", FALSE },
  { "Reader|Reader 2", "Reader", "Reader", FALSE },
  { "Reader|Reader 2", "Reader 2", "Reader 2", FALSE },
  { "Reader", "Reade", NULL, FALSE },
  { "Reade", "Reader", NULL, FALSE },
  { "Reader", "reader", NULL, FALSE },
  { "Reader", "", NULL, FALSE },
  { " ", " ", NULL, FALSE },
  { "Reader ", "Reader", "Reader ", FALSE },
  /* Of 64 bytes a reader is whole, or it is cut. */
  { SIXTY_FOUR, SIXTY_FOUR, SIXTY_FOUR, FALSE },
  { SIXTY_FOUR "e", SIXTY_FOUR, SIXTY_FOUR "e", FALSE },
  { SIXTY "abc", SIXTY_FOUR, NULL, FALSE },
  { SIXTY_FOUR "e", SIXTY "abc", NULL, FALSE },
  { SIXTY "abc e", SIXTY "abc", SIXTY "abc e", FALSE },
  { SIXTY_FOUR "|" SIXTY_FOUR "e", SIXTY_FOUR, "?", TRUE },
  { SIXTY_FOUR "e|" SIXTY_FOUR "f|Reader", SIXTY_FOUR, "?", TRUE },
  { SIXTY_FOUR "e|" SIXTY_FOUR "f|Reader", "Reader", "Reader", FALSE },
};

static GHashTable *
make_readers (const char *text)
{
  GHashTable *readers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (GStrv) names = g_strsplit (text, "|", -1);

  for (guint i = 0; names[i] != NULL; i++)
    g_hash_table_add (readers, g_strdup (names[i]));
  return readers;
}

static void
test_find (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GHashTable) readers = make_readers (rows[i].readers);
    CK_SLOT_INFO slot = { 0 };
    gboolean is_other_possible;
    const char *found;

    g_test_message ("%s in %s", rows[i].description, rows[i].readers);
    memset (slot.slotDescription, ' ', sizeof slot.slotDescription);
    memcpy (slot.slotDescription, rows[i].description, strlen (rows[i].description));
    found = tokend_slot_reader_find (readers, &slot, &is_other_possible);
    g_assert_cmpint (is_other_possible, ==, rows[i].is_other_possible);
    if (rows[i].is_other_possible)
      g_assert_nonnull (found);
    else
      g_assert_cmpstr (found, ==, rows[i].found);
  }
}

/* There are modules that fill up with NULs. */
static void
test_nul (void)
{
  g_autoptr (GHashTable) readers = make_readers ("Reader|Reader 2");
  CK_SLOT_INFO slot = { .slotDescription = "Reader" };
  gboolean is_other_possible;

  g_assert_cmpstr (tokend_slot_reader_find (readers, &slot, &is_other_possible), ==, "Reader");
  g_assert_false (is_other_possible);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slot-reader/find", test_find);
  g_test_add_func ("/slot-reader/nul", test_nul);
  return g_test_run ();
}
