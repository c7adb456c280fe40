/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"

G_BEGIN_DECLS

/**
 * TokendToldLosses:
 *
 * Of the physical tokens' tries, which loss the journal was told of last, and by which view: what
 * two modules show, or one twice, is told of once.
 */
typedef struct _TokendToldLosses TokendToldLosses;

TokendToldLosses *tokend_told_losses_new (void);
void tokend_told_losses_free (TokendToldLosses *self);

gboolean tokend_told_losses_observe (TokendToldLosses *self, const char *holder, TokendRole role,
                                     const char *view, const TokendCounter *before,
                                     const TokendCounter *now);
void tokend_told_losses_add (TokendToldLosses *self, const char *holder, TokendRole role,
                             const char *view, const TokendCounter *now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendToldLosses, tokend_told_losses_free)

G_END_DECLS
