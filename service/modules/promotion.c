/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "promotion-private.h"

void
tokend_promotion_begin (TokendPromotion *self, gint64 now)
{
  self->is_promoted = TRUE;
  self->begun_at = now;
}

/**
 * tokend_promotion_end:
 * @n_told: how many tokens the readers told.
 *
 * Has the module polled from now on.
 */
void
tokend_promotion_end (TokendPromotion *self, guint n_told)
{
  self->is_promoted = FALSE;
  self->is_ended = TRUE;
  self->n_told = n_told;
}

/**
 * tokend_promotion_take_poll:
 * @n_tokens: how many the module shows.
 * @are_watchable: whether pcscd can tell of all of them.
 *
 * Takes over what the module itself shows.
 */
void
tokend_promotion_take_poll (TokendPromotion *self, guint n_tokens, gboolean are_watchable)
{
  self->are_watchable = n_tokens > 0 && are_watchable;
  if (n_tokens == 0)
    self->is_contradicted = FALSE;
  else if (self->is_ended && n_tokens > self->n_told)
    self->is_contradicted = TRUE;
  self->is_ended = FALSE;
}

/**
 * tokend_promotion_is_due:
 *
 * Returns: whether the readers may tell from now on.
 */
gboolean
tokend_promotion_is_due (const TokendPromotion *self, gint64 now)
{
  return !self->is_promoted && self->are_watchable && !self->is_contradicted
         && (self->begun_at == 0 || now - self->begun_at >= TOKEND_PROMOTION_INTERVAL);
}
