/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "server.h"

#include <libnotify/notify.h>

#include "backoff.h"

/* The first delay after a notification that a server did not show, in seconds. */
#define FIRST_DELAY 5
#define LAST_DELAY 600

struct _TokendNotifyServer {
  const TokendNotifyServerListener *listener;
  gpointer user_data;
  guint name_watch;
  gboolean is_there;
  GList *capabilities; /* of char *; NULL until needed */
  TokenctlBackoff again;
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

  self->is_there = TRUE;
  forget_capabilities (self);
  tokenctl_backoff_reset (&self->again);
  self->listener->ready (self->user_data);
}

static void
on_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  TokendNotifyServer *self = user_data;

  self->is_there = FALSE;
  forget_capabilities (self);
  tokenctl_backoff_stop (&self->again);
  self->listener->vanished (self->user_data);
}

/**
 * tokend_notify_server_new:
 * @session_bus: the session bus
 * @listener: (transfer none): whom to tell; must outlive the server
 *
 * Returns: (transfer full): a watch over the notification server
 */
TokendNotifyServer *
tokend_notify_server_new (GDBusConnection *session_bus, const TokendNotifyServerListener *listener,
                          gpointer user_data)
{
  TokendNotifyServer *self = g_new0 (TokendNotifyServer, 1);

  self->listener = listener;
  self->user_data = user_data;
  self->again = (TokenctlBackoff){
    .first = FIRST_DELAY, .last = LAST_DELAY, .func = listener->ready, .user_data = user_data
  };
  self->name_watch = g_bus_watch_name_on_connection (session_bus, "org.freedesktop.Notifications",
                                                     G_BUS_NAME_WATCHER_FLAGS_NONE, on_appeared,
                                                     on_vanished, self, NULL);
  return self;
}

void
tokend_notify_server_free (TokendNotifyServer *self)
{
  g_bus_unwatch_name (self->name_watch);
  tokenctl_backoff_stop (&self->again);
  forget_capabilities (self);
  g_free (self);
}

/**
 * tokend_notify_server_has:
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

/**
 * tokend_notify_server_note:
 * @error: (nullable): why it did not show a notification; %NULL: it did
 *
 * Tries a server again later that does not show a notification: it may hang, or have too much to
 * show.
 */
void
tokend_notify_server_note (TokendNotifyServer *self, const GError *error)
{
  if (error == NULL) {
    if (self->again.timer == 0)
      tokenctl_backoff_reset (&self->again);
    return;
  }
  g_info ("Cannot show a notification: %s", error->message);
  if (self->is_there)
    tokenctl_backoff_wait (&self->again);
}
