/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The relay as the service has it: with GDBus at its near end. */
#include "relay-ends.h"

#include <gio/gunixfdlist.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* GDBus at the near end, or at both. */
typedef struct {
  GDBusConnection *client;
  GDBusConnection *server;
  gboolean is_client_closed;
  gboolean is_server_closed;
  gint n_seen; /* in GDBus's own thread */
} Buses;

static void
wait_until_true (const gboolean *condition)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE_MS * G_TIME_SPAN_MILLISECOND;

  while (!*condition && g_get_monotonic_time () < deadline)
    if (!g_main_context_iteration (NULL, FALSE))
      g_usleep (1000);
  g_assert_true (*condition);
}

static void
on_closed (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error, gpointer data)
{
  *(gboolean *) data = TRUE;
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  GDBusConnection **connection = data;
  g_autoptr (GError) error = NULL;

  *connection = g_dbus_connection_new_finish (result, &error);
  g_assert_no_error (error);
}

static void
wait_until_connected (GDBusConnection **connection, gboolean *is_closed)
{
  while (*connection == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_signal_connect (*connection, "closed", G_CALLBACK (on_closed), is_closed);
}

/* The relay's near end now belongs to GDBus alone. */
static void
start_client (Buses *buses, Ends *ends)
{
  g_dbus_connection_new (G_IO_STREAM (ends->stream), NULL,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, on_connected,
                         &buses->client);
  g_clear_object (&ends->stream);
}

static void
on_method_call (GDBusConnection *connection, const char *sender, const char *path,
                const char *interface, const char *method, GVariant *parameters,
                GDBusMethodInvocation *invocation, gpointer data)
{
  GUnixFDList *fds =
      g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation));
  char text[32] = "";
  guint32 number;

  if (fds != NULL) {
    int fd = g_unix_fd_list_get (fds, 0, NULL);

    g_assert_cmpint (g_unix_fd_list_get_length (fds), ==, 1);
    g_assert_cmpint (read (fd, text, sizeof text - 1), >=, 0);
    close (fd);
  }
  g_variant_get_child (parameters, 0, "u", &number);
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(us)", number, text));
}

static void
start_server (Buses *buses, Ends *ends)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_method_call };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (
      "<node><interface name='org.example.Reader'><method name='Read'>"
      "<arg type='u' direction='in'/><arg type='ay' direction='in'/><arg type='ah' direction='in'/>"
      "<arg type='u' direction='out'/><arg type='s' direction='out'/>"
      "</method></interface></node>",
      NULL);
  g_autoptr (GSocket) socket = g_socket_new_from_fd (ends->peer, NULL);
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);
  g_autofree char *guid = g_dbus_generate_guid ();
  g_autoptr (GError) error = NULL;

  ends->peer = -1;
  g_dbus_connection_new (G_IO_STREAM (stream), guid,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                             | G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                         NULL, NULL, on_connected, &buses->server);
  wait_until_connected (&buses->server, &buses->is_server_closed);
  g_dbus_connection_register_object (buses->server, "/", node->interfaces[0], &vtable, NULL, NULL,
                                     &error);
  g_assert_no_error (error);
  g_dbus_connection_start_message_processing (buses->server);
  wait_until_connected (&buses->client, &buses->is_client_closed);
}

/* GDBus may keep it for a moment, and tell of its end when @is_closed is gone. */
static void
drop (GDBusConnection **connection, gboolean *is_closed)
{
  if (*connection != NULL)
    g_signal_handlers_disconnect_by_data (*connection, is_closed);
  g_clear_object (connection);
}

static void
stop (Buses *buses)
{
  drop (&buses->client, &buses->is_client_closed);
  drop (&buses->server, &buses->is_server_closed);
}

typedef struct {
  guint number;
  guint *n_left;
} Called;

static gboolean
has_descriptor (guint number)
{
  return number % 3 == 1;
}

static void
on_called (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Called *called = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autofree char *expected = g_strdup_printf ("%u", called->number);
  const char *text;
  guint32 number;

  g_assert_no_error (error);
  g_variant_get (reply, "(u&s)", &number, &text);
  g_assert_cmpuint (number, ==, called->number);
  g_assert_cmpstr (text, ==, has_descriptor (number) ? expected : "");
  --*called->n_left;
}

static void
call (GDBusConnection *client, guint number, gsize n_body, guint *n_left)
{
  g_autofree guint8 *body = g_malloc0 (n_body);
  g_autofree char *text = g_strdup_printf ("%u", number);
  g_autoptr (GUnixFDList) list = NULL;
  GVariantBuilder handles;
  Called *called = g_new0 (Called, 1);
  int fds[2];

  called->number = number;
  called->n_left = n_left;
  g_variant_builder_init (&handles, G_VARIANT_TYPE ("ah"));
  if (has_descriptor (number)) {
    g_assert_cmpint (pipe (fds), ==, 0);
    g_assert_cmpint (write (fds[1], text, strlen (text)), ==, (ssize_t) strlen (text));
    close (fds[1]);
    list = g_unix_fd_list_new_from_array (fds, 1);
    g_variant_builder_add (&handles, "h", 0);
  }
  g_dbus_connection_call_with_unix_fd_list (
      client, NULL, "/", "org.example.Reader", "Read",
      g_variant_new ("(u@ayah)", number,
                     g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, body, n_body, 1), &handles),
      G_VARIANT_TYPE ("(us)"), G_DBUS_CALL_FLAGS_NONE, DEADLINE_MS, list, NULL, on_called, called);
}

static void
test_calls (Ends *ends, gconstpointer data)
{
  Buses buses = { 0 };
  guint n_left = 300;

  start_client (&buses, ends);
  start_server (&buses, ends);
  /* Many under way at a time: they reach the relay back to back. */
  for (guint number = 300; number > 0; number--)
    call (buses.client, number, number % 50 == 0 ? MIB : number % 7 * 1000, &n_left);
  while (n_left > 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_false (buses.is_client_closed);
  stop (&buses);
}

static void
test_peer_closes (Ends *ends, gconstpointer data)
{
  Buses buses = { 0 };

  start_client (&buses, ends);
  start_server (&buses, ends);
  g_dbus_connection_close (buses.server, NULL, NULL, NULL);
  wait_until_true (&buses.is_client_closed);
  stop (&buses);
}

static void
test_near_closes (Ends *ends, gconstpointer data)
{
  Buses buses = { 0 };

  start_client (&buses, ends);
  start_server (&buses, ends);
  g_dbus_connection_close (buses.client, NULL, NULL, NULL);
  wait_until_true (&buses.is_server_closed);
  stop (&buses);
}

static void
on_cancelled (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (g_dbus_connection_new_finish (result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  *(gboolean *) data = TRUE;
}

/* A peer that never answers: it sees that nobody waits any longer. */
static void
test_cancelled (Ends *ends, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  gboolean is_cancelled = FALSE;

  g_dbus_connection_new (G_IO_STREAM (ends->stream), NULL,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, cancellable,
                         on_cancelled, &is_cancelled);
  g_clear_object (&ends->stream);
  hear (ends->peer, "\0AUTH", 5);
  g_cancellable_cancel (cancellable);
  wait_until_true (&is_cancelled);
  g_assert_cmpint (wait_for (ends->peer, 0, DEADLINE_MS) & POLLHUP, !=, 0);
}

static GDBusMessage *
count_message (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer data)
{
  g_atomic_int_inc ((gint *) data);
  return message;
}

static void
answer_authentication (int peer)
{
  static const struct {
    const char *said;
    const char *answer;
  } lines[] = {
    { "AUTH EXTERNAL ", "OK 0123456789abcdef0123456789abcdef\r\n" },
    { "AUTH\r\n", "REJECTED EXTERNAL\r\n" },
    { "NEGOTIATE_UNIX_FD", "AGREE_UNIX_FD\r\n" },
  };
  g_autoptr (GString) line = g_string_new (NULL);
  char c;

  read_exactly (peer, &c, 1);
  while (!g_str_equal (line->str, "BEGIN\r\n")) {
    if (g_str_has_suffix (line->str, "\n"))
      g_string_truncate (line, 0);
    read_exactly (peer, &c, 1);
    g_string_append_c (line, c);
    for (gsize i = 0; c == '\n' && i < G_N_ELEMENTS (lines); i++)
      if (g_str_has_prefix (line->str, lines[i].said))
        say_line (peer, lines[i].answer);
  }
}

/* What a peer sends, again and again, to a GDBus client that has made no call. */
static void
test_flood (Ends *ends, gconstpointer data)
{
  g_autoptr (GDBusMessage) template = NULL;
  g_autofree guint8 *message = NULL;
  Buses buses = { 0 };
  gsize n_bytes, n_pushed = 0, n;

  if (GPOINTER_TO_INT (data) == G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    template = g_dbus_message_new_method_call (NULL, "/", "org.example.Reader", "Read");
  else
    template = g_dbus_message_new_signal ("/", "org.example.Reader", "Changed");
  g_dbus_message_set_serial (template, 1);
  message = g_dbus_message_to_blob (template, &n_bytes, 0, NULL);

  start_client (&buses, ends);
  answer_authentication (ends->peer);
  wait_until_connected (&buses.client, &buses.is_client_closed);
  g_dbus_connection_add_filter (buses.client, count_message, &buses.n_seen, NULL);
  while (n_pushed < 16 * MIB && (n = push (ends->peer, message, n_bytes)) == n_bytes)
    n_pushed += n;
  g_assert_cmpuint (n_pushed, <, LITTLE_BYTES);
  wait_until_true (&buses.is_client_closed);
  g_assert_cmpint (g_atomic_int_get (&buses.n_seen), ==, 0);
  stop (&buses);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Ends *ends, gconstpointer data);
  } tests[] = {
    { "/host-relay/calls", test_calls },
    { "/host-relay/peer-closes", test_peer_closes },
    { "/host-relay/near-closes", test_near_closes },
    { "/host-relay/cancelled", test_cancelled },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Ends, NULL, ends_set_up, tests[i].test, ends_tear_down);
  g_test_add ("/host-relay/flood-of-calls", Ends, GINT_TO_POINTER (G_DBUS_MESSAGE_TYPE_METHOD_CALL),
              ends_set_up, test_flood, ends_tear_down);
  g_test_add ("/host-relay/flood-of-signals", Ends, GINT_TO_POINTER (G_DBUS_MESSAGE_TYPE_SIGNAL),
              ends_set_up, test_flood, ends_tear_down);
  return g_test_run ();
}
