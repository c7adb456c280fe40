/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendRateLimit:
 *
 * Limits how often an untrusted source, a user or a module, can cause entries of the journal. The
 * journal drops entries of a service that writes too many, so a flood could hide what matters.
 */
typedef struct _TokendTellLimit TokendRateLimit;

/**
 * TokendRateLimitInfo:
 *
 * What is known of an entry that may be written.
 */
typedef struct {
  gboolean is_last_of_source;  /* in this interval */
  gboolean is_last_of_subject; /* in this interval */
  guint n_suppressed;          /* entries of this source that were left out since its last one */
} TokendRateLimitInfo;

TokendRateLimit *tokend_rate_limit_new (guint per_source, guint per_subject, gint64 interval_us);
void tokend_rate_limit_free (TokendRateLimit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendRateLimit, tokend_rate_limit_free)

gboolean tokend_rate_limit_take (TokendRateLimit *self, const char *source, const char *subject,
                                 gint64 now, TokendRateLimitInfo *info);

G_END_DECLS
