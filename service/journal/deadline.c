/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deadline.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  GSource source;
  int timer; /* -1 if it could not be made */
} Source;

static gint64
get_now (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_BOOTTIME, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

gint64
tokend_deadline_in (guint seconds)
{
  return get_now () + (gint64) seconds * G_USEC_PER_SEC;
}

gboolean
tokend_deadline_is_over (gint64 deadline)
{
  return get_now () >= deadline;
}

/**
 * tokend_deadline_get_seconds:
 *
 * Returns: the seconds until @deadline, rounded up; 0 once it has passed.
 */
guint
tokend_deadline_get_seconds (gint64 deadline)
{
  const gint64 left = MAX (deadline - get_now (), 0);

  return (guint) ((left + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  return callback (user_data);
}

static void
finalize (GSource *source)
{
  Source *self = (Source *) source;

  if (self->timer >= 0)
    close (self->timer);
}

/* Returns: a descriptor that becomes readable after @seconds, or -1. */
static int
make_timer (guint seconds)
{
  const struct itimerspec when = { .it_value.tv_sec = seconds };
  int timer = timerfd_create (CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

  if (timer >= 0 && timerfd_settime (timer, 0, &when, NULL) != 0) {
    close (timer);
    timer = -1;
  }
  return timer;
}

/**
 * tokend_deadline_add:
 * @seconds: how long from now; not 0.
 * @function: called then, once.
 *
 * Works as g_timeout_add_seconds() does, but counts the time that the machine is suspended. Keeps
 * GLib's own timer besides, for when there is no descriptor left.
 *
 * Returns: the id of the source.
 */
guint
tokend_deadline_add (guint seconds, GSourceFunc function, gpointer user_data)
{
  static GSourceFuncs functions = { .dispatch = dispatch, .finalize = finalize };
  g_autoptr (GSource) source = g_source_new (&functions, sizeof (Source));
  Source *self = (Source *) source;

  self->timer = make_timer (seconds);
  if (self->timer >= 0)
    g_source_add_unix_fd (source, self->timer, G_IO_IN);
  g_source_set_ready_time (source, g_get_monotonic_time () + (gint64) seconds * G_USEC_PER_SEC);
  g_source_set_callback (source, function, user_data, NULL);
  return g_source_attach (source, NULL);
}
