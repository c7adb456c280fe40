/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refused.h"

#include <sys/random.h>

#define KEY_SIZE 32
/* A token that never locks can refuse for ever; the oldest is then forgotten. */
#define DIGESTS_MAX 64

struct _TokendRefused {
  GObject parent_instance;

  GBytes *key;
  GHashTable *refusals; /* of "PHYSICAL-ID/ROLE" → Refusals */
};

/* What one role of one token refused, and the counter as it was last seen since. */
typedef struct {
  GQueue digests; /* of GBytes, newest first */
  char *module;   /* which showed that counter; NULL: none was seen yet */
  TokendCounter shown;
} Refusals;

G_DEFINE_FINAL_TYPE (TokendRefused, tokend_refused, G_TYPE_OBJECT)

static void
refusals_free (gpointer data)
{
  Refusals *refusals = data;

  g_queue_clear_full (&refusals->digests, (GDestroyNotify) g_bytes_unref);
  g_free (refusals->module);
  g_free (refusals);
}

static void
tokend_refused_init (TokendRefused *self)
{
  guint8 key[KEY_SIZE];

  /* The kernel gives up to 256 bytes whole; without them nothing here can be kept secret. */
  if (getrandom (key, sizeof key, 0) != sizeof key)
    g_error ("getrandom: no random bytes");
  self->key = g_bytes_new (key, sizeof key);
  self->refusals = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, refusals_free);
}

static void
tokend_refused_finalize (GObject *object)
{
  TokendRefused *self = TOKEND_REFUSED (object);

  g_bytes_unref (self->key);
  g_hash_table_unref (self->refusals);
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

static Refusals *
lookup (TokendRefused *self, const char *physical_id, TokendRole role)
{
  g_autofree char *key = make_key (physical_id, role);

  return g_hash_table_lookup (self->refusals, key);
}

static gboolean
contains (Refusals *refusals, GBytes *digest)
{
  return g_queue_find_custom (&refusals->digests, digest, g_bytes_compare) != NULL;
}

/** tokend_refused_contains: whether @digest is of a code that the token refused for @role. */
gboolean
tokend_refused_contains (TokendRefused *self, const char *physical_id, TokendRole role,
                         GBytes *digest)
{
  Refusals *refusals = lookup (self, physical_id, role);

  return refusals != NULL && contains (refusals, digest);
}

/** tokend_refused_add: the token refused the code of @digest, proven, for @role. */
void
tokend_refused_add (TokendRefused *self, const char *physical_id, TokendRole role, GBytes *digest)
{
  Refusals *refusals = lookup (self, physical_id, role);

  if (refusals == NULL) {
    refusals = g_new0 (Refusals, 1);
    g_hash_table_insert (self->refusals, make_key (physical_id, role), refusals);
  }
  /* What was seen before this refusal says nothing of what comes after it. */
  g_clear_pointer (&refusals->module, g_free);
  if (contains (refusals, digest))
    return;
  g_queue_push_head (&refusals->digests, g_bytes_ref (digest));
  if (g_queue_get_length (&refusals->digests) > DIGESTS_MAX)
    g_bytes_unref (g_queue_pop_tail (&refusals->digests));
}

static gboolean
rose (const TokendCounter *before, const TokendCounter *after)
{
  if (before->remaining != TOKEND_RETRIES_UNKNOWN && after->remaining != TOKEND_RETRIES_UNKNOWN)
    return after->remaining > before->remaining;
  return before->state == TOKEND_STATE_LOW && after->state == TOKEND_STATE_OK;
}

/**
 * tokend_refused_observe:
 * @physical_id: see tokend_reading_physical_id().
 * @role: whose counter.
 * @module: the module that shows it. What another one shows is not compared: it may be wrong about the token.
 * @shown: what it shows by itself, without the service's own record, since the last operation.
 *
 * Forgets the refused codes once the counter rose, also while the token was out.
 */
void
tokend_refused_observe (TokendRefused *self, const char *physical_id, TokendRole role,
                        const char *module, const TokendCounter *shown)
{
  Refusals *refusals = lookup (self, physical_id, role);

  if (refusals == NULL || (refusals->module != NULL && !g_str_equal (refusals->module, module)))
    return;
  if (refusals->module != NULL && rose (&refusals->shown, shown)) {
    tokend_refused_forget (self, physical_id, role);
    return;
  }
  if (refusals->module == NULL)
    refusals->module = g_strdup (module);
  refusals->shown = *shown;
}

/** tokend_refused_is_empty: whether there is nothing to be forgotten. */
gboolean
tokend_refused_is_empty (TokendRefused *self)
{
  return g_hash_table_size (self->refusals) == 0;
}

/** tokend_refused_forget: @role succeeded or its counter rose: an older refusal says nothing any
 * more. */
void
tokend_refused_forget (TokendRefused *self, const char *physical_id, TokendRole role)
{
  g_autofree char *key = make_key (physical_id, role);

  g_hash_table_remove (self->refusals, key);
}
