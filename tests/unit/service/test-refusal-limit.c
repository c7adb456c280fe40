/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refusal-limit.h"

#define ALICE 1000
#define BOB 1001
#define BEGIN G_GINT64_CONSTANT (7000000)

static guint
take (TokendRefusalLimit *limit, guint uid, gint64 now, guint n)
{
  guint n_taken = 0;
  guint n_suppressed;

  for (guint i = 0; i < n; i++)
    if (tokend_refusal_limit_take (limit, uid, now, &n_suppressed))
      n_taken++;
  return n_taken;
}

static void
test_each_user_has_their_own (void)
{
  g_autoptr (TokendRefusalLimit) limit = tokend_refusal_limit_new ();

  g_assert_cmpuint (take (limit, ALICE, BEGIN, 3), ==, 3);
  g_assert_cmpuint (take (limit, BOB, BEGIN, 1000), ==, TOKEND_REFUSALS_PER_USER_MAX);
  g_assert_cmpuint (take (limit, ALICE, BEGIN, TOKEND_REFUSALS_PER_USER_MAX - 3), ==,
                    TOKEND_REFUSALS_PER_USER_MAX - 3);
  g_assert_cmpuint (take (limit, ALICE, BEGIN, 1), ==, 0);
  g_assert_cmpuint (take (limit, 0, BEGIN, 1), ==, 1);
  g_assert_cmpuint (take (limit, G_MAXUINT, BEGIN, 1), ==, 1);
}

static void
test_time_gives_them_back (void)
{
  g_autoptr (TokendRefusalLimit) limit = tokend_refusal_limit_new ();

  take (limit, BOB, BEGIN, TOKEND_REFUSALS_PER_USER_MAX);
  g_assert_cmpuint (take (limit, BOB, BEGIN + TOKEND_REFUSALS_INTERVAL_US - 1, 1), ==, 0);
  g_assert_cmpuint (take (limit, BOB, BEGIN + TOKEND_REFUSALS_INTERVAL_US, 1000), ==,
                    TOKEND_REFUSALS_PER_USER_MAX);
}

/* What has no entry is counted, and told once. */
static void
test_suppressed_ones_are_told (void)
{
  g_autoptr (TokendRefusalLimit) limit = tokend_refusal_limit_new ();
  guint n_suppressed = G_MAXUINT;

  g_assert_true (tokend_refusal_limit_take (limit, BOB, BEGIN, &n_suppressed));
  g_assert_cmpuint (n_suppressed, ==, 0);
  take (limit, BOB, BEGIN, TOKEND_REFUSALS_PER_USER_MAX - 1 + 5);
  g_assert_true (
      tokend_refusal_limit_take (limit, BOB, BEGIN + TOKEND_REFUSALS_INTERVAL_US, &n_suppressed));
  g_assert_cmpuint (n_suppressed, ==, 5);
  g_assert_true (
      tokend_refusal_limit_take (limit, BOB, BEGIN + TOKEND_REFUSALS_INTERVAL_US, &n_suppressed));
  g_assert_cmpuint (n_suppressed, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions ();
  g_test_add_func ("/refusal-limit/users", test_each_user_has_their_own);
  g_test_add_func ("/refusal-limit/time", test_time_gives_them_back);
  g_test_add_func ("/refusal-limit/suppressed", test_suppressed_ones_are_told);
  return g_test_run ();
}
