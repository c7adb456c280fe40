/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-watch-run-private.h"

#include "opensc-readers.h"

#include <string.h>

/* Another program's transaction with a card ends within this, or the card is not read now; sooner, where it is to be told that
 * another card came or went. In microseconds, as all times here. */
#define REACH_TIMEOUT (2 * G_TIME_SPAN_SECOND)
#define REACH_TIMEOUT_IF_HURRIED (300 * G_TIME_SPAN_MILLISECOND)
/* A card that comes or goes again and again holds up no read for ever. */
#define CHOICES_MAX 3

/** tokend_reader_watch_new: Returns: (transfer full): of this process, for its life. */
TokendReaderWatch *
tokend_reader_watch_new (void)
{
  TokendReaderWatch *self = g_new0 (TokendReaderWatch, 1);

  g_mutex_init (&self->turn);
  g_mutex_init (&self->lock);
  self->looking = tokend_pcsc_new ();
  self->newcomers = tokend_newcomers_new ();
  self->reading = tokend_pcsc_new ();
  self->reach = tokend_reader_reach_new ();
  self->scope.memories = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->scope.held = tokend_reader_set_new ();
  self->scope.spared = tokend_reader_set_new ();
  self->scope.missed = tokend_reader_set_new ();
  return self;
}

static void
set_reading (TokendReaderWatch *self, gboolean is_reading)
{
  self->is_reading = is_reading;
  self->n_reads++;
  if (!is_reading)
    self->read_at = g_get_monotonic_time ();
}

/* Those that the module need not connect to, nor let go of. */
static GHashTable *
list_others (TokendReaderWatch *self)
{
  GHashTable *others = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->scope.spared);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!tokend_reader_scope_is_held (&self->scope, name))
      g_hash_table_add (others, g_strdup (name));
  return others;
}

/* Returns: whether a card came or went meanwhile, so that the choice is another one. */
static gboolean
choose (TokendReaderWatch *self, gboolean is_for_all)
{
  const GHashTable *states = self->scope.states;
  g_autoptr (GHashTable) others = NULL;
  g_autoptr (GHashTable) missed = NULL;
  gboolean is_hurried;

  g_mutex_lock (&self->lock);
  is_hurried = tokend_reader_scope_has_changed (&self->scope);
  tokend_reader_scope_choose (&self->scope, is_for_all || !self->can_leave_out,
                              g_get_monotonic_time ());
  others = list_others (self);
  g_mutex_unlock (&self->lock);

  missed = tokend_reader_reach_try (self->reach, self->reading, &self->scope.states, others,
                                    is_hurried ? REACH_TIMEOUT_IF_HURRIED : REACH_TIMEOUT);

  g_mutex_lock (&self->lock);
  self->access = tokend_reader_scope_choose_access (&self->scope, missed);
  g_mutex_unlock (&self->lock);
  return self->scope.states != states;
}

/**
 * tokend_reader_watch_begin:
 * @is_for_all: whether all cards are to be read, not only those that there is news of
 *
 * To be called before cards are read, which must end with tokend_reader_watch_end(). What becomes of the cards from now on is
 * news. Waits for other programs' transactions, 2 seconds at most: cards that cannot be reached then are left out.
 *
 * Returns: how the others can be read
 */
TokendReaderAccess
tokend_reader_watch_begin (TokendReaderWatch *self, gboolean is_for_all)
{
  g_mutex_lock (&self->lock);
  set_reading (self, TRUE);
  /* What was lost may have been of any card. */
  is_for_all = is_for_all || self->is_lost;
  self->is_lost = FALSE;
  g_mutex_unlock (&self->lock);

  self->begun_at = g_get_monotonic_time ();
  self->can_leave_out = tokend_opensc_readers_can_leave_out ();
  g_clear_pointer (&self->scope.states, g_hash_table_unref);
  self->scope.states = tokend_pcsc_list (self->reading);
  g_mutex_lock (&self->lock);
  self->is_in_use = tokend_reader_is_any_in_use (self->scope.states);
  g_mutex_unlock (&self->lock);
  for (guint i = 0; i < CHOICES_MAX && choose (self, is_for_all); i++)
    ;
  return self->access;
}

/** tokend_reader_watch_list_left_out: Returns: (transfer container) (element-type char *): the readers that the module must not
 * look into in the read that has begun. */
GHashTable *
tokend_reader_watch_list_left_out (TokendReaderWatch *self)
{
  return tokend_reader_scope_list_left_out (&self->scope);
}

/** tokend_reader_watch_is_spared: whether the read that has begun is not about @reader. */
gboolean
tokend_reader_watch_is_spared (TokendReaderWatch *self, const char *reader)
{
  return tokend_reader_scope_is_spared (&self->scope, reader);
}

/** tokend_reader_watch_get_insertion: Returns: the same for as long as the card in @reader stays, and pcscd with it; as of the
 * beginning of the read. */
guint64
tokend_reader_watch_get_insertion (TokendReaderWatch *self, const char *reader)
{
  const TokendReaderState *state = tokend_reader_lookup_state (self->scope.states, reader);

  return ((guint64) g_str_hash (reader) << 32 | state->insertions) + 1;
}

/** tokend_reader_watch_may_ask: whether the module, which still holds its cards, is to be asked for that in @reader. */
gboolean
tokend_reader_watch_may_ask (TokendReaderWatch *self, const char *reader)
{
  gboolean may_ask;

  g_mutex_lock (&self->lock);
  may_ask = !tokend_reader_scope_is_left_out (&self->scope, reader)
            && !tokend_reader_scope_is_another_card (&self->scope, reader);
  g_mutex_unlock (&self->lock);
  return may_ask;
}

/** tokend_reader_watch_find: see tokend_slot_reader_find(); among the readers that were there when the read began. */
const char *
tokend_reader_watch_find (TokendReaderWatch *self, const CK_SLOT_INFO *slot,
                          gboolean *is_other_possible)
{
  return tokend_slot_reader_find (self->scope.states, slot, is_other_possible);
}

/** tokend_reader_watch_is_beyond: whether another program was in the way of the card that is in @reader since the read before,
 * when this one began. */
gboolean
tokend_reader_watch_is_beyond (TokendReaderWatch *self, const char *reader)
{
  gboolean is_beyond;

  g_mutex_lock (&self->lock);
  is_beyond = tokend_reader_is_beyond (g_hash_table_lookup (self->scope.memories, reader),
                                       tokend_reader_lookup_state (self->scope.states, reader),
                                       g_hash_table_contains (self->scope.missed, reader));
  g_mutex_unlock (&self->lock);
  return is_beyond;
}

/** tokend_reader_watch_is_disturbed: what a read that finds nothing in @reader means: see tokend_reader_is_disturbed(). */
gboolean
tokend_reader_watch_is_disturbed (TokendReaderWatch *self, const char *reader)
{
  gboolean is_disturbed;

  g_mutex_lock (&self->lock);
  is_disturbed = tokend_reader_is_disturbed (
      g_hash_table_lookup (self->scope.memories, reader),
      tokend_reader_lookup_state (self->scope.states, reader), self->begun_at);
  g_mutex_unlock (&self->lock);
  return is_disturbed;
}

/** tokend_reader_watch_has_hidden: whether there is a card that no read has reached yet, see tokend_reader_is_hidden(); from any
 * thread. */
gboolean
tokend_reader_watch_has_hidden (TokendReaderWatch *self)
{
  gboolean has_hidden = FALSE;
  GHashTableIter iter;
  gpointer memory;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, self->scope.memories);
  while (g_hash_table_iter_next (&iter, NULL, &memory))
    has_hidden = has_hidden || tokend_reader_is_hidden (memory);
  g_mutex_unlock (&self->lock);
  return has_hidden;
}

/** tokend_reader_watch_is_in_use: whether programs, maybe this one, were connected to cards when the last read began; from
 * any thread. */
gboolean
tokend_reader_watch_is_in_use (TokendReaderWatch *self)
{
  gboolean is_in_use;

  g_mutex_lock (&self->lock);
  is_in_use = self->is_in_use;
  g_mutex_unlock (&self->lock);
  return is_in_use;
}

/** tokend_reader_watch_lose: nobody waits any more for what the read that is under way, or has just ended, finds: it is to be
 * found again; from any thread. */
void
tokend_reader_watch_lose (TokendReaderWatch *self)
{
  g_mutex_lock (&self->lock);
  self->is_lost = TRUE;
  g_mutex_unlock (&self->lock);
}

/* Of the tokens in these readers */
static gboolean
is_any_in_long_use (TokendReaderWatch *self, GHashTable *found, gint64 time)
{
  GHashTableIter iter;
  gpointer name;
  gboolean is_long = FALSE;

  g_mutex_lock (&self->lock);
  g_hash_table_iter_init (&iter, found);
  while (!is_long && g_hash_table_iter_next (&iter, &name, NULL)) {
    const TokendReaderMemory *memory = g_hash_table_lookup (self->scope.memories, name);

    is_long = memory != NULL && memory->used_since != 0
              && time - memory->used_since >= TOKEND_READER_PATIENCE
              && tokend_reader_lookup_state (self->scope.states, name)->use == TOKEND_CARD_SHARED;
  }
  g_mutex_unlock (&self->lock);
  return is_long;
}

/**
 * tokend_reader_watch_may_keep:
 * @found: (element-type char * TokendCardKnowledge): what the read has found in which readers
 *
 * Returns: whether the module is to keep its cards for the next read, which is due soon
 */
gboolean
tokend_reader_watch_may_keep (TokendReaderWatch *self, GHashTable *found)
{
  const gint64 now = g_get_monotonic_time ();

  /* With a card that nobody uses the others would hold it as well, which a program may want for itself alone. */
  if (self->access == TOKEND_READER_ACCESS_AFRESH && self->can_leave_out
      && tokend_reader_scope_has_idle (&self->scope))
    return FALSE;
  return tokend_reader_may_hold (&self->hold, self->access == TOKEND_READER_ACCESS_KEPT,
                                 is_any_in_long_use (self, found, now),
                                 tokend_reader_reach_get_met_at (self->reach), now);
}

/* While it is held, and only then, it is not seen whether others are connected to it. */
static TokendReaderMemory
remember_one (TokendReaderWatch *self, const char *reader, GHashTable *found)
{
  const TokendReaderMemory *last = g_hash_table_lookup (self->scope.memories, reader);
  const TokendReaderState *state = tokend_reader_lookup_state (self->scope.states, reader);
  const gboolean is_ours = tokend_reader_scope_is_held (&self->scope, reader)
                           && self->access == TOKEND_READER_ACCESS_KEPT;
  const gboolean is_missed = g_hash_table_contains (self->scope.missed, reader);
  TokendReaderMemory memory = { 0 };

  if (tokend_reader_scope_is_spared (&self->scope, reader)) {
    memory = *last;
    tokend_reader_notice (&memory, state, is_ours, self->begun_at);
    return memory;
  }
  memory = tokend_reader_remember (
      last, state, is_ours,
      is_missed ? TOKEND_CARD_LEFT_ALONE : GPOINTER_TO_INT (g_hash_table_lookup (found, reader)),
      self->begun_at);
  memory.read_at = g_get_monotonic_time ();
  return memory;
}

static void
remember (TokendReaderWatch *self, GHashTable *found)
{
  GHashTable *memories = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->scope.states);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    TokendReaderMemory *memory = g_new (TokendReaderMemory, 1);

    *memory = remember_one (self, name, found);
    g_hash_table_insert (memories, g_strdup (name), memory);
  }
  g_hash_table_unref (self->scope.memories);
  self->scope.memories = memories;
}

/**
 * tokend_reader_watch_end:
 * @found: (element-type char * TokendCardKnowledge) (nullable): what the read has found in which readers; %NULL: it failed
 * @is_kept: whether the module still holds its cards
 *
 * The read that tokend_reader_watch_begin() began has ended.
 */
void
tokend_reader_watch_end (TokendReaderWatch *self, GHashTable *found, gboolean is_kept)
{
  g_mutex_lock (&self->lock);
  if (found != NULL)
    remember (self, found);
  else
    self->is_lost = TRUE;
  if (!is_kept)
    g_hash_table_remove_all (self->scope.held);
  else if (self->access == TOKEND_READER_ACCESS_AFRESH)
    tokend_reader_scope_hold (&self->scope);
  set_reading (self, FALSE);
  g_mutex_unlock (&self->lock);
}

/** tokend_reader_watch_let_go: the module has let go of its cards between two reads. */
void
tokend_reader_watch_let_go (TokendReaderWatch *self)
{
  g_mutex_lock (&self->lock);
  g_hash_table_remove_all (self->scope.held);
  /* A look that is under way may have seen them held. */
  self->n_reads++;
  g_mutex_unlock (&self->lock);
}
