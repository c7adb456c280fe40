/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-watch.h"

#include "newcomers.h"
#include "pcsc.h"
#include "tokend-error.h"

#include <string.h>

/* How often it is looked whether a card is in use: a shorter use is not seen. Powering up a card and verifying a PIN takes
 * more; but a program that has just been started is looked for closely, for a while. A look costs no more than a question
 * to pcscd. In microseconds, as all times here. */
#define LOOK_INTERVAL (50 * G_TIME_SPAN_MILLISECOND)
#define CLOSE_LOOK_INTERVAL (2 * G_TIME_SPAN_MILLISECOND)
#define CLOSE_LOOK_TIME G_TIME_SPAN_SECOND
/* Another program's transaction with a card ends within this, or the card is not read now. */
#define REACH_TIMEOUT (2 * G_TIME_SPAN_SECOND)
/* pcscd connects nobody to a card in the midst of a transaction, and looks so often whether it has ended. */
#define REACH_POLL (100 * G_TIME_SPAN_MILLISECOND)

struct _TokendReaderWatch {
  /* The waiting thread's */
  TokendPcsc *looking;
  TokendNewcomers *newcomers;
  gint64 close_look_until;

  /* The reading thread's */
  TokendPcsc *reading;
  GHashTable *before;  /* of char * → TokendReaderState: when the read began */
  GHashTable *reaches; /* of char * → GAsyncQueue: see tokend_pcsc_reach() */
  gint64 begun_at;     /* when the read began */
  gint64 met_at;       /* when another program was in the midst of a transaction */
  TokendReaderHold hold;

  GMutex lock;          /* of what follows, which both use */
  GHashTable *memories; /* of char * → TokendReaderMemory */
  gboolean is_reading;
  gboolean is_in_use; /* when the last read began, programs were connected to cards */
  gboolean is_ours;   /* the module holds its cards */
  gboolean is_lost;   /* nobody has been told what was to be read */
  gint64 read_at;     /* when the last read ended */
  guint n_reads;      /* begun or ended; cards that were let go of count as well */
};

/** tokend_reader_watch_new: Returns: (transfer full): of this process, for its life. */
TokendReaderWatch *
tokend_reader_watch_new (void)
{
  TokendReaderWatch *self = g_new0 (TokendReaderWatch, 1);

  g_mutex_init (&self->lock);
  self->looking = tokend_pcsc_new ();
  self->newcomers = tokend_newcomers_new ();
  self->reading = tokend_pcsc_new ();
  self->reaches =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_async_queue_unref);
  self->memories = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

/* The reading thread */

static void
set_reading (TokendReaderWatch *self, gboolean is_reading)
{
  self->is_reading = is_reading;
  self->n_reads++;
  if (!is_reading)
    self->read_at = g_get_monotonic_time ();
}

static gboolean
reach (TokendReaderWatch *self, const char *reader, gint64 deadline)
{
  GAsyncQueue *answer = g_hash_table_lookup (self->reaches, reader);
  const gint64 begun_at = g_get_monotonic_time ();
  gboolean is_reached;

  if (answer == NULL) {
    answer = tokend_pcsc_reach (reader);
    g_hash_table_insert (self->reaches, g_strdup (reader), answer);
  }
  is_reached = g_async_queue_timeout_pop (answer, (guint64) MAX (deadline - begun_at, 0)) != NULL;
  if (is_reached)
    g_hash_table_remove (self->reaches, reader);
  if (!is_reached || g_get_monotonic_time () - begun_at >= REACH_POLL)
    self->met_at = g_get_monotonic_time ();
  return is_reached;
}

/* A module that asks for a card in the midst of another program's transaction waits for its end, however long. */
static gboolean
reach_all (TokendReaderWatch *self, GError **error)
{
  const gint64 deadline = g_get_monotonic_time () + REACH_TIMEOUT;
  GHashTableIter iter;
  gpointer name, state;

  g_hash_table_iter_init (&iter, self->before);
  while (g_hash_table_iter_next (&iter, &name, &state)) {
    if (((TokendReaderState *) state)->use != TOKEND_CARD_SHARED || reach (self, name, deadline))
      continue;
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_BUSY,
                         "Another program is using the card and does not let go of it");
    return FALSE;
  }
  return TRUE;
}

static const TokendReaderState *
lookup_state (GHashTable *states, const char *reader)
{
  static const TokendReaderState absent = { .use = TOKEND_CARD_ABSENT };
  const TokendReaderState *state = g_hash_table_lookup (states, reader);

  return state != NULL ? state : &absent;
}

static gboolean
is_any_in_use (GHashTable *states)
{
  GHashTableIter iter;
  gpointer state;

  g_hash_table_iter_init (&iter, states);
  while (g_hash_table_iter_next (&iter, NULL, &state))
    if (((TokendReaderState *) state)->use == TOKEND_CARD_SHARED)
      return TRUE;
  return FALSE;
}

/* Whether each card that the module can have is the one that it has. */
static gboolean
are_same_cards (TokendReaderWatch *self)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, self->before);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_hash_table_contains (self->memories, name))
      return FALSE;
  g_hash_table_iter_init (&iter, self->memories);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    const TokendReaderMemory *memory = value;
    const TokendReaderState *now = lookup_state (self->before, name);

    if (tokend_reader_is_another_card (&memory->at_read, now)
        || (memory->knowledge == TOKEND_CARD_UNREAD && now->use != TOKEND_CARD_EXCLUSIVE))
      return FALSE;
  }
  return TRUE;
}

/**
 * tokend_reader_watch_begin:
 * @error: Busy
 *
 * To be called before cards are read, which must end with tokend_reader_watch_end() unless this fails. What becomes of the
 * cards from now on is news. Waits for other programs' transactions, 2 seconds at most.
 *
 * Returns: how the cards can be read
 */
TokendReaderAccess
tokend_reader_watch_begin (TokendReaderWatch *self, GError **error)
{
  TokendReaderAccess access = TOKEND_READER_ACCESS_NONE;

  g_mutex_lock (&self->lock);
  set_reading (self, TRUE);
  self->is_lost = FALSE;
  g_mutex_unlock (&self->lock);

  self->begun_at = g_get_monotonic_time ();
  g_clear_pointer (&self->before, g_hash_table_unref);
  self->before = tokend_pcsc_list (self->reading);
  g_mutex_lock (&self->lock);
  self->is_in_use = is_any_in_use (self->before);
  g_mutex_unlock (&self->lock);
  if (reach_all (self, error))
    access = TOKEND_READER_ACCESS_AFRESH;

  g_mutex_lock (&self->lock);
  if (access == TOKEND_READER_ACCESS_NONE) {
    set_reading (self, FALSE);
    self->is_lost = TRUE;
  } else if (self->is_ours && are_same_cards (self))
    access = TOKEND_READER_ACCESS_KEPT;
  g_mutex_unlock (&self->lock);
  return access;
}

/**
 * tokend_reader_watch_find:
 * @name: of a reader; only so many bytes of it
 * @is_cut: whether the reader's own name may be longer
 *
 * Returns: (transfer none) (nullable): its whole name, interned
 */
const char *
tokend_reader_watch_find (TokendReaderWatch *self, const char *name, gsize length, gboolean is_cut)
{
  GHashTableIter iter;
  gpointer reader;

  g_hash_table_iter_init (&iter, self->before);
  while (g_hash_table_iter_next (&iter, &reader, NULL))
    if (strncmp (reader, name, length) == 0 && (is_cut || strlen (reader) == length))
      return g_intern_string (reader);
  return NULL;
}

/** tokend_reader_watch_is_exclusive: whether a program had the card in @reader for itself when the read began. */
gboolean
tokend_reader_watch_is_exclusive (TokendReaderWatch *self, const char *reader)
{
  return lookup_state (self->before, reader)->use == TOKEND_CARD_EXCLUSIVE;
}

/** tokend_reader_watch_is_disturbed: what a read that finds nothing in @reader means: see tokend_reader_is_disturbed(). */
gboolean
tokend_reader_watch_is_disturbed (TokendReaderWatch *self, const char *reader)
{
  gboolean is_disturbed;

  g_mutex_lock (&self->lock);
  is_disturbed = tokend_reader_is_disturbed (g_hash_table_lookup (self->memories, reader),
                                             lookup_state (self->before, reader), self->begun_at);
  g_mutex_unlock (&self->lock);
  return is_disturbed;
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
    const TokendReaderMemory *memory = g_hash_table_lookup (self->memories, name);

    is_long = memory != NULL && memory->used_since != 0
              && time - memory->used_since >= TOKEND_READER_PATIENCE
              && lookup_state (self->before, name)->use == TOKEND_CARD_SHARED;
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

  return tokend_reader_may_hold (&self->hold, self->is_ours, is_any_in_long_use (self, found, now),
                                 self->met_at, now);
}

static void
remember (TokendReaderWatch *self, GHashTable *found)
{
  GHashTable *memories = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  GHashTableIter iter;
  gpointer name, state;

  g_hash_table_iter_init (&iter, self->before);
  while (g_hash_table_iter_next (&iter, &name, &state)) {
    TokendReaderMemory *memory = g_new (TokendReaderMemory, 1);

    *memory = tokend_reader_remember (g_hash_table_lookup (self->memories, name), state,
                                      GPOINTER_TO_INT (g_hash_table_lookup (found, name)),
                                      self->begun_at);
    g_hash_table_insert (memories, g_strdup (name), memory);
  }
  g_hash_table_unref (self->memories);
  self->memories = memories;
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
  self->is_ours = is_kept;
  set_reading (self, FALSE);
  g_mutex_unlock (&self->lock);
}

/** tokend_reader_watch_let_go: the module has let go of its cards between two reads. */
void
tokend_reader_watch_let_go (TokendReaderWatch *self)
{
  g_mutex_lock (&self->lock);
  self->is_ours = FALSE;
  /* A look that is under way may have seen them held. */
  self->n_reads++;
  g_mutex_unlock (&self->lock);
}

/* The waiting thread */

static TokendReaderNews
judge (TokendReaderWatch *self, GHashTable *states)
{
  const gint64 time = g_get_monotonic_time ();
  TokendReaderNews news = TOKEND_READER_NEWS_NONE;
  GHashTableIter iter;
  gpointer name, memory, state;

  g_hash_table_iter_init (&iter, states);
  while (g_hash_table_iter_next (&iter, &name, &state))
    if (!g_hash_table_contains (self->memories, name))
      g_hash_table_insert (self->memories, g_strdup (name), g_new0 (TokendReaderMemory, 1));

  g_hash_table_iter_init (&iter, self->memories);
  while (g_hash_table_iter_next (&iter, &name, &memory)) {
    const TokendReaderNews its_news = tokend_reader_judge (memory, lookup_state (states, name),
                                                           self->is_ours, self->read_at, time);
    news = MAX (news, its_news);
  }
  /* To ask cards that are held costs little; and whether others still use them cannot be seen. */
  if (self->is_lost
      && (self->is_ours || !is_any_in_use (states)
          || time - self->read_at >= TOKEND_READER_PATIENCE))
    return TOKEND_READER_NEWS_READ;
  return news;
}

static TokendReaderNews
look (TokendReaderWatch *self)
{
  g_autoptr (GHashTable) states = NULL;
  TokendReaderNews news = TOKEND_READER_NEWS_NONE;
  guint n_reads;

  g_mutex_lock (&self->lock);
  n_reads = self->n_reads;
  g_mutex_unlock (&self->lock);

  states = tokend_pcsc_list (self->looking);

  g_mutex_lock (&self->lock);
  /* What was seen during a read may be the read itself. */
  if (!self->is_reading && n_reads == self->n_reads)
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
  g_hash_table_iter_init (&iter, self->memories);
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

  while ((news = look (self)) == TOKEND_READER_NEWS_NONE)
    if (has_token (self))
      wait_a_moment (self);
    else
      tokend_pcsc_wait (self->looking);
  return news == TOKEND_READER_NEWS_READ;
}
