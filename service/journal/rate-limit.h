/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendRateLimit:
 *
 * How often who is not trusted can cause an entry of the journal, which drops what a service says
 * when that is too much: nobody shall be able to hide what matters behind what costs nothing. A
 * source, a user or a module, has so many in an interval, and so many of each of its subjects.
 */
typedef struct _TokendTellLimit TokendRateLimit;

/**
 * TokendRateLimitInfo:
 *
 * Of an entry that may be written.
 */
typedef struct {
  gboolean is_last_of_source;  /* in this interval */
  gboolean is_last_of_subject; /* likewise */
  guint n_suppressed;          /* how many of the source had none since its last one */
} TokendRateLimitInfo;

TokendRateLimit *tokend_rate_limit_new (guint per_source, guint per_subject, gint64 interval_us);
void tokend_rate_limit_free (TokendRateLimit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendRateLimit, tokend_rate_limit_free)

gboolean tokend_rate_limit_take (TokendRateLimit *self, const char *source, const char *subject,
                                 gint64 now, TokendRateLimitInfo *info);

G_END_DECLS
