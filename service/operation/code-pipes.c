/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-pipes-private.h"

#include "deadline.h"
#include "tokend-error.h"
#include "tokend-status.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The code's and the new PIN's. */
#define N_PIPES 2
/* The smallest size of a pipe, which is more than any code. */
#define PIPE_SIZE 4096

struct _TokendCodePipes {
  const char *names[N_PIPES]; /* what the codes are called in messages */
  int fds[N_PIPES];           /* the read ends */
  guint sources[N_PIPES];     /* that wait for the first byte, or the end */
  guint timer;
  gint64 deadline; /* until when a code may wait; 0: none does yet */
  GSourceFunc expired;
  gpointer data;
  GSource *cancelled;
  GTask *collecting; /* NULL: nobody waits for the end */
};

static void
stop_waiting (TokendCodePipes *self)
{
  for (guint i = 0; i < N_PIPES; i++)
    g_clear_handle_id (&self->sources[i], g_source_remove);
  g_clear_handle_id (&self->timer, g_source_remove);
  if (self->cancelled != NULL)
    g_source_destroy (self->cancelled);
  g_clear_pointer (&self->cancelled, g_source_unref);
}

/**
 * tokend_code_pipes_free:
 *
 * Closes the pipes, with what is in them. Must not be called during
 * tokend_code_pipes_collect_async().
 */
void
tokend_code_pipes_free (TokendCodePipes *self)
{
  stop_waiting (self);
  for (guint i = 0; i < N_PIPES; i++)
    if (self->fds[i] >= 0)
      close (self->fds[i]);
  g_free (self);
}

/* Limits the pipe to a page, unless the caller asks the kernel for more. */
static gboolean
open_pipe (int *read_end, int *write_end, GError **error)
{
  int ends[2];

  if (pipe2 (ends, O_CLOEXEC) != 0) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED,
                 "A pipe for the codes cannot be made: %s; nothing was sent", g_strerror (errno));
    return FALSE;
  }
  *read_end = ends[0];
  *write_end = ends[1];
  if (fcntl (ends[0], F_SETPIPE_SZ, PIPE_SIZE) >= 0
      && fcntl (ends[1], F_SETFL, O_WRONLY | O_NONBLOCK) == 0)
    return TRUE;
  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED,
               "A pipe for the codes cannot be set up: %s; nothing was sent", g_strerror (errno));
  return FALSE;
}

/**
 * tokend_code_pipes_new:
 * @code: (transfer none): what the code is called, "PUK" or "PIN"; static.
 * @write_ends: (out) (transfer full): the write ends, which nobody else has: 0 is the code's, 1 the
 *   new PIN's.
 * @error: Failed.
 *
 * Returns: (transfer full) (nullable): two pipes.
 */
TokendCodePipes *
tokend_code_pipes_new (const char *code, GUnixFDList **write_ends, GError **error)
{
  g_autoptr (TokendCodePipes) self = g_new0 (TokendCodePipes, 1);
  int ends[N_PIPES] = { -1, -1 };
  gboolean is_open = TRUE;

  self->names[0] = code;
  self->names[1] = "new PIN";
  for (guint i = 0; i < N_PIPES; i++)
    self->fds[i] = -1;
  for (guint i = 0; i < N_PIPES && is_open; i++)
    is_open = open_pipe (&self->fds[i], &ends[i], error);
  if (is_open) {
    *write_ends = g_unix_fd_list_new_from_array (ends, N_PIPES);
    return g_steal_pointer (&self);
  }
  for (guint i = 0; i < N_PIPES; i++)
    if (ends[i] >= 0)
      close (ends[i]);
  return NULL;
}

static gboolean
on_expired (gpointer user_data)
{
  TokendCodePipes *self = user_data;

  self->timer = 0;
  self->expired (self->data);
  return G_SOURCE_REMOVE;
}

/* Stops looking, since the pipe stays readable from now on. */
static gboolean
on_filled (gint fd, GIOCondition condition, gpointer user_data)
{
  TokendCodePipes *self = user_data;

  for (guint i = 0; i < N_PIPES; i++)
    if (self->fds[i] == fd)
      self->sources[i] = 0;
    else
      g_clear_handle_id (&self->sources[i], g_source_remove);
  self->deadline = tokend_deadline_in (TOKEND_CODE_PIPES_FILLED_SECONDS);
  self->timer = tokend_deadline_add (TOKEND_CODE_PIPES_FILLED_SECONDS, on_expired, self);
  return G_SOURCE_REMOVE;
}

/**
 * tokend_code_pipes_watch:
 * @expired: called once if a code has waited too long, or a pipe was closed as long ago; may free
 *   @self.
 *
 * Watches the pipes until tokend_code_pipes_collect_async().
 */
void
tokend_code_pipes_watch (TokendCodePipes *self, GSourceFunc expired, gpointer user_data)
{
  self->expired = expired;
  self->data = user_data;
  for (guint i = 0; i < N_PIPES; i++)
    self->sources[i] = g_unix_fd_add (self->fds[i], G_IO_IN | G_IO_HUP, on_filled, self);
}

/**
 * tokend_code_pipes_check_time:
 *
 * Calls the function of tokend_code_pipes_watch(), which may free @self, if a code has waited too
 * long. After the machine was suspended, a call may come before the timer.
 */
void
tokend_code_pipes_check_time (TokendCodePipes *self)
{
  if (self->deadline != 0 && tokend_deadline_is_over (self->deadline))
    self->expired (self->data);
}

/* Tells whether @events are there, or the end, which poll() tells of always. */
static gboolean
has_any (int fd, short events)
{
  struct pollfd pollfd = { .fd = fd, .events = events };

  return poll (&pollfd, 1, 0) > 0;
}

/**
 * tokend_code_pipes_were_taken:
 *
 * Returns: whether the caller is known to have got the pipes: one was written to or closed. Until
 *   then they may wait in the bus.
 */
gboolean
tokend_code_pipes_were_taken (const TokendCodePipes *self)
{
  for (guint i = 0; i < N_PIPES; i++)
    if (has_any (self->fds[i], POLLIN))
      return TRUE;
  return FALSE;
}

/* Checks pipes that have ended, and so are not written to any more. */
static gboolean
check_sizes (const TokendCodePipes *self, GError **error)
{
  for (guint i = 0; i < N_PIPES; i++) {
    int size = 0;

    if (ioctl (self->fds[i], FIONREAD, &size) != 0 || size > TOKEND_CODE_MAX) {
      g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                   "The %s is longer than %d bytes; nothing was sent", self->names[i],
                   TOKEND_CODE_MAX);
      return FALSE;
    }
  }
  return TRUE;
}

static const char *
find_open (const TokendCodePipes *self)
{
  for (guint i = 0; i < N_PIPES; i++)
    if (!has_any (self->fds[i], 0))
      return self->names[i];
  return NULL;
}

/* Takes over @error. */
static void
end_collect (TokendCodePipes *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->collecting);

  stop_waiting (self);
  if (error == NULL && check_sizes (self, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gboolean
on_ended (gint fd, GIOCondition condition, gpointer user_data)
{
  TokendCodePipes *self = user_data;

  for (guint i = 0; i < N_PIPES; i++)
    if (self->fds[i] == fd)
      self->sources[i] = 0;
  if (find_open (self) == NULL)
    end_collect (self, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_overdue (gpointer user_data)
{
  TokendCodePipes *self = user_data;
  const char *name = find_open (self);
  GError *error = NULL;

  self->timer = 0;
  if (name != NULL)
    error = g_error_new (TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT,
                         "The pipe of the %s was not closed within %d seconds; nothing was sent: "
                         "write the code, close the pipe, then call Finish",
                         name, TOKEND_CODE_PIPES_END_MS / 1000);
  end_collect (self, error);
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  GError *error = NULL;

  g_cancellable_set_error_if_cancelled (cancellable, &error);
  end_collect (user_data, error);
  return G_SOURCE_REMOVE;
}

/**
 * tokend_code_pipes_collect_async:
 * @cancellable: gives up.
 *
 * Waits for the end of both pipes, and then checks how much is in them.
 */
void
tokend_code_pipes_collect_async (TokendCodePipes *self, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user_data)
{
  stop_waiting (self);
  self->collecting = g_task_new (NULL, NULL, callback, user_data);
  if (find_open (self) == NULL) {
    end_collect (self, NULL);
    return;
  }
  for (guint i = 0; i < N_PIPES; i++)
    if (!has_any (self->fds[i], 0))
      self->sources[i] = g_unix_fd_add (self->fds[i], G_IO_HUP, on_ended, self);
  self->timer = g_timeout_add (TOKEND_CODE_PIPES_END_MS, on_overdue, self);
  self->cancelled = g_cancellable_source_new (cancellable);
  g_source_set_callback (self->cancelled, G_SOURCE_FUNC (on_cancelled), self, NULL);
  g_source_attach (self->cancelled, NULL);
}

/**
 * tokend_code_pipes_collect_finish:
 * @error: TimedOut or InvalidArgs.
 *
 * Returns: whether both codes are whole.
 */
gboolean
tokend_code_pipes_collect_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tokend_code_pipes_append:
 * @list: gets the read ends: the code's, then the new PIN's.
 * @error: Failed.
 *
 * Returns: whether they were added.
 */
gboolean
tokend_code_pipes_append (const TokendCodePipes *self, GUnixFDList *list, GError **error)
{
  for (guint i = 0; i < N_PIPES; i++)
    if (g_unix_fd_list_append (list, self->fds[i], error) < 0)
      return FALSE;
  return TRUE;
}
