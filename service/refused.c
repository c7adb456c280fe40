/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refused.h"

#include <sys/random.h>

#define KEY_SIZE 32
/* A token that never locks can refuse for ever; the oldest is then forgotten. */
#define DIGESTS_MAX 64

struct _TokendRefused {
  GObject parent_instance;

  GBytes *key;
  GHashTable *digests; /* of "PHYSICAL-ID/ROLE" → GQueue of GBytes, newest first */
};

G_DEFINE_FINAL_TYPE (TokendRefused, tokend_refused, G_TYPE_OBJECT)

static void
free_queue (gpointer queue)
{
  g_queue_free_full (queue, (GDestroyNotify) g_bytes_unref);
}

static void
tokend_refused_init (TokendRefused *self)
{
  guint8 key[KEY_SIZE];

  /* The kernel gives up to 256 bytes whole; without them nothing here can be kept secret. */
  if (getrandom (key, sizeof key, 0) != sizeof key)
    g_error ("getrandom: no random bytes");
  self->key = g_bytes_new (key, sizeof key);
  self->digests = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_queue);
}

static void
tokend_refused_finalize (GObject *object)
{
  TokendRefused *self = TOKEND_REFUSED (object);

  g_bytes_unref (self->key);
  g_hash_table_unref (self->digests);
  G_OBJECT_CLASS (tokend_refused_parent_class)->finalize (object);
}

static void
tokend_refused_class_init (TokendRefusedClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_refused_finalize;
}

/** tokend_refused_new: Returns: (transfer full): an empty store with a key of its own. */
TokendRefused *
tokend_refused_new (void)
{
  return g_object_new (TOKEND_TYPE_REFUSED, NULL);
}

/** tokend_refused_get_key: Returns: (transfer none): the key of the digests, 32 bytes. */
GBytes *
tokend_refused_get_key (TokendRefused *self)
{
  return self->key;
}

static char *
make_key (const char *physical_id, TokendRole role)
{
  return g_strdup_printf ("%s/%d", physical_id, (int) role);
}

static gboolean
queue_contains (GQueue *queue, GBytes *digest)
{
  return g_queue_find_custom (queue, digest, g_bytes_compare) != NULL;
}

/** tokend_refused_contains: whether @digest is of a code that the token refused for @role. */
gboolean
tokend_refused_contains (TokendRefused *self, const char *physical_id, TokendRole role,
                         GBytes *digest)
{
  g_autofree char *key = make_key (physical_id, role);
  GQueue *queue = g_hash_table_lookup (self->digests, key);

  return queue != NULL && queue_contains (queue, digest);
}

/** tokend_refused_add: the token refused the code of @digest, proven, for @role. */
void
tokend_refused_add (TokendRefused *self, const char *physical_id, TokendRole role, GBytes *digest)
{
  g_autofree char *key = make_key (physical_id, role);
  GQueue *queue = g_hash_table_lookup (self->digests, key);

  if (queue == NULL) {
    queue = g_queue_new ();
    g_hash_table_insert (self->digests, g_steal_pointer (&key), queue);
  }
  if (queue_contains (queue, digest))
    return;
  g_queue_push_head (queue, g_bytes_ref (digest));
  if (g_queue_get_length (queue) > DIGESTS_MAX)
    g_bytes_unref (g_queue_pop_tail (queue));
}

/** tokend_refused_forget: @role succeeded or its counter rose: an older refusal says nothing any
 * more. */
void
tokend_refused_forget (TokendRefused *self, const char *physical_id, TokendRole role)
{
  g_autofree char *key = make_key (physical_id, role);

  g_hash_table_remove (self->digests, key);
}
