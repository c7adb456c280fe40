/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "health-private.h"

#define LONG TOKEND_HEALTH_WELL_US
#define BEGIN G_GINT64_CONSTANT (7000000)

/* One step a character, at one time: a letter is a failure for that reason, "." a read that worked,
 * "-" a good while. What is told stands in the same place, "B" that the module is back; all else is
 * a blank. */
static const struct {
  const char *name;
  const char *happens;
  const char *told;
} rows[] = {
  { "never-failed", "...", "   " },
  { "once", "a..", "aB " },
  { "stays-away", "aaaa.", "a   B" },
  { "another-reason", "aabba.", "a b aB" },
  { "flaps", "a.a.a.a.a.", "aBa       " },
  { "flaps-and-stays-away", "a.a.aaaa", "aBa     " },
  { "flaps-and-recovers", "a.a.a.-.a.", "aBa    BaB" },
  { "recovers-unread", "a.a.-a.", "aBa  aB" },
  { "well-is-since-the-last-failure", "a.a.-.", "aBa  B" },
  { "only-waiting-is-not-well", "a.a-.a", "aBa   " },
  { "makes-up-reasons", "abcdefghi.", "abcde    B" },
  { "makes-up-reasons-and-flaps", "a.b.c.d.e.f.g.h.", "aBb c d e       " },
  { "recovers-from-many", "abcdefg.-.abc", "abcde  B  abc" },
};

static char
step (TokendHealth *told, char what, gint64 *now)
{
  const char reason[] = { what, '\0' };

  if (what == '-')
    *now += LONG;
  else if (what == '.')
    return tokend_health_work (told, *now) ? 'B' : ' ';
  else if (tokend_health_fail (told, reason, *now))
    return what;
  return ' ';
}

static void
test_row (gconstpointer data)
{
  const gsize row = GPOINTER_TO_SIZE (data);
  g_autoptr (GString) said = g_string_new (NULL);
  TokendHealth told = { 0 };
  gint64 now = BEGIN;

  for (const char *what = rows[row].happens; *what != '\0'; what++)
    g_string_append_c (said, step (&told, *what, &now));
  tokend_health_clear (&told);
  g_assert_cmpstr (said->str, ==, rows[row].told);
}

/* Likewise; after each failure the pause in seconds until the next start, and how many there were
 * in a row. */
static const struct {
  const char *name;
  const char *happens;
  const char *pauses;
} pauses[] = {
  { "first", "a", "1/1" },
  { "in-a-row", "aaaaaaaaaaa", "1/1 2/2 4/3 8/4 16/5 32/6 64/7 128/8 256/9 300/10 300/11" },
  { "works-for-a-moment-each-time", "a.a.a..a.a.a.a.a.a.a.a.a",
    "1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 2/1 4/1" },
  { "works-for-a-moment-for-ever", "a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
    "1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 2/1 4/1 8/1 16/1 32/1 64/1 128/1 256/1 300/1 300/1" },
  { "works-now-and-then", "aa.aa.aaa.a.a.a.a.a.aa",
    "1/1 2/2 1/1 2/2 1/1 2/2 4/3 1/1 1/1 1/1 2/1 4/1 8/1 16/2" },
  { "long-well", "a.a.a.a.a.a.a.a.a.a.a.-.a", "1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 2/1 1/1" },
  { "long-well-and-not-read", "a.a.a.a.a.a.a.a.a.a.a.-aa",
    "1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 1/1 2/1 1/1 2/2" },
  { "long-away", "aa-a-aaa-.a", "1/1 2/2 4/3 8/4 16/5 32/6 1/1" },
};

static void
test_pauses (gconstpointer data)
{
  const gsize row = GPOINTER_TO_SIZE (data);
  g_autoptr (GString) seen = g_string_new (NULL);
  TokendHealth health = { 0 };
  gint64 now = BEGIN;

  for (const char *what = pauses[row].happens; *what != '\0'; what++) {
    step (&health, *what, &now);
    if (*what == 'a')
      g_string_append_printf (seen, "%s%u/%u", seen->len > 0 ? " " : "",
                              tokend_health_get_pause (&health), health.n_in_a_row);
  }
  tokend_health_clear (&health);
  g_assert_cmpstr (seen->str, ==, pauses[row].pauses);
}

/* Just short of a good while it is not well for long. */
static void
test_good_while (void)
{
  TokendHealth told = { 0 };

  g_assert_true (tokend_health_fail (&told, "a", BEGIN));
  g_assert_true (tokend_health_work (&told, BEGIN));
  g_assert_true (tokend_health_fail (&told, "a", BEGIN + LONG - 1));
  g_assert_false (tokend_health_work (&told, BEGIN + LONG));
  g_assert_false (tokend_health_work (&told, BEGIN + 2 * LONG - 1));
  g_assert_true (tokend_health_work (&told, BEGIN + 2 * LONG));
  g_assert_false (tokend_health_work (&told, BEGIN + 3 * LONG));
  tokend_health_clear (&told);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions ();
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/failures/%s", rows[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_row);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (pauses); i++) {
    g_autofree char *path = g_strdup_printf ("/failures/pauses/%s", pauses[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_pauses);
  }
  g_test_add_func ("/failures/good-while", test_good_while);
  return g_test_run ();
}
