/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relay-ends.h"

#include "host-relay-private.h"

#include <errno.h>
#include <gio/gunixconnection.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

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

void
ends_set_up (Ends *ends, gconstpointer data)
{
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GSocketConnection) peer = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  /* GSocket ignores SIGPIPE for the whole process; the relay is not to count on it. */
  g_type_class_unref (g_type_class_ref (G_TYPE_SOCKET));
  signal (SIGPIPE, SIG_DFL);

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

void
ends_close_peer (Ends *ends)
{
  g_assert_cmpint (close (ends->peer), ==, 0);
  ends->peer = -1;
}

/* When either end is gone the relay leaves, and nothing stays open. */
void
ends_tear_down (Ends *ends, gconstpointer data)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE_MS * G_TIME_SPAN_MILLISECOND;

  g_clear_object (&ends->stream);
  if (ends->peer >= 0)
    ends_close_peer (ends);
  while (count_fds () != ends->n_fds_before && g_get_monotonic_time () < deadline) {
    g_main_context_iteration (NULL, FALSE);
    g_usleep (1000);
  }
  g_assert_cmpuint (count_fds (), ==, ends->n_fds_before);
}

short
wait_for (int fd, short events, int timeout_ms)
{
  struct pollfd socket = { .fd = fd, .events = events };

  g_assert_cmpint (poll (&socket, 1, timeout_ms), >=, 0);
  return socket.revents;
}

/* Writes until all is written, nobody reads it any more, or there is nobody. */
gsize
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

void
say (int fd, gconstpointer bytes, gsize n_bytes)
{
  g_assert_cmpuint (push (fd, bytes, n_bytes), ==, n_bytes);
}

void
say_line (int fd, const char *line)
{
  say (fd, line, strlen (line));
}

void
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

void
hear (int fd, gconstpointer bytes, gsize n_bytes)
{
  g_autofree guint8 *heard = g_malloc (n_bytes);

  read_exactly (fd, heard, n_bytes);
  g_assert_cmpmem (heard, n_bytes, bytes, n_bytes);
}

void
hear_line (int fd, const char *line)
{
  hear (fd, line, strlen (line));
}

void
hear_end (int fd)
{
  guint8 byte;

  g_assert_cmpint (wait_for (fd, POLLIN, DEADLINE_MS), !=, 0);
  g_assert_cmpint (recv (fd, &byte, 1, MSG_DONTWAIT), <=, 0);
  g_assert_cmpint (wait_for (fd, 0, 0) & POLLHUP, !=, 0);
}
