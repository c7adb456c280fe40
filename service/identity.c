/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "identity.h"

#define BUS "org.freedesktop.DBus"
#define LOGIND "org.freedesktop.login1"

/* Of each of the three questions. */
#define TIMEOUT_MS 2000

static void
ask (GTask *task, const char *destination, const char *path, const char *interface,
     const char *method, GVariant *arguments, const char *type, GAsyncReadyCallback callback)
{
  g_dbus_connection_call (g_task_get_source_object (task), destination, path, interface, method,
                          arguments, G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NO_AUTO_START,
                          TIMEOUT_MS, NULL, callback, task);
}

static void
finish (GTask *task)
{
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* Process numbers are used again: a session that is another user's came of one that had ended. */
static void
on_session (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  TokendIdentity *identity = g_task_get_task_data (task);
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) properties = NULL;
  guint uid;
  const char *id;

  if (reply != NULL) {
    properties = g_variant_get_child_value (reply, 0);
    if (g_variant_lookup (properties, "User", "(u&o)", &uid, NULL) && uid == identity->uid
        && g_variant_lookup (properties, "Id", "&s", &id))
      identity->session = g_strdup (id);
  }
  finish (task);
}

static void
on_session_path (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  const char *path;

  if (reply == NULL) {
    finish (task);
    return;
  }
  g_variant_get (reply, "(&o)", &path);
  ask (task, LOGIND, path, "org.freedesktop.DBus.Properties", "GetAll",
       g_variant_new ("(s)", LOGIND ".Session"), "(a{sv})", on_session);
}

static void
on_credentials (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  TokendIdentity *identity = g_task_get_task_data (task);
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) credentials = NULL;

  if (reply != NULL) {
    credentials = g_variant_get_child_value (reply, 0);
    identity->known = g_variant_lookup (credentials, "UnixUserID", "u", &identity->uid)
                      && g_variant_lookup (credentials, "ProcessID", "u", &identity->pid);
  }
  if (identity->known)
    ask (task, LOGIND, "/org/freedesktop/login1", LOGIND ".Manager", "GetSessionByPID",
         g_variant_new ("(u)", identity->pid), "(o)", on_session_path);
  else
    finish (task);
}

/**
 * tokend_identity_look_up:
 * @identity: empty; filled in piece by piece until @callback is called, soon and in 6 seconds at the
 *   latest. Only its session is to be freed.
 * @bus: the system bus.
 * @name: a unique name on it, which may be gone by now.
 *
 * Asks the bus for the user and the process, and logind, where there is one, for the session.
 */
void
tokend_identity_look_up (TokendIdentity *identity, GDBusConnection *bus, const char *name,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (bus, NULL, callback, user_data);

  g_task_set_task_data (task, identity, NULL);
  ask (task, BUS, "/org/freedesktop/DBus", BUS, "GetConnectionCredentials",
       g_variant_new ("(s)", name), "(a{sv})", on_credentials);
}
