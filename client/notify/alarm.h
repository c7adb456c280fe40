/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendNotifyAlarm:
 *
 * Tells when a time has come by the wall clock, even if the machine slept through it or its clock
 * was set. Wakes nobody before.
 */
typedef struct _TokendNotifyAlarm TokendNotifyAlarm;

/**
 * TokendNotifyAlarmListener:
 *
 * Looks at the clock and sets the alarm again: the time has come, or the clock was set.
 */
typedef void (*TokendNotifyAlarmListener) (gpointer user_data);

TokendNotifyAlarm *tokend_notify_alarm_new (TokendNotifyAlarmListener listener, gpointer user_data);
void tokend_notify_alarm_free (TokendNotifyAlarm *alarm);

void tokend_notify_alarm_set (TokendNotifyAlarm *alarm, GDateTime *moment);

G_END_DECLS
