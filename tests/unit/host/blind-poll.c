/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A poll() that can be made blind; not with <poll.h>, which says of poll() what holds for the C
 * library's alone. */
#include "blind-poll.h"

#include <linux/poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int poll (struct pollfd *fds, unsigned long count, int timeout);
/* What poll() becomes where _FORTIFY_SOURCE cannot tell the size of @fds. */
int __poll_chk (struct pollfd *fds, unsigned long count, int timeout, unsigned long size);

static bool blind;

static bool
is_fifo (int fd)
{
  struct stat status;

  return fstat (fd, &status) == 0 && S_ISFIFO (status.st_mode);
}

/* From now on poll() says of every FIFO that it has ended. */
void
blind_poll (void)
{
  blind = true;
}

int
poll (struct pollfd *fds, unsigned long count, int timeout)
{
  if (blind && count == 1 && is_fifo (fds[0].fd)) {
    fds[0].revents = POLLHUP;
    return 1;
  }

  return (int) syscall (SYS_poll, fds, count, timeout);
}

int
__poll_chk (struct pollfd *fds, unsigned long count, int timeout, unsigned long size)
{
  return poll (fds, count, timeout);
}
