/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"

G_BEGIN_DECLS

/**
 * TokendLossLog:
 *
 * Remembers the last loss of each physical token that the journal was told of, and the view that
 * showed it. So a loss that two modules show, or one module twice, is told once.
 */
typedef struct _TokendToldLosses TokendLossLog;

TokendLossLog *tokend_loss_log_new (void);
void tokend_loss_log_free (TokendLossLog *self);

gboolean tokend_loss_log_observe (TokendLossLog *self, const char *holder, TokendRole role,
                                  const char *view, const TokendCounter *before,
                                  const TokendCounter *now);
void tokend_loss_log_add (TokendLossLog *self, const char *holder, TokendRole role,
                          const char *view, const TokendCounter *now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendLossLog, tokend_loss_log_free)

G_END_DECLS
