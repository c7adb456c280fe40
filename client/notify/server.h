/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendNotifyServer:
 *
 * The session's notification server, whichever it is and whenever it is there.
 */
typedef struct _TokendNotifyServer TokendNotifyServer;

/**
 * TokendNotifyServerListener:
 * @ready: it may show what was not shown so far; called again if it did not show something
 * @vanished: there is no server, and nothing of ours is shown
 */
typedef struct {
  void (*ready) (gpointer user_data);
  void (*vanished) (gpointer user_data);
} TokendNotifyServerListener;

TokendNotifyServer *tokend_notify_server_new (GDBusConnection *session_bus,
                                              const TokendNotifyServerListener *listener,
                                              gpointer user_data);
void tokend_notify_server_free (TokendNotifyServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifyServer, tokend_notify_server_free)

gboolean tokend_notify_server_has (TokendNotifyServer *server, const char *capability);
void tokend_notify_server_note (TokendNotifyServer *server, const GError *error);

G_END_DECLS
