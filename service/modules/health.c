/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "health-private.h"

static gboolean
is_well_for_long (const TokendHealth *self, gint64 now)
{
  return self->well_since != 0 && now - self->well_since >= TOKEND_HEALTH_WELL_US;
}

/**
 * tokend_health_fail:
 * @reason: why the module failed.
 * @now: monotonic time, in microseconds; not 0.
 *
 * Records a failure.
 *
 * Returns: whether to tell the journal.
 */
gboolean
tokend_health_fail (TokendHealth *self, const char *reason, gint64 now)
{
  if (is_well_for_long (self, now))
    tokend_health_clear (self);
  self->n_in_a_row = self->well_since != 0 ? 1 : self->n_in_a_row + 1;
  self->well_since = 0;
  self->n_failed++;
  if (self->is_ill_told
      && (self->n_told >= TOKEND_HEALTH_REASONS_MAX || g_str_equal (self->reason, reason)))
    return FALSE;
  self->is_ill_told = TRUE;
  self->n_told++;
  g_free (self->reason);
  self->reason = g_strdup (reason);
  return TRUE;
}

/**
 * tokend_health_work:
 * @now: monotonic time, in microseconds; not 0.
 *
 * Records a successful read.
 *
 * Returns: whether to tell the journal that the module is back: at once the first time, later only
 *   once it was well for long.
 */
gboolean
tokend_health_work (TokendHealth *self, gint64 now)
{
  gboolean is_news;

  if (self->n_told == 0)
    return FALSE;
  if (self->well_since == 0)
    self->well_since = now;
  is_news = self->is_ill_told && (!self->is_back_told || is_well_for_long (self, now));
  if (is_news) {
    self->is_back_told = TRUE;
    self->is_ill_told = FALSE;
  }
  return is_news;
}

/**
 * tokend_health_get_pause:
 *
 * Lets the pause grow until the module was well for long, also if it works for a moment after each
 * start. A few crashes cost little time.
 *
 * Returns: the seconds until a module that has just failed is started again.
 */
guint
tokend_health_get_pause (const TokendHealth *self)
{
  const guint n_in_vain =
      MAX (self->n_in_a_row - 1, self->n_failed - MIN (self->n_failed, TOKEND_HEALTH_QUICK_STARTS));

  return MIN (1U << MIN (n_in_vain, 9), TOKEND_HEALTH_PAUSE_MAX_SECONDS);
}

void
tokend_health_clear (TokendHealth *self)
{
  g_free (self->reason);
  *self = (TokendHealth){ 0 };
}
