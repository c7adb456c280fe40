/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refused.h"

#include "deadline.h"
#include "scope-private.h"

#include <sys/random.h>

#define KEY_SIZE 32
/* Drops the oldest: a token that never locks can refuse for ever. */
#define DIGESTS_MAX 64
/* How long the service stays for a code that it may never see become stale. */
#define STAY_SECONDS (24 * 60 * 60)

struct _TokendRefused {
  GObject parent_instance;

  GBytes *key;
  GHashTable *refusals[TOKEND_N_ROLES]; /* of a target's id → Refusals */
};

typedef struct {
  GBytes *digest;
  gint64 refused_at; /* the last time; wall clock, in microseconds */
  GStrv right_at;    /* see TokendScope; since then */
} Refusal;

/* The refused codes of one role at one target, and the counter as it was last seen since. */
typedef struct {
  GQueue refused;      /* of Refusal, newest first */
  gint64 needed_until; /* see tokend_refused_get_needed_until() */
  char *module;        /* the module that showed that counter; NULL: not seen yet */
  TokendCounter shown;
  TokendScope scope; /* of all of them; each knows itself where a code was right since */
} Refusals;

G_DEFINE_FINAL_TYPE (TokendRefused, tokend_refused, G_TYPE_OBJECT)

static void
refusal_free (gpointer data)
{
  Refusal *refusal = data;

  g_bytes_unref (refusal->digest);
  g_strfreev (refusal->right_at);
  g_free (refusal);
}

/* Returns: (transfer none): where @refusal counts. */
static TokendScope
get_scope (const Refusals *refusals, const Refusal *refusal)
{
  return (TokendScope){ .also_at = refusals->scope.also_at, .right_at = refusal->right_at };
}

static void
refusals_free (gpointer data)
{
  Refusals *refusals = data;

  g_queue_clear_full (&refusals->refused, refusal_free);
  tokend_scope_clear (&refusals->scope);
  g_free (refusals->module);
  g_free (refusals);
}

static void
tokend_refused_init (TokendRefused *self)
{
  guint8 key[KEY_SIZE];

  /* The kernel gives up to 256 bytes whole. Nothing here can be kept secret without them. */
  if (getrandom (key, sizeof key, 0) != sizeof key)
    g_error ("getrandom: no random bytes");
  self->key = g_bytes_new (key, sizeof key);
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    self->refusals[role] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, refusals_free);
}

static void
tokend_refused_finalize (GObject *object)
{
  TokendRefused *self = TOKEND_REFUSED (object);

  g_bytes_unref (self->key);
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    g_hash_table_unref (self->refusals[role]);
  G_OBJECT_CLASS (tokend_refused_parent_class)->finalize (object);
}

static void
tokend_refused_class_init (TokendRefusedClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_refused_finalize;
}

TokendRefused *
tokend_refused_new (void)
{
  return g_object_new (TOKEND_TYPE_REFUSED, NULL);
}

/**
 * tokend_refused_get_key:
 *
 * Returns: (transfer none): the key of the digests, 32 bytes.
 */
GBytes *
tokend_refused_get_key (TokendRefused *self)
{
  return self->key;
}

static gint
compare_digest (gconstpointer refusal, gconstpointer digest)
{
  return g_bytes_compare (((const Refusal *) refusal)->digest, digest);
}

/* Returns: when it was refused at @id, if that counts at @target; else 0. */
static gint64
find_time (const Refusals *refusals, const char *id, const TokendTarget *target, TokendRole role,
           GBytes *digest)
{
  const GList *found = g_queue_find_custom ((GQueue *) &refusals->refused, digest, compare_digest);
  TokendScope scope;

  if (found == NULL)
    return 0;
  scope = get_scope (refusals, found->data);
  return tokend_scope_counts_at (&scope, id, target, role)
             ? ((const Refusal *) found->data)->refused_at
             : 0;
}

/**
 * tokend_refused_find:
 * @digest: of a code.
 *
 * Returns: when the code was last refused for @role, here or where the code may be the same, in
 *   microseconds since the epoch; 0: never.
 */
gint64
tokend_refused_find (TokendRefused *self, const TokendTarget *target, TokendRole role,
                     GBytes *digest)
{
  gint64 last = 0;
  GHashTableIter iter;
  gpointer id, refusals;

  g_hash_table_iter_init (&iter, self->refusals[role]);
  while (g_hash_table_iter_next (&iter, &id, &refusals))
    last = MAX (last, find_time (refusals, id, target, role, digest));
  return last;
}

static Refusals *
ensure_refusals (TokendRefused *self, const TokendTarget *target, TokendRole role)
{
  Refusals *refusals = g_hash_table_lookup (self->refusals[role], target->id);

  if (refusals == NULL) {
    refusals = g_new0 (Refusals, 1);
    g_hash_table_insert (self->refusals[role], g_strdup (target->id), refusals);
  }
  return refusals;
}

/* Forgets the counter: what was seen before a refusal says nothing of what comes after. */
static void
forget_what_was_shown (TokendRefused *self, const TokendTarget *target, TokendRole role)
{
  GHashTableIter iter;
  gpointer id, refusals;

  g_hash_table_iter_init (&iter, self->refusals[role]);
  while (g_hash_table_iter_next (&iter, &id, &refusals))
    if (tokend_target_is_same (target, id))
      g_clear_pointer (&((Refusals *) refusals)->module, g_free);
}

/**
 * tokend_refused_add:
 *
 * Records that the code of @digest was just refused at @target for @role, which must be proven.
 */
void
tokend_refused_add (TokendRefused *self, const TokendTarget *target, TokendRole role,
                    GBytes *digest)
{
  const gint64 now = g_get_real_time ();
  Refusals *refusals = ensure_refusals (self, target, role);
  GList *known = g_queue_find_custom (&refusals->refused, digest, compare_digest);
  Refusal *refusal;

  refusals->needed_until =
      tokend_target_id_has_stay (target->id) ? tokend_deadline_in (STAY_SECONDS) : G_MAXINT64;
  forget_what_was_shown (self, target, role);
  tokend_scope_begin (&refusals->scope, target);
  if (known != NULL) {
    ((Refusal *) known->data)->refused_at = now;
    g_clear_pointer (&((Refusal *) known->data)->right_at, g_strfreev);
    g_queue_unlink (&refusals->refused, known);
    g_queue_push_head_link (&refusals->refused, known);
    return;
  }
  refusal = g_new (Refusal, 1);
  *refusal = (Refusal){ g_bytes_ref (digest), now, NULL };
  g_queue_push_head (&refusals->refused, refusal);
  if (g_queue_get_length (&refusals->refused) > DIGESTS_MAX)
    refusal_free (g_queue_pop_tail (&refusals->refused));
}

/* Tells whether a flag gave the state, and no number of the token's own, which some tokens show
 * only now and then. */
static gboolean
is_by_flag (const TokendCounter *counter)
{
  return counter->remaining == TOKEND_RETRIES_UNKNOWN
         || counter->source == TOKEND_RETRIES_SOURCE_FLAGS;
}

/* Compares flags. FINAL_TRY and LOCKED are believed even if the profile relies on no flags, so
 * their end tells as much as their beginning. */
static gboolean
rose_without_numbers (const TokendCounter *before, const TokendCounter *after)
{
  switch (before->state) {
  case TOKEND_STATE_LOW:
    return after->state == TOKEND_STATE_OK;
  case TOKEND_STATE_FINAL_TRY:
  case TOKEND_STATE_LOCKED:
    return is_by_flag (before) && is_by_flag (after)
           && (after->state == TOKEND_STATE_OK || after->state == TOKEND_STATE_LOW
               || after->state == TOKEND_STATE_UNKNOWN);
  case TOKEND_STATE_OK:
  case TOKEND_STATE_UNINITIALIZED:
  case TOKEND_STATE_UNKNOWN:
  default:
    return FALSE;
  }
}

/* Tells whether another code was set since, or the right one was used. An older refusal says
 * nothing any more, nor does one of a code that is not set any more. */
static gboolean
rose (const TokendCounter *before, const TokendCounter *after)
{
  if (after->state == TOKEND_STATE_UNINITIALIZED)
    return before->state != TOKEND_STATE_UNINITIALIZED;
  if (before->remaining != TOKEND_RETRIES_UNKNOWN && after->remaining != TOKEND_RETRIES_UNKNOWN)
    return after->remaining > before->remaining;
  return rose_without_numbers (before, after);
}

/* Returns: whether the counter has risen since it was last seen. Does not compare what another
 *   module shows, which may be wrong about the token. */
static gboolean
take_shown (Refusals *refusals, const char *module, const TokendCounter *shown)
{
  if (refusals->module != NULL && !g_str_equal (refusals->module, module))
    return FALSE;
  if (refusals->module != NULL && rose (&refusals->shown, shown))
    return TRUE;
  if (refusals->module == NULL)
    refusals->module = g_strdup (module);
  refusals->shown = *shown;
  return FALSE;
}

/**
 * tokend_refused_observe:
 * @target: where the counter is seen.
 * @role: whose counter.
 * @module: the module that shows it.
 * @shown: what it shows by itself, without the ledger, since the last operation.
 *
 * Forgets the refused codes once the counter has risen, also while the token was out.
 */
void
tokend_refused_observe (TokendRefused *self, const TokendTarget *target, TokendRole role,
                        const char *module, const TokendCounter *shown)
{
  gboolean has_risen = FALSE;
  GHashTableIter iter;
  gpointer id, refusals;

  g_hash_table_iter_init (&iter, self->refusals[role]);
  while (g_hash_table_iter_next (&iter, &id, &refusals))
    if (tokend_target_is_same (target, id) && take_shown (refusals, module, shown))
      has_risen = TRUE;
  if (has_risen)
    tokend_refused_forget (self, target, role);
}

/**
 * tokend_refused_get_needed_until:
 *
 * Refused codes are lost when the service ends. A card without a serial number that was taken out
 * cannot be seen to rise, so its codes are kept for a day.
 *
 * Returns: the deadline until which the service must stay; %G_MAXINT64: until the codes are
 *   forgotten; 0: there are none.
 */
gint64
tokend_refused_get_needed_until (TokendRefused *self)
{
  gint64 last = 0;

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    GHashTableIter iter;
    gpointer refusals;

    g_hash_table_iter_init (&iter, self->refusals[role]);
    while (g_hash_table_iter_next (&iter, NULL, &refusals))
      last = MAX (last, ((const Refusals *) refusals)->needed_until);
  }
  return last;
}

static gboolean
is_same (gpointer id, gpointer refusals, gpointer target)
{
  return tokend_target_is_same (target, id);
}

static void
note_right (Refusals *refusals, const char *id, const TokendTarget *target, TokendRole role)
{
  for (GList *link = refusals->refused.head; link != NULL; link = link->next) {
    Refusal *refusal = link->data;
    TokendScope scope = get_scope (refusals, refusal);

    tokend_scope_note_right (&scope, id, target, role);
    refusal->right_at = scope.right_at;
  }
}

/**
 * tokend_refused_forget:
 * @target: where @role succeeded or its counter rose, so that older refusals say nothing any more.
 *
 * A PIN that was refused elsewhere, by what may be another token, is not forgotten. It does not
 * count at @target any more, as it may be the one that was set. A PUK does not change.
 */
void
tokend_refused_forget (TokendRefused *self, const TokendTarget *target, TokendRole role)
{
  GHashTableIter iter;
  gpointer id, refusals;

  g_hash_table_foreach_remove (self->refusals[role], is_same, (gpointer) target);
  if (role == TOKEND_ROLE_PUK)
    return;
  g_hash_table_iter_init (&iter, self->refusals[role]);
  while (g_hash_table_iter_next (&iter, &id, &refusals))
    note_right (refusals, id, target, role);
}

/**
 * tokend_refused_spread:
 * @target: a target that may have been found to be the same token as others, see
 *   tokend_target_relate().
 *
 * Lets what those have refused count at @target, whether they are shown or not.
 */
void
tokend_refused_spread (TokendRefused *self, const TokendTarget *target)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    GHashTableIter iter;
    gpointer id, refusals;

    g_hash_table_iter_init (&iter, self->refusals[role]);
    while (g_hash_table_iter_next (&iter, &id, &refusals))
      tokend_scope_spread (&((Refusals *) refusals)->scope, id, target, role);
  }
}
