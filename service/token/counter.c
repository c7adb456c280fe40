/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "counter.h"

const TokendCounter tokend_counter_unknown = { .state = TOKEND_STATE_UNKNOWN,
                                               .remaining = TOKEND_RETRIES_UNKNOWN,
                                               .maximum = TOKEND_RETRIES_UNKNOWN };

/* Orders the states from best to worst. UNKNOWN may be a final try, but is not known to be one. */
static guint
badness (TokendState state)
{
  switch (state) {
  case TOKEND_STATE_OK:
    return 0;
  case TOKEND_STATE_LOW:
    return 1;
  case TOKEND_STATE_UNKNOWN:
  case TOKEND_STATE_UNINITIALIZED:
    return 2;
  case TOKEND_STATE_FINAL_TRY:
    return 3;
  case TOKEND_STATE_LOCKED:
    return 4;
  }
  g_return_val_if_reached (4);
}

static TokendState
worse (TokendState a, TokendState b)
{
  return badness (a) >= badness (b) ? a : b;
}

static TokendState
state_of_number (int remaining, int maximum)
{
  if (remaining <= 0)
    return TOKEND_STATE_LOCKED;
  if (remaining == 1)
    return TOKEND_STATE_FINAL_TRY;
  if (remaining < maximum)
    return TOKEND_STATE_LOW;
  return TOKEND_STATE_OK;
}

static TokendState
state_of_flags (const TokendCounterReading *reading)
{
  if (reading->locked)
    return TOKEND_STATE_LOCKED;
  if (reading->final_try)
    return TOKEND_STATE_FINAL_TRY;
  if (reading->count_low)
    return TOKEND_STATE_LOW;
  return TOKEND_STATE_OK;
}

/* Tells whether a flag that is set contradicts a better number. A flag that is not set contradicts
 * nothing, since not every module sets them. */
static gboolean
flags_contradict (const TokendCounterReading *reading, int maximum)
{
  TokendState by_number = state_of_number (reading->remaining, maximum);
  TokendState by_flags = state_of_flags (reading);

  /* LOW says that the number is not the maximum, which is not known. */
  return badness (by_flags) > badness (by_number)
         && !(by_flags == TOKEND_STATE_LOW && maximum == TOKEND_RETRIES_UNKNOWN);
}

static TokendCounter
evaluate_number (const TokendCounterReading *reading, int maximum)
{
  TokendState by_flags = state_of_flags (reading);
  TokendCounter counter = { .maximum = maximum };

  if (flags_contradict (reading, maximum)) {
    counter.state = by_flags;
    counter.remaining = TOKEND_RETRIES_UNKNOWN;
    return counter;
  }

  counter.state = worse (state_of_number (reading->remaining, maximum), by_flags);
  counter.remaining = reading->remaining;
  counter.source = TOKEND_RETRIES_SOURCE_TOKEN;
  counter.another_remains = reading->remaining >= 2;
  return counter;
}

/* Applies flags that are exact, where neither LOCKED nor FINAL_TRY is set. */
static void
apply_exact_flags (TokendCounter *counter, int maximum)
{
  if (counter->state == TOKEND_STATE_OK)
    counter->remaining = maximum;
  else if (maximum == 3)
    counter->remaining = 2;

  if (counter->remaining != TOKEND_RETRIES_UNKNOWN)
    counter->state = state_of_number (counter->remaining, maximum);
  /* Of a maximum of two or less, LOW leaves no other try that is proven to remain. */
  if (counter->state == TOKEND_STATE_FINAL_TRY
      || (counter->state == TOKEND_STATE_LOW && maximum < 3))
    counter->another_remains = FALSE;
}

static TokendCounter
evaluate_flags (const TokendCounterReading *reading, const TokendCounterRules *rules, int maximum)
{
  TokendCounter counter = { .state = state_of_flags (reading),
                            .remaining = TOKEND_RETRIES_UNKNOWN,
                            .maximum = maximum };

  switch (counter.state) {
  case TOKEND_STATE_LOCKED:
    counter.remaining = 0;
    break;

  case TOKEND_STATE_FINAL_TRY:
    counter.remaining = 1;
    break;

  default:
    counter.another_remains = rules->never_locks || rules->flags == TOKEND_FLAGS_MEANING_EXACT
                              || rules->flags == TOKEND_FLAGS_MEANING_LAST_ONLY;
    /* A flag that is set is believed in any case. */
    if (rules->flags == TOKEND_FLAGS_MEANING_NONE && counter.state == TOKEND_STATE_OK)
      counter.state = TOKEND_STATE_UNKNOWN;
    if (rules->flags == TOKEND_FLAGS_MEANING_EXACT && maximum != TOKEND_RETRIES_UNKNOWN)
      apply_exact_flags (&counter, maximum);
    break;
  }

  if (counter.remaining != TOKEND_RETRIES_UNKNOWN)
    counter.source = TOKEND_RETRIES_SOURCE_FLAGS;
  return counter;
}

static void
lower_by_record (TokendCounter *counter, const TokendCounterRecord *record)
{
  TokendState recorded;
  int left;

  if (record->locked) {
    if (counter->state != TOKEND_STATE_LOCKED)
      *counter = (TokendCounter){ .state = TOKEND_STATE_LOCKED,
                                  .maximum = counter->maximum,
                                  .source = TOKEND_RETRIES_SOURCE_LEDGER };
    return;
  }
  if (record->final_try && badness (counter->state) < badness (TOKEND_STATE_FINAL_TRY))
    *counter = (TokendCounter){ .state = TOKEND_STATE_FINAL_TRY,
                                .remaining = 1,
                                .maximum = counter->maximum,
                                .source = TOKEND_RETRIES_SOURCE_LEDGER };
  counter->another_remains = counter->another_remains && !record->lost;
  if (record->spent == 0)
    return;
  if (counter->maximum == TOKEND_RETRIES_UNKNOWN) {
    counter->state = worse (counter->state, TOKEND_STATE_LOW);
    return;
  }

  left = (int) record->spent >= counter->maximum ? 0 : counter->maximum - (int) record->spent;
  recorded = state_of_number (left, counter->maximum);
  counter->another_remains = counter->another_remains && left >= 2;
  if (counter->remaining != TOKEND_RETRIES_UNKNOWN && counter->remaining <= left)
    return;
  /* The token tells nothing, so our record gives no more than an upper bound. */
  if (badness (counter->state) > badness (recorded))
    return;
  counter->state = recorded;
  counter->remaining = left;
  counter->source = TOKEND_RETRIES_SOURCE_LEDGER;
}

/* Prefers the token's own maximum: a profile that knows fewer tries than the token has is wrong. */
static int
get_maximum (const TokendCounterReading *reading, const TokendCounterRules *rules)
{
  if (reading->maximum != TOKEND_RETRIES_UNKNOWN)
    return reading->maximum;
  return reading->remaining > rules->maximum ? TOKEND_RETRIES_UNKNOWN : rules->maximum;
}

/**
 * tokend_counter_is_uninitialized:
 * @reading: what the token shows.
 *
 * Returns: whether the code has not been set.
 */
gboolean
tokend_counter_is_uninitialized (const TokendCounterReading *reading)
{
  return !reading->initialized && !reading->locked;
}

/**
 * tokend_counter_evaluate:
 * @reading: what the token shows.
 * @rules: what the profile says that this is worth.
 * @record: what the ledger says.
 *
 * Evaluates one role's tries by the status table of ARCHITECTURE.md. The token's own number stands
 * above the record. The record may lower what was derived from flags; it never raises or permits.
 *
 * Returns: the status that bars a code; people are told that of tokend_counter_tell().
 */
TokendCounter
tokend_counter_evaluate (const TokendCounterReading *reading, const TokendCounterRules *rules,
                         const TokendCounterRecord *record)
{
  int maximum = get_maximum (reading, rules);
  TokendCounter counter;

  if (tokend_counter_is_uninitialized (reading))
    return (TokendCounter){ .state = TOKEND_STATE_UNINITIALIZED,
                            .remaining = TOKEND_RETRIES_UNKNOWN,
                            .maximum = TOKEND_RETRIES_UNKNOWN };

  if (reading->remaining != TOKEND_RETRIES_UNKNOWN) {
    counter = evaluate_number (reading, maximum);
    if (counter.source == TOKEND_RETRIES_SOURCE_TOKEN)
      return counter;
  } else {
    counter = evaluate_flags (reading, rules, maximum);
  }

  if (!rules->never_locks)
    lower_by_record (&counter, record);
  return counter;
}

/* Tells whether both say that tries were lost, and neither that the last one is excluded. */
static gboolean
is_low_anyway (const TokendCounter *shown, const TokendCounter *barred)
{
  return shown->state == TOKEND_STATE_LOW && barred->state == TOKEND_STATE_LOW
         && !shown->another_remains;
}

/* Takes back the number and the lock that only the record says: another program may have sent a
 * right code since, which brings the tries back. */
static TokendCounter
doubt (const TokendCounter *shown, const TokendCounter *barred)
{
  TokendCounter told = { .state = shown->state,
                         .remaining = TOKEND_RETRIES_UNKNOWN,
                         .maximum = shown->maximum,
                         .another_remains = barred->another_remains };

  if (!barred->another_remains && badness (shown->state) < badness (TOKEND_STATE_UNKNOWN)
      && !is_low_anyway (shown, barred))
    told.state = TOKEND_STATE_UNKNOWN;
  return told;
}

/**
 * tokend_counter_tell:
 * @reading: what the token shows.
 * @rules: what the profile says that this is worth.
 * @record: what the ledger says.
 *
 * Evaluates what people are told. It has no number that tokend_counter_evaluate() does not give,
 * and no state that excludes a last try which that does not exclude.
 *
 * Returns: what the token shows, where the record does not contradict it, and what the record
 *   tells.
 */
TokendCounter
tokend_counter_tell (const TokendCounterReading *reading, const TokendCounterRules *rules,
                     const TokendCounterRecord *record)
{
  static const TokendCounterRecord nothing = { 0 };
  const TokendCounter shown = tokend_counter_evaluate (reading, rules, &nothing);
  const TokendCounter barred = tokend_counter_evaluate (reading, rules, record);
  const gboolean is_barred = !tokend_counter_equal (&shown, &barred);
  TokendCounter told = is_barred ? doubt (&shown, &barred) : shown;

  told.never_locks = rules->never_locks && told.another_remains;
  told.is_flag_gone = reading->is_flag_gone && told.state == TOKEND_STATE_UNKNOWN;
  told.is_record_lost = is_barred && record->lost;
  told.is_sent_elsewhere = is_barred && record->is_elsewhere;
  told.seen = is_barred ? record->seen : TOKEND_STATE_UNKNOWN;
  told.wrong = record->wrong;
  told.maybe_lost = record->pending;
  told.sent_at = record->sent_at;
  return told;
}

/**
 * tokend_counter_is_inconsistent:
 * @reading: what the token shows.
 * @rules: what the profile says that this is worth.
 *
 * Returns: whether the token's own number and its flags cannot both be true.
 */
gboolean
tokend_counter_is_inconsistent (const TokendCounterReading *reading,
                                const TokendCounterRules *rules)
{
  return reading->initialized && reading->remaining != TOKEND_RETRIES_UNKNOWN
         && flags_contradict (reading, get_maximum (reading, rules));
}

gboolean
tokend_counter_equal (const TokendCounter *a, const TokendCounter *b)
{
  return a->state == b->state && a->remaining == b->remaining && a->maximum == b->maximum
         && a->source == b->source && a->another_remains == b->another_remains
         && a->never_locks == b->never_locks && a->is_flag_gone == b->is_flag_gone
         && a->is_record_lost == b->is_record_lost && a->is_sent_elsewhere == b->is_sent_elsewhere
         && a->seen == b->seen && a->wrong == b->wrong && a->maybe_lost == b->maybe_lost
         && a->sent_at == b->sent_at;
}

/**
 * tokend_counter_is_tokens_word:
 *
 * Returns: whether @counter has a number that is the token's own.
 */
gboolean
tokend_counter_is_tokens_word (const TokendCounter *counter)
{
  return counter->remaining != TOKEND_RETRIES_UNKNOWN
         && counter->source != TOKEND_RETRIES_SOURCE_LEDGER;
}

/**
 * tokend_counter_get_minimum:
 *
 * Returns: how many tries are left at least, where the token's flags prove that it is not the last
 *   one alone, and nothing gives the number; else %TOKEND_RETRIES_UNKNOWN.
 */
int
tokend_counter_get_minimum (const TokendCounter *counter)
{
  return counter->another_remains && !counter->never_locks
                 && counter->remaining == TOKEND_RETRIES_UNKNOWN
             ? 2
             : TOKEND_RETRIES_UNKNOWN;
}

/**
 * tokend_flag_memory_observe:
 * @self: (inout): of this role, since the reading before; zero at first.
 * @reading: (inout): what the token shows now; gets @is_flag_gone.
 * @may_be_used: whether a code may have been sent to the token since the reading before.
 * @by_trier: whether the reading is of the process that has sent a code, to which alone some
 *   modules show a flag.
 *
 * Takes a flag for gone, not for forgotten, only once the token may have been used.
 */
void
tokend_flag_memory_observe (TokendFlagMemory *self, TokendCounterReading *reading,
                            gboolean may_be_used, gboolean by_trier)
{
  if (state_of_flags (reading) != TOKEND_STATE_OK)
    *self = (TokendFlagMemory){ .is_set = !by_trier };
  else if (self->is_set && may_be_used)
    *self = (TokendFlagMemory){ .is_gone = TRUE };
  reading->is_flag_gone = self->is_gone;
}
