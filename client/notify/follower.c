/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "follower.h"

#include "exit-code.h"
#include "monitor.h"
#include "tokend-error.h"
#include "tokend-status.h"

/* After a failure, in seconds; twice as long after each one that follows. */
#define FIRST_DELAY 10
#define LAST_DELAY 600

struct _TokendNotifyFollower {
  const TokendNotifyFollowerListener *listener;
  gpointer user_data;

  GCancellable *connecting;
  GDBusConnection *connection; /* of our own: to close it ends the subscription */
  TokenctlMonitor *monitor;
  guint name_watch; /* while the service is not there */
  GError *failure;  /* until the monitor is let go of */
  guint timer;
  guint delay;
};

static void connect_to_bus (TokendNotifyFollower *self);

static void
on_event (const TokenctlEvent *event, gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  self->listener->event (event, self->user_data);
}

/* The monitor waits by itself for a service that was there once. */
static void
on_waiting (gpointer user_data)
{
}

static void
on_settled (gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  self->delay = FIRST_DELAY;
  self->listener->settled (self->user_data);
}

static gboolean
on_timer (gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  self->timer = 0;
  tokend_notify_follower_stop (self);
  connect_to_bus (self);
  return G_SOURCE_REMOVE;
}

static void
try_later (TokendNotifyFollower *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  self->timer = g_timeout_add_seconds (self->delay, on_timer, self);
  self->delay = MIN (self->delay * 2, LAST_DELAY);
}

static void
on_name_appeared (GDBusConnection *connection, const char *name, const char *owner,
                  gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  g_clear_handle_id (&self->timer, g_source_remove);
  self->timer = g_idle_add (on_timer, self);
}

/* A session that may not read does not ask again until it becomes active: only then polkit's answer
 * is another one. */
static gboolean
on_gave_up (gpointer user_data)
{
  TokendNotifyFollower *self = user_data;
  g_autoptr (GError) error = g_steal_pointer (&self->failure);

  self->timer = 0;
  g_info ("Cannot follow the tokens: %s", error->message);
  g_clear_pointer (&self->monitor, tokenctl_monitor_free);
  if (g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED)) {
    tokend_notify_follower_stop (self);
    return G_SOURCE_REMOVE;
  }

  try_later (self);
  if (tokenctl_service_is_missing (error) && !g_dbus_connection_is_closed (self->connection))
    self->name_watch = g_bus_watch_name_on_connection (self->connection, TOKEND_BUS_NAME,
                                                       G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                       on_name_appeared, NULL, self, NULL);
  return G_SOURCE_REMOVE;
}

static void
on_failed (const GError *error, gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  if (self->failure != NULL)
    return;
  self->failure = g_error_copy (error);
  self->timer = g_idle_add (on_gave_up, self);
}

static const TokenctlMonitorListener monitor_listener = { on_event, on_waiting, on_failed,
                                                          on_settled };

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_finish (result, &error);
  TokendNotifyFollower *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (connection == NULL) {
    g_info ("No system bus: %s", error->message);
    try_later (self);
    return;
  }
  self->connection = connection;
  self->listener->started (self->user_data);
  self->monitor =
      tokenctl_monitor_new (connection, G_DBUS_CALL_FLAGS_NONE, &monitor_listener, self);
}

static void
connect_to_bus (TokendNotifyFollower *self)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, &error);

  if (address == NULL) {
    g_info ("No system bus: %s", error->message);
    try_later (self);
    return;
  }
  self->connecting = g_cancellable_new ();
  g_dbus_connection_new_for_address (address,
                                     G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                         | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                     NULL, self->connecting, on_connected, self);
}

/**
 * tokend_notify_follower_new:
 * @listener: (transfer none): whom to tell; must outlive the follower
 * @user_data: for @listener
 *
 * Returns: (transfer full): a follower that is not started yet
 */
TokendNotifyFollower *
tokend_notify_follower_new (const TokendNotifyFollowerListener *listener, gpointer user_data)
{
  TokendNotifyFollower *self = g_new0 (TokendNotifyFollower, 1);

  g_quark_to_string (TOKEND_ERROR); /* registers the errors' names */
  self->listener = listener;
  self->user_data = user_data;
  self->delay = FIRST_DELAY;
  return self;
}

/**
 * tokend_notify_follower_start:
 * @self: a follower that is stopped
 *
 * Never makes polkit ask the person.
 */
void
tokend_notify_follower_start (TokendNotifyFollower *self)
{
  self->delay = FIRST_DELAY;
  connect_to_bus (self);
}

/**
 * tokend_notify_follower_stop:
 * @self: a follower
 *
 * Nothing is asked for any more, and nothing happens until it is started again.
 */
void
tokend_notify_follower_stop (TokendNotifyFollower *self)
{
  g_cancellable_cancel (self->connecting);
  g_clear_object (&self->connecting);
  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_error (&self->failure);
  g_clear_handle_id (&self->name_watch, g_bus_unwatch_name);
  g_clear_pointer (&self->monitor, tokenctl_monitor_free);
  if (self->connection != NULL)
    g_dbus_connection_close (self->connection, NULL, NULL, NULL);
  g_clear_object (&self->connection);
}

void
tokend_notify_follower_free (TokendNotifyFollower *self)
{
  tokend_notify_follower_stop (self);
  g_free (self);
}
