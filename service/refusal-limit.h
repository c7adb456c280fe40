/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The refusals of one user that have an entry each, in a minute. */
#define TOKEND_REFUSALS_PER_USER_MAX 20
#define TOKEND_REFUSALS_INTERVAL_US (60 * G_USEC_PER_SEC)

/**
 * TokendRefusalLimit:
 * Whose refusals go to the journal: refusals cost nothing, and the journal drops what a service says
 * when that is too much; nobody shall be able to hide what matters behind them.
 */
typedef struct _TokendRefusalLimit TokendRefusalLimit;

TokendRefusalLimit *tokend_refusal_limit_new (void);
void tokend_refusal_limit_free (TokendRefusalLimit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendRefusalLimit, tokend_refusal_limit_free)

gboolean tokend_refusal_limit_take (TokendRefusalLimit *self, guint uid, gint64 now,
                                    guint *n_suppressed);

G_END_DECLS
