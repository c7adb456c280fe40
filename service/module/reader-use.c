/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-use.h"

/** tokend_reader_is_another_card: whether a card came or went between the two states of one reader. */
gboolean
tokend_reader_is_another_card (const TokendReaderState *then, const TokendReaderState *now)
{
  const gboolean was_there = then->use != TOKEND_CARD_ABSENT;
  const gboolean is_there = now->use != TOKEND_CARD_ABSENT;

  return was_there != is_there || (is_there && then->insertions != now->insertions);
}

static TokendCardKnowledge
judge_miss (const TokendReaderMemory *memory)
{
  if (memory->at_read.use == TOKEND_CARD_ABSENT)
    return TOKEND_CARD_IS_OTHER;
  if (memory->n_misses < TOKEND_READER_LOOKS_MAX)
    return TOKEND_CARD_UNREAD;
  return memory->is_known ? TOKEND_CARD_IS_TOKEN : TOKEND_CARD_IS_OTHER;
}

/**
 * tokend_reader_remember:
 * @last: (nullable): what was remembered of the reader; %NULL: it was not there
 * @before: its state before the module began to read
 * @found: what the module has found in it
 * @time: when it began to read; monotonic, in microseconds
 *
 * Returns: what is to be remembered after a read
 */
TokendReaderMemory
tokend_reader_remember (const TokendReaderMemory *last, const TokendReaderState *before,
                        TokendCardKnowledge found, gint64 time)
{
  const gboolean is_exclusive = before->use == TOKEND_CARD_EXCLUSIVE;
  TokendReaderMemory memory = { 0 };

  if (last != NULL && !tokend_reader_is_another_card (&last->at_read, before))
    memory = (TokendReaderMemory){ .is_known = last->is_known,
                                   .n_misses = last->n_misses,
                                   .missed_at = last->missed_at };
  memory.at_read = *before;
  memory.told_beyond = is_exclusive;
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
  memory.knowledge = judge_miss (&memory);
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
      tokend_reader_remember (last, before, TOKEND_CARD_IS_OTHER, time);

  return memory.is_known && memory.knowledge == TOKEND_CARD_UNREAD;
}

static void
note_use (TokendReaderMemory *memory, gint64 time)
{
  if (memory->used_since == 0)
    memory->used_since = time;
}

/* Said once for each time that a program takes the card. */
static TokendReaderNews
judge_exclusive (TokendReaderMemory *memory, gint64 time)
{
  const gboolean is_told = memory->told_beyond;

  note_use (memory, time);
  memory->told_beyond = TRUE;
  return is_told ? TOKEND_READER_NEWS_NONE : TOKEND_READER_NEWS_BEYOND;
}

/**
 * tokend_reader_judge:
 * @memory: (inout): of this reader, since the last read
 * @now: its state
 * @is_ours: whether this process holds its cards: then another's connection cannot be told from ours
 * @read_at: when the last read ended; like all times here monotonic, in microseconds, above 0
 * @time: of @now
 *
 * A card that came or went is read at once, and so is one that another program has let go of. One that others stay
 * connected to, as a browser does all day, is read from time to time; one that a program has for itself, never. A card
 * that the module does not know is of no interest as long as it is in the reader.
 *
 * Returns: the news of this reader
 */
TokendReaderNews
tokend_reader_judge (TokendReaderMemory *memory, const TokendReaderState *now, gboolean is_ours,
                     gint64 read_at, gint64 time)
{
  if (tokend_reader_is_another_card (&memory->at_read, now))
    return TOKEND_READER_NEWS_READ;
  if (now->use == TOKEND_CARD_ABSENT || memory->knowledge == TOKEND_CARD_IS_OTHER)
    return TOKEND_READER_NEWS_NONE;
  if (now->use == TOKEND_CARD_EXCLUSIVE)
    return judge_exclusive (memory, time);

  memory->told_beyond = FALSE;
  if (now->use == TOKEND_CARD_SHARED && !is_ours)
    note_use (memory, time);
  if (now->use == TOKEND_CARD_FREE && memory->used_since != 0)
    return TOKEND_READER_NEWS_READ;
  /* What could not be read may never be: it is asked again, but not without end. */
  if ((now->use == TOKEND_CARD_SHARED || memory->knowledge == TOKEND_CARD_UNREAD)
      && time - MAX (read_at, memory->used_since) >= TOKEND_READER_PATIENCE)
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
