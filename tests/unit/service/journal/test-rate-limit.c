/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rate-limit.h"

#define PER_SOURCE 5
#define PER_SUBJECT 3
#define INTERVAL G_GINT64_CONSTANT (1000)
#define BEGIN G_GINT64_CONSTANT (7000000)

/*
 * What happens, one after another: "Aa" is that source A asks for an entry about subject a, "-"
 * that the interval passes, "<" all of it but the last moment, ">" that moment. What comes of those
 * that ask: "." it has an entry, "t" that is the last of the subject, "s" the last of the source,
 * "x" it has none; a number: so many had none before it.
 */
static const struct {
  const char *name;
  const char *happens;
  const char *comes;
} rows[] = {
  { "one-subject", "Aa Aa Aa Aa Aa", ". . t x x" },
  { "subjects-apart", "Aa Aa Aa Aa Ab Ab", ". . t x 1. s" },
  { "source", "Aa Ab Ac Ad Ae Af Aa", ". . . . s x x" },
  { "last-of-both", "Aa Ab Ab Aa Aa", ". . . . ts" },
  { "sources-apart", "Aa Aa Aa Aa Ba Bb Ba Ba Ba", ". . t x . . . t x" },
  { "what-has-none-costs-the-others-nothing", "Aa Aa Aa Aa Aa Aa Aa Ab Ab Ab",
    ". . t x x x x 4. s x" },
  { "time", "Aa Aa Aa Aa < Aa > Aa Aa Aa Aa", ". . t x x 2. . t x" },
  { "since-the-first", "< > Aa < Aa > Aa Aa Aa Aa", ". . . . t x" },
  { "time-for-the-source", "Aa Ab Ac Ad Ae Af - Af Ab Ac Ad Ae Aa", ". . . . s x 1. . . . s x" },
};

static void
ask (TokendRateLimit *limit, const char *what, gint64 now, GString *comes)
{
  const char source[] = { what[0], '\0' }, subject[] = { what[1], '\0' };
  TokendRateLimitInfo info = { TRUE, TRUE, 99 };

  if (comes->len > 0)
    g_string_append_c (comes, ' ');
  if (!tokend_rate_limit_take (limit, source, subject, now, &info)) {
    g_string_append_c (comes, 'x');
    g_assert_false (info.is_last_of_source || info.is_last_of_subject);
    g_assert_cmpuint (info.n_suppressed, ==, 0);
    return;
  }
  if (info.n_suppressed > 0)
    g_string_append_printf (comes, "%u", info.n_suppressed);
  if (info.is_last_of_subject)
    g_string_append_c (comes, 't');
  if (info.is_last_of_source)
    g_string_append_c (comes, 's');
  if (!info.is_last_of_subject && !info.is_last_of_source)
    g_string_append_c (comes, '.');
}

static void
test_row (gconstpointer data)
{
  const gsize row = GPOINTER_TO_SIZE (data);
  g_autoptr (TokendRateLimit) limit = tokend_rate_limit_new (PER_SOURCE, PER_SUBJECT, INTERVAL);
  g_auto (GStrv) happens = g_strsplit (rows[row].happens, " ", -1);
  g_autoptr (GString) comes = g_string_new (NULL);
  gint64 now = BEGIN;

  for (guint i = 0; happens[i] != NULL; i++) {
    if (g_str_equal (happens[i], "-"))
      now += INTERVAL;
    else if (g_str_equal (happens[i], "<"))
      now += INTERVAL - 1;
    else if (g_str_equal (happens[i], ">"))
      now += 1;
    else
      ask (limit, happens[i], now, comes);
  }
  g_assert_cmpstr (comes->str, ==, rows[row].comes);
}

/* The interval of a source begins with its first entry, also where the clock has not run for an
 * interval yet. */
static void
test_young_clock (void)
{
  g_autoptr (TokendRateLimit) limit = tokend_rate_limit_new (1, 1, INTERVAL);
  TokendRateLimitInfo info;

  g_assert_true (tokend_rate_limit_take (limit, "a", "b", INTERVAL / 2, &info));
  g_assert_false (tokend_rate_limit_take (limit, "a", "b", INTERVAL, &info));
  g_assert_true (tokend_rate_limit_take (limit, "a", "b", INTERVAL + INTERVAL / 2, &info));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/rate-limit/%s", rows[i].name);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_row);
  }
  g_test_add_func ("/rate-limit/young-clock", test_young_clock);
  return g_test_run ();
}
