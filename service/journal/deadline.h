/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A deadline is a time in microseconds, by the clock that also runs while the machine is suspended.
 * GLib's timers stand still then. */

gint64 tokend_deadline_in (guint seconds);
gboolean tokend_deadline_is_over (gint64 deadline);
guint tokend_deadline_get_seconds (gint64 deadline);
guint tokend_deadline_add (guint seconds, GSourceFunc function, gpointer user_data);

G_END_DECLS
