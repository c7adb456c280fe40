/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-use.h"

/**
 * tokend_reader_is_another_card:
 *
 * Returns: whether a card came or went between the two states of one reader.
 */
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
 * @was_ours: whether our host of this reader then held its card
 * @found: what the module found in it; %TOKEND_CARD_IS_OTHER: nothing
 * @time: when it began to read; monotonic, in microseconds
 *
 * Lets the use by another program go on until the card is read while nobody else is connected to
 * it. A program that is connected may do something after the read, and leave before anybody looks.
 *
 * Returns: what to remember after a read. If nothing was found, earlier tokens are still there if
 *   they were known and this says %TOKEND_CARD_UNREAD: it is the same card, and will be looked into
 *   again.
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
  memory.is_known = memory.is_known || found != TOKEND_CARD_IS_OTHER;
  if (found == TOKEND_CARD_IS_TOKEN) {
    memory.n_misses = 0;
    memory.knowledge = found;
    return memory;
  }
  if (memory.n_misses == 0 || time - memory.missed_at >= TOKEND_READER_PATIENCE) {
    memory.n_misses++;
    memory.missed_at = time;
  }
  memory.knowledge = evaluate_miss (&memory);
  return memory;
}

/* Tells whether to look again into a card whose token was known, and was not found so often that it
 * was given up: a disturbance may end. */
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
 * @is_ours: whether our host of this reader holds its card, which hides another's connection
 * @time: of @now; monotonic, as all times here, in microseconds, above 0
 *
 * Reads a card at once that has come, or that another program has let go. Reads one from time to
 * time that others stay connected to, as a browser does all day, and one never that a program has
 * for itself. Ignores a card that the module does not know, and looks ever more seldom into one
 * that it does not know any more.
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
  /* A card that could not be read may never be, so it is asked a limited number of times. */
  return (now->use == TOKEND_CARD_SHARED || memory->knowledge == TOKEND_CARD_UNREAD
          || is_look_due (memory, time))
         && time - MAX (memory->read_at, memory->used_since) >= TOKEND_READER_PATIENCE;
}

/**
 * tokend_reader_may_hold:
 * @hold: (inout): of this reader
 * @is_ours: whether our host has held the card since the last read
 * @is_in_long_use: whether others have used it for long
 * @is_met: whether another program had a transaction during the read
 * @time: when the read ended
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
