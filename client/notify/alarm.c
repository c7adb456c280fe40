/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "alarm.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct _TokendNotifyAlarm {
  TokendNotifyAlarmListener listener;
  gpointer user_data;
  int timer; /* a descriptor, or -1 if the kernel has none */
  guint source;
};

/* Handles an error of read(), which tells that the clock was set, or jumped while the machine
 * slept. */
static gboolean
on_ready (int fd, GIOCondition condition, gpointer user_data)
{
  TokendNotifyAlarm *self = user_data;
  guint64 times;

  if (read (fd, &times, sizeof times) > 0 || errno == ECANCELED)
    self->listener (self->user_data);
  return G_SOURCE_CONTINUE;
}

/**
 * tokend_notify_alarm_new:
 * @listener: whom to tell
 *
 * Returns: (transfer full): an alarm that is not set
 */
TokendNotifyAlarm *
tokend_notify_alarm_new (TokendNotifyAlarmListener listener, gpointer user_data)
{
  TokendNotifyAlarm *self = g_new0 (TokendNotifyAlarm, 1);

  self->listener = listener;
  self->user_data = user_data;
  self->timer = timerfd_create (CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (self->timer >= 0)
    self->source = g_unix_fd_add (self->timer, G_IO_IN, on_ready, self);
  else
    g_info ("No alarm: %s", g_strerror (errno));
  return self;
}

void
tokend_notify_alarm_free (TokendNotifyAlarm *self)
{
  g_clear_handle_id (&self->source, g_source_remove);
  if (self->timer >= 0)
    close (self->timer);
  g_free (self);
}

/**
 * tokend_notify_alarm_set:
 * @moment: (nullable): when to tell; %NULL for never
 *
 * Sets the alarm.
 */
void
tokend_notify_alarm_set (TokendNotifyAlarm *self, GDateTime *moment)
{
  struct itimerspec when = { 0 };

  if (self->timer < 0)
    return;
  if (moment != NULL)
    when.it_value.tv_sec = (time_t) g_date_time_to_unix (moment);
  if (timerfd_settime (self->timer, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &when, NULL) != 0)
    g_info ("The alarm cannot be set: %s", g_strerror (errno));
}
