/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "open-limits-private.h"

#include "tokend-error.h"

static const struct {
  guint n_user, n_others;
  gboolean has_room;
} rows[] = {
  { 0, 0, TRUE },  { 3, 0, TRUE },   { 4, 0, FALSE },  { 0, 11, TRUE }, { 0, 12, FALSE },
  { 3, 8, TRUE },  { 3, 9, FALSE },  { 4, 8, FALSE },  { 1, 10, TRUE }, { 1, 11, FALSE },
  { 5, 0, FALSE }, { 12, 0, FALSE }, { 0, 99, FALSE },
};

static void
test_check (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    gboolean has_room = tokend_open_limits_check (rows[i].n_user, rows[i].n_others, &error);

    g_test_message ("%u, %u", rows[i].n_user, rows[i].n_others);
    g_assert_cmpint (has_room, ==, rows[i].has_room);
    if (has_room)
      g_assert_no_error (error);
    else
      g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED);
  }
}

/* dbus-daemon takes nothing from a connection of which 64 descriptors wait; 16 are left for what
 * else it may wait for. */
static void
test_descriptors (void)
{
  g_assert_cmpuint (TOKEND_OPEN_MAX * TOKEND_UNTAKEN_PIPES_MAX * 2, <=, 48);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/open-limits/check", test_check);
  g_test_add_func ("/open-limits/descriptors", test_descriptors);
  return g_test_run ();
}
