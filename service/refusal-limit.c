/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refusal-limit.h"

struct _TokendRefusalLimit {
  GHashTable *users; /* of uid → User */
};

typedef struct {
  gint64 since; /* monotonic, microseconds */
  guint n_taken;
  guint n_suppressed;
} User;

/** tokend_refusal_limit_new: Returns: (transfer full): a limit that nobody has come near yet. */
TokendRefusalLimit *
tokend_refusal_limit_new (void)
{
  TokendRefusalLimit *self = g_new0 (TokendRefusalLimit, 1);

  self->users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  return self;
}

/** tokend_refusal_limit_free: @self: (transfer full): a limit. */
void
tokend_refusal_limit_free (TokendRefusalLimit *self)
{
  g_hash_table_unref (self->users);
  g_free (self);
}

/**
 * tokend_refusal_limit_take:
 * @uid: the user who was refused.
 * @now: monotonic time, in microseconds.
 * @n_suppressed: (out): how many of the user's refusals have no entry since the last one that has.
 *
 * Returns: whether this refusal is to have an entry.
 */
gboolean
tokend_refusal_limit_take (TokendRefusalLimit *self, guint uid, gint64 now, guint *n_suppressed)
{
  User *user = g_hash_table_lookup (self->users, GUINT_TO_POINTER (uid));

  *n_suppressed = 0;
  if (user == NULL) {
    user = g_new0 (User, 1);
    user->since = now;
    g_hash_table_insert (self->users, GUINT_TO_POINTER (uid), user);
  }
  if (now - user->since >= TOKEND_REFUSALS_INTERVAL_US) {
    user->since = now;
    user->n_taken = 0;
  }
  if (user->n_taken == TOKEND_REFUSALS_PER_USER_MAX) {
    user->n_suppressed++;
    return FALSE;
  }
  user->n_taken++;
  *n_suppressed = user->n_suppressed;
  user->n_suppressed = 0;
  return TRUE;
}
