/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module-private.h"

/* What an operation on a card, by whichever module, has to do with the others that show it. */

static guint
count_tokens_of (TokendModule *self, const char *const *cards)
{
  guint n_tokens = 0;

  for (guint i = 0; i < self->tokens->len; i++)
    n_tokens += g_strv_contains (cards, tokend_token_get_physical_id (self->tokens->pdata[i]));
  return n_tokens;
}

/**
 * tokend_module_let_go:
 * @cards: all that the physical token may be, see tokend_target_list_cards().
 *
 * Has its watching host let go of these cards, which is not reset while any program is connected to
 * it. A module that is polled is so as long as it is initialised: its host ends, unless it reads
 * just now, since pcscd resets the card if a process ends in the middle; or shows another card, on
 * which an operation may be open, which would end by that.
 */
void
tokend_module_let_go (TokendModule *self, const char *const *cards)
{
  const guint n_tokens = count_tokens_of (self, cards);

  if (self->host == NULL || n_tokens == 0)
    return;
  if (self->watch_method == TOKEND_WATCH_METHOD_READERS) {
    tokend_host_stop_waiting (self->host);
  } else if (!self->reading && n_tokens == self->tokens->len) {
    self->has_let_go = TRUE;
    tokend_module_end_host (self);
  }
}

/**
 * tokend_module_go_on:
 *
 * Starts the host anew that has let go.
 */
void
tokend_module_go_on (TokendModule *self)
{
  if (self->has_let_go)
    tokend_module_start (self);
  self->has_let_go = FALSE;
}

/**
 * tokend_module_set_left_open:
 * @cards: all that the physical token may be, see tokend_target_list_cards().
 * @is_left_open: see tokend_token_set_left_open().
 *
 * Tells its tokens whether an operation has closed their card.
 */
void
tokend_module_set_left_open (TokendModule *self, const char *const *cards, gboolean is_left_open)
{
  for (guint i = 0; i < self->tokens->len; i++)
    if (g_strv_contains (cards, tokend_token_get_physical_id (self->tokens->pdata[i])))
      tokend_token_set_left_open (self->tokens->pdata[i], is_left_open);
}

/**
 * tokend_module_end_operation:
 * @cards: all that the physical token may be, see tokend_target_list_cards().
 *
 * Tells its tokens that an operation has ended.
 */
void
tokend_module_end_operation (TokendModule *self, const char *const *cards)
{
  for (guint i = 0; i < self->tokens->len; i++)
    if (g_strv_contains (cards, tokend_token_get_physical_id (self->tokens->pdata[i])))
      tokend_token_end_operation (self->tokens->pdata[i]);
}
