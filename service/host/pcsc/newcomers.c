/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "newcomers.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <winscard.h>

struct _TokendNewcomers {
  const char *library; /* NULL: not found */
  int inotify;
};

static void
watch (TokendNewcomers *self)
{
  if (self->library != NULL)
    inotify_add_watch (self->inotify, self->library, IN_OPEN);
}

/** tokend_newcomers_new: Returns: (transfer full): lives as long as the process. Where nothing can be noticed, nothing is. */
TokendNewcomers *
tokend_newcomers_new (void)
{
  TokendNewcomers *self = g_new0 (TokendNewcomers, 1);
  Dl_info info;

  if (dladdr ((const void *) SCardConnect, &info) != 0)
    self->library = info.dli_fname;
  self->inotify = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  watch (self);
  return self;
}

/* The library may have been replaced by another version, which is another file. */
static gboolean
take_events (TokendNewcomers *self)
{
  char buffer[1024] __attribute__ ((aligned (__alignof__(struct inotify_event))));
  gboolean is_opened = FALSE;
  gssize length;

  while ((length = read (self->inotify, buffer, sizeof buffer)) > 0) {
    const struct inotify_event *event;

    for (gssize at = 0; at < length; at += (gssize) (sizeof *event + event->len)) {
      event = (const struct inotify_event *) (const void *) (buffer + at);
      is_opened = is_opened || (event->mask & IN_OPEN) != 0;
      if (event->mask & IN_IGNORED)
        watch (self);
    }
  }
  return is_opened;
}

/**
 * tokend_newcomers_wait:
 * @time: at most so long, in microseconds
 *
 * Returns: whether there were newcomers since the last call
 */
gboolean
tokend_newcomers_wait (TokendNewcomers *self, gint64 time)
{
  struct pollfd file = { .fd = self->inotify, .events = POLLIN };

  poll (&file, 1, (int) (time / G_TIME_SPAN_MILLISECOND));
  return take_events (self);
}
