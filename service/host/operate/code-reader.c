/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-reader-private.h"

#include "tokend-error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

static gboolean
set_unreadable (TokendCodeName name, const char *why, GError **error)
{
  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
               "The pipe of the %s cannot be read: %s", tokend_code_name (name), why);
  return FALSE;
}

static gboolean
check_pipe (int fd, TokendCodeName name, GError **error)
{
  struct pollfd pollfd = { .fd = fd };
  struct stat status;
  int flags = fcntl (fd, F_GETFL);

  if (flags < 0 || fstat (fd, &status) != 0)
    return set_unreadable (name, g_strerror (errno), error);
  if (!S_ISFIFO (status.st_mode) || (flags & O_PATH) != 0 || (flags & O_ACCMODE) != O_RDONLY)
    return set_unreadable (name, "it is no end of a pipe to be read", error);
  /* A writer that is still there could add to what would be taken for the whole code. */
  if (poll (&pollfd, 1, 0) <= 0 || (pollfd.revents & POLLHUP) == 0)
    return set_unreadable (name, "its other end is not closed", error);
  return TRUE;
}

/* Reads a pipe that has ended. It does not block unless somebody has spliced something into it that
 * does. */
static gboolean
read_to_end (int fd, TokendCodeName name, TokendCode *code, GError **error)
{
  while (code->length < sizeof code->bytes) {
    gssize n = read (fd, code->bytes + code->length, sizeof code->bytes - code->length);

    if (n == 0)
      break;
    if (n < 0 && errno != EINTR)
      return set_unreadable (name, g_strerror (errno), error);
    if (n > 0)
      code->length += (gsize) n;
  }
  return TRUE;
}

/**
 * tokend_code_read:
 * @fd: a pipe whose write end nobody has any more; it stays open
 * @name: which code it is, for the messages
 * @error: InvalidArgs, Failed
 *
 * Reads a code, and no more of it than tells that it is too long.
 *
 * Returns: (transfer full): what was read, for tokend_code_check()
 */
TokendCode *
tokend_code_read (int fd, TokendCodeName name, GError **error)
{
  g_autoptr (TokendCode) code = NULL;

  if (!check_pipe (fd, name, error) || (code = tokend_code_new (error)) == NULL
      || !read_to_end (fd, name, code, error))
    return NULL;
  return g_steal_pointer (&code);
}
