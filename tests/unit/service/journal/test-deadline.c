/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deadline.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

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

static void
test_seconds (void)
{
  static const struct {
    struct timespec now;
    guint seconds;
  } rows[] = {
    { { 1000, 0 }, 60 },   { { 1000, 1000 }, 60 },     { { 1000, 999999999 }, 60 },
    { { 1001, 0 }, 59 },   { { 1059, 999999000 }, 1 }, { { 1060, 0 }, 0 },
    { { 1060, 1000 }, 0 }, { { 40000, 0 }, 0 },
  };
  gint64 deadline;

  now = (struct timespec){ 1000, 0 };
  deadline = tokend_deadline_in (60);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    now = rows[i].now;
    g_assert_cmpuint (tokend_deadline_get_seconds (deadline), ==, rows[i].seconds);
  }
}

/* What is in the place of the timer: a counter that can be read once the test says so. */
static struct {
  int create_errno, set_errno; /* 0: it can be made, and set */
  int fd;
  struct timespec when;
} timer;

int __wrap_timerfd_create (int clock, int flags);

int
__wrap_timerfd_create (int clock, int flags)
{
  g_assert_cmpint (clock, ==, CLOCK_BOOTTIME);
  g_assert_cmpint (flags, ==, TFD_CLOEXEC | TFD_NONBLOCK);
  errno = timer.create_errno;
  timer.fd = errno == 0 ? eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
  return timer.fd;
}

int __wrap_timerfd_settime (int fd, int flags, const struct itimerspec *new_value,
                            struct itimerspec *old_value);

int
__wrap_timerfd_settime (int fd, int flags, const struct itimerspec *new_value,
                        struct itimerspec *old_value)
{
  g_assert_cmpint (fd, ==, timer.fd);
  g_assert_cmpint (flags, ==, 0);
  g_assert_cmpint (new_value->it_interval.tv_sec, ==, 0);
  g_assert_cmpint (new_value->it_interval.tv_nsec, ==, 0);
  timer.when = new_value->it_value;
  errno = timer.set_errno;
  return errno == 0 ? 0 : -1;
}

static gboolean
count (gpointer n_calls)
{
  ++*(guint *) n_calls;
  return G_SOURCE_REMOVE;
}

static gboolean
is_open (int fd)
{
  guint64 value;

  return read (fd, &value, sizeof value) >= 0 || errno != EBADF;
}

/* It was suspended for long: by GLib's time nothing is due yet. */
static void
test_suspended (void)
{
  const guint64 one = 1;
  guint n_calls = 0;

  tokend_deadline_add (3600, count, &n_calls);
  g_assert_cmpint (timer.when.tv_sec, ==, 3600);
  g_assert_cmpint (timer.when.tv_nsec, ==, 0);
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  g_assert_cmpuint (n_calls, ==, 0);
  g_assert_cmpint (write (timer.fd, &one, sizeof one), ==, sizeof one);
  g_assert_true (g_main_context_iteration (NULL, FALSE));
  g_assert_cmpuint (n_calls, ==, 1);
  g_assert_false (g_main_context_iteration (NULL, FALSE));
  g_assert_false (is_open (timer.fd));
}

static void
test_removed (void)
{
  guint n_calls = 0;
  const guint id = tokend_deadline_add (3600, count, &n_calls);

  g_assert_true (is_open (timer.fd));
  g_source_remove (id);
  g_assert_false (is_open (timer.fd));
}

/* It comes all the same, once the machine was awake for so long. */
static void
test_without_timer (void)
{
  static const struct {
    int create_errno, set_errno;
  } rows[] = { { EMFILE, 0 }, { 0, EINVAL } };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const gint64 begun_at = g_get_monotonic_time ();
    guint n_calls = 0;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    timer.create_errno = rows[i].create_errno;
    timer.set_errno = rows[i].set_errno;
    tokend_deadline_add (1, count, &n_calls);
    g_assert_false (is_open (timer.fd));
    while (n_calls == 0)
      g_main_context_iteration (NULL, TRUE);
    g_assert_cmpint (g_get_monotonic_time () - begun_at, >=, G_USEC_PER_SEC);
  }
  timer.create_errno = timer.set_errno = 0;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/deadline/over", test_deadline);
  g_test_add_func ("/deadline/seconds", test_seconds);
  g_test_add_func ("/deadline/suspended", test_suspended);
  g_test_add_func ("/deadline/removed", test_removed);
  g_test_add_func ("/deadline/without-timer", test_without_timer);
  return g_test_run ();
}
