/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attempt-private.h"
#include "fuzz.h"

/* Another try is proven by the token's own number, by flags that are worth it, or where nothing
 * ever locks. */
static gboolean
has_proof (const TokendCounterReading *shown, const TokendCounterRules *rules)
{
  if (shown->locked || shown->final_try)
    return FALSE;
  if (shown->remaining != TOKEND_RETRIES_UNKNOWN)
    return shown->remaining >= 2;
  return rules->never_locks || rules->flags == TOKEND_FLAGS_MEANING_EXACT
         || rules->flags == TOKEND_FLAGS_MEANING_LAST_ONLY;
}

static void
check (const TokendCounter *counter, const TokendCounterReading *shown,
       const TokendCounterRules *rules)
{
  const TokendAttempt plain = { 0 };

  if (counter->remaining != TOKEND_RETRIES_UNKNOWN) {
    g_assert_cmpint (counter->remaining, >=, 0);
    g_assert_cmpint (counter->source, !=, TOKEND_RETRIES_SOURCE_NONE);
    g_assert_cmpint (counter->state == TOKEND_STATE_LOCKED, ==, counter->remaining == 0);
    if (counter->maximum != TOKEND_RETRIES_UNKNOWN)
      g_assert_cmpint (counter->remaining, <=, counter->maximum);
    if (counter->another_remains)
      g_assert_cmpint (counter->remaining, >=, 2);
  }
  if (counter->another_remains)
    g_assert_true (has_proof (shown, rules));
  if (tokend_attempt_check (&plain, TOKEND_ROLE_PUK, counter, NULL))
    g_assert_true (counter->another_remains);
}

/* A number of tries as tokend_reading_parse() lets it through. */
static int
take_count (FuzzInput *input)
{
  return (int) (fuzz_take_byte (input) % 8) - 1;
}

/* Whatever token, profile and our own record say: no number too high, no last try without the word,
 * and the record only lowers. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  TokendCounterReading shown = {
    .initialized = fuzz_take_flag (&input),
    .count_low = fuzz_take_flag (&input),
    .final_try = fuzz_take_flag (&input),
    .locked = fuzz_take_flag (&input),
    .remaining = take_count (&input),
    .maximum = take_count (&input),
  };
  const TokendCounterRules rules = {
    .flags = fuzz_take_byte (&input) % (TOKEND_FLAGS_MEANING_LOW_ONLY + 1),
    .never_locks = fuzz_take_flag (&input),
    .maximum = take_count (&input),
  };
  TokendCounterRecord record = {
    .spent = fuzz_take_byte (&input),
    .locked = fuzz_take_flag (&input),
    .final_try = fuzz_take_flag (&input),
  };
  TokendCounter counter, lower;

  if (shown.maximum == 0 || rules.maximum == 0
      || (shown.maximum != TOKEND_RETRIES_UNKNOWN && shown.remaining > shown.maximum))
    return 0;
  counter = tokend_counter_evaluate (&shown, &rules, &record);
  check (&counter, &shown, &rules);
  record.spent++;
  lower = tokend_counter_evaluate (&shown, &rules, &record);
  check (&lower, &shown, &rules);
  g_assert_true (counter.another_remains || !lower.another_remains);
  if (counter.remaining != TOKEND_RETRIES_UNKNOWN)
    g_assert_cmpint (lower.remaining, <=, counter.remaining);
  return 0;
}
