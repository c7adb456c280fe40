/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "event.h"

G_BEGIN_DECLS

/**
 * TokenctlMonitorListener:
 * @event: something happened; at first, for each token that is there
 * @waiting: the service is not there, says @error, and does not start by itself; the monitor waits
 *   for it. @was_there: it was there once, and the monitor tries to start it again, and does not
 *   tell that it still waits
 * @failed: the monitor cannot go on and tells nothing more. It must not be freed in here
 * @complete: (nullable): everything that is there has been told
 * @unread: (nullable): a token's status cannot be read; the monitor tries again
 */
typedef struct {
  void (*event) (const TokenctlEvent *event, gpointer user_data);
  void (*waiting) (const GError *error, gboolean was_there, gpointer user_data);
  void (*failed) (const GError *error, gpointer user_data);
  void (*complete) (gpointer user_data);
  void (*unread) (const GError *error, gpointer user_data);
} TokenctlMonitorListener;

/**
 * TokenctlMonitor:
 *
 * Follows the tokens, across restarts of the service.
 */
typedef struct _TokenctlMonitor TokenctlMonitor;

TokenctlMonitor *tokenctl_monitor_new (GDBusConnection *connection, GDBusCallFlags flags,
                                       const TokenctlMonitorListener *listener, gpointer user_data);
void tokenctl_monitor_free (TokenctlMonitor *monitor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlMonitor, tokenctl_monitor_free)

G_END_DECLS
