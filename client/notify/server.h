/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/** TokendNotifyServer: the session's notification server, whichever it is, and whenever it is there.
 */
typedef struct _TokendNotifyServer TokendNotifyServer;

/**
 * TokendNotifyServerListener:
 * @appeared: there is a server, and it shows nothing of ours
 * @vanished: there is none any more, and nothing of ours is shown
 */
typedef struct {
  void (*appeared) (gpointer user_data);
  void (*vanished) (gpointer user_data);
} TokendNotifyServerListener;

TokendNotifyServer *tokend_notify_server_new (GDBusConnection *session_bus,
                                              const TokendNotifyServerListener *listener,
                                              gpointer user_data);
void tokend_notify_server_free (TokendNotifyServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifyServer, tokend_notify_server_free)

gboolean tokend_notify_server_has (TokendNotifyServer *server, const char *capability);

G_END_DECLS
