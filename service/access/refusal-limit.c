/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refusal-limit.h"

/* When a user was last told, newest first; the oldest is dropped. */
typedef struct {
  gint64 at[TOKEND_REFUSALS_MAX];
  guint n;
} Tellings;

struct _TokendRefusalLimit {
  GHashTable *tellings; /* of "uid/token" → Tellings */
};

TokendRefusalLimit *
tokend_refusal_limit_new (void)
{
  TokendRefusalLimit *self = g_new0 (TokendRefusalLimit, 1);

  self->tellings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

void
tokend_refusal_limit_free (TokendRefusalLimit *self)
{
  g_hash_table_unref (self->tellings);
  g_free (self);
}

static guint
count_recent (const Tellings *tellings, gint64 now)
{
  guint n_recent = 0;

  for (guint i = 0; i < tellings->n; i++)
    n_recent += now - tellings->at[i] < TOKEND_REFUSALS_INTERVAL_US;
  return n_recent;
}

static gboolean
is_past (gpointer key, gpointer tellings, gpointer now)
{
  return count_recent (tellings, *(const gint64 *) now) == 0;
}

static char *
make_key (guint32 uid, const char *token)
{
  return g_strdup_printf ("%u/%s", uid, token);
}

/**
 * tokend_refusal_limit_is_reached:
 * @uid: a user.
 * @names: (array zero-terminated=1): of one token, see tokend_target_list_cards().
 * @now: monotonic time, in microseconds.
 *
 * Returns: whether the user must not be told again, so that refused codes must not be looked up.
 */
gboolean
tokend_refusal_limit_is_reached (TokendRefusalLimit *self, guint32 uid, const char *const *names,
                                 gint64 now)
{
  for (gsize i = 0; names[i] != NULL; i++) {
    g_autofree char *key = make_key (uid, names[i]);
    const Tellings *tellings = g_hash_table_lookup (self->tellings, key);

    if (tellings != NULL && count_recent (tellings, now) == TOKEND_REFUSALS_MAX)
      return TRUE;
  }
  return FALSE;
}

static Tellings *
ensure_tellings (TokendRefusalLimit *self, guint32 uid, const char *name)
{
  g_autofree char *key = make_key (uid, name);
  Tellings *tellings = g_hash_table_lookup (self->tellings, key);

  if (tellings == NULL) {
    tellings = g_new0 (Tellings, 1);
    g_hash_table_insert (self->tellings, g_steal_pointer (&key), tellings);
  }
  return tellings;
}

static void
add (Tellings *tellings, gint64 now)
{
  if (tellings->n == TOKEND_REFUSALS_MAX)
    for (guint i = 1; i < TOKEND_REFUSALS_MAX; i++)
      tellings->at[i - 1] = tellings->at[i];
  else
    tellings->n++;
  tellings->at[tellings->n - 1] = now;
}

/**
 * tokend_refusal_limit_count:
 *
 * Counts that the user is told once more, unless the limit is reached. Forgets what is past.
 */
void
tokend_refusal_limit_count (TokendRefusalLimit *self, guint32 uid, const char *const *names,
                            gint64 now)
{
  g_hash_table_foreach_remove (self->tellings, is_past, &now);
  for (gsize i = 0; names[i] != NULL; i++)
    add (ensure_tellings (self, uid, names[i]), now);
}
