/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-descriptors.h"

#include "tokend-error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a stream; a file is never asked, whose server may be slow to answer. */
static gboolean
has_ended (int fd)
{
  struct pollfd pollfd = { .fd = fd, .events = POLLRDHUP };

  return poll (&pollfd, 1, 0) > 0 && (pollfd.revents & (POLLHUP | POLLRDHUP)) != 0;
}

/* What is not one of these (a device, say) may never end, or do something when it is read. */
static gboolean
check (int fd, const char *which, gboolean *is_unfinished, GError **error)
{
  struct statx status;

  /* A remote file system's server may be the caller: it is not asked (DONT_SYNC), so it cannot hold
   * the service up. */
  if (statx (fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) != 0) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "The descriptor of the %s cannot be examined: %s; nothing was sent", which,
                 g_strerror (errno));
    return FALSE;
  }
  if (!S_ISREG (status.stx_mode) && !S_ISFIFO (status.stx_mode) && !S_ISSOCK (status.stx_mode)) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "The descriptor of the %s is not a pipe, a socket or a regular file; "
                 "nothing was sent",
                 which);
    return FALSE;
  }
  *is_unfinished |= !S_ISREG (status.stx_mode) && !has_ended (fd);
  return TRUE;
}

static void
close_in_thread (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  close (GPOINTER_TO_INT (data));
}

/* The last close of a file on a remote file system can wait for its server: not in the main thread.
 */
static void
close_aside (int *fd)
{
  g_autoptr (GTask) task = NULL;

  if (*fd < 0)
    return;
  task = g_task_new (NULL, NULL, NULL, NULL);
  g_task_set_task_data (task, GINT_TO_POINTER (*fd), NULL);
  g_task_run_in_thread (task, close_in_thread);
  *fd = -1;
}

static gboolean
pick (int *fd, int *all, int n, int handle, const char *which, gboolean *is_unfinished,
      GError **error)
{
  if (handle < 0 || handle >= n || all[handle] < 0) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "The descriptor of the %s did not come with the call, or is the other code's; "
                 "nothing was sent",
                 which);
    return FALSE;
  }
  *fd = all[handle];
  all[handle] = -1;
  return check (*fd, which, is_unfinished, error);
}

/**
 * tokend_code_descriptors_take:
 * @descriptors: (out): to be closed with tokend_code_descriptors_close() also after an error.
 * @fds: (nullable): the list that came with the call; %NULL if the caller sent none. It is empty afterwards: the message
 *   lives as long as the call, and must not keep the codes.
 * @code_handle: the index of the code's descriptor in it.
 * @new_pin_handle: likewise, of the new PIN's; another one.
 * @error: InvalidArgs.
 */
gboolean
tokend_code_descriptors_take (TokendCodeDescriptors *descriptors, GUnixFDList *fds, int code_handle,
                              int new_pin_handle, GError **error)
{
  int n = 0;
  g_autofree int *all = fds != NULL ? g_unix_fd_list_steal_fds (fds, &n) : NULL;
  gboolean taken;

  *descriptors = (TokendCodeDescriptors){ .code = -1, .new_pin = -1 };
  taken = pick (&descriptors->code, all, n, code_handle, "code", &descriptors->is_unfinished, error)
          && pick (&descriptors->new_pin, all, n, new_pin_handle, "new PIN",
                   &descriptors->is_unfinished, error);
  for (int i = 0; all != NULL && i < n; i++)
    close_aside (&all[i]);
  return taken;
}

/** tokend_code_descriptors_close: @descriptors: closed ones are passed over. */
void
tokend_code_descriptors_close (TokendCodeDescriptors *descriptors)
{
  close_aside (&descriptors->code);
  close_aside (&descriptors->new_pin);
}
