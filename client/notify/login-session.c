/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "login-session.h"

#define NAME "org.freedesktop.login1"

struct _TokendNotifyLoginSession {
  TokendNotifyLoginSessionListener listener;
  gpointer user_data;

  guint name_watch;
  GCancellable *asking; /* logind which session is ours; cancelled when logind vanishes */
  GDBusProxy *proxy;
  gboolean known; /* the listener was told */
  gboolean active;
};

static void
tell (TokendNotifyLoginSession *self, gboolean active)
{
  if (self->known && self->active == active)
    return;
  self->known = TRUE;
  self->active = active;
  self->listener (active, self->user_data);
}

/* Assumes that the person is there: without logind, or outside its sessions, nobody can tell. */
static void
assume_active (TokendNotifyLoginSession *self)
{
  if (!self->known)
    tell (self, TRUE);
}

static void
look (TokendNotifyLoginSession *self)
{
  g_autoptr (GVariant) active = g_dbus_proxy_get_cached_property (self->proxy, "Active");

  if (active != NULL && g_variant_is_of_type (active, G_VARIANT_TYPE_BOOLEAN))
    tell (self, g_variant_get_boolean (active));
  else
    assume_active (self);
}

static void
on_proxy (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GDBusProxy *proxy = g_dbus_proxy_new_finish (result, &error);
  TokendNotifyLoginSession *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (proxy == NULL) {
    assume_active (self);
    return;
  }
  self->proxy = proxy;
  g_signal_connect_swapped (proxy, "g-properties-changed", G_CALLBACK (look), self);
  look (self);
}

static void
on_session (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *connection = G_DBUS_CONNECTION (source);
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (connection, result, &error);
  TokendNotifyLoginSession *self = user_data;
  const char *path;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (reply == NULL) {
    assume_active (self);
    return;
  }
  g_variant_get (reply, "(&o)", &path);
  g_dbus_proxy_new (connection, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, NULL, NAME, path,
                    NAME ".Session", self->asking, on_proxy, self);
}

static void
forget (TokendNotifyLoginSession *self)
{
  g_cancellable_cancel (self->asking);
  g_clear_object (&self->asking);
  if (self->proxy != NULL)
    g_signal_handlers_disconnect_by_data (self->proxy, self);
  g_clear_object (&self->proxy);
}

/* Asks for "auto", the session that the user sees: a program that a user's service manager starts
 * is in no session. */
static void
on_appeared (GDBusConnection *connection, const char *name, const char *owner, gpointer user_data)
{
  TokendNotifyLoginSession *self = user_data;
  const char *id = g_getenv ("XDG_SESSION_ID");

  forget (self);
  self->asking = g_cancellable_new ();
  g_dbus_connection_call (connection, NAME, "/org/freedesktop/login1", NAME ".Manager",
                          "GetSession", g_variant_new ("(s)", id != NULL ? id : "auto"),
                          G_VARIANT_TYPE ("(o)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->asking,
                          on_session, self);
}

static void
on_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  forget (user_data);
  assume_active (user_data);
}

/**
 * tokend_notify_login_session_new:
 * @listener: is told soon, and then at each change
 *
 * Returns: (transfer full): a watch over the session that this process belongs to
 */
TokendNotifyLoginSession *
tokend_notify_login_session_new (TokendNotifyLoginSessionListener listener, gpointer user_data)
{
  TokendNotifyLoginSession *self = g_new0 (TokendNotifyLoginSession, 1);

  self->listener = listener;
  self->user_data = user_data;
  self->name_watch = g_bus_watch_name (G_BUS_TYPE_SYSTEM, NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                       on_appeared, on_vanished, self, NULL);
  return self;
}

void
tokend_notify_login_session_free (TokendNotifyLoginSession *self)
{
  g_bus_unwatch_name (self->name_watch);
  forget (self);
  g_free (self);
}
