/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendTellLimit:
 *
 * How often who is not trusted can cause an entry of the journal, which drops what a service says
 * when that is too much: nobody shall be able to hide what matters behind what costs nothing. A
 * source, a user or a module, has so many in an interval, and so many of each of its subjects.
 */
typedef struct _TokendTellLimit TokendTellLimit;

/**
 * TokendTelling:
 *
 * Of an entry that may be written.
 */
typedef struct {
  gboolean is_last_of_source;  /* in this interval */
  gboolean is_last_of_subject; /* likewise */
  guint n_suppressed;          /* how many of the source had none since its last one */
} TokendTelling;

TokendTellLimit *tokend_tell_limit_new (guint per_source, guint per_subject, gint64 interval_us);
void tokend_tell_limit_free (TokendTellLimit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendTellLimit, tokend_tell_limit_free)

gboolean tokend_tell_limit_take (TokendTellLimit *self, const char *source, const char *subject,
                                 gint64 now, TokendTelling *telling);

G_END_DECLS
