/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-relay-private.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixconnection.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The longest reply, header included: 64 readings have less than 24 KiB. */
#define REPLY_MAX_BYTES (64 * 1024)
/* The most that the peer may say before its first message; an honest one says some 100 bytes. */
#define LINES_MAX_BYTES 4096
#define HEADER_BYTES 16
#define CHUNK_BYTES 8192
/* The most descriptors that are held at a time; a call has three. */
#define DESCRIPTORS_MAX 16

typedef enum {
  PHASE_LINES, /* of the authentication */
  PHASE_HEADER,
  PHASE_REST, /* of a message: fields and body */
} Phase;

typedef enum { STEP_MOVED, STEP_BLOCKED, STEP_ENDED } Step;

/* One direction of the conversation. Writes what it has read before it reads more, and never reads
 * past the end of a message: the kernel would join it with the next one, whose descriptors would
 * arrive with the wrong message. */
typedef struct {
  int from;
  int to;
  Phase phase;
  char tail[8];     /* the last characters of the lines */
  guint64 rest;     /* bytes of the present message that were not read yet */
  gboolean is_full; /* the bytes wait to be written */
  gsize n_read;
  gsize n_written;
  guint8 bytes[CHUNK_BYTES];
  gsize n_descriptors;
  int descriptors[DESCRIPTORS_MAX];
} Direction;

typedef struct {
  Direction to_peer;
  Direction to_near;
  gboolean is_peer_deaf;
  guint lines_due; /* lines that the peer owes, one for each of ours */
  gsize n_line_bytes;
  guint n_refusals; /* refusals of an authentication mechanism */
  guint64 replies_due;
} Relay;

static void
close_descriptors (Direction *direction)
{
  while (direction->n_descriptors > 0)
    close (direction->descriptors[--direction->n_descriptors]);
}

static void
relay_free (Relay *relay)
{
  close_descriptors (&relay->to_peer);
  if (relay->to_near.from >= 0)
    close (relay->to_near.from);
  if (relay->to_near.to >= 0)
    close (relay->to_near.to);
  g_free (relay);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Relay, relay_free)

/* Finds "REJECTED …"; no other line begins so. The first one answers the question for mechanisms,
 * of which a host knows one. After a second one GDBus would try its next mechanism, and leak the
 * first. */
static gboolean
is_refusal (const Relay *relay)
{
  const Direction *direction = &relay->to_near;

  return direction->bytes[0] == 'R'
         && (relay->n_line_bytes == 0
             || memcmp (direction->tail + sizeof direction->tail - 2, "\r\n", 2) == 0);
}

/* Reads a line of the peer's only when one of ours asked for it. What the peer sends too early
 * waits in the kernel, and is read as what the near end takes it for: a message. */
static gboolean
pass_line_byte (Relay *relay, Direction *direction)
{
  const gboolean is_ours = direction == &relay->to_peer;

  if (!is_ours && is_refusal (relay) && ++relay->n_refusals > 1)
    return FALSE;
  if (!is_ours && ++relay->n_line_bytes > LINES_MAX_BYTES)
    return FALSE;
  memmove (direction->tail, direction->tail + 1, sizeof direction->tail - 1);
  direction->tail[sizeof direction->tail - 1] = direction->bytes[0];
  direction->is_full = TRUE;
  if (memcmp (direction->tail + sizeof direction->tail - 2, "\r\n", 2) != 0)
    return TRUE;

  if (!is_ours)
    relay->lines_due--;
  else if (memcmp (direction->tail, "\nBEGIN\r\n", sizeof direction->tail) == 0)
    direction->phase = PHASE_HEADER;
  else
    relay->lines_due++;
  if (relay->to_peer.phase != PHASE_LINES && relay->lines_due == 0)
    relay->to_near.phase = PHASE_HEADER;
  return TRUE;
}

static guint32
read_u32 (const guint8 *header, gsize offset)
{
  guint32 value;

  memcpy (&value, header + offset, sizeof value);
  return header[0] == G_DBUS_MESSAGE_BYTE_ORDER_LITTLE_ENDIAN ? GUINT32_FROM_LE (value)
                                                              : GUINT32_FROM_BE (value);
}

/* Reads the fixed part of a D-Bus message: byte order, type, flags, version, length of the body,
 * serial, length of the fields, which are padded to 8 bytes. g_dbus_message_bytes_needed()
 * would not do: its sum wraps at 32 bits. */
static gboolean
pass_header (Relay *relay, Direction *direction)
{
  const guint8 *header = direction->bytes;
  const guint8 type = header[1];
  guint64 n_fields, n_body;

  if ((header[0] != G_DBUS_MESSAGE_BYTE_ORDER_LITTLE_ENDIAN
       && header[0] != G_DBUS_MESSAGE_BYTE_ORDER_BIG_ENDIAN)
      || header[3] != 1)
    return FALSE;
  n_body = read_u32 (header, 4);
  n_fields = read_u32 (header, 12);
  direction->rest = (n_fields + 7) / 8 * 8 + n_body;
  if (direction == &relay->to_peer) {
    if (type == G_DBUS_MESSAGE_TYPE_METHOD_CALL)
      relay->replies_due++;
  } else {
    if ((type != G_DBUS_MESSAGE_TYPE_METHOD_RETURN && type != G_DBUS_MESSAGE_TYPE_ERROR)
        || HEADER_BYTES + direction->rest > REPLY_MAX_BYTES || relay->replies_due == 0)
      return FALSE;
    relay->replies_due--;
  }
  direction->phase = direction->rest > 0 ? PHASE_REST : PHASE_HEADER;
  direction->is_full = TRUE;
  return TRUE;
}

static gboolean
pass (Relay *relay, Direction *direction)
{
  switch (direction->phase) {
  case PHASE_LINES:
    return pass_line_byte (relay, direction);
  case PHASE_HEADER:
    return direction->n_read < HEADER_BYTES || pass_header (relay, direction);
  case PHASE_REST:
    direction->rest -= direction->n_read;
    if (direction->rest == 0)
      direction->phase = PHASE_HEADER;
    direction->is_full = TRUE;
    return TRUE;
  }
  g_assert_not_reached ();
}

static gsize
count_wanted (const Direction *direction)
{
  switch (direction->phase) {
  case PHASE_LINES:
    return 1;
  case PHASE_HEADER:
    return HEADER_BYTES - direction->n_read;
  case PHASE_REST:
    return MIN (direction->rest, CHUNK_BYTES);
  }
  g_assert_not_reached ();
}

static void
take_descriptors (Direction *direction, struct msghdr *message)
{
  for (struct cmsghdr *control = CMSG_FIRSTHDR (message); control != NULL;
       control = CMSG_NXTHDR (message, control)) {
    gsize n_bytes = control->cmsg_len - CMSG_LEN (0);

    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
      continue;
    memcpy (direction->descriptors + direction->n_descriptors, CMSG_DATA (control), n_bytes);
    direction->n_descriptors += n_bytes / sizeof (int);
  }
}

/* Aligned room for control data. */
typedef union {
  struct cmsghdr header;
  guint8 bytes[CMSG_SPACE (DESCRIPTORS_MAX * sizeof (int))];
} Control;

static Step
receive (Relay *relay, Direction *direction)
{
  struct iovec bytes = { direction->bytes + direction->n_read, count_wanted (direction) };
  struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
  Control control;
  ssize_t n_read;

  /* Gives no room for descriptors, so that the kernel closes them and says so. */
  if (direction == &relay->to_peer) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_LEN ((DESCRIPTORS_MAX - direction->n_descriptors) * sizeof (int));
  }
  n_read = recvmsg (direction->from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n_read < 0)
    return errno == EAGAIN || errno == EINTR ? STEP_BLOCKED : STEP_ENDED;
  take_descriptors (direction, &message);
  if (n_read == 0 || (message.msg_flags & MSG_CTRUNC) != 0)
    return STEP_ENDED;
  direction->n_read += n_read;
  return pass (relay, direction) ? STEP_MOVED : STEP_ENDED;
}

static Step
deliver (Direction *direction)
{
  struct iovec bytes = { direction->bytes + direction->n_written,
                         direction->n_read - direction->n_written };
  struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };
  const gsize n_descriptor_bytes = direction->n_descriptors * sizeof (int);
  Control control = { 0 };
  ssize_t n_written;

  if (n_descriptor_bytes > 0) {
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN (n_descriptor_bytes);
    memcpy (CMSG_DATA (&control.header), direction->descriptors, n_descriptor_bytes);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE (n_descriptor_bytes);
  }
  n_written = sendmsg (direction->to, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n_written < 0)
    return errno == EAGAIN || errno == EINTR ? STEP_BLOCKED : STEP_ENDED;
  close_descriptors (direction);
  direction->n_written += n_written;
  if (direction->n_written == direction->n_read) {
    direction->n_read = direction->n_written = 0;
    direction->is_full = FALSE;
  }
  return STEP_MOVED;
}

/* Passes on what the near end said before it closed, as far as the peer takes it at once. */
static void
pass_last_words (Relay *relay)
{
  Step step = relay->is_peer_deaf ? STEP_ENDED : STEP_MOVED;

  while (step == STEP_MOVED)
    step = relay->to_peer.is_full ? deliver (&relay->to_peer) : receive (relay, &relay->to_peer);
}

static gboolean
may_read_peer (const Relay *relay)
{
  return !relay->to_near.is_full && (relay->to_near.phase != PHASE_LINES || relay->lines_due > 0);
}

enum { NEAR, PEER, N_SOCKETS };

static void
choose_events (const Relay *relay, struct pollfd *sockets)
{
  sockets[NEAR] = (struct pollfd){ .fd = relay->to_near.to, .events = POLLRDHUP };
  sockets[PEER] = (struct pollfd){ .fd = relay->to_near.from };
  if (relay->to_near.is_full)
    sockets[NEAR].events |= POLLOUT;
  if (!relay->to_peer.is_full && !relay->is_peer_deaf)
    sockets[NEAR].events |= POLLIN;
  if (relay->to_peer.is_full && !relay->is_peer_deaf)
    sockets[PEER].events |= POLLOUT;
  if (may_read_peer (relay))
    sockets[PEER].events |= POLLIN;
  else if (!relay->to_near.is_full)
    sockets[PEER].events |= POLLRDHUP;
  /* Leaves out a peer without a turn: if it has closed, poll() would return at once, for ever. */
  if (sockets[PEER].events == 0)
    sockets[PEER].fd = -1;
}

/* Returns: whether to go on. */
static gboolean
turn (Relay *relay)
{
  const short end = POLLRDHUP | POLLHUP | POLLERR | POLLNVAL;
  struct pollfd sockets[N_SOCKETS];

  choose_events (relay, sockets);
  if (poll (sockets, N_SOCKETS, -1) < 0)
    return errno == EINTR;
  if ((sockets[NEAR].revents & end) != 0) {
    pass_last_words (relay);
    return FALSE;
  }
  if ((sockets[NEAR].revents & POLLIN) != 0 && receive (relay, &relay->to_peer) == STEP_ENDED)
    return FALSE;
  if ((sockets[NEAR].revents & POLLOUT) != 0 && deliver (&relay->to_near) == STEP_ENDED)
    return FALSE;
  /* A peer that takes nothing more may have answered before, so it is read to its end. */
  if (sockets[PEER].revents != 0 && relay->to_peer.is_full && !relay->is_peer_deaf
      && deliver (&relay->to_peer) == STEP_ENDED)
    relay->is_peer_deaf = TRUE;
  if ((sockets[PEER].revents & (POLLIN | end)) == 0 || relay->to_near.is_full)
    return TRUE;
  return may_read_peer (relay) && receive (relay, &relay->to_near) != STEP_ENDED;
}

static gpointer
run (gpointer data)
{
  g_autoptr (Relay) relay = data;

  while (turn (relay))
    ;
  /* Shuts the sockets down, since others may hold them too. */
  shutdown (relay->to_near.from, SHUT_RDWR);
  shutdown (relay->to_near.to, SHUT_RDWR);
  return NULL;
}

static Relay *
relay_new (GSocketConnection *peer, int far_fd)
{
  Relay *relay = g_new0 (Relay, 1);
  int peer_fd = g_socket_get_fd (g_socket_connection_get_socket (peer));

  relay->to_near.to = relay->to_peer.from = far_fd;
  relay->to_near.from = relay->to_peer.to = fcntl (peer_fd, F_DUPFD_CLOEXEC, 0);
  return relay;
}

/**
 * tokend_host_relay_new:
 * @peer: a connection over a unix stream socket to who is to serve D-Bus on it, and is not trusted.
 *   From now on the relay alone reads and writes it; the caller may drop it.
 * @error: of #GIOErrorEnum or #GThreadError.
 *
 * Guards GDBus, which reads messages of up to 128 MiB, and queues an answer to each call that
 * nobody serves before anyone else sees them. Through the relay it sees authentication and replies
 * alone. A thread of the relay's own passes on what either end says until one of them closes. Then
 * it closes both, after what the peer said before, and after as much of what the near end said as
 * the peer takes at once. It also ends the conversation when the peer
 *
 * - says more than 4 KiB in the authentication, or refuses twice;
 * - sends a message that is no reply, is larger than 64 KiB (header included), has no D-Bus header,
 * or is one more than there were calls;
 * - sends a descriptor: none of them ever becomes one of this process.
 *
 * What the near end says is trusted. It is passed on whole, with up to 16 descriptors in the
 * message that they came with. Memory is bounded: 8 KiB each way, and what is read is written
 * before more is read. A direction that is blocked does not hold up the other. *Not* bounded, nor
 * looked at: the inside of a reply, how long the peer takes (also to authenticate; the caller sets
 * a deadline), and what GDBus queues for a peer that does not read.
 *
 * Credentials that the near end sends as a message do not pass. The peer must ask its socket whose
 * it is, as GDBus on Linux does. Who the peer is must be asked of @peer.
 *
 * Returns: (transfer full) (nullable): the near end, a #GUnixConnection, for an authentication
 *   client.
 */
GSocketConnection *
tokend_host_relay_new (GSocketConnection *peer, GError **error)
{
  g_autoptr (Relay) relay = NULL;
  g_autoptr (GSocket) near = NULL;
  GThread *thread;
  int fds[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "No pair of sockets: %s",
                 g_strerror (errno));
    return NULL;
  }
  relay = relay_new (peer, fds[0]);
  near = g_socket_new_from_fd (fds[1], error);
  if (near == NULL) {
    close (fds[1]);
    return NULL;
  }
  if (relay->to_near.from < 0) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                 "The peer's socket cannot be copied: %s", g_strerror (errno));
    return NULL;
  }
  thread = g_thread_try_new ("host-relay", run, relay, error);
  if (thread == NULL)
    return NULL;
  relay = NULL;
  g_thread_unref (thread);
  return g_socket_connection_factory_create_connection (near);
}
