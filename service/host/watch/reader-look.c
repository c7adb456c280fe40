/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Of the watch, what the waiting thread does. */
#include "reader-watch-run-private.h"

/* How often it is looked whether a card is in use: a shorter use is not seen. Powering up a card and verifying a PIN takes
 * more; but a program that has just been started is looked for closely, for a while. A look costs no more than a question
 * to pcscd. In microseconds, as all times here. */
#define LOOK_INTERVAL (50 * G_TIME_SPAN_MILLISECOND)
#define CLOSE_LOOK_INTERVAL (2 * G_TIME_SPAN_MILLISECOND)
#define CLOSE_LOOK_TIME G_TIME_SPAN_SECOND

/* Whoever was told reads the cards, and waits again, within this. */
#define LOOK_ON_TIME (10 * G_TIME_SPAN_SECOND)

static TokendReaderNews
judge (TokendReaderWatch *self, GHashTable *states)
{
  const gint64 time = g_get_monotonic_time ();
  TokendReaderNews news = TOKEND_READER_NEWS_NONE;
  GHashTableIter iter;
  gpointer name, memory, state;

  g_hash_table_iter_init (&iter, states);
  while (g_hash_table_iter_next (&iter, &name, &state))
    if (!g_hash_table_contains (self->scope.memories, name))
      g_hash_table_insert (self->scope.memories, g_strdup (name), g_new0 (TokendReaderMemory, 1));

  g_hash_table_iter_init (&iter, self->scope.memories);
  while (g_hash_table_iter_next (&iter, &name, &memory)) {
    const TokendReaderNews its_news =
        tokend_reader_evaluate (memory, tokend_reader_lookup_state (states, name),
                                tokend_reader_scope_is_held (&self->scope, name), time);
    news = MAX (news, its_news);
  }
  /* To ask cards that are held costs little; and whether others still use them cannot be seen. */
  if (self->is_lost
      && (g_hash_table_size (self->scope.held) > 0 || !tokend_reader_is_any_in_use (states)
          || time - self->read_at >= TOKEND_READER_PATIENCE))
    return TOKEND_READER_NEWS_READ;
  return news;
}

/* During a read, only of cards that it is not about: what is seen of the others may be the read itself. */
static void
notice (TokendReaderWatch *self, GHashTable *states, gboolean may_be_read)
{
  const gint64 time = g_get_monotonic_time ();
  GHashTableIter iter;
  gpointer name, memory;

  g_hash_table_iter_init (&iter, self->scope.memories);
  while (g_hash_table_iter_next (&iter, &name, &memory))
    if (!may_be_read || tokend_reader_scope_is_spared (&self->scope, name))
      tokend_reader_notice (memory, tokend_reader_lookup_state (states, name),
                            tokend_reader_scope_is_held (&self->scope, name), time);
}

static TokendReaderNews
look (TokendReaderWatch *self, gboolean is_asked)
{
  g_autoptr (GHashTable) states = NULL;
  TokendReaderNews news = TOKEND_READER_NEWS_NONE;
  gboolean may_be_read;
  guint n_reads;

  g_mutex_lock (&self->lock);
  n_reads = self->n_reads;
  g_mutex_unlock (&self->lock);

  states = tokend_pcsc_list (self->looking);

  g_mutex_lock (&self->lock);
  may_be_read = self->is_reading || n_reads != self->n_reads;
  if (may_be_read || !is_asked)
    notice (self, states, may_be_read);
  else
    news = judge (self, states);
  g_mutex_unlock (&self->lock);
  return news;
}

/* Whose use matters, or one that nobody knows of yet */
static gboolean
has_token (TokendReaderWatch *self)
{
  GHashTableIter iter;
  gpointer memory;
  gboolean found;

  g_mutex_lock (&self->lock);
  found = self->is_reading || self->is_lost;
  g_hash_table_iter_init (&iter, self->scope.memories);
  while (!found && g_hash_table_iter_next (&iter, NULL, &memory))
    found = ((TokendReaderMemory *) memory)->knowledge != TOKEND_CARD_IS_OTHER;
  g_mutex_unlock (&self->lock);
  return found;
}

static void
wait_a_moment (TokendReaderWatch *self)
{
  const gint64 time = g_get_monotonic_time ();
  const gboolean is_close = time < self->close_look_until;

  /* Newcomers end the wait, and anybody can be one: the looks are no more for it than without. */
  if (is_close)
    g_usleep (CLOSE_LOOK_INTERVAL);
  if (tokend_newcomers_wait (self->newcomers, is_close ? 0 : LOOK_INTERVAL))
    self->close_look_until = time + CLOSE_LOOK_TIME;
}

static void
take_turn (TokendReaderWatch *self)
{
  g_mutex_lock (&self->lock);
  self->n_waits++;
  g_mutex_unlock (&self->lock);
  g_mutex_lock (&self->turn);
}

/* By the wait after the one that it came after */
static gboolean
is_relieved (TokendReaderWatch *self, guint number)
{
  gboolean is_relieved;

  g_mutex_lock (&self->lock);
  is_relieved = self->n_waits > number;
  g_mutex_unlock (&self->lock);
  return is_relieved;
}

/**
 * tokend_reader_watch_look_on:
 *
 * To be called in a thread of its own, once after each tokend_reader_watch_wait(). Sees to it until that is called again
 * that no use of a card goes unseen; but not for long: then all cards are to be read.
 */
void
tokend_reader_watch_look_on (TokendReaderWatch *self)
{
  const gint64 until = g_get_monotonic_time () + LOOK_ON_TIME;
  guint number;

  g_mutex_lock (&self->lock);
  number = ++self->n_look_ons;
  g_mutex_unlock (&self->lock);
  g_mutex_lock (&self->turn);
  while (!is_relieved (self, number) && g_get_monotonic_time () < until) {
    look (self, FALSE);
    wait_a_moment (self);
  }
  if (!is_relieved (self, number))
    tokend_reader_watch_lose (self);
  g_mutex_unlock (&self->turn);
}

/**
 * tokend_reader_watch_wait:
 *
 * Waits until a token may have changed since the last read, as long as that may take; no card is touched.
 *
 * Returns: whether it can be read now; %FALSE: another program has taken the card for itself
 */
gboolean
tokend_reader_watch_wait (TokendReaderWatch *self)
{
  TokendReaderNews news;

  take_turn (self);
  while ((news = look (self, TRUE)) == TOKEND_READER_NEWS_NONE)
    if (has_token (self))
      wait_a_moment (self);
    else
      tokend_pcsc_wait (self->looking);
  g_mutex_unlock (&self->turn);
  return news == TOKEND_READER_NEWS_READ;
}
