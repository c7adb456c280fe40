/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "identity.h"

#include "callers.h"

#define LOGIND "org.freedesktop.login1"

/* The deadline of each question. */
#define TIMEOUT_MS 2000

static void
ask (GTask *task, const char *path, const char *interface, const char *method, GVariant *arguments,
     const char *type, GAsyncReadyCallback callback)
{
  g_dbus_connection_call (g_task_get_source_object (task), LOGIND, path, interface, method,
                          arguments, G_VARIANT_TYPE (type), G_DBUS_CALL_FLAGS_NO_AUTO_START,
                          TIMEOUT_MS, NULL, callback, task);
}

static void
finish (GTask *task)
{
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* Ignores a session of another user: process numbers are used again. */
static GVariant *
take_session (TokendIdentity *identity, GAsyncResult *result, GObject *source)
{
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) properties = NULL;
  gboolean is_active;
  guint uid;

  if (reply == NULL)
    return NULL;
  properties = g_variant_get_child_value (reply, 0);
  if (!g_variant_lookup (properties, "User", "(u&o)", &uid, NULL))
    return NULL;
  if (uid != identity->uid) {
    identity->presence = TOKEND_PRESENCE_NONE;
    return NULL;
  }
  if (g_variant_lookup (properties, "Active", "b", &is_active))
    identity->presence = is_active ? TOKEND_PRESENCE_ACTIVE : TOKEND_PRESENCE_NONE;
  g_variant_lookup (properties, "Id", "s", &identity->desktop);
  return g_steal_pointer (&properties);
}

/* Tells whether logind itself answered, and not the bus in its place. */
static gboolean
is_said_by_logind (const GError *error)
{
  g_autofree char *problem = g_dbus_error_get_remote_error (error);

  return problem != NULL && g_str_has_prefix (problem, LOGIND ".");
}

/* Tells whether there is no logind on this machine. */
static gboolean
is_not_there (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

static void
take_none (GTask *task)
{
  TokendIdentity *identity = g_task_get_task_data (task);

  identity->presence = TOKEND_PRESENCE_NONE;
}

static void
on_session (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  TokendIdentity *identity = g_task_get_task_data (task);
  g_autoptr (GVariant) properties = take_session (identity, result, source);

  if (properties != NULL)
    identity->session = g_strdup (identity->desktop);
  finish (task);
}

static void
on_display (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  g_autoptr (GVariant) properties = take_session (g_task_get_task_data (task), result, source);

  finish (task);
}

static void
ask_properties (GTask *task, const char *path, const char *interface, GAsyncReadyCallback callback)
{
  ask (task, path, "org.freedesktop.DBus.Properties", "GetAll", g_variant_new ("(s)", interface),
       "(a{sv})", callback);
}

static void
on_user (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GVariant) properties =
      reply != NULL ? g_variant_get_child_value (reply, 0) : g_variant_new ("a{sv}", NULL);
  const char *id, *path;

  if (g_variant_lookup (properties, "Display", "(&s&o)", &id, &path)) {
    if (*id != '\0') {
      ask_properties (task, path, LOGIND ".Session", on_display);
      return;
    }
    take_none (task);
  }
  finish (task);
}

static void
on_user_path (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  const char *path;

  if (reply == NULL) {
    if (is_said_by_logind (error))
      take_none (task);
    finish (task);
    return;
  }
  g_variant_get (reply, "(&o)", &path);
  ask_properties (task, path, LOGIND ".User", on_user);
}

/* A process that a user's service manager started is in no session. polkit then goes by the session
 * that shows the user's desktop, and so does this. */
static void
on_session_path (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GTask *task = user_data;
  const TokendIdentity *identity = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  const char *path;

  if (reply != NULL) {
    g_variant_get (reply, "(&o)", &path);
    ask_properties (task, path, LOGIND ".Session", on_session);
  } else if (is_said_by_logind (error)) {
    ask (task, "/org/freedesktop/login1", LOGIND ".Manager", "GetUser",
         g_variant_new ("(u)", identity->uid), "(o)", on_user_path);
  } else {
    if (is_not_there (error))
      take_none (task);
    finish (task);
  }
}

static void
on_credentials (TokendCaller *caller, gpointer user_data)
{
  GTask *task = user_data;
  TokendIdentity *identity = g_task_get_task_data (task);

  if (!caller->is_known || caller->pid == 0) {
    finish (task);
    return;
  }
  identity->known = TRUE;
  identity->uid = caller->uid;
  identity->pid = caller->pid;
  ask (task, "/org/freedesktop/login1", LOGIND ".Manager", "GetSessionByPID",
       g_variant_new ("(u)", identity->pid), "(o)", on_session_path);
}

/**
 * tokend_identity_look_up:
 * @identity: empty; filled in until @callback is called, in 8 seconds after @caller is known at the
 *   latest. To be cleared with tokend_identity_clear().
 * @bus: the system bus.
 * @caller: is not released before @callback is called; may have left.
 *
 * Asks logind, if there is one, for the session.
 */
void
tokend_identity_look_up (TokendIdentity *identity, GDBusConnection *bus, TokendCaller *caller,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (bus, NULL, callback, user_data);

  g_task_set_task_data (task, identity, NULL);
  tokend_caller_ask_credentials (caller, on_credentials, task);
}

/**
 * tokend_identity_clear:
 *
 * Clears @identity, which must not be being looked up.
 */
void
tokend_identity_clear (TokendIdentity *identity)
{
  g_free (identity->session);
  g_free (identity->desktop);
  *identity = (TokendIdentity){ 0 };
}

/**
 * tokend_identity_look_again:
 * @self: who called.
 * @later: the same connection after a person had been asked.
 *
 * Counts the session as active if it was at either time.
 */
void
tokend_identity_look_again (TokendIdentity *self, const TokendIdentity *later)
{
  if (self->presence == TOKEND_PRESENCE_ACTIVE || later->presence == TOKEND_PRESENCE_NONE)
    return;
  self->presence = later->presence;
  g_free (self->desktop);
  self->desktop = g_strdup (later->desktop);
}

/**
 * tokend_identity_has_lapsed:
 * @then: who opened an operation.
 * @now: the same connection now.
 *
 * Returns: whether another person may be in front of the machine now: the session was active, or
 *   may have been, and now is not, or is not known to be.
 */
gboolean
tokend_identity_has_lapsed (const TokendIdentity *then, const TokendIdentity *now)
{
  if (then->presence == TOKEND_PRESENCE_NONE)
    return FALSE;
  if (now->presence != TOKEND_PRESENCE_ACTIVE)
    return TRUE;
  return then->presence == TOKEND_PRESENCE_ACTIVE && g_strcmp0 (then->desktop, now->desktop) != 0;
}
