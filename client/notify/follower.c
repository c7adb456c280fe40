/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "follower.h"

#include "backoff.h"
#include "monitor.h"
#include "status.h"
#include "tokend-error.h"
#include "tokend-status.h"

/* The first delay after a failure, in seconds. */
#define FIRST_DELAY 10
#define LAST_DELAY 600

struct _TokendNotifyFollower {
  const TokendNotifyFollowerListener *listener;
  gpointer user_data;

  GCancellable *connecting;
  GDBusConnection *connection; /* of our own: closing it ends the subscription */
  TokenctlMonitor *monitor;
  GError *failure;      /* while the monitor is freed */
  gboolean was_allowed; /* since it was started */
  guint idle;
  TokenctlBackoff again;
};

static void connect_to_bus (TokendNotifyFollower *self);

static const char *
say_state (const TokenctlEvent *event, const char *key)
{
  return event->status != NULL ? tokenctl_status_string (event->status, key) : "unread";
}

static void
on_event (const TokenctlEvent *event, gpointer user_data)
{
  static const char *const kinds[] = { "added", "removed", "changed" };
  TokendNotifyFollower *self = user_data;

  g_debug ("%s %s: PIN %s, PUK %s", event->path, kinds[event->kind],
           say_state (event, TOKEND_STATUS_PIN_STATE), say_state (event, TOKEND_STATUS_PUK_STATE));
  self->listener->event (event, self->user_data);
}

/* Asks again later, besides: nothing tells when the bus can start the service. */
static void
on_waiting (const GError *error, gboolean was_there, gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  if (was_there)
    return;
  g_info ("Cannot follow the tokens: %s", error->message);
  tokenctl_backoff_wait (&self->again);
}

static void
on_unread (const GError *error, gpointer user_data)
{
  g_info ("Cannot read a token's status: %s", error->message);
}

static void
on_complete (gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  if (self->failure != NULL)
    return;
  self->was_allowed = TRUE;
  tokenctl_backoff_reset (&self->again);
  self->listener->complete (self->user_data);
}

static void
try_again (gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  tokend_notify_follower_stop (self);
  connect_to_bus (self);
}

/* Asks again when the session becomes active, since polkit's answer is the same before. Asks again
 * later if the session was allowed: then polkit does not answer. */
static gboolean
on_gave_up (gpointer user_data)
{
  TokendNotifyFollower *self = user_data;
  g_autoptr (GError) error = g_steal_pointer (&self->failure);

  self->idle = 0;
  g_info ("Cannot follow the tokens: %s", error->message);
  g_clear_pointer (&self->monitor, tokenctl_monitor_free);
  if (!self->was_allowed && tokend_error_is_not_authorized (error)) {
    tokend_notify_follower_stop (self);
    return G_SOURCE_REMOVE;
  }
  tokenctl_backoff_wait (&self->again);
  return G_SOURCE_REMOVE;
}

static void
on_failed (const GError *error, gpointer user_data)
{
  TokendNotifyFollower *self = user_data;

  if (self->failure != NULL)
    return;
  self->failure = g_error_copy (error);
  self->idle = g_idle_add (on_gave_up, self);
}

static const TokenctlMonitorListener monitor_listener = { on_event, on_waiting, on_failed,
                                                          on_complete, on_unread };

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
    tokenctl_backoff_wait (&self->again);
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
    tokenctl_backoff_wait (&self->again);
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
 *
 * Returns: (transfer full): a follower that is not started
 */
TokendNotifyFollower *
tokend_notify_follower_new (const TokendNotifyFollowerListener *listener, gpointer user_data)
{
  TokendNotifyFollower *self = g_new0 (TokendNotifyFollower, 1);

  g_quark_to_string (TOKEND_ERROR); /* registers the errors' names */
  self->listener = listener;
  self->user_data = user_data;
  self->again = (TokenctlBackoff){
    .first = FIRST_DELAY, .last = LAST_DELAY, .func = try_again, .user_data = self
  };
  return self;
}

/**
 * tokend_notify_follower_start:
 *
 * Starts a stopped follower. Never makes polkit ask the person.
 */
void
tokend_notify_follower_start (TokendNotifyFollower *self)
{
  self->was_allowed = FALSE;
  tokenctl_backoff_reset (&self->again);
  connect_to_bus (self);
}

/**
 * tokend_notify_follower_stop:
 *
 * Asks for nothing and tells nothing until it is started again.
 */
void
tokend_notify_follower_stop (TokendNotifyFollower *self)
{
  g_cancellable_cancel (self->connecting);
  g_clear_object (&self->connecting);
  g_clear_handle_id (&self->idle, g_source_remove);
  tokenctl_backoff_stop (&self->again);
  g_clear_error (&self->failure);
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
