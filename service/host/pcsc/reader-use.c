/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-use.h"

/** tokend_reader_lookup_state: @states: of char * → TokendReaderState. Returns: (transfer none): that of @reader; of an empty
 * one, where there is no such reader. */
const TokendReaderState *
tokend_reader_lookup_state (GHashTable *states, const char *reader)
{
  static const TokendReaderState absent = { .use = TOKEND_CARD_ABSENT };
  const TokendReaderState *state = g_hash_table_lookup (states, reader);

  return state != NULL ? state : &absent;
}

/** tokend_reader_is_any_in_use: @states: likewise. Returns: whether any program is connected to a card, but not for itself
 * alone. */
gboolean
tokend_reader_is_any_in_use (GHashTable *states)
{
  GHashTableIter iter;
  gpointer state;

  g_hash_table_iter_init (&iter, states);
  while (g_hash_table_iter_next (&iter, NULL, &state))
    if (((TokendReaderState *) state)->use == TOKEND_CARD_SHARED)
      return TRUE;
  return FALSE;
}

/** tokend_reader_is_another_card: whether a card came or went between the two states of one reader. */
gboolean
tokend_reader_is_another_card (const TokendReaderState *then, const TokendReaderState *now)
{
  const gboolean was_there = then->use != TOKEND_CARD_ABSENT;
  const gboolean is_there = now->use != TOKEND_CARD_ABSENT;

  return was_there != is_there || (is_there && then->insertions != now->insertions);
}

static TokendCardKnowledge
evaluate_miss (const TokendReaderMemory *memory)
{
  if (memory->at_read.use == TOKEND_CARD_ABSENT)
    return TOKEND_CARD_IS_OTHER;
  if (memory->n_misses < TOKEND_READER_LOOKS_MAX)
    return TOKEND_CARD_UNREAD;
  return memory->is_known ? TOKEND_CARD_IS_TOKEN : TOKEND_CARD_IS_OTHER;
}

/* Nothing was learnt of it: what became of it before this read is news still. */
static TokendReaderMemory
remember_left_alone (const TokendReaderMemory *memory, const TokendReaderMemory *last)
{
  TokendReaderMemory same = *memory;

  same.knowledge = last != NULL ? last->knowledge : TOKEND_CARD_UNREAD;
  if (last != NULL && last->used_since != 0)
    same.used_since = last->used_since;
  return same;
}

/**
 * tokend_reader_remember:
 * @last: (nullable): what was remembered of the reader; %NULL: it was not there
 * @before: its state before the module began to read
 * @was_ours: whether this process held its card then
 * @found: what the module has found in it, or that it did not look
 * @time: when it began to read; monotonic, in microseconds
 *
 * A program that was connected then may do something after the card was read, and leave before anybody looks: its use goes on.
 *
 * Returns: what is to be remembered after a read
 */
TokendReaderMemory
tokend_reader_remember (const TokendReaderMemory *last, const TokendReaderState *before,
                        gboolean was_ours, TokendCardKnowledge found, gint64 time)
{
  const gboolean is_same = last != NULL && !tokend_reader_is_another_card (&last->at_read, before);
  const gboolean is_exclusive = before->use == TOKEND_CARD_EXCLUSIVE;
  const gboolean is_used = is_exclusive || (before->use == TOKEND_CARD_SHARED && !was_ours);
  TokendReaderMemory memory = { 0 };

  if (is_same)
    memory = (TokendReaderMemory){ .is_known = last->is_known,
                                   .n_misses = last->n_misses,
                                   .missed_at = last->missed_at };
  memory.at_read = *before;
  memory.used_since = is_used ? time : 0;
  memory.told_beyond = is_exclusive;
  if (found == TOKEND_CARD_LEFT_ALONE)
    return remember_left_alone (&memory, is_same ? last : NULL);
  if (found != TOKEND_CARD_IS_OTHER) {
    memory.n_misses = 0;
    memory.knowledge = found;
    memory.is_known = TRUE;
    return memory;
  }
  if (!is_exclusive
      && (memory.n_misses == 0 || time - memory.missed_at >= TOKEND_READER_PATIENCE)) {
    memory.n_misses++;
    memory.missed_at = time;
  }
  memory.knowledge = evaluate_miss (&memory);
  return memory;
}

/**
 * tokend_reader_is_disturbed:
 * @last: (nullable): as for tokend_reader_remember(), as @before and @time
 *
 * Returns: whether the tokens of the read before are there still if the module finds none now: it is the same card, and it is
 *   going to be looked into again
 */
gboolean
tokend_reader_is_disturbed (const TokendReaderMemory *last, const TokendReaderState *before,
                            gint64 time)
{
  const TokendReaderMemory memory =
      tokend_reader_remember (last, before, FALSE, TOKEND_CARD_IS_OTHER, time);

  return memory.is_known && memory.knowledge == TOKEND_CARD_UNREAD;
}

/**
 * tokend_reader_is_beyond:
 * @last: (nullable): as for tokend_reader_remember(), as @before
 * @is_left_alone: whether the module did not look into it
 *
 * Returns: whether the tokens of the read before are there still, and could not be asked: it is the same card, and a program
 *   has it for itself, if not for long
 */
gboolean
tokend_reader_is_beyond (const TokendReaderMemory *last, const TokendReaderState *before,
                         gboolean is_left_alone)
{
  return last != NULL && (is_left_alone || before->use == TOKEND_CARD_EXCLUSIVE)
         && before->use != TOKEND_CARD_ABSENT
         && !tokend_reader_is_another_card (&last->at_read, before);
}

/**
 * tokend_reader_is_hidden:
 * @memory: of a reader, after a read
 *
 * Returns: whether there is a card in it that was never looked into, because another program has had it for itself since it
 *   was seen first: it may be any token
 */
gboolean
tokend_reader_is_hidden (const TokendReaderMemory *memory)
{
  return memory->at_read.use != TOKEND_CARD_ABSENT && !memory->is_known && memory->n_misses == 0
         && memory->knowledge == TOKEND_CARD_UNREAD;
}

static void
note_use (TokendReaderMemory *memory, gint64 time)
{
  if (memory->used_since == 0)
    memory->used_since = time;
}

/* Said once for each time that a program takes the card. */
static TokendReaderNews
evaluate_exclusive (TokendReaderMemory *memory)
{
  const gboolean is_told = memory->told_beyond;

  memory->told_beyond = TRUE;
  return is_told ? TOKEND_READER_NEWS_NONE : TOKEND_READER_NEWS_BEYOND;
}

/* Whether it is time to look again into a card in which a token was known, and was not found for so often that it was given
 * up: whatever disturbs it may end. */
static gboolean
is_look_due (const TokendReaderMemory *memory, gint64 time)
{
  const guint n_vain = memory->n_misses - TOKEND_READER_LOOKS_MAX;

  if (!memory->is_known || memory->n_misses < TOKEND_READER_LOOKS_MAX)
    return FALSE;
  return time - memory->missed_at
         >= MIN (TOKEND_READER_RETRY_MIN << MIN (n_vain, 8), TOKEND_READER_RETRY_MAX);
}

/**
 * tokend_reader_notice:
 * @memory: (inout): of this reader, since the last read
 * @now: its state
 * @is_ours: whether this process holds its card
 * @time: of @now
 *
 * Remembers that another program uses the card.
 */
void
tokend_reader_notice (TokendReaderMemory *memory, const TokendReaderState *now, gboolean is_ours,
                      gint64 time)
{
  if (now->use == TOKEND_CARD_EXCLUSIVE || (now->use == TOKEND_CARD_SHARED && !is_ours))
    note_use (memory, time);
}

/**
 * tokend_reader_evaluate:
 * @memory: (inout): of this reader, since the last read
 * @now: its state
 * @is_ours: whether this process holds its cards: then another's connection cannot be told from ours
 * @time: of @now; like all times here monotonic, in microseconds, above 0
 *
 * A card that came or went is read at once, and so is one that another program has let go of. One that others stay
 * connected to, as a browser does all day, is read from time to time; one that a program has for itself, never. A card
 * that the module does not know is of no interest as long as it is in the reader; one that it knows no more is looked into
 * ever more seldom.
 *
 * Returns: the news of this reader
 */
TokendReaderNews
tokend_reader_evaluate (TokendReaderMemory *memory, const TokendReaderState *now, gboolean is_ours,
                        gint64 time)
{
  if (tokend_reader_is_another_card (&memory->at_read, now))
    return TOKEND_READER_NEWS_READ;
  if (now->use == TOKEND_CARD_ABSENT || memory->knowledge == TOKEND_CARD_IS_OTHER)
    return TOKEND_READER_NEWS_NONE;
  tokend_reader_notice (memory, now, is_ours, time);
  if (now->use == TOKEND_CARD_EXCLUSIVE)
    return evaluate_exclusive (memory);

  memory->told_beyond = FALSE;
  if (now->use == TOKEND_CARD_FREE && memory->used_since != 0)
    return TOKEND_READER_NEWS_READ;
  /* What could not be read may never be: it is asked again, but not without end. */
  if ((now->use == TOKEND_CARD_SHARED || memory->knowledge == TOKEND_CARD_UNREAD
       || is_look_due (memory, time))
      && time - MAX (memory->read_at, memory->used_since) >= TOKEND_READER_PATIENCE)
    return TOKEND_READER_NEWS_READ;
  return TOKEND_READER_NEWS_NONE;
}

/**
 * tokend_reader_may_hold:
 * @hold: (inout): of all readers
 * @is_ours: whether the module has held the cards since the read before
 * @is_in_long_use: whether others have used one of them for long
 * @met_at: when another program was last seen in the midst of a transaction; or 0
 * @time: when a read has ended
 *
 * Returns: whether the module is to hold its cards until the next read
 */
gboolean
tokend_reader_may_hold (TokendReaderHold *hold, gboolean is_ours, gboolean is_in_long_use,
                        gint64 met_at, gint64 time)
{
  if (is_ours) {
    hold->until = MAX (hold->until, met_at + TOKEND_READER_HOLD_MIN);
    return time < hold->until;
  }
  if (!is_in_long_use)
    return FALSE;
  hold->length = time - hold->until < 2 * TOKEND_READER_PATIENCE
                     ? MIN (2 * hold->length, TOKEND_READER_HOLD_MAX)
                     : TOKEND_READER_HOLD_MIN;
  hold->until = time + hold->length;
  return TRUE;
}
