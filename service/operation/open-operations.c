/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "open-operations.h"

#include "open-limits-private.h"
#include "tokend-status.h"

struct _TokendOpenOperations {
  GObject parent_instance;

  GHashTable *entries; /* of path → Entry */
  guint n_needs;
  guint64 next_number; /* 0: none was given out */
};

G_DEFINE_FINAL_TYPE (TokendOpenOperations, tokend_open_operations, G_TYPE_OBJECT)

enum {
  SIGNAL_CHANGED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

typedef struct {
  TokendOperation *operation;
  const TokendCaller *caller;
} Entry;

static void
tokend_open_operations_init (TokendOpenOperations *self)
{
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static void
tokend_open_operations_finalize (GObject *object)
{
  g_hash_table_unref (TOKEND_OPEN_OPERATIONS (object)->entries);
  G_OBJECT_CLASS (tokend_open_operations_parent_class)->finalize (object);
}

static void
tokend_open_operations_class_init (TokendOpenOperationsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_open_operations_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

TokendOpenOperations *
tokend_open_operations_new (void)
{
  return g_object_new (TOKEND_TYPE_OPEN_OPERATIONS, NULL);
}

/**
 * tokend_open_operations_check_room:
 * @error: LimitsExceeded.
 *
 * Returns: whether the user @uid may open one more.
 */
gboolean
tokend_open_operations_check_room (TokendOpenOperations *self, guint32 uid, GError **error)
{
  GHashTableIter iter;
  gpointer entry;
  guint n_user = 0;

  g_hash_table_iter_init (&iter, self->entries);
  while (g_hash_table_iter_next (&iter, NULL, &entry))
    n_user += ((const Entry *) entry)->caller->uid == uid;
  return tokend_open_limits_check (n_user, g_hash_table_size (self->entries) - n_user, error);
}

/* Never gives out a path twice, not even after a restart; see make_object_path() in token.c. */
static char *
make_path (TokendOpenOperations *self)
{
  if (self->next_number == 0)
    self->next_number = (guint64) g_random_int () << 32 | g_random_int ();
  return g_strdup_printf (TOKEND_OPERATIONS_PATH "/%" G_GUINT64_FORMAT, self->next_number++);
}

/**
 * tokend_open_operations_add:
 * @operation: (transfer none): the operation, which outlives its entry.
 * @caller: the connection that opened it; outlives its entry, too.
 *
 * Returns: (transfer none): its path.
 */
const char *
tokend_open_operations_add (TokendOpenOperations *self, TokendOperation *operation,
                            const TokendCaller *caller)
{
  Entry *entry = g_new (Entry, 1);
  char *path = make_path (self);

  *entry = (Entry){ operation, caller };
  g_hash_table_insert (self->entries, path, entry);
  return path;
}

/**
 * tokend_open_operations_remove:
 * @path: of an operation whose connection has left.
 *
 * Removes its entry.
 */
void
tokend_open_operations_remove (TokendOpenOperations *self, const char *path)
{
  g_hash_table_remove (self->entries, path);
}

/**
 * tokend_open_operations_find:
 *
 * Returns: (transfer none) (nullable): the operation at @path, if @caller opened it.
 */
TokendOperation *
tokend_open_operations_find (TokendOpenOperations *self, const char *path, const char *caller)
{
  const Entry *entry = g_hash_table_lookup (self->entries, path);

  return entry != NULL && g_str_equal (entry->caller->name, caller) ? entry->operation : NULL;
}

/**
 * tokend_open_operations_begin_need:
 *
 * Keeps the service running and the tokens watched for an operation.
 */
void
tokend_open_operations_begin_need (TokendOpenOperations *self)
{
  self->n_needs++;
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

void
tokend_open_operations_end_need (TokendOpenOperations *self)
{
  self->n_needs--;
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/**
 * tokend_open_operations_count_needs:
 *
 * Returns: how many operations are open or about to be.
 */
guint
tokend_open_operations_count_needs (TokendOpenOperations *self)
{
  return self->n_needs;
}
