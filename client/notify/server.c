/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include <libnotify/notify.h>

struct _TokendNotifyServer {
  const TokendNotifyServerListener *listener;
  gpointer user_data;
  guint name_watch;
  GList *capabilities; /* of char *; NULL until one is asked for */
};

static void
forget_capabilities (TokendNotifyServer *self)
{
  g_list_free_full (g_steal_pointer (&self->capabilities), g_free);
}

static void
on_appeared (GDBusConnection *connection, const char *name, const char *owner, gpointer user_data)
{
  TokendNotifyServer *self = user_data;

  forget_capabilities (self);
  self->listener->appeared (self->user_data);
}

static void
on_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  TokendNotifyServer *self = user_data;

  forget_capabilities (self);
  self->listener->vanished (self->user_data);
}

/**
 * tokend_notify_server_new:
 * @session_bus: the session bus
 * @listener: (transfer none): whom to tell; must outlive the server
 * @user_data: for @listener
 *
 * Returns: (transfer full): an observer of the notification server
 */
TokendNotifyServer *
tokend_notify_server_new (GDBusConnection *session_bus, const TokendNotifyServerListener *listener,
                          gpointer user_data)
{
  TokendNotifyServer *self = g_new0 (TokendNotifyServer, 1);

  self->listener = listener;
  self->user_data = user_data;
  self->name_watch = g_bus_watch_name_on_connection (session_bus, "org.freedesktop.Notifications",
                                                     G_BUS_NAME_WATCHER_FLAGS_NONE, on_appeared,
                                                     on_vanished, self, NULL);
  return self;
}

void
tokend_notify_server_free (TokendNotifyServer *self)
{
  g_bus_unwatch_name (self->name_watch);
  forget_capabilities (self);
  g_free (self);
}

/**
 * tokend_notify_server_has:
 * @self: the server
 * @capability: "actions", "body-markup" and so on, of the Desktop Notifications Specification
 *
 * Returns: whether the server has it
 */
gboolean
tokend_notify_server_has (TokendNotifyServer *self, const char *capability)
{
  if (self->capabilities == NULL)
    self->capabilities = notify_get_server_caps ();
  return g_list_find_custom (self->capabilities, capability, (GCompareFunc) g_strcmp0) != NULL;
}
