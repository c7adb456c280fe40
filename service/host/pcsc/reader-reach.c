/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-reach.h"

/* So often it is looked whether a card came or went meanwhile. In microseconds, as all times here. */
#define REACH_POLL (100 * G_TIME_SPAN_MILLISECOND)
/* No try takes longer than this, however long what reaches for the cards takes to start. */
#define TRY_MAX (2 * G_TIME_SPAN_SECOND)

/* For one reader; until it is answered */
typedef struct {
  GAsyncQueue *answers; /* see tokend_pcsc_reach() */
  gint64 begun_at;      /* when it was seen to begin; or 0 */
} Reaching;

struct _TokendReaderReach {
  GHashTable *readers; /* of char * → Reaching */
  gint64 met_at;       /* when another program was last in the midst of a transaction; or 0 */
};

static void
reaching_free (gpointer data)
{
  Reaching *reaching = data;

  g_async_queue_unref (reaching->answers);
  g_free (reaching);
}

/** tokend_reader_reach_new: Returns: (transfer full): lives as long as the process. */
TokendReaderReach *
tokend_reader_reach_new (void)
{
  TokendReaderReach *self = g_new0 (TokendReaderReach, 1);

  self->readers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, reaching_free);
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

/* Returns: how it ended; 0: not by @deadline. */
static TokendReachAnswer
wait_for (Reaching *reaching, gint64 deadline)
{
  while (TRUE) {
    const gint64 left = deadline - g_get_monotonic_time ();
    const TokendReachAnswer answer =
        GPOINTER_TO_INT (g_async_queue_timeout_pop (reaching->answers, (guint64) MAX (left, 0)));

    if (answer != TOKEND_REACH_BEGUN)
      return answer;
    reaching->begun_at = g_get_monotonic_time ();
  }
}

/* One that could not be reached for a while is not waited for a second time. */
static gboolean
is_given_up (const Reaching *reaching)
{
  return reaching->begun_at != 0 && g_get_monotonic_time () - reaching->begun_at >= REACH_POLL;
}

static void
begin (TokendReaderReach *self, GHashTable *states, GHashTable *others, GHashTable *awaited)
{
  GHashTableIter iter;
  gpointer name, state;

  g_hash_table_iter_init (&iter, states);
  while (g_hash_table_iter_next (&iter, &name, &state)) {
    Reaching *reaching = g_hash_table_lookup (self->readers, name);

    if (((TokendReaderState *) state)->use != TOKEND_CARD_SHARED
        || (others != NULL && g_hash_table_contains (others, name)))
      continue;
    if (reaching == NULL || wait_for (reaching, 0) != 0) {
      reaching = g_new0 (Reaching, 1);
      reaching->answers = tokend_pcsc_reach (name);
      g_hash_table_insert (self->readers, g_strdup (name), reaching);
    }
    if (!is_given_up (reaching))
      g_hash_table_add (awaited, g_strdup (name));
  }
}

static gboolean
wait_for_all (TokendReaderReach *self, GHashTable *awaited, gint64 deadline)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, awaited);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    const TokendReachAnswer answer = wait_for (g_hash_table_lookup (self->readers, name), deadline);

    if (answer == 0)
      continue;
    if (answer == TOKEND_REACH_AFTER_OTHERS)
      self->met_at = g_get_monotonic_time ();
    g_hash_table_remove (self->readers, name);
    g_hash_table_iter_remove (&iter);
  }
  return g_hash_table_size (awaited) == 0;
}

/* What it takes to start, where the machine is busy, is no other program's transaction. */
static gint64
get_deadline (TokendReaderReach *self, GHashTable *awaited, gint64 called_at, gint64 timeout)
{
  gint64 begun_at = called_at;
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, awaited);
  while (g_hash_table_iter_next (&iter, &name, NULL)) {
    const Reaching *reaching = g_hash_table_lookup (self->readers, name);

    begun_at =
        MAX (begun_at, reaching->begun_at != 0 ? reaching->begun_at : g_get_monotonic_time ());
  }
  return MIN (begun_at + timeout, called_at + TRY_MAX);
}

/**
 * tokend_reader_reach_try:
 * @states: (inout) (element-type char * TokendReaderState): of all readers, as they were, and then as they are
 * @others: (nullable) (element-type char *): the readers that need not be reached
 * @timeout: of all in all once all have begun to connect, in microseconds; with that 2 seconds at most
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
  gint64 now = called_at;
  gint64 deadline = called_at + timeout;
  GHashTableIter iter;
  gpointer name, state;

  begin (self, *states, others, awaited);
  while (now < deadline && !wait_for_all (self, awaited, MIN (now + REACH_POLL, deadline))
         && !take_change (pcsc, states)) {
    now = g_get_monotonic_time ();
    deadline = get_deadline (self, awaited, called_at, timeout);
  }
  g_hash_table_iter_init (&iter, *states);
  while (g_hash_table_iter_next (&iter, &name, &state))
    if (((TokendReaderState *) state)->use == TOKEND_CARD_SHARED
        && g_hash_table_contains (self->readers, name))
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
