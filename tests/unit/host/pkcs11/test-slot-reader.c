/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-reader.h"

#include "pcsc.h"

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

/* Whether pcscd tells of all that becomes of a slot. In readers with "+" pcscd sees a card. */
static const struct {
  const char *readers;
  const char *description;
  gboolean has_token;
  gboolean is_watchable;
} watchable_rows[] = {
  { "Reader+", "Reader", TRUE, TRUE },
  { "Reader", "Reader", TRUE, FALSE },
  { "Reader", "Reader", FALSE, TRUE },
  { "Reader+", "Reader", FALSE, TRUE },
  { "Reader+", "Elsewhere", TRUE, FALSE },
  { "Reader+", "Elsewhere", FALSE, FALSE },
  { "Reader+", "", TRUE, FALSE },
  { "Reader+", "", FALSE, TRUE },
  { "", "", FALSE, TRUE },
  { "", "Reader", TRUE, FALSE },
  { "Reader+|Reader 2", "Reader 2", TRUE, FALSE },
  { "Reader|Reader 2+", "Reader 2", TRUE, TRUE },
  { SIXTY_FOUR "e+", SIXTY_FOUR, TRUE, TRUE },
  { SIXTY_FOUR "e+|" SIXTY_FOUR "f", SIXTY_FOUR, TRUE, FALSE },
  { SIXTY_FOUR "e+|" SIXTY_FOUR "f+", SIXTY_FOUR, TRUE, FALSE },
  { SIXTY_FOUR "e|" SIXTY_FOUR "f", SIXTY_FOUR, FALSE, FALSE },
};

static GHashTable *
make_states (const char *text)
{
  GHashTable *readers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_auto (GStrv) names = g_strsplit (text, "|", -1);

  for (guint i = 0; names[i] != NULL; i++) {
    TokendReaderState *state = g_new0 (TokendReaderState, 1);
    char *end = strchr (names[i], '+');

    state->use = end != NULL ? TOKEND_CARD_FREE : TOKEND_CARD_ABSENT;
    if (end != NULL)
      *end = '\0';
    g_hash_table_insert (readers, g_strdup (names[i]), state);
  }
  return readers;
}

static void
test_watchable (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (watchable_rows); i++) {
    g_autoptr (GHashTable) readers = make_states (watchable_rows[i].readers);
    const char *description = watchable_rows[i].description;
    CK_SLOT_INFO slot = { 0 };

    g_test_message ("%s in %s", description, watchable_rows[i].readers);
    memset (slot.slotDescription, ' ', sizeof slot.slotDescription);
    memcpy (slot.slotDescription, description, strlen (description));
    g_assert_cmpint (tokend_slot_reader_is_watchable (readers, &slot, watchable_rows[i].has_token),
                     ==, watchable_rows[i].is_watchable);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/slot-reader/find", test_find);
  g_test_add_func ("/slot-reader/nul", test_nul);
  g_test_add_func ("/slot-reader/watchable", test_watchable);
  return g_test_run ();
}
