/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"

#include "config.h"
#include "enum-nick.h"
#include "host-relay-private.h"
#include "printable.h"
#include "tokend-enums.h"
#include "tokend-error.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gi18n.h>
#include <string.h>

/* OpenSC takes up to 2 s to initialise; a module that takes longer than this hangs. */
#define START_TIMEOUT_SECONDS 10
#define READ_TIMEOUT_MS 5000
#define ERROR_MAX_BYTES 300

struct _TokendHost {
  GObject parent_instance;

  GDBusConnection *connection;
  TokendDbusModule1 *module;
  TokendDbusModule1Operation *operation;
  /* See Read in org.tokend.Module1.xml; of the last one. */
  TokendDoubt doubt;
  GStrv unknown_readers;
};

G_DEFINE_FINAL_TYPE (TokendHost, tokend_host, G_TYPE_OBJECT)

enum {
  SIGNAL_CLOSED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void
tokend_host_init (TokendHost *self)
{
}

static void
tokend_host_dispose (GObject *object)
{
  TokendHost *self = TOKEND_HOST (object);

  tokend_host_close (self);
  g_clear_object (&self->module);
  g_clear_object (&self->operation);
  g_clear_object (&self->connection);
  g_clear_pointer (&self->unknown_readers, g_strfreev);
  G_OBJECT_CLASS (tokend_host_parent_class)->dispose (object);
}

static void
tokend_host_class_init (TokendHostClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tokend_host_dispose;
  signals[SIGNAL_CLOSED] = g_signal_new ("closed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                         NULL, NULL, NULL, G_TYPE_NONE, 0);
}

typedef struct {
  char *module_path;
  GVariant *environment;
  TokendWatchMethod watch_method;
  char *reader;
  GVariant *questions;
  TokendHost *host;
  GCancellable *cancellable; /* the deadline passed, or who asked us cancelled */
  guint deadline;
  gboolean overdue;
} Start;

static void
start_free (gpointer data)
{
  Start *start = data;

  g_free (start->module_path);
  g_free (start->reader);
  g_variant_unref (start->environment);
  g_variant_unref (start->questions);
  g_clear_object (&start->host);
  g_clear_handle_id (&start->deadline, g_source_remove);
  g_clear_object (&start->cancellable);
  g_free (start);
}

static gboolean
on_overdue (gpointer user_data)
{
  Start *start = user_data;

  start->deadline = 0;
  start->overdue = TRUE;
  g_cancellable_cancel (start->cancellable);
  return G_SOURCE_REMOVE;
}

/* Takes over @error. */
static void
fail_start (GTask *task, GError *error)
{
  Start *start = g_task_get_task_data (task);

  if (start->overdue) {
    g_error_free (error);
    error =
        g_error_new (TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT,
                     "The PKCS#11 module was not loaded within %d seconds", START_TIMEOUT_SECONDS);
  }
  tokend_host_normalise_error (error, FALSE);
  g_task_return_error (task, error);
}

static void
on_closed (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error,
           gpointer user_data)
{
  g_signal_emit (user_data, signals[SIGNAL_CLOSED], 0);
}

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Start *start = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GVariant) info = NULL;

  if (!tokend_dbus_module1_call_load_finish (TOKEND_DBUS_MODULE1 (source), &info, result, &error)) {
    fail_start (task, error);
    return;
  }
  g_task_return_pointer (task, g_steal_pointer (&start->host), g_object_unref);
}

/* Makes proxies without a name or properties, which sends nothing and waits for nothing. */
static gboolean
make_proxies (TokendHost *self, GError **error)
{
  const GDBusProxyFlags flags =
      G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS;

  self->module = tokend_dbus_module1_proxy_new_sync (self->connection, flags, NULL,
                                                     TOKEND_MODULE_OBJECT_PATH, NULL, error);
  if (self->module == NULL)
    return FALSE;
  self->operation = tokend_dbus_module1_operation_proxy_new_sync (
      self->connection, flags, NULL, TOKEND_MODULE_OBJECT_PATH, NULL, error);
  return self->operation != NULL;
}

static void
on_authenticated (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Start *start = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_finish (result, &error);

  if (connection != NULL) {
    start->host = g_object_new (TOKEND_TYPE_HOST, NULL);
    start->host->connection = g_steal_pointer (&connection);
    g_signal_connect_object (start->host->connection, "closed", G_CALLBACK (on_closed), start->host,
                             0);
  }
  if (start->host == NULL || !make_proxies (start->host, &error)) {
    fail_start (task, error);
    return;
  }
  tokend_dbus_module1_call_load (
      start->host->module, start->module_path, start->environment,
      tokend_enum_get_nick (TOKEND_TYPE_WATCH_METHOD, (int) start->watch_method), start->reader,
      start->questions, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, start->cancellable, on_loaded,
      g_object_ref (task));
}

/* Checks who listens, which the kernel tells. With socket activation it is the supervisor, root, so
 * that nobody else can be at the other end, whatever the folder's mode. */
static gboolean
check_listener (GSocketConnection *stream, GError **error)
{
  GSocket *socket = g_socket_connection_get_socket (stream);
  g_autoptr (GCredentials) credentials = g_socket_get_credentials (socket, error);
  uid_t uid;

  if (credentials == NULL || (uid = g_credentials_get_unix_user (credentials, error)) == (uid_t) -1)
    return FALSE;
  if (uid != 0) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                 "The module host's socket belongs to user %u, not to root", (guint) uid);
    return FALSE;
  }
  return TRUE;
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Start *start = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GSocketConnection) stream =
      g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);

  g_autoptr (GSocketConnection) relayed = NULL;

  if (stream == NULL || !check_listener (stream, &error)
      || (relayed = tokend_host_relay_new (stream, &error)) == NULL) {
    fail_start (task, error);
    return;
  }
  g_dbus_connection_new (G_IO_STREAM (relayed), NULL, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT,
                         NULL, start->cancellable, on_authenticated, g_object_ref (task));
}

static GVariant *
environment_to_variant (GHashTable *environment)
{
  GVariantBuilder builder;
  GHashTableIter iter;
  gpointer name, value;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{ss}"));
  if (environment != NULL) {
    g_hash_table_iter_init (&iter, environment);
    while (g_hash_table_iter_next (&iter, &name, &value))
      g_variant_builder_add (&builder, "{ss}", name, value);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

/**
 * tokend_host_start_async:
 * @kind: which kind of host.
 * @module_path: the module that it is to load.
 * @environment: (nullable): of char * → char *.
 * @watch_method: how a watching host notices that a token was used.
 * @reader: (nullable): the only reader of pcscd that the module is to know of, where it can be told
 *   so.
 * @questions: (transfer floating): see tokend_profiles_list_questions().
 * @cancellable: gives up at once.
 *
 * Connects to a host of its own and has it load the module, within 10 seconds.
 */
void
tokend_host_start_async (TokendHostKind kind, const char *module_path, GHashTable *environment,
                         TokendWatchMethod watch_method, const char *reader, GVariant *questions,
                         GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  static const char *const sockets[] = {
    [TOKEND_HOST_WATCH] = TOKEND_RUN_DIR "/" TOKEND_WATCH_SOCKET,
    [TOKEND_HOST_OPERATE] = TOKEND_RUN_DIR "/" TOKEND_OPERATE_SOCKET,
  };
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (sockets[kind]);
  Start *start = g_new0 (Start, 1);

  start->cancellable = g_cancellable_new ();
  start->deadline = g_timeout_add_seconds (START_TIMEOUT_SECONDS, on_overdue, start);
  g_signal_connect_object (cancellable, "cancelled", G_CALLBACK (g_cancellable_cancel),
                           start->cancellable, G_CONNECT_SWAPPED);
  if (g_cancellable_is_cancelled (cancellable))
    g_cancellable_cancel (start->cancellable);
  start->module_path = g_strdup (module_path);
  start->environment = environment_to_variant (environment);
  start->watch_method = watch_method;
  start->reader = g_strdup (reader != NULL ? reader : "");
  start->questions = g_variant_ref_sink (questions);
  g_task_set_task_data (task, start, start_free);
  g_socket_client_connect_async (client, G_SOCKET_CONNECTABLE (address), start->cancellable,
                                 on_connected, g_object_ref (task));
}

/**
 * tokend_host_start_finish:
 * @error: ModuleFailed or TimedOut.
 *
 * Returns: (transfer full) (nullable): the host, with its module loaded.
 */
TokendHost *
tokend_host_start_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static GPtrArray *
parse_readings (GVariant *variant, GError **error)
{
  g_autoptr (GPtrArray) readings =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_reading_free);
  gsize n_tokens = MIN (g_variant_n_children (variant), TOKEND_MODULE_TOKENS_MAX);

  for (gsize i = 0; i < n_tokens; i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
    TokendReading *reading = tokend_reading_parse (child, error);

    if (reading == NULL)
      return NULL;
    g_ptr_array_add (readings, reading);
  }
  return g_steal_pointer (&readings);
}

static gboolean
parse_doubt (const char *nick, TokendDoubt *doubt, GError **error)
{
  if (tokend_enum_parse (TOKEND_TYPE_DOUBT, nick, doubt))
    return TRUE;
  g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                       "The module host gives a doubt that is none");
  return FALSE;
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GVariant) tokens = NULL;
  g_autofree char *doubt = NULL;
  GError *error = NULL;
  GPtrArray *readings = NULL;
  TokendHost *self = g_task_get_source_object (task);

  g_clear_pointer (&self->unknown_readers, g_strfreev);
  if (tokend_dbus_module1_call_read_finish (TOKEND_DBUS_MODULE1 (source), &tokens, &doubt,
                                            &self->unknown_readers, result, &error)
      && parse_doubt (doubt, &self->doubt, &error))
    readings = parse_readings (tokens, &error);
  if (readings != NULL) {
    g_task_return_pointer (task, readings, (GDestroyNotify) g_ptr_array_unref);
  } else {
    tokend_host_normalise_error (error, FALSE);
    g_task_return_error (task, error);
  }
}

/**
 * tokend_host_read_async:
 * @all: whether to read also tokens that nobody has used since the last read, where the host can
 *   tell.
 *
 * Reads the tokens, in 5 seconds at most.
 */
void
tokend_host_read_async (TokendHost *self, gboolean all, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  tokend_dbus_module1_call_read (self->module, all, G_DBUS_CALL_FLAGS_NONE, READ_TIMEOUT_MS,
                                 cancellable, on_read, task);
}

/**
 * tokend_host_read_finish:
 * @error: ModuleFailed, TokenRemoved, TimedOut or Busy.
 *
 * Returns: (transfer full) (element-type TokendReading) (nullable): the readings.
 */
GPtrArray *
tokend_host_read_finish (TokendHost *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * tokend_host_get_doubt:
 *
 * Returns: why there may have been tokens that the last read did not tell of.
 */
TokendDoubt
tokend_host_get_doubt (TokendHost *self)
{
  return self->doubt;
}

/**
 * tokend_host_get_unknown_readers:
 *
 * Returns: (transfer none) (nullable): the readers in which the last read met a card that is no
 *   token to the module.
 */
const char *const *
tokend_host_get_unknown_readers (TokendHost *self)
{
  return (const char *const *) self->unknown_readers;
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;

  if (tokend_dbus_module1_call_wait_for_change_finish (TOKEND_DBUS_MODULE1 (source), result,
                                                       &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * tokend_host_wait_async:
 *
 * Waits until a token may have changed, which may be never; see org.tokend.Module1.xml.
 */
void
tokend_host_wait_async (TokendHost *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data)
{
  GTask *task = g_task_new (self, cancellable, callback, user_data);

  tokend_dbus_module1_call_wait_for_change (self->module, G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
                                            cancellable, on_waited, task);
}

/**
 * tokend_host_wait_finish:
 * @error: NotSupported: the module never tells; any other: not now.
 *
 * Returns: whether a read can tell what has changed, as far as the host can be believed
 */
gboolean
tokend_host_wait_finish (TokendHost *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/** tokend_host_stop_waiting: tells it to look for no more changes, see org.tokend.Module1.xml. */
void
tokend_host_stop_waiting (TokendHost *self)
{
  tokend_dbus_module1_call_stop_waiting (self->module, G_DBUS_CALL_FLAGS_NONE, READ_TIMEOUT_MS,
                                         NULL, NULL, NULL);
}

/**
 * tokend_host_get_operation:
 *
 * Returns: (transfer none): the operating host's second interface.
 */
TokendDbusModule1Operation *
tokend_host_get_operation (TokendHost *self)
{
  return self->operation;
}

/**
 * tokend_host_is_open:
 *
 * Returns: whether the host is still there, as far as is known.
 */
gboolean
tokend_host_is_open (TokendHost *self)
{
  return !g_dbus_connection_is_closed (self->connection);
}

static void
on_ended (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error,
          gpointer user_data)
{
  g_object_unref (connection);
}

/* Lets the pending read end by itself, and keeps the connection until then.
 * g_dbus_connection_close() would cancel the read. If the host ends at that moment, as it does when
 * it has answered, GLib loses the source that was to see the cancellation, and its thread polls for
 * ever after. */
static void
end_connection (GDBusConnection *connection)
{
  GIOStream *stream = g_dbus_connection_get_stream (connection);

  if (g_dbus_connection_is_closed (connection))
    return;
  g_signal_connect (g_object_ref (connection), "closed", G_CALLBACK (on_ended), NULL);
  g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)), TRUE, TRUE,
                     NULL);
}

/**
 * tokend_host_close:
 *
 * Ends the conversation, and with it the host's process. Emits `closed` no more.
 */
void
tokend_host_close (TokendHost *self)
{
  if (self->connection == NULL)
    return;
  g_signal_handlers_disconnect_by_func (self->connection, on_closed, self);
  end_connection (self->connection);
}

static gboolean
may_answer (int code, gboolean prepares)
{
  switch (code) {
  case TOKEND_ERROR_BUSY:
  case TOKEND_ERROR_MODULE_FAILED:
  case TOKEND_ERROR_TIMED_OUT:
  case TOKEND_ERROR_TOKEN_REMOVED:
    return TRUE;
  case TOKEND_ERROR_INVALID_ARGS:
  case TOKEND_ERROR_PIN_POLICY:
  case TOKEND_ERROR_NOT_FOUND:
  case TOKEND_ERROR_NOT_SUPPORTED:
    return prepares;
  default:
    return FALSE;
  }
}

static char *
make_short (const char *message)
{
  g_autoptr (GBytes) bytes = g_bytes_new (message, strnlen (message, ERROR_MAX_BYTES));

  return tokend_printable (bytes);
}

/**
 * tokend_host_normalise_error:
 * @error: what a call to a host answered: hostile input.
 * @prepares: whether the call was Prepare, which has more answers than the others.
 *
 * Turns @error into a #TokendError that the call can have, with a text that is fit to be shown. A
 * deadline becomes TimedOut, and a cancelled call stays as it is. Everything else becomes
 * ModuleFailed: the host died, or spoke nonsense.
 */
void
tokend_host_normalise_error (GError *error, gboolean prepares)
{
  g_autofree char *message = NULL;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  g_dbus_error_strip_remote_error (error);
  message = g_steal_pointer (&error->message);
  if (error->domain == TOKEND_ERROR && may_answer (error->code, prepares)) {
    error->message = make_short (message);
  } else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)
             || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY)) {
    error->code = TOKEND_ERROR_TIMED_OUT;
    error->message = g_strdup (N_ ("The PKCS#11 module did not answer in time"));
  } else {
    g_autofree char *reason = make_short (message);

    error->code = TOKEND_ERROR_MODULE_FAILED;
    error->message = g_strconcat ("The module host failed: ", reason, NULL);
  }
  error->domain = TOKEND_ERROR;
}
