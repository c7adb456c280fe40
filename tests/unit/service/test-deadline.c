/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deadline.h"

#include <time.h>

static struct timespec now;

int __wrap_clock_gettime (clockid_t clock, struct timespec *time);

int
__wrap_clock_gettime (clockid_t clock, struct timespec *time)
{
  /* No other one runs while the machine is suspended. */
  g_assert_cmpint (clock, ==, CLOCK_BOOTTIME);
  *time = now;
  return 0;
}

static void
test_deadline (void)
{
  static const struct {
    struct timespec then;
    guint seconds;
    struct timespec now;
    gboolean is_over;
  } rows[] = {
    { { 1000, 0 }, 60, { 1000, 0 }, FALSE },
    { { 1000, 500000 }, 60, { 1060, 499000 }, FALSE },
    { { 1000, 500000 }, 60, { 1060, 500000 }, TRUE },
    { { 1000, 0 }, 600, { 40000, 0 }, TRUE },
    { { 1000, 0 }, 0, { 1000, 0 }, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    gint64 deadline;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    now = rows[i].then;
    deadline = tokend_deadline_in (rows[i].seconds);
    now = rows[i].now;
    g_assert_cmpint (tokend_deadline_is_over (deadline), ==, rows[i].is_over);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/deadline", test_deadline);
  return g_test_run ();
}
