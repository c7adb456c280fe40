/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-relay.h"

#include <errno.h>
#include <gio/gunixconnection.h>
#include <gio/gunixfdlist.h>
#include <gio/gunixfdmessage.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_MS 10000
/* A socket that takes nothing more for this long has nobody who reads at its other end. */
#define BLOCKED_MS 200
#define MIB (1024 * 1024)
#define REPLY_MAX_BYTES (64 * 1024)
/* More than the kernel holds in two sockets, and less than any of the attacks. */
#define LITTLE_BYTES (2 * MIB)

#define CALL G_DBUS_MESSAGE_TYPE_METHOD_CALL
#define RETURN G_DBUS_MESSAGE_TYPE_METHOD_RETURN

/* A relay between two ends that the test holds. */
typedef struct {
  guint n_fds_before;
  GSocketConnection *stream;
  int near; /* the stream's own */
  int peer;
} Ends;

/* Sockets and pipes: what GIO's threads open and keep is neither. */
static guint
count_fds (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  const char *name;
  guint n_fds = 0;

  while ((name = g_dir_read_name (dir)) != NULL) {
    struct stat status;

    if (fstat (atoi (name), &status) == 0
        && (S_ISSOCK (status.st_mode) || S_ISFIFO (status.st_mode)))
      n_fds++;
  }
  return n_fds;
}

static void
set_up (Ends *ends, gconstpointer data)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketConnection) peer = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  ends->n_fds_before = count_fds ();
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  ends->peer = fds[1];
  socket = g_socket_new_from_fd (fds[0], &error);
  g_assert_no_error (error);
  peer = g_socket_connection_factory_create_connection (socket);
  ends->stream = tokend_host_relay_new (peer, &error);
  g_assert_no_error (error);
  g_assert_true (G_IS_UNIX_CONNECTION (ends->stream));
  ends->near = g_socket_get_fd (g_socket_connection_get_socket (ends->stream));
}

static void
close_peer (Ends *ends)
{
  g_assert_cmpint (close (ends->peer), ==, 0);
  ends->peer = -1;
}

/* When either end is gone the relay leaves, and nothing stays open. */
static void
tear_down (Ends *ends, gconstpointer data)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE_MS * G_TIME_SPAN_MILLISECOND;

  g_clear_object (&ends->stream);
  if (ends->peer >= 0)
    close_peer (ends);
  while (count_fds () != ends->n_fds_before && g_get_monotonic_time () < deadline) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
  g_assert_cmpuint (count_fds (), ==, ends->n_fds_before);
}

static short
wait_for (int fd, short events, int timeout_ms)
{
  struct pollfd socket = { .fd = fd, .events = events };

  g_assert_cmpint (poll (&socket, 1, timeout_ms), >=, 0);
  return socket.revents;
}

/* Writes until all is written, nobody reads it any more, or there is nobody. */
static gsize
push (int fd, gconstpointer bytes, gsize n_bytes)
{
  gsize n_done = 0;

  while (n_done < n_bytes) {
    ssize_t n =
        send (fd, (const guint8 *) bytes + n_done, n_bytes - n_done, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n > 0)
      n_done += n;
    else if (errno != EAGAIN || wait_for (fd, POLLOUT, BLOCKED_MS) == 0)
      break;
  }
  return n_done;
}

static void
say (int fd, gconstpointer bytes, gsize n_bytes)
{
  g_assert_cmpuint (push (fd, bytes, n_bytes), ==, n_bytes);
}

static void
say_line (int fd, const char *line)
{
  say (fd, line, strlen (line));
}

static void
read_exactly (int fd, gpointer bytes, gsize n_bytes)
{
  for (gsize n_done = 0; n_done < n_bytes;) {
    ssize_t n;

    g_assert_cmpint (wait_for (fd, POLLIN, DEADLINE_MS), !=, 0);
    n = recv (fd, (guint8 *) bytes + n_done, n_bytes - n_done, MSG_DONTWAIT);
    g_assert_cmpint (n, >, 0);
    n_done += n;
  }
}

static void
hear (int fd, gconstpointer bytes, gsize n_bytes)
{
  g_autofree guint8 *heard = g_malloc (n_bytes);

  read_exactly (fd, heard, n_bytes);
  g_assert_cmpmem (heard, n_bytes, bytes, n_bytes);
}

static void
hear_line (int fd, const char *line)
{
  hear (fd, line, strlen (line));
}

static void
hear_end (int fd)
{
  guint8 byte;

  g_assert_cmpint (wait_for (fd, POLLIN, DEADLINE_MS), !=, 0);
  g_assert_cmpint (recv (fd, &byte, 1, MSG_DONTWAIT), <=, 0);
  g_assert_cmpint (wait_for (fd, 0, 0) & POLLHUP, !=, 0);
}

/* A message's fixed part, by the D-Bus specification. */
static void
make_header (guint8 *header, char order, guint8 type, guint8 version, guint32 n_body,
             guint32 n_fields)
{
  const guint32 numbers[] = { n_body, 1, n_fields };

  header[0] = order;
  header[1] = type;
  header[2] = 0;
  header[3] = version;
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    guint32 number = order == 'B' ? GUINT32_TO_BE (numbers[i]) : GUINT32_TO_LE (numbers[i]);

    memcpy (header + 4 + 4 * i, &number, sizeof number);
  }
}

/* A message of zeroes. */
static GByteArray *
make_message (guint8 type, guint32 n_body)
{
  GByteArray *message = g_byte_array_new ();

  g_byte_array_set_size (message, 16 + n_body);
  memset (message->data, 0, message->len);
  make_header (message->data, 'l', type, 1, n_body, 0);
  return message;
}

static void
authenticate (Ends *ends)
{
  static const char auth[] = "\0AUTH EXTERNAL 30\r\n";

  say (ends->near, auth, sizeof auth - 1);
  hear (ends->peer, auth, sizeof auth - 1);
  say_line (ends->peer, "OK 0\r\n");
  hear_line (ends->near, "OK 0\r\n");
  say_line (ends->near, "BEGIN\r\n");
  hear_line (ends->peer, "BEGIN\r\n");
}

static void
make_calls (Ends *ends, guint n_calls)
{
  g_autoptr (GByteArray) call = make_message (CALL, 0);

  for (guint i = 0; i < n_calls; i++) {
    say (ends->near, call->data, call->len);
    hear (ends->peer, call->data, call->len);
  }
}

static void
test_messages (void)
{
  static const struct {
    const char *name;
    char order;
    guint8 type;
    guint8 version;
    guint32 n_body;
    guint32 n_fields;
    gboolean is_good;
  } rows[] = {
    { "return", 'l', 2, 1, 0, 0, TRUE },
    { "error", 'l', 3, 1, 100, 10, TRUE },
    { "other order", 'B', 2, 1, 100, 10, TRUE },
    { "largest", 'l', 2, 1, REPLY_MAX_BYTES - 16, 0, TRUE },
    { "largest with fields", 'B', 2, 1, REPLY_MAX_BYTES - 32, 9, TRUE },
    { "body too large by 1", 'l', 2, 1, REPLY_MAX_BYTES - 15, 0, FALSE },
    { "fields too large by 1", 'l', 2, 1, REPLY_MAX_BYTES - 32, 17, FALSE },
    { "64 MiB", 'l', 2, 1, 64 * MIB, 0, FALSE },
    { "64 MiB, other order", 'B', 2, 1, 64 * MIB, 0, FALSE },
    { "64 MiB of fields", 'l', 2, 1, 0, 64 * MIB, FALSE },
    { "most body", 'l', 2, 1, G_MAXUINT32, 0, FALSE },
    { "most fields", 'l', 2, 1, 0, G_MAXUINT32, FALSE },
    { "sum overflows", 'l', 2, 1, G_MAXUINT32 - 15, 8, FALSE },
    { "no type", 'l', 0, 1, 0, 0, FALSE },
    { "call", 'l', 1, 1, 0, 0, FALSE },
    { "signal", 'l', 4, 1, 0, 0, FALSE },
    { "unknown type", 'l', 5, 1, 0, 0, FALSE },
    { "highest type", 'l', 255, 1, 0, 0, FALSE },
    { "no version", 'l', 2, 0, 0, 0, FALSE },
    { "next version", 'l', 2, 2, 0, 0, FALSE },
    { "no order", 0, 2, 1, 0, 0, FALSE },
    { "other letter", 'b', 2, 1, 0, 0, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    Ends ends;
    guint8 header[16];

    g_test_message ("%s", rows[i].name);
    make_header (header, rows[i].order, rows[i].type, rows[i].version, rows[i].n_body,
                 rows[i].n_fields);
    set_up (&ends, NULL);
    authenticate (&ends);
    make_calls (&ends, 1);
    say (ends.peer, header, sizeof header);
    if (rows[i].is_good)
      hear (ends.near, header, sizeof header);
    else
      hear_end (ends.near);
    tear_down (&ends, NULL);
  }
}

/* The length that counts is that of each message, also when they come in pieces. */
static void
test_pieces (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) reply = make_message (RETURN, 3);

  authenticate (ends);
  make_calls (ends, 3);
  for (guint n = 0; n < 3; n++) {
    for (guint i = 0; i < reply->len; i++) {
      say (ends->peer, reply->data + i, 1);
      if (i >= 15)
        hear (ends->near, i == 15 ? reply->data : reply->data + i, i == 15 ? 16 : 1);
      else
        g_assert_cmpint (wait_for (ends->near, POLLIN, 1), ==, 0);
    }
  }
  reply->data[0] = 'x';
  say (ends->peer, reply->data, reply->len);
  hear_end (ends->near);
}

static void
test_reply_without_call (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) reply = make_message (RETURN, 3);

  authenticate (ends);
  make_calls (ends, 2);
  for (guint i = 0; i < 2; i++) {
    say (ends->peer, reply->data, reply->len);
    hear (ends->near, reply->data, reply->len);
  }
  say (ends->peer, reply->data, reply->len);
  hear_end (ends->near);
}

static void
test_little_is_read (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) reply = make_message (RETURN, 64 * MIB);

  authenticate (ends);
  make_calls (ends, 1);
  g_assert_cmpuint (push (ends->peer, reply->data, reply->len), <, LITTLE_BYTES);
  hear_end (ends->peer);
  hear_end (ends->near);
}

static void
test_endless_lines (Ends *ends, gconstpointer data)
{
  g_autofree char *lines = g_strnfill (16 * MIB, 'A');
  g_autofree char *heard = g_malloc (4096);

  say (ends->near, "\0AUTH\r\n", 7);
  g_assert_cmpuint (push (ends->peer, lines, 16 * MIB), <, LITTLE_BYTES);
  read_exactly (ends->near, heard, 4096);
  hear_end (ends->near);
}

/* A peer that speaks before its time must not be able to shift where the messages begin. */
static void
test_early_message (Ends *ends, gconstpointer data)
{
  guint8 header[16];

  make_header (header, 'l', RETURN, 1, 64 * MIB, 0);
  say (ends->near, "\0AUTH\r\n", 7);
  hear (ends->peer, "\0AUTH\r\n", 7);
  say_line (ends->peer, "OK 0\r\n");
  say (ends->peer, header, sizeof header);
  hear_line (ends->near, "OK 0\r\n");
  g_assert_cmpint (wait_for (ends->near, POLLIN, BLOCKED_MS), ==, 0);
  say_line (ends->near, "BEGIN\r\n");
  hear_end (ends->near);
}

static void
send_with_descriptors (int fd, const GByteArray *message, int *fds, int n_fds)
{
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new_from_array (fds, n_fds);
  g_autoptr (GSocketControlMessage) control = g_unix_fd_message_new_with_fd_list (list);
  g_autoptr (GSocket) socket = g_socket_new_from_fd (dup (fd), NULL);
  GOutputVector vector = { message->data, message->len };
  g_autoptr (GError) error = NULL;

  g_socket_send_message (socket, NULL, &vector, 1, &control, 1, 0, NULL, &error);
  g_assert_no_error (error);
}

static void
test_descriptors_from_peer (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) reply = make_message (RETURN, 0);
  int fds[2];

  authenticate (ends);
  make_calls (ends, 1);
  g_assert_cmpint (pipe (fds), ==, 0);
  send_with_descriptors (ends->peer, reply, &fds[1], 1);
  hear_end (ends->near);
  g_assert_cmpint (wait_for (fds[0], POLLIN, DEADLINE_MS), ==, POLLHUP);
  close (fds[0]);
}

static void
test_too_many_descriptors (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) call = make_message (CALL, 0);
  int fds[17];

  authenticate (ends);
  for (gsize i = 0; i < G_N_ELEMENTS (fds); i++)
    fds[i] = dup (ends->peer);
  send_with_descriptors (ends->near, call, fds, G_N_ELEMENTS (fds));
  hear_end (ends->near);
  hear_end (ends->peer);
}

static void
test_blocked_towards_peer (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) call = make_message (CALL, 4 * MIB);
  g_autoptr (GByteArray) reply = make_message (RETURN, 100);

  authenticate (ends);
  make_calls (ends, 1);
  g_assert_cmpuint (push (ends->near, call->data, call->len), <, LITTLE_BYTES);
  say (ends->peer, reply->data, reply->len);
  hear (ends->near, reply->data, reply->len);
  g_clear_object (&ends->stream);
  g_assert_cmpint (wait_for (ends->peer, 0, DEADLINE_MS), ==, POLLHUP);
}

static void
test_blocked_towards_near (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) reply = make_message (RETURN, REPLY_MAX_BYTES - 16);
  guint n_said = 0;

  authenticate (ends);
  make_calls (ends, 100);
  while (n_said < 100 && push (ends->peer, reply->data, reply->len) == reply->len)
    n_said++;
  g_assert_cmpuint (n_said, <, 100);
  make_calls (ends, 1);
  g_clear_object (&ends->stream);
  g_assert_cmpint (wait_for (ends->peer, 0, DEADLINE_MS) & POLLHUP, !=, 0);
}

/* An operating host answers, and ends. */
static void
test_last_word_of_peer (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) call = make_message (CALL, 4 * MIB);
  g_autoptr (GByteArray) reply = make_message (RETURN, REPLY_MAX_BYTES - 16);

  authenticate (ends);
  make_calls (ends, 2);
  push (ends->near, call->data, call->len);
  for (guint i = 0; i < 2; i++)
    say (ends->peer, reply->data, reply->len);
  close_peer (ends);
  for (guint i = 0; i < 2; i++)
    hear (ends->near, reply->data, reply->len);
  hear_end (ends->near);
}

static void
test_last_word_of_near (Ends *ends, gconstpointer data)
{
  g_autoptr (GByteArray) call = make_message (CALL, 60 * 1024);

  authenticate (ends);
  say (ends->near, call->data, call->len);
  g_clear_object (&ends->stream);
  hear (ends->peer, call->data, call->len);
  hear_end (ends->peer);
}

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

static void
stop (Buses *buses)
{
  g_clear_object (&buses->client);
  g_clear_object (&buses->server);
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

  if (GPOINTER_TO_INT (data) == CALL)
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

static void
test_exit (Ends *ends, gconstpointer data)
{
  if (g_test_subprocess ()) {
    authenticate (ends);
    exit (0);
  }
  g_test_trap_subprocess (NULL, DEADLINE_MS * G_TIME_SPAN_MILLISECOND, 0);
  g_test_trap_assert_passed ();
}

/* One refusal is how an honest peer says what it knows. GDBus leaks memory at each further one. */
static void
test_refusals (Ends *ends, gconstpointer data)
{
  static const char auth[] = "\0AUTH\r\n";

  say (ends->near, auth, sizeof auth - 1);
  hear (ends->peer, auth, sizeof auth - 1);
  say_line (ends->peer, "REJECTED EXTERNAL\r\n");
  hear_line (ends->near, "REJECTED EXTERNAL\r\n");
  say_line (ends->near, "AUTH EXTERNAL 30\r\n");
  hear_line (ends->peer, "AUTH EXTERNAL 30\r\n");
  say_line (ends->peer, "REJECTED EXTERNAL\r\n");
  hear_end (ends->near);
  hear_end (ends->peer);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Ends *ends, gconstpointer data);
  } tests[] = {
    { "/host-relay/pieces", test_pieces },
    { "/host-relay/reply-without-call", test_reply_without_call },
    { "/host-relay/little-is-read", test_little_is_read },
    { "/host-relay/endless-lines", test_endless_lines },
    { "/host-relay/refusals", test_refusals },
    { "/host-relay/early-message", test_early_message },
    { "/host-relay/descriptors-from-peer", test_descriptors_from_peer },
    { "/host-relay/too-many-descriptors", test_too_many_descriptors },
    { "/host-relay/blocked-towards-peer", test_blocked_towards_peer },
    { "/host-relay/blocked-towards-near", test_blocked_towards_near },
    { "/host-relay/last-word-of-peer", test_last_word_of_peer },
    { "/host-relay/last-word-of-near", test_last_word_of_near },
    { "/host-relay/calls", test_calls },
    { "/host-relay/peer-closes", test_peer_closes },
    { "/host-relay/near-closes", test_near_closes },
    { "/host-relay/cancelled", test_cancelled },
    { "/host-relay/exit", test_exit },
  };

  g_test_init (&argc, &argv, NULL);
  /* GSocket ignores SIGPIPE for the whole process; the relay is not to count on it. */
  g_type_class_unref (g_type_class_ref (G_TYPE_SOCKET));
  signal (SIGPIPE, SIG_DFL);

  g_test_add_func ("/host-relay/messages", test_messages);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Ends, NULL, set_up, tests[i].test, tear_down);
  g_test_add ("/host-relay/flood-of-calls", Ends, GINT_TO_POINTER (CALL), set_up, test_flood,
              tear_down);
  g_test_add ("/host-relay/flood-of-signals", Ends, GINT_TO_POINTER (G_DBUS_MESSAGE_TYPE_SIGNAL),
              set_up, test_flood, tear_down);
  return g_test_run ();
}
