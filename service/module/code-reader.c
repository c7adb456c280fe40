/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-reader.h"

#include "tokend-error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
set_unreadable (TokendCodeName name, int error_number, GError **error)
{
  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
               "The descriptor of the %s cannot be read: %s", tokend_code_name (name),
               g_strerror (error_number));
  return FALSE;
}

/* The offset belongs to the caller's open file: it stays where it is. */
static gssize
read_some_of_file (int fd, TokendCode *code)
{
  return pread (fd, code->bytes + code->length, sizeof code->bytes - code->length,
                (off_t) code->length);
}

/*
 * O_NONBLOCK belongs to the caller's open file too and stays as it is. A FIFO can therefore block
 * here, if somebody else takes what poll() has just seen: whoever runs this keeps an eye on the
 * deadline from another thread.
 */
static gssize
read_some_of_stream (int fd, gboolean is_socket, TokendCode *code)
{
  char *end = code->bytes + code->length;
  gsize room = sizeof code->bytes - code->length;

  return is_socket ? recv (fd, end, room, MSG_DONTWAIT) : read (fd, end, room);
}

static gboolean
wait_for_input (int fd, TokendCodeName name, gint64 deadline, GError **error)
{
  struct pollfd pollfd = { .fd = fd, .events = POLLIN };

  for (;;) {
    gint64 left = deadline - g_get_monotonic_time ();
    int ready;

    if (left <= 0) {
      g_set_error (
          error, TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT,
          "The descriptor of the %s did not end in time: close its other end after writing",
          tokend_code_name (name));
      return FALSE;
    }

    ready = poll (&pollfd, 1, (int) ((left + 999) / 1000));
    if (ready > 0)
      return TRUE;
    if (ready < 0 && errno != EINTR)
      return set_unreadable (name, errno, error);
  }
}

static gboolean
read_file (int fd, TokendCodeName name, TokendCode *code, GError **error)
{
  while (code->length < sizeof code->bytes) {
    gssize n = read_some_of_file (fd, code);

    if (n == 0)
      break;
    if (n < 0 && errno != EINTR)
      return set_unreadable (name, errno, error);
    if (n > 0)
      code->length += (gsize) n;
  }

  return TRUE;
}

static gboolean
read_stream (int fd, gboolean is_socket, TokendCodeName name, gint64 deadline, TokendCode *code,
             GError **error)
{
  while (code->length < sizeof code->bytes) {
    gssize n;

    if (!wait_for_input (fd, name, deadline, error))
      return FALSE;
    n = read_some_of_stream (fd, is_socket, code);
    if (n == 0)
      break;
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      return set_unreadable (name, errno, error);
    if (n > 0)
      code->length += (gsize) n;
  }

  return TRUE;
}

/**
 * tokend_code_read:
 * @fd: a FIFO, socket, memfd or regular file, open for reading; it stays open, its offset and flags
 * stay as they are
 * @name: whose code it is, for the messages
 * @deadline: monotonic time in microseconds by which a stream must have ended
 * @error: InvalidArgs, TimedOut, Failed
 *
 * Reads a code once: files from their start, streams from where they are to their end, and of both
 * no more than tells that it is too long.
 *
 * Returns: (transfer full): what was read, unchecked, for tokend_code_check()
 */
TokendCode *
tokend_code_read (int fd, TokendCodeName name, gint64 deadline, GError **error)
{
  g_autoptr (TokendCode) code = NULL;
  struct stat status;
  gboolean done;
  int flags = fcntl (fd, F_GETFL);

  if (flags < 0 || fstat (fd, &status) != 0) {
    set_unreadable (name, errno, error);
    return NULL;
  }
  if (!S_ISREG (status.st_mode) && !S_ISFIFO (status.st_mode) && !S_ISSOCK (status.st_mode)) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "The descriptor of the %s is not a FIFO, socket, memfd or regular file",
                 tokend_code_name (name));
    return NULL;
  }
  /* Asked for, because the writing end of a FIFO would never be ready, not even with an error. */
  if ((flags & O_PATH) != 0 || (flags & O_ACCMODE) == O_WRONLY) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "The descriptor of the %s is not open for reading", tokend_code_name (name));
    return NULL;
  }

  code = tokend_code_new (error);
  if (code == NULL)
    return NULL;
  done = S_ISREG (status.st_mode)
             ? read_file (fd, name, code, error)
             : read_stream (fd, S_ISSOCK (status.st_mode), name, deadline, code, error);

  return done ? g_steal_pointer (&code) : NULL;
}
