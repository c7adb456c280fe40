/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-quota-private.h"

static const struct {
  guint n_user, n_others;
  gboolean has_room;
} rows[] = {
  /* Alone: half of all */
  { 0, 0, TRUE },
  { 29, 0, TRUE },
  { 30, 0, FALSE },
  /* Of what one other leaves */
  { 14, 30, TRUE },
  { 15, 30, FALSE },
  { 29, 1, TRUE },
  { 29, 2, FALSE },
  /* Of an odd number the larger half */
  { 7, 45, TRUE },
  { 8, 45, FALSE },
  { 3, 53, TRUE },
  { 4, 53, FALSE },
  /* The last ones are for whoever has none */
  { 0, 58, TRUE },
  { 1, 58, FALSE },
  { 0, 59, TRUE },
  { 0, 60, FALSE },
  { 1, 59, FALSE },
  /* Who had more before the others came keeps it, and has no more */
  { 30, 15, FALSE },
  { 30, 30, FALSE },
};

static void
test_rows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("%u of the user, %u of others", rows[i].n_user, rows[i].n_others);
    g_assert_cmpint (tokend_call_quota_has_room (rows[i].n_user, rows[i].n_others), ==,
                     rows[i].has_room);
  }
}

/* Users who come one after the other, and take what they can. */
static void
test_users_in_turn (void)
{
  static const guint shares[] = { 30, 15, 8, 4, 2, 1, 0 };
  guint n_others = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (shares); i++) {
    guint n_user = 0;

    while (tokend_call_quota_has_room (n_user, n_others))
      n_user++;
    g_assert_cmpuint (n_user, ==, shares[i]);
    n_others += n_user;
  }
  g_assert_cmpuint (n_others, ==, TOKEND_CALLS_MAX);
}

/* Whatever they hold, and whoever left before: there is never more than all, and room is for one
 * who has none. */
static void
test_every_state (void)
{
  for (guint n_others = 0; n_others <= TOKEND_CALLS_MAX; n_others++) {
    g_assert_cmpint (tokend_call_quota_has_room (0, n_others), ==, n_others < TOKEND_CALLS_MAX);
    for (guint n_user = 0; n_user + n_others <= TOKEND_CALLS_MAX; n_user++)
      if (tokend_call_quota_has_room (n_user, n_others))
        g_assert_cmpuint (n_user + 1 + n_others, <=, TOKEND_CALLS_MAX);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions ();
  g_test_add_func ("/call-quota/rows", test_rows);
  g_test_add_func ("/call-quota/users-in-turn", test_users_in_turn);
  g_test_add_func ("/call-quota/every-state", test_every_state);
  return g_test_run ();
}
