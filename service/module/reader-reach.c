/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-reach.h"

/* So often it is looked whether a card came or went meanwhile. In microseconds, as all times here. */
#define REACH_POLL (100 * G_TIME_SPAN_MILLISECOND)
/* So long what reaches for a card may take to start, where the machine is busy: the card's fault that is not. */
#define START_TIMEOUT G_TIME_SPAN_SECOND

struct _TokendReaderReach {
  GHashTable *answers; /* of char * → GAsyncQueue: see tokend_pcsc_reach() */
  gint64 met_at;       /* when another program was last in the midst of a transaction; or 0 */
};

/** tokend_reader_reach_new: Returns: (transfer full): lives as long as the process. */
TokendReaderReach *
tokend_reader_reach_new (void)
{
  TokendReaderReach *self = g_new0 (TokendReaderReach, 1);

  self->answers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_async_queue_unref);
  return self;
}

/* Whether a card came or went since @states; then they are as they are now. */
static gboolean
take_change (TokendPcsc *pcsc, GHashTable **states)
{
  g_autoptr (GHashTable) now = tokend_pcsc_list (pcsc);
  gboolean is_changed = g_hash_table_size (now) != g_hash_table_size (*states);
  GHashTableIter iter;
  gpointer name, state;

  g_hash_table_iter_init (&iter, now);
  while (!is_changed && g_hash_table_iter_next (&iter, &name, &state))
    is_changed = tokend_reader_is_another_card (tokend_reader_lookup_state (*states, name), state);
  if (!is_changed)
    return FALSE;
  g_hash_table_unref (*states);
  *states = g_steal_pointer (&now);
  return TRUE;
}

/* Returns: the last answer by @deadline; @so_far, or 0, for none. */
static TokendReachAnswer
take_answer (GAsyncQueue *answers, TokendReachAnswer so_far, gint64 deadline)
{
  TokendReachAnswer answer = so_far;

  while (answer <= TOKEND_REACH_BEGUN) {
    const gint64 left = deadline - g_get_monotonic_time ();
    gpointer next = g_async_queue_timeout_pop (answers, (guint64) MAX (left, 0));

    if (next == NULL)
      break;
    answer = GPOINTER_TO_INT (next);
  }
  return answer;
}

/* One that could not be reached for a while is not waited for a second time. */
static void
begin (TokendReaderReach *self, GHashTable *states, GHashTable *others, GHashTable *awaited)
{
  GHashTableIter iter;
  gpointer name, state;

  g_hash_table_iter_init (&iter, states);
  while (g_hash_table_iter_next (&iter, &name, &state)) {
    GAsyncQueue *last = g_hash_table_lookup (self->answers, name);

    if (((TokendReaderState *) state)->use != TOKEND_CARD_SHARED
        || (others != NULL && g_hash_table_contains (others, name))
        || (last != NULL && take_answer (last, 0, 0) <= TOKEND_REACH_BEGUN))
      continue;
    g_hash_table_insert (self->answers, g_strdup (name), tokend_pcsc_reach (name));
    g_hash_table_insert (awaited, g_strdup (name), NULL);
  }
}

static gboolean
wait_for_all (TokendReaderReach *self, GHashTable *awaited, gint64 deadline)
{
  GHashTableIter iter;
  gpointer name, so_far;

  g_hash_table_iter_init (&iter, awaited);
  while (g_hash_table_iter_next (&iter, &name, &so_far)) {
    const TokendReachAnswer answer =
        take_answer (g_hash_table_lookup (self->answers, name), GPOINTER_TO_INT (so_far), deadline);

    if (answer <= TOKEND_REACH_BEGUN) {
      g_hash_table_iter_replace (&iter, GINT_TO_POINTER (answer));
      continue;
    }
    if (answer == TOKEND_REACH_AFTER_OTHERS)
      self->met_at = g_get_monotonic_time ();
    g_hash_table_remove (self->answers, name);
    g_hash_table_iter_remove (&iter);
  }
  return g_hash_table_size (awaited) == 0;
}

static gboolean
have_all_begun (GHashTable *awaited)
{
  GHashTableIter iter;
  gpointer so_far;

  g_hash_table_iter_init (&iter, awaited);
  while (g_hash_table_iter_next (&iter, NULL, &so_far))
    if (GPOINTER_TO_INT (so_far) != TOKEND_REACH_BEGUN)
      return FALSE;
  return TRUE;
}

/**
 * tokend_reader_reach_try:
 * @states: (inout) (element-type char * TokendReaderState): of all readers, as they were, and then as they are
 * @others: (nullable) (element-type char *): the readers that need not be reached
 * @timeout: of all in all, once it is tried, in microseconds
 *
 * Connects to the cards that others use, and lets go of them again; no command is sent. That another card comes or goes is not
 * held up by this: it ends the wait.
 *
 * Returns: (transfer full) (element-type char *): the readers of cards that were not reached
 */
GHashTable *
tokend_reader_reach_try (TokendReaderReach *self, TokendPcsc *pcsc, GHashTable **states,
                         GHashTable *others, gint64 timeout)
{
  const gint64 called_at = g_get_monotonic_time ();
  g_autoptr (GHashTable) awaited = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTable *missed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gint64 begun_at = called_at;
  gint64 now = called_at;
  GHashTableIter iter;
  gpointer name, state;

  begin (self, *states, others, awaited);
  while (!wait_for_all (self, awaited, MIN (now + REACH_POLL, begun_at + timeout))) {
    now = g_get_monotonic_time ();
    if (now < called_at + START_TIMEOUT && !have_all_begun (awaited))
      begun_at = now;
    if (now >= begun_at + timeout || take_change (pcsc, states))
      break;
  }
  g_hash_table_iter_init (&iter, *states);
  while (g_hash_table_iter_next (&iter, &name, &state))
    if (((TokendReaderState *) state)->use == TOKEND_CARD_SHARED
        && g_hash_table_contains (self->answers, name))
      g_hash_table_add (missed, g_strdup (name));

  if (g_hash_table_size (missed) > 0)
    self->met_at = g_get_monotonic_time ();
  return missed;
}

/** tokend_reader_reach_get_met_at: Returns: when another program was last seen in the midst of a transaction; or 0. */
gint64
tokend_reader_reach_get_met_at (TokendReaderReach *self)
{
  return self->met_at;
}
