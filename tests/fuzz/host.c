/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"

#include "fuzz.h"
#include "host-relay-private.h"
#include "outcome-private.h"
#include "tokend-error.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What tokend_host_normalise_error() leaves of a host's own words, and its own before them. */
#define ERROR_MAX_BYTES (3 * 300 + 64)
/* This program's own, GIO's, and those of an input. */
#define DESCRIPTORS_MAX 64
#define N_CALLS 4 /* after Load, and all at once */

/* The host at the other end of the socket. */
typedef struct {
  int fd;
  guint source;
  FuzzInput input;
  gboolean is_honest; /* until the module is loaded */
  gboolean has_begun; /* the authentication is done */
  guint n_calls;
  GByteArray *heard;
} Peer;

static Peer peer;
static GSocketConnection *next_stream;
static guint n_ended;

/* They stand before GIO's own: the service's connection to the folder of its sockets, and the
 * kernel's word that it is root who listens there. */
void
g_socket_client_connect_async (GSocketClient *client, GSocketConnectable *connectable,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (client, cancellable, callback, user_data);

  g_task_return_pointer (task, g_steal_pointer (&next_stream), g_object_unref);
}

GSocketConnection *
g_socket_client_connect_finish (GSocketClient *client, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

uid_t
g_credentials_get_unix_user (GCredentials *credentials, GError **error)
{
  return 0;
}

static void
say (gconstpointer bytes, gsize size)
{
  while (size > 0) {
    gssize n = send (peer.fd, bytes, size, MSG_NOSIGNAL);

    if (n < 0)
      return;
    bytes = (const guint8 *) bytes + n;
    size -= (gsize) n;
  }
}

/* Once it has said all, it says that there is no more: so no deadline has to pass. */
static void
say_rest (void)
{
  say (peer.input.data, peer.input.size);
  peer.input.size = 0;
  shutdown (peer.fd, SHUT_WR);
}

static void
say_line (void)
{
  const guint8 *end = memmem (peer.input.data, peer.input.size, "\r\n", 2);
  gsize length;

  if (end == NULL) {
    say_rest ();
    return;
  }
  length = (gsize) (end - peer.input.data) + 2;
  say (peer.input.data, length);
  peer.input.data += length;
  peer.input.size -= length;
}

static void
on_line (const char *line)
{
  if (g_str_equal (line, "BEGIN"))
    peer.has_begun = TRUE;
  else if (!peer.is_honest)
    say_line ();
  else if (g_str_equal (line, "NEGOTIATE_UNIX_FD"))
    say ("AGREE_UNIX_FD\r\n", strlen ("AGREE_UNIX_FD\r\n"));
  else
    say ("OK 0123456789abcdef0123456789abcdef\r\n", 37);
}

static void
answer_load (void)
{
  g_autoptr (GDBusMessage) reply = g_dbus_message_new ();
  g_autofree guchar *blob = NULL;
  gsize size;

  g_dbus_message_set_message_type (reply, G_DBUS_MESSAGE_TYPE_METHOD_RETURN);
  g_dbus_message_set_serial (reply, 1);
  g_dbus_message_set_reply_serial (reply, 1);
  g_dbus_message_set_body (reply, g_variant_new_parsed ("(@a{sv} {},)"));
  blob = g_dbus_message_to_blob (reply, &size, G_DBUS_CAPABILITY_FLAGS_NONE, NULL);
  say (blob, size);
}

static void
on_call (void)
{
  peer.n_calls++;
  if (!peer.is_honest)
    say_rest ();
  else if (peer.n_calls == 1)
    answer_load ();
  else if (peer.n_calls == 1 + N_CALLS)
    say_rest ();
}

/* Returns: how much of what was heard is a line, or a call; 0: there is no whole one yet. */
static gsize
next_piece (void)
{
  const guint8 *bytes = peer.heard->data;
  const gsize size = peer.heard->len;
  gssize needed;

  if (!peer.has_begun) {
    const guint8 *end = memmem (bytes, size, "\r\n", 2);

    return end != NULL ? (gsize) (end - bytes) + 2 : 0;
  }
  if (size < 16)
    return 0;
  needed = g_dbus_message_bytes_needed ((guchar *) bytes, size, NULL);
  g_assert_cmpint (needed, >, 0);
  return (gsize) needed <= size ? (gsize) needed : 0;
}

static gboolean
on_heard (int fd, GIOCondition condition, gpointer user_data)
{
  guint8 bytes[4096];
  gssize n = recv (fd, bytes, sizeof bytes, MSG_DONTWAIT);
  gsize length;

  if (n <= 0) {
    peer.source = 0;
    return G_SOURCE_REMOVE;
  }
  g_byte_array_append (peer.heard, bytes, (guint) n);
  while ((length = next_piece ()) > 0) {
    if (peer.has_begun) {
      on_call ();
    } else {
      g_autofree char *line = g_strndup ((const char *) peer.heard->data, length - 2);

      on_line (line);
    }
    g_byte_array_remove_range (peer.heard, 0, (guint) length);
  }
  return G_SOURCE_CONTINUE;
}

static void
check_error (GError *error, gboolean prepares)
{
  g_assert_nonnull (error);
  tokend_host_normalise_error (error, prepares);
  g_assert_cmpuint (error->domain, ==, TOKEND_ERROR);
  g_assert_cmpuint (strlen (error->message), <=, ERROR_MAX_BYTES);
  fuzz_assert_printable (error->message);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) readings = tokend_host_read_finish (TOKEND_HOST (source), result, &error);

  if (readings == NULL)
    check_error (error, FALSE);
  else
    g_assert_cmpuint (readings->len, <=, 64);
  n_ended++;
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  tokend_host_wait_finish (TOKEND_HOST (source), result, NULL);
  n_ended++;
}

static void
on_prepared (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) token = NULL;
  g_autoptr (GVariant) digest = NULL;

  if (tokend_dbus_module1_operation_call_prepare_finish (TOKEND_DBUS_MODULE1_OPERATION (source),
                                                         &token, &digest, NULL, result, &error)) {
    TokendReading *reading = tokend_reading_parse (token, NULL);

    g_clear_pointer (&reading, tokend_reading_free);
    g_assert_true (g_variant_is_of_type (digest, G_VARIANT_TYPE_BYTESTRING));
  } else {
    check_error (error, TRUE);
  }
  n_ended++;
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) outcome = NULL;

  if (tokend_dbus_module1_operation_call_commit_finish (TOKEND_DBUS_MODULE1_OPERATION (source),
                                                        &outcome, result, &error)) {
    TokendTryEffect effect = tokend_outcome_interpret (outcome, TOKEND_ROLE_PUK, TRUE, &error);

    g_assert_true ((error == NULL) == (effect.try_result == TOKEND_TRY_SUCCEEDED));
  } else {
    check_error (error, FALSE);
  }
  n_ended++;
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer started)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendHost) host = tokend_host_start_finish (result, &error);
  TokendDbusModule1Operation *operation;

  if (host == NULL) {
    check_error (error, FALSE);
    n_ended = N_CALLS;
    return;
  }
  operation = tokend_host_get_operation (host);
  tokend_host_read_async (host, TRUE, NULL, on_read, NULL);
  tokend_host_wait_async (host, NULL, on_waited, NULL);
  tokend_dbus_module1_operation_call_prepare (operation, g_variant_new_parsed ("@a{sv} {}"),
                                              g_variant_new_handle (0), g_variant_new_handle (0),
                                              g_variant_new_handle (0), G_DBUS_CALL_FLAGS_NONE,
                                              G_MAXINT, NULL, NULL, on_prepared, NULL);
  tokend_dbus_module1_operation_call_commit (operation, G_DBUS_CALL_FLAGS_NONE, G_MAXINT, NULL,
                                             on_committed, NULL);
  *(TokendHost **) started = g_steal_pointer (&host);
}

static gboolean
is_relay_running (void)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *task;

  while ((task = g_dir_read_name (tasks)) != NULL) {
    g_autofree char *path = g_build_filename ("/proc/self/task", task, "comm", NULL);
    g_autofree char *name = NULL;

    if (g_file_get_contents (path, &name, NULL, NULL) && g_str_equal (name, "host-relay\n"))
      return TRUE;
  }
  return FALSE;
}

static GSocketConnection *
make_stream (void)
{
  g_autoptr (GSocket) socket = NULL;
  int ends[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  /* The lowest that are free: no input leaves one open. */
  g_assert_cmpint (ends[1], <, DESCRIPTORS_MAX);
  socket = g_socket_new_from_fd (ends[0], NULL);
  g_assert_nonnull (socket);
  peer.fd = ends[1];
  return g_socket_connection_factory_create_connection (socket);
}

/* A host that lies. The first byte says whether only after it has authenticated itself and loaded
 * the module; what comes then is its answers to Read, WaitForChange, Prepare and Commit. Else it is
 * all that it ever says. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (TokendHost) host = NULL;

  tokend_error_quark ();
  peer = (Peer){ .input = { data, size }, .heard = g_byte_array_new () };
  peer.is_honest = fuzz_take_flag (&peer.input);
  n_ended = 0;
  next_stream = make_stream ();
  peer.source = g_unix_fd_add (peer.fd, G_IO_IN | G_IO_HUP, on_heard, NULL);
  tokend_host_start_async (TOKEND_HOST_OPERATE, "/module.so", NULL, TOKEND_WATCH_METHOD_POLL, NULL,
                           g_variant_new_array (G_VARIANT_TYPE ("(asasass)"), NULL, 0), cancellable,
                           on_started, &host);
  while (n_ended < N_CALLS)
    g_main_context_iteration (NULL, TRUE);
  g_clear_handle_id (&peer.source, g_source_remove);
  close (peer.fd);
  g_byte_array_unref (peer.heard);
  g_clear_object (&host);
  /* It leaves nothing behind; a thread that is just ending would look like a leak, too. */
  while (is_relay_running ())
    g_main_context_iteration (NULL, FALSE);
  return 0;
}
