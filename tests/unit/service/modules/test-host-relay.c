/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The relay byte by byte: which messages it passes on, how much it holds, and what is left when an
 * end is gone. */
#include "relay-ends.h"

#include <gio/gunixfdlist.h>
#include <gio/gunixfdmessage.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define REPLY_MAX_BYTES (64 * 1024)

#define CALL G_DBUS_MESSAGE_TYPE_METHOD_CALL
#define RETURN G_DBUS_MESSAGE_TYPE_METHOD_RETURN

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
    ends_set_up (&ends, NULL);
    authenticate (&ends);
    make_calls (&ends, 1);
    say (ends.peer, header, sizeof header);
    if (rows[i].is_good)
      hear (ends.near, header, sizeof header);
    else
      hear_end (ends.near);
    ends_tear_down (&ends, NULL);
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
  ends_close_peer (ends);
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
    { "/host-relay/exit", test_exit },
  };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/host-relay/messages", test_messages);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Ends, NULL, ends_set_up, tests[i].test, ends_tear_down);
  return g_test_run ();
}
