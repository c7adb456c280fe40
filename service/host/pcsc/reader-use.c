/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-use.h"

/** tokend_reader_is_another_card: whether a card came or went between the two states of one
 * reader. */
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
  if (memory->n_misses < TOKEND_READER_LOOKS_MAX)
    return TOKEND_CARD_UNREAD;
  return memory->is_known ? TOKEND_CARD_IS_TOKEN : TOKEND_CARD_IS_OTHER;
}

/**
 * tokend_reader_remember:
 * @last: what was remembered of the reader
 * @before: its state before the module began to read
 * @was_ours: whether our host of this reader held its card then
 * @found: what the module has found in it; %TOKEND_CARD_IS_OTHER: nothing
 * @time: when it began to read; monotonic, in microseconds
 *
 * A program that was connected then may do something after the card was read, and leave before
 * anybody looks: its use goes on, until the card is read when nobody else is connected to it any
 * more.
 *
 * Returns: what is to be remembered after a read. Where nothing was found, the tokens of the read
 *   before are there still if they were known and this says %TOKEND_CARD_UNREAD: it is the same
 *   card, and it is going to be looked into again.
 */
TokendReaderMemory
tokend_reader_remember (const TokendReaderMemory *last, const TokendReaderState *before,
                        gboolean was_ours, TokendCardKnowledge found, gint64 time)
{
  TokendReaderMemory memory = { 0 };

  if (!tokend_reader_is_another_card (&last->at_read, before))
    memory = (TokendReaderMemory){ .is_known = last->is_known,
                                   .n_misses = last->n_misses,
                                   .missed_at = last->missed_at };
  memory.at_read = *before;
  if (was_ours)
    memory.used_since = last->used_since;
  else if (before->use == TOKEND_CARD_SHARED)
    memory.used_since = time;
  if (found != TOKEND_CARD_IS_OTHER) {
    memory.n_misses = 0;
    memory.knowledge = found;
    memory.is_known = TRUE;
    return memory;
  }
  if (memory.n_misses == 0 || time - memory.missed_at >= TOKEND_READER_PATIENCE) {
    memory.n_misses++;
    memory.missed_at = time;
  }
  memory.knowledge = evaluate_miss (&memory);
  return memory;
}

/* Whether it is time to look again into a card in which a token was known, and was not found for
 * so often that it was given up: whatever disturbs it may end. */
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
 * tokend_reader_is_due:
 * @memory: (inout): of this reader, since the last read
 * @now: its state
 * @is_ours: whether our host of this reader holds its card: then another's connection cannot be
 *   told from ours
 * @time: of @now; like all times here monotonic, in microseconds, above 0
 *
 * A card that has come is read at once, and so is one that another program has let go of. One that
 * others stay connected to, as a browser does all day, is read from time to time; one that a
 * program has for itself, never. A card that the module does not know is of no interest as long as
 * it is in the reader; one that it knows no more is looked into ever more seldom.
 *
 * Returns: whether it is time to read the card
 */
gboolean
tokend_reader_is_due (TokendReaderMemory *memory, const TokendReaderState *now, gboolean is_ours,
                      gint64 time)
{
  const gboolean is_new = tokend_reader_is_another_card (&memory->at_read, now);
  const gboolean is_used =
      now->use == TOKEND_CARD_EXCLUSIVE || (now->use == TOKEND_CARD_SHARED && !is_ours);

  if (now->use == TOKEND_CARD_ABSENT || (!is_new && memory->knowledge == TOKEND_CARD_IS_OTHER))
    return FALSE;
  if (!is_new && is_used && memory->used_since == 0)
    memory->used_since = time;
  if (now->use == TOKEND_CARD_EXCLUSIVE)
    return FALSE;
  if (is_new || (now->use == TOKEND_CARD_FREE && memory->used_since != 0))
    return TRUE;
  /* What could not be read may never be: it is asked again, but not without end. */
  return (now->use == TOKEND_CARD_SHARED || memory->knowledge == TOKEND_CARD_UNREAD
          || is_look_due (memory, time))
         && time - MAX (memory->read_at, memory->used_since) >= TOKEND_READER_PATIENCE;
}

/**
 * tokend_reader_may_hold:
 * @hold: (inout): of this reader
 * @is_ours: whether our host has held the card since the read before
 * @is_in_long_use: whether others have used it for long
 * @is_met: whether another program was in the midst of a transaction during the read
 * @time: when a read has ended
 *
 * Returns: whether our host is to hold the card until the next read
 */
gboolean
tokend_reader_may_hold (TokendReaderHold *hold, gboolean is_ours, gboolean is_in_long_use,
                        gboolean is_met, gint64 time)
{
  if (is_ours) {
    if (is_met)
      hold->until = MAX (hold->until, time + TOKEND_READER_HOLD_MIN);
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
