/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backoff.h"

static gboolean
on_timer (gpointer user_data)
{
  TokenctlBackoff *self = user_data;

  self->timer = 0;
  self->func (self->user_data);
  return G_SOURCE_REMOVE;
}

/**
 * tokenctl_backoff_wait:
 *
 * It failed: it is tried again once, later, whatever was waited for before.
 */
void
tokenctl_backoff_wait (TokenctlBackoff *self)
{
  guint delay = self->delay > 0 ? self->delay : self->first;

  g_clear_handle_id (&self->timer, g_source_remove);
  self->timer = g_timeout_add_seconds (delay, on_timer, self);
  self->delay = MIN (delay * 2, self->last);
}

/**
 * tokenctl_backoff_stop:
 *
 * It is not tried again by itself. The next delay stays what it is.
 */
void
tokenctl_backoff_stop (TokenctlBackoff *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
}

/**
 * tokenctl_backoff_reset:
 *
 * It worked, or is another thing now: it is not tried again, and the next delay is the first.
 */
void
tokenctl_backoff_reset (TokenctlBackoff *self)
{
  tokenctl_backoff_stop (self);
  self->delay = 0;
}
