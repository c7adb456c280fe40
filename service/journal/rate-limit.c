/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rate-limit.h"

struct _TokendTellLimit {
  guint per_source;
  guint per_subject;
  gint64 interval;
  GHashTable *sources; /* of name → Source */
};

/* Remembers only subjects that had an entry, which are at most as many as the source may have:
 * whoever causes entries can make up subjects. */
typedef struct {
  gint64 since; /* monotonic, microseconds */
  guint n_taken;
  guint n_suppressed;
  GHashTable *subjects; /* of name → entries in this interval */
} Source;

static void
source_free (gpointer data)
{
  Source *source = data;

  g_hash_table_unref (source->subjects);
  g_free (source);
}

/**
 * tokend_rate_limit_new:
 * @per_source: entries of one source in an interval.
 * @per_subject: entries of one subject of a source in an interval.
 * @interval_us: in microseconds.
 *
 * Returns: (transfer full): a new limit.
 */
TokendRateLimit *
tokend_rate_limit_new (guint per_source, guint per_subject, gint64 interval_us)
{
  TokendRateLimit *self = g_new0 (TokendRateLimit, 1);

  self->per_source = per_source;
  self->per_subject = per_subject;
  self->interval = interval_us;
  self->sources = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, source_free);
  return self;
}

void
tokend_rate_limit_free (TokendRateLimit *self)
{
  g_hash_table_unref (self->sources);
  g_free (self);
}

static Source *
ensure_source (TokendRateLimit *self, const char *name, gint64 now)
{
  Source *source = g_hash_table_lookup (self->sources, name);

  if (source == NULL) {
    source = g_new0 (Source, 1);
    source->since = now;
    source->subjects = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_insert (self->sources, g_strdup (name), source);
  }
  if (now - source->since >= self->interval) {
    source->since = now;
    source->n_taken = 0;
    g_hash_table_remove_all (source->subjects);
  }
  return source;
}

/**
 * tokend_rate_limit_take:
 * @source: who causes the entry.
 * @subject: what it is about.
 * @now: monotonic time, in microseconds.
 * @info: (out): set if the entry may be written.
 *
 * Returns: whether the entry may be written.
 */
gboolean
tokend_rate_limit_take (TokendRateLimit *self, const char *source, const char *subject, gint64 now,
                        TokendRateLimitInfo *info)
{
  Source *from = ensure_source (self, source, now);
  guint n_of_subject = GPOINTER_TO_UINT (g_hash_table_lookup (from->subjects, subject));

  *info = (TokendRateLimitInfo){ 0 };
  if (from->n_taken == self->per_source || n_of_subject == self->per_subject) {
    from->n_suppressed++;
    return FALSE;
  }
  from->n_taken++;
  n_of_subject++;
  g_hash_table_insert (from->subjects, g_strdup (subject), GUINT_TO_POINTER (n_of_subject));
  info->is_last_of_source = from->n_taken == self->per_source;
  info->is_last_of_subject = n_of_subject == self->per_subject;
  info->n_suppressed = from->n_suppressed;
  from->n_suppressed = 0;
  return TRUE;
}
