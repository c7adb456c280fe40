/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refusal-limit.h"

#define MINUTE ((gint64) G_TIME_SPAN_MINUTE)
#define HOUR (60 * MINUTE)

/* One after the other, each asked and, if it may be, told. */
static const struct {
  guint uid;
  const char *names[3];
  gint64 at;
  gboolean is_told;
} rows[] = {
  { 1000, { "A" }, 0, TRUE },
  { 1000, { "A" }, 0, TRUE },
  { 1000, { "A" }, 10 * MINUTE, TRUE },
  { 1000, { "A" }, 20 * MINUTE, TRUE },
  { 1000, { "A" }, 59 * MINUTE, TRUE },
  { 1000, { "A" }, 59 * MINUTE, FALSE },
  /* another token, another user */
  { 1000, { "B" }, 59 * MINUTE, TRUE },
  { 1001, { "A" }, 59 * MINUTE, TRUE },
  { 10001, { "A" }, 59 * MINUTE, TRUE },
  { 1000, { "A" }, HOUR - 1, FALSE },
  /* the two first are past, and no more */
  { 1000, { "A" }, HOUR, TRUE },
  { 1000, { "A" }, HOUR, TRUE },
  { 1000, { "A" }, HOUR, FALSE },
  { 1000, { "A" }, 70 * MINUTE - 1, FALSE },
  { 1000, { "A" }, 70 * MINUTE, TRUE },
  { 1000, { "A" }, 70 * MINUTE, FALSE },
  { 1000, { "B" }, 70 * MINUTE, TRUE },
  /* all are */
  { 1000, { "A" }, 5 * HOUR, TRUE },
  { 1000, { "A" }, 5 * HOUR, TRUE },
  { 1000, { "A" }, 5 * HOUR, TRUE },
  { 1000, { "A" }, 5 * HOUR, TRUE },
  { 1000, { "A" }, 5 * HOUR, TRUE },
  { 1000, { "A" }, 5 * HOUR, FALSE },
  /* one token by two names: by either it counts for both */
  { 1000, { "C", "D" }, 6 * HOUR, TRUE },
  { 1000, { "D", "C" }, 6 * HOUR, TRUE },
  { 1000, { "C" }, 6 * HOUR, TRUE },
  { 1000, { "C" }, 6 * HOUR, TRUE },
  { 1000, { "D" }, 6 * HOUR, TRUE },
  { 1000, { "C" }, 6 * HOUR, TRUE },
  { 1000, { "C" }, 6 * HOUR, FALSE },
  { 1000, { "D", "C" }, 6 * HOUR, FALSE },
  { 1000, { "D" }, 6 * HOUR, TRUE },
};

static void
test_table (void)
{
  g_autoptr (TokendRefusalLimit) limit = tokend_refusal_limit_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    gboolean is_reached =
        tokend_refusal_limit_is_reached (limit, rows[i].uid, rows[i].names, rows[i].at);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (is_reached, ==, !rows[i].is_told);
    if (!is_reached)
      tokend_refusal_limit_count (limit, rows[i].uid, rows[i].names, rows[i].at);
  }
}

/* To ask is not to be told. */
static void
test_asking (void)
{
  g_autoptr (TokendRefusalLimit) limit = tokend_refusal_limit_new ();

  static const char *const names[] = { "A", NULL };

  for (guint i = 0; i < 20; i++)
    g_assert_false (tokend_refusal_limit_is_reached (limit, 1000, names, i));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/refusal-limit/table", test_table);
  g_test_add_func ("/refusal-limit/asking", test_asking);
  return g_test_run ();
}
