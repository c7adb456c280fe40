/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus.h"

#include "tokend-error.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * The bus hands on messages of 32 MiB, and GDBus makes of one that holds millions of variants some gigabytes, before anyone
 * else sees it. So GDBus is not connected to the bus itself but to a thread here, which passes on what is short enough.
 * Of a longer message it passes on the header alone, so that its caller can be answered: the field that names the type of
 * the body, which is gone then, is made one that D-Bus does not know.
 */
#define CUT_FIELD 255
#define SIGNATURE_FIELD 8

#define HEADER_BYTES 16
#define FIELDS_MAX_BYTES 4096
/* The bus grants a message so many. */
#define DESCRIPTORS_MAX 16

G_STATIC_ASSERT (HEADER_BYTES + FIELDS_MAX_BYTES <= TOKEND_MESSAGE_MAX_BYTES);

/*
 * The bus is read at once, and what GDBus has not taken waits here: while more than 64 descriptors wait in the bus for one
 * connection, it drops other messages for that one, polkit's answers and its own among them.
 */
#define WAITING_MAX_BYTES (8 * 1024 * 1024)

typedef struct {
  gsize n_bytes;
  gsize n_descriptors;
  int descriptors[DESCRIPTORS_MAX];
  guint8 bytes[];
} Message;

typedef struct {
  int listener; /* where GDBus connects */
  int bus;
  int near; /* GDBus's end */

  /* What is being received */
  gsize n_descriptors;
  int descriptors[DESCRIPTORS_MAX];
  guint8 message[TOKEND_MESSAGE_MAX_BYTES];

  GMutex lock;
  GCond changed;
  GQueue waiting; /* of Message */
  gsize n_waiting_bytes;
  gboolean is_over;
} Relay;

/* Room for control data, aligned as it must be. */
typedef union {
  struct cmsghdr header;
  guint8 bytes[CMSG_SPACE (DESCRIPTORS_MAX * sizeof (int))];
} Control;

static void
drop_descriptors (Relay *relay)
{
  while (relay->n_descriptors > 0)
    close (relay->descriptors[--relay->n_descriptors]);
}

static void
take_descriptors (Relay *relay, struct msghdr *message)
{
  for (struct cmsghdr *control = CMSG_FIRSTHDR (message); control != NULL;
       control = CMSG_NXTHDR (message, control)) {
    gsize n_bytes = control->cmsg_len - CMSG_LEN (0);

    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS)
      continue;
    memcpy (relay->descriptors + relay->n_descriptors, CMSG_DATA (control), n_bytes);
    relay->n_descriptors += n_bytes / sizeof (int);
  }
}

/* Never past the end of a message: descriptors would arrive with the wrong one. */
static gboolean
receive (Relay *relay, guint8 *bytes, gsize n_bytes)
{
  while (n_bytes > 0) {
    const gsize room = (DESCRIPTORS_MAX - relay->n_descriptors) * sizeof (int);
    struct iovec iovec = { bytes, n_bytes };
    Control control;
    struct msghdr message = {
      .msg_iov = &iovec, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN (room)
    };
    ssize_t n = TEMP_FAILURE_RETRY (recvmsg (relay->bus, &message, MSG_CMSG_CLOEXEC));

    if (n <= 0)
      return FALSE;
    take_descriptors (relay, &message);
    bytes += n;
    n_bytes -= (gsize) n;
  }
  return TRUE;
}

/* Returns: whether to go on. */
static gboolean
deliver (Relay *relay, const guint8 *bytes, gsize n_bytes)
{
  Message *message = g_malloc (sizeof *message + n_bytes);
  gboolean is_over;

  message->n_bytes = n_bytes;
  message->n_descriptors = relay->n_descriptors;
  memcpy (message->descriptors, relay->descriptors, sizeof message->descriptors);
  memcpy (message->bytes, bytes, n_bytes);
  relay->n_descriptors = 0;

  g_mutex_lock (&relay->lock);
  while (relay->n_waiting_bytes > WAITING_MAX_BYTES && !relay->is_over)
    g_cond_wait (&relay->changed, &relay->lock);
  g_queue_push_tail (&relay->waiting, message);
  relay->n_waiting_bytes += n_bytes;
  is_over = relay->is_over;
  if (relay->waiting.length == 1)
    g_cond_broadcast (&relay->changed);
  g_mutex_unlock (&relay->lock);
  return !is_over;
}

/* The descriptors go with the first byte. */
static gboolean
send_near (Relay *relay, Message *queued)
{
  gsize n_descriptor_bytes = queued->n_descriptors * sizeof (int);

  for (gsize n_sent = 0; n_sent < queued->n_bytes; n_descriptor_bytes = 0) {
    struct iovec iovec = { queued->bytes + n_sent, queued->n_bytes - n_sent };
    struct msghdr message = { .msg_iov = &iovec, .msg_iovlen = 1 };
    Control control = { 0 };
    ssize_t n;

    if (n_descriptor_bytes > 0) {
      control.header.cmsg_level = SOL_SOCKET;
      control.header.cmsg_type = SCM_RIGHTS;
      control.header.cmsg_len = CMSG_LEN (n_descriptor_bytes);
      memcpy (CMSG_DATA (&control.header), queued->descriptors, n_descriptor_bytes);
      message.msg_control = &control;
      message.msg_controllen = CMSG_SPACE (n_descriptor_bytes);
    }
    n = TEMP_FAILURE_RETRY (sendmsg (relay->near, &message, MSG_NOSIGNAL));
    if (n <= 0)
      return FALSE;
    n_sent += (gsize) n;
  }
  return TRUE;
}

/* Returns: (transfer full) (nullable): the next one; %NULL at the end. */
static Message *
wait_for_message (Relay *relay)
{
  Message *message;

  g_mutex_lock (&relay->lock);
  while (g_queue_is_empty (&relay->waiting) && !relay->is_over)
    g_cond_wait (&relay->changed, &relay->lock);
  message = g_queue_pop_head (&relay->waiting);
  if (message != NULL) {
    if (relay->n_waiting_bytes > WAITING_MAX_BYTES)
      g_cond_broadcast (&relay->changed);
    relay->n_waiting_bytes -= message->n_bytes;
  }
  g_mutex_unlock (&relay->lock);
  return message;
}

static void
end (Relay *relay)
{
  g_mutex_lock (&relay->lock);
  relay->is_over = TRUE;
  g_cond_broadcast (&relay->changed);
  g_mutex_unlock (&relay->lock);
  shutdown (relay->bus, SHUT_RDWR);
}

static gpointer
pass_near (gpointer data)
{
  Relay *relay = data;
  Message *message;
  gboolean goes_on = TRUE;

  while (goes_on && (message = wait_for_message (relay)) != NULL) {
    goes_on = send_near (relay, message);
    for (gsize i = 0; i < message->n_descriptors; i++)
      close (message->descriptors[i]);
    g_free (message);
  }
  end (relay);
  shutdown (relay->near, SHUT_RDWR);
  return NULL;
}

/* The bus's lines of the authentication; the last one answers whether descriptors may be sent. */
static gboolean
pass_lines (Relay *relay)
{
  const char *line = (const char *) relay->message;

  for (;;) {
    gsize length = 0;

    do {
      if (length == sizeof relay->message || !receive (relay, relay->message + length, 1))
        return FALSE;
    } while (relay->message[length++] != '\n');
    if (!deliver (relay, relay->message, length))
      return FALSE;
    if (g_str_has_prefix (line, "AGREE_UNIX_FD") || g_str_has_prefix (line, "ERROR"))
      return TRUE;
  }
}

static guint32
read_u32 (const guint8 *message, gsize offset)
{
  guint32 value;

  memcpy (&value, message + offset, sizeof value);
  return message[0] == G_DBUS_MESSAGE_BYTE_ORDER_LITTLE_ENDIAN ? GUINT32_FROM_LE (value)
                                                               : GUINT32_FROM_BE (value);
}

static guint64
align (guint64 offset, guint64 alignment)
{
  return (offset + alignment - 1) / alignment * alignment;
}

/* Where the value of a field's type ends that begins at @at. 0: it is not one that a field has. */
static guint64
skip_value (const guint8 *message, char type, guint64 at, guint64 end)
{
  if (type == 'g')
    return at < end ? at + 1 + message[at] + 1 : 0;
  at = align (at, 4);
  if (at + 4 > end)
    return 0;
  if (type == 'u')
    return at + 4;
  return type == 's' || type == 'o' ? at + 4 + read_u32 (message, at) + 1 : 0;
}

/* @end: of the fields, without their padding. Each is a code, and a variant: the length of its type, the type, NUL, value. */
static gboolean
rename_signature (guint8 *message, guint64 end)
{
  guint64 at = HEADER_BYTES;

  while (at < end) {
    at = align (at, 8);
    if (at + 4 > end || message[at + 1] != 1 || message[at + 3] != 0)
      return FALSE;
    if (message[at] == SIGNATURE_FIELD)
      message[at] = CUT_FIELD;
    at = skip_value (message, (char) message[at + 2], at + 4, end);
    if (at == 0)
      return FALSE;
  }
  return at == end;
}

/* What has no header to speak of is not passed on at all. */
static gboolean
cut (Relay *relay, guint64 n_fields, guint64 n_body)
{
  const guint64 n_header = align (HEADER_BYTES + n_fields, 8);
  gboolean is_kept = n_fields <= FIELDS_MAX_BYTES;
  guint8 waste[4096];

  if (is_kept) {
    if (!receive (relay, relay->message + HEADER_BYTES, n_header - HEADER_BYTES))
      return FALSE;
    is_kept = rename_signature (relay->message, HEADER_BYTES + n_fields);
    memset (relay->message + 4, 0, 4); /* the length of the body */
  } else {
    n_body += n_header - HEADER_BYTES;
  }
  for (guint64 left = n_body; left > 0; left -= MIN (left, sizeof waste))
    if (!receive (relay, waste, MIN (left, sizeof waste)))
      return FALSE;
  if (is_kept)
    return deliver (relay, relay->message, n_header);
  drop_descriptors (relay);
  return TRUE;
}

/* The fixed part: byte order, type, flags, version, length of the body, serial, length of the fields. */
static gboolean
pass_message (Relay *relay)
{
  guint64 n_fields, n_body, n_bytes;

  if (!receive (relay, relay->message, HEADER_BYTES))
    return FALSE;
  n_body = read_u32 (relay->message, 4);
  n_fields = read_u32 (relay->message, 12);
  n_bytes = align (HEADER_BYTES + n_fields, 8) + n_body;
  if (n_bytes > sizeof relay->message)
    return cut (relay, n_fields, n_body);
  return receive (relay, relay->message + HEADER_BYTES, n_bytes - HEADER_BYTES)
         && deliver (relay, relay->message, n_bytes);
}

/* What the service itself says is passed on as it is; it sends no descriptors. */
static gpointer
pass_out (gpointer data)
{
  Relay *relay = data;
  char bytes[8192];
  ssize_t n, n_sent = 0;

  while (n_sent >= 0 && (n = TEMP_FAILURE_RETRY (read (relay->near, bytes, sizeof bytes))) > 0)
    for (ssize_t at = 0; at < n && n_sent >= 0; at += n_sent)
      n_sent = TEMP_FAILURE_RETRY (send (relay->bus, bytes + at, (gsize) (n - at), MSG_NOSIGNAL));
  end (relay);
  return NULL;
}

static gboolean
is_of_this_process (int fd)
{
  struct ucred peer;
  socklen_t length = sizeof peer;

  return getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.pid == getpid ();
}

static gboolean
wait_for_near (Relay *relay)
{
  do {
    if (relay->near >= 0)
      close (relay->near);
    relay->near = TEMP_FAILURE_RETRY (accept4 (relay->listener, NULL, NULL, SOCK_CLOEXEC));
  } while (relay->near >= 0 && !is_of_this_process (relay->near));
  close (relay->listener);
  return relay->near >= 0;
}

static gpointer
pass_in (gpointer data)
{
  Relay *relay = data;

  if (!wait_for_near (relay))
    return NULL;
  g_thread_unref (g_thread_new ("bus-out", pass_out, relay));
  g_thread_unref (g_thread_new ("bus-near", pass_near, relay));
  if (pass_lines (relay))
    while (pass_message (relay))
      ;
  end (relay);
  return NULL;
}

static gboolean
connect_to_bus (Relay *relay, const char *address, GError **error)
{
  g_autoptr (GIOStream) stream = g_dbus_address_get_stream_sync (address, NULL, NULL, error);
  GSocket *socket;

  if (stream == NULL)
    return FALSE;
  socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream));
  relay->bus = fcntl (g_socket_get_fd (socket), F_DUPFD_CLOEXEC, 0);
  return g_unix_set_fd_nonblocking (relay->bus, FALSE, error);
}

/* Returns: (transfer full): where GDBus is to connect; the kernel chooses a name that nobody has. */
static char *
listen_nearby (Relay *relay)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  socklen_t length = sizeof name;

  relay->listener = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind (relay->listener, (struct sockaddr *) &name, sizeof name.sun_family) != 0
      || listen (relay->listener, 1) != 0
      || getsockname (relay->listener, (struct sockaddr *) &name, &length) != 0)
    return NULL;
  return g_strdup_printf ("unix:abstract=%.*s",
                          (int) (length - offsetof (struct sockaddr_un, sun_path) - 1),
                          name.sun_path + 1);
}

/* In GDBus's thread. An answer that was cut goes on: what it answers fails, as its type is another. */
static GDBusMessage *
on_message (GDBusConnection *bus, GDBusMessage *message, gboolean is_incoming, gpointer user_data)
{
  const GDBusMessageType type = g_dbus_message_get_message_type (message);
  const gboolean is_call = type == G_DBUS_MESSAGE_TYPE_METHOD_CALL;

  if (!is_incoming || (!is_call && type != G_DBUS_MESSAGE_TYPE_SIGNAL)
      || g_dbus_message_get_header (message, (GDBusMessageHeaderField) CUT_FIELD) == NULL)
    return message;
  if (is_call && !(g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED)) {
    g_autoptr (GError) error =
        g_error_new (TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED, "More than %d bytes in a message",
                     TOKEND_MESSAGE_MAX_BYTES);
    g_autofree char *name = g_dbus_error_encode_gerror (error);
    g_autoptr (GDBusMessage) answer =
        g_dbus_message_new_method_error_literal (message, name, error->message);

    g_dbus_connection_send_message (bus, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
  }
  g_object_unref (message);
  return NULL;
}

/**
 * tokend_bus_connect:
 * @error: of #GIOErrorEnum or #GDBusError.
 *
 * Connects to the system bus. To be called once, before anything else does: libpolkit then has the same connection.
 * A message for the service that is longer than #TOKEND_MESSAGE_MAX_BYTES is answered LimitsExceeded, or not at all if
 * its header alone is longer than 4 KiB; what is in it is never parsed.
 *
 * Returns: (transfer full) (nullable): the connection that g_bus_get() gives from now on.
 */
GDBusConnection *
tokend_bus_connect (GError **error)
{
  static Relay relay = { .near = -1 };
  g_autofree char *address = g_dbus_address_get_for_bus_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  g_autofree char *nearby = NULL;
  GDBusConnection *bus;

  if (address == NULL)
    return NULL;
  nearby = listen_nearby (&relay);
  if (nearby == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "No socket for the bus");
    return NULL;
  }
  /* Before there is any other thread */
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", nearby, TRUE);
  if (!connect_to_bus (&relay, address, error))
    return NULL;
  g_thread_unref (g_thread_new ("bus-in", pass_in, &relay));
  bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  if (bus != NULL)
    g_dbus_connection_add_filter (bus, on_message, NULL, NULL);
  return bus;
}
