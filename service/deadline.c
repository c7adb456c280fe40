/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deadline.h"

#include <time.h>

static gint64
get_now (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_BOOTTIME, &now);
  return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

/** tokend_deadline_in: Returns: the deadline that is so many seconds from now. */
gint64
tokend_deadline_in (guint seconds)
{
  return get_now () + (gint64) seconds * G_USEC_PER_SEC;
}

/** tokend_deadline_is_over: Returns: whether @deadline is now or was before. */
gboolean
tokend_deadline_is_over (gint64 deadline)
{
  return get_now () >= deadline;
}
