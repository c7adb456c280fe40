/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "monitor.h"

#include "backoff.h"
#include "bus.h"
#include "exit-code.h"
#include "tokend-error.h"

/* How often the service may vanish before it accepts a subscription, until it is not started any
 * more. */
#define VANISHED_MAX 3
/* The first delay after a status that could not be read, or after the service could not be started
 * again, in seconds. The service tells when a token can be read again, but not when it has room for
 * one more call, and the bus not when it can start a service. */
#define FIRST_DELAY 2
#define LAST_DELAY 300

/* An object on the bus. Its status is NULL until it was read. */
typedef struct {
  TokenctlMonitor *monitor;
  char *path;
  GVariant *status;
  gboolean told;
  GCancellable *reading; /* while its status is being read */
  gboolean read_again;
  TokenctlBackoff later; /* tries again to read the status */
} Watched;

struct _TokenctlMonitor {
  GDBusConnection *connection;
  GDBusCallFlags flags;
  const TokenctlMonitorListener *listener;
  gpointer user_data;

  guint name_watch;
  guint signals[2];
  GCancellable *generation; /* of the present owner of the bus name; cancelled when it vanishes */
  gboolean subscribing;
  gboolean had_service;  /* at any time */
  gboolean is_waiting;   /* for one that it had */
  guint vanished;        /* since the last subscription */
  TokenctlBackoff again; /* tries again to start the service */

  GHashTable *watched; /* path → Watched */
  GPtrArray
      *former; /* of Watched: the tokens of the last owner, until it is known what became of them */
  guint n_reading;
};

static void
stop_reading (Watched *watched)
{
  tokenctl_backoff_stop (&watched->later);
  if (watched->reading == NULL)
    return;
  g_cancellable_cancel (watched->reading);
  g_clear_object (&watched->reading);
  watched->monitor->n_reading--;
}

static void
watched_free (gpointer data)
{
  Watched *watched = data;

  stop_reading (watched);
  g_free (watched->path);
  g_clear_pointer (&watched->status, g_variant_unref);
  g_free (watched);
}

static void
tell (TokenctlMonitor *self, TokenctlEventKind kind, Watched *watched, GVariant *before)
{
  TokenctlEvent event = { kind, watched->path, before, watched->status };

  self->listener->event (&event, self->user_data);
}

/* Returns what the service showed of this token and module before its restart, or NULL. */
static GVariant *
take_former_status (TokenctlMonitor *self, GVariant *status)
{
  for (guint i = 0; i < self->former->len; i++) {
    Watched *former = self->former->pdata[i];
    TokenctlToken old = { former->path, former->status };
    TokenctlToken new = { NULL, status };

    if (tokenctl_token_is_same_view (&old, &new)) {
      GVariant *found = g_steal_pointer (&former->status);

      g_ptr_array_remove_index (self->former, i);
      return found;
    }
  }
  return NULL;
}

static void
tell_complete (TokenctlMonitor *self)
{
  if (self->subscribing || self->n_reading > 0)
    return;
  for (guint i = 0; i < self->former->len; i++)
    tell (self, TOKENCTL_EVENT_REMOVED, self->former->pdata[i], NULL);
  g_ptr_array_set_size (self->former, 0);
  if (self->listener->complete != NULL)
    self->listener->complete (self->user_data);
}

static void
take_status (Watched *watched, GVariant *status)
{
  TokenctlMonitor *self = watched->monitor;
  g_autoptr (GVariant) before = g_steal_pointer (&watched->status);

  if (before == NULL)
    before = take_former_status (self, status);

  watched->status = g_variant_ref (status);
  if (before == NULL)
    tell (self, TOKENCTL_EVENT_ADDED, watched, NULL);
  else if (tokenctl_event_is_worth_telling (before, status))
    tell (self, TOKENCTL_EVENT_CHANGED, watched, before);
  watched->told = TRUE;
}

/* Tries again later: nothing would tell that the status can be read. */
static void
take_failure (Watched *watched, const GError *error)
{
  TokenctlMonitor *self = watched->monitor;

  /* A signal tells of that. */
  if (tokenctl_bus_has_left (error))
    return;
  if (tokend_error_is_not_authorized (error)) {
    self->listener->failed (error, self->user_data);
    return;
  }
  if (self->listener->unread != NULL)
    self->listener->unread (error, self->user_data);
  /* A service that leaves tells so by a signal. */
  if (!watched->told && !g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)) {
    tell (self, TOKENCTL_EVENT_ADDED, watched, NULL);
    watched->told = TRUE;
  }
  tokenctl_backoff_wait (&watched->later);
}

static void read_status (Watched *watched);

static void
on_status (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GVariant) status = NULL;
  Watched *watched = user_data;
  TokenctlMonitor *self;

  /* Only stop_reading() cancels, and @user_data may be gone. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;

  self = watched->monitor;
  self->n_reading--;
  g_clear_object (&watched->reading);
  if (reply != NULL) {
    g_variant_get (reply, "(@a{sv})", &status);
    tokenctl_backoff_reset (&watched->later);
    take_status (watched, status);
  } else {
    take_failure (watched, error);
  }

  if (watched->read_again)
    read_status (watched);
  tell_complete (self);
}

static void
read_status (Watched *watched)
{
  TokenctlMonitor *self = watched->monitor;

  watched->read_again = watched->reading != NULL;
  if (watched->read_again)
    return;

  tokenctl_backoff_stop (&watched->later);
  self->n_reading++;
  watched->reading = g_cancellable_new ();
  g_dbus_connection_call (self->connection, TOKEND_BUS_NAME, watched->path,
                          TOKENCTL_TOKEN_INTERFACE, "GetStatus", NULL, G_VARIANT_TYPE ("(a{sv})"),
                          self->flags, TOKENCTL_NO_TIMEOUT, watched->reading, on_status, watched);
}

static void
read_later (gpointer user_data)
{
  read_status (user_data);
}

static void
watch_token (TokenctlMonitor *self, const char *path)
{
  Watched *watched;

  if (g_hash_table_contains (self->watched, path))
    return;
  watched = g_new0 (Watched, 1);
  watched->monitor = self;
  watched->path = g_strdup (path);
  watched->later = (TokenctlBackoff){
    .first = FIRST_DELAY, .last = LAST_DELAY, .func = read_later, .user_data = watched
  };
  g_hash_table_insert (self->watched, watched->path, watched);
  read_status (watched);
}

static void
lose_token (TokenctlMonitor *self, const char *path)
{
  Watched *watched = g_hash_table_lookup (self->watched, path);

  if (watched == NULL)
    return;
  if (watched->told || watched->status != NULL)
    tell (self, TOKENCTL_EVENT_REMOVED, watched, NULL);
  g_hash_table_remove (self->watched, path);
  tell_complete (self);
}

static gboolean
is_there (const char *path, GPtrArray *paths)
{
  return g_ptr_array_find_with_equal_func (paths, path, g_str_equal, NULL);
}

static void
take_list (TokenctlMonitor *self, GPtrArray *paths)
{
  g_autoptr (GList) known = g_hash_table_get_keys (self->watched);

  for (GList *l = known; l != NULL; l = l->next) {
    if (!is_there (l->data, paths))
      lose_token (self, l->data);
  }
  for (guint i = 0; i < paths->len; i++)
    watch_token (self, paths->pdata[i]);
}

/* Waits for a service that may be being upgraded, which is told once. One that was never there is
 * the listener's to wait for. */
static void
wait_for_service (TokenctlMonitor *self, const GError *error)
{
  const gboolean is_told = self->is_waiting;

  self->subscribing = FALSE;
  self->is_waiting = self->had_service;
  if (self->had_service)
    tokenctl_backoff_wait (&self->again);
  if (!is_told)
    self->listener->waiting (error, self->had_service, self->user_data);
}

/* Returns: whether to go on with the reply. */
static gboolean
check_reply (TokenctlMonitor *self, GVariant *reply, const GError *error)
{
  if (reply != NULL)
    return TRUE;
  if (tokenctl_service_is_missing (error))
    wait_for_service (self, error);
  else if (!g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY))
    self->listener->failed (error, self->user_data);
  return FALSE;
}

static void
on_list (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GPtrArray) paths = NULL;
  TokenctlMonitor *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || !check_reply (self, reply, error))
    return;

  paths = tokenctl_bus_list (reply);
  self->subscribing = FALSE;
  self->had_service = TRUE;
  self->is_waiting = FALSE;
  self->vanished = 0;
  tokenctl_backoff_reset (&self->again);
  take_list (self, paths);
  tell_complete (self);
}

static void
on_subscribed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  TokenctlMonitor *self = user_data;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || !check_reply (self, reply, error))
    return;

  g_dbus_connection_call (self->connection, TOKEND_BUS_NAME, TOKEND_OBJECT_PATH,
                          TOKENCTL_OBJECT_MANAGER_INTERFACE, "GetManagedObjects", NULL,
                          G_VARIANT_TYPE ("(a{oa{sa{sv}}})"), G_DBUS_CALL_FLAGS_NONE,
                          TOKENCTL_NO_TIMEOUT, self->generation, on_list, self);
}

/* Subscribes, which starts the service if need be. */
static void
subscribe (TokenctlMonitor *self)
{
  self->subscribing = TRUE;
  g_dbus_connection_call (self->connection, TOKEND_BUS_NAME, TOKEND_OBJECT_PATH,
                          TOKENCTL_MANAGER_INTERFACE, "Subscribe", NULL, G_VARIANT_TYPE_UNIT,
                          self->flags, TOKENCTL_NO_TIMEOUT, self->generation, on_subscribed, self);
}

static void
start_generation (TokenctlMonitor *self)
{
  tokenctl_backoff_stop (&self->again);
  g_cancellable_cancel (self->generation);
  g_clear_object (&self->generation);
  self->generation = g_cancellable_new ();
  subscribe (self);
}

static void
subscribe_again (gpointer user_data)
{
  start_generation (user_data);
}

static void
on_name_appeared (GDBusConnection *connection, const char *name, const char *owner,
                  gpointer user_data)
{
  TokenctlMonitor *self = user_data;

  /* The call that started it was a subscription. */
  if (!self->subscribing)
    start_generation (self);
}

static void
keep_as_former (TokenctlMonitor *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->watched);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Watched *watched = value;

    g_hash_table_iter_steal (&iter);
    stop_reading (watched);
    if (watched->status != NULL)
      g_ptr_array_add (self->former, watched);
    else
      watched_free (watched);
  }
}

static void
on_name_vanished (GDBusConnection *connection, const char *name, gpointer user_data)
{
  TokenctlMonitor *self = user_data;
  g_autoptr (GError) error = NULL;

  keep_as_former (self);
  if (connection != NULL && ++self->vanished <= VANISHED_MAX) {
    start_generation (self);
    return;
  }
  g_set_error_literal (&error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER, "");
  if (connection != NULL)
    wait_for_service (self, error);
  else
    self->listener->failed (error, self->user_data);
}

static void
on_token_signal (GDBusConnection *connection, const char *sender, const char *path,
                 const char *interface, const char *signal, GVariant *parameters,
                 gpointer user_data)
{
  TokenctlMonitor *self = user_data;
  Watched *watched = g_hash_table_lookup (self->watched, path);

  if (watched != NULL && g_str_equal (signal, "StatusChanged"))
    read_status (watched);
}

static void
on_manager_signal (GDBusConnection *connection, const char *sender, const char *path,
                   const char *interface, const char *signal, GVariant *parameters,
                   gpointer user_data)
{
  TokenctlMonitor *self = user_data;
  g_autoptr (GVariant) interfaces = NULL;
  g_autofree const char **names = NULL;
  const char *object;

  if (g_str_equal (signal, "InterfacesAdded")
      && g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(oa{sa{sv}})"))) {
    g_autoptr (GVariant) token = NULL;

    g_variant_get (parameters, "(&o@a{sa{sv}})", &object, &interfaces);
    token = g_variant_lookup_value (interfaces, TOKENCTL_TOKEN_INTERFACE, NULL);
    if (token != NULL)
      watch_token (self, object);
  } else if (g_str_equal (signal, "InterfacesRemoved")
             && g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(oas)"))) {
    g_variant_get (parameters, "(&o@as)", &object, &interfaces);
    names = g_variant_get_strv (interfaces, NULL);
    if (g_strv_contains (names, TOKENCTL_TOKEN_INTERFACE))
      lose_token (self, object);
  }
}

/**
 * tokenctl_monitor_new:
 * @connection: the system bus
 * @flags: of the calls for which polkit may ask the person
 * @listener: (transfer none): whom to tell; must outlive the monitor
 *
 * Returns: (transfer full): a monitor that lives in the thread's default main context
 */
TokenctlMonitor *
tokenctl_monitor_new (GDBusConnection *connection, GDBusCallFlags flags,
                      const TokenctlMonitorListener *listener, gpointer user_data)
{
  TokenctlMonitor *self = g_new0 (TokenctlMonitor, 1);

  self->connection = g_object_ref (connection);
  self->flags = flags;
  self->listener = listener;
  self->user_data = user_data;
  self->watched = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, watched_free);
  self->former = g_ptr_array_new_with_free_func (watched_free);
  self->again = (TokenctlBackoff){
    .first = FIRST_DELAY, .last = LAST_DELAY, .func = subscribe_again, .user_data = self
  };

  self->signals[0] = g_dbus_connection_signal_subscribe (
      connection, TOKEND_BUS_NAME, TOKENCTL_TOKEN_INTERFACE, NULL, NULL, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, on_token_signal, self, NULL);
  self->signals[1] = g_dbus_connection_signal_subscribe (
      connection, TOKEND_BUS_NAME, TOKENCTL_OBJECT_MANAGER_INTERFACE, NULL, TOKEND_OBJECT_PATH,
      NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_manager_signal, self, NULL);
  self->name_watch =
      g_bus_watch_name_on_connection (connection, TOKEND_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                      on_name_appeared, on_name_vanished, self, NULL);
  return self;
}

void
tokenctl_monitor_free (TokenctlMonitor *self)
{
  g_bus_unwatch_name (self->name_watch);
  for (gsize i = 0; i < G_N_ELEMENTS (self->signals); i++)
    g_dbus_connection_signal_unsubscribe (self->connection, self->signals[i]);
  tokenctl_backoff_stop (&self->again);
  g_cancellable_cancel (self->generation);
  g_clear_object (&self->generation);
  g_hash_table_unref (self->watched);
  g_ptr_array_unref (self->former);
  g_object_unref (self->connection);
  g_free (self);
}
