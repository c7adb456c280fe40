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
 * Tries again once after a failure, later, whatever was waited for before.
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
 * Does not try again. Keeps the next delay.
 */
void
tokenctl_backoff_stop (TokenctlBackoff *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
}

/**
 * tokenctl_backoff_reset:
 *
 * Does not try again, after a success or for another matter. Goes back to the first delay.
 */
void
tokenctl_backoff_reset (TokenctlBackoff *self)
{
  tokenctl_backoff_stop (self);
  self->delay = 0;
}
