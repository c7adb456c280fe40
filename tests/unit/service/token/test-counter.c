/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "counter-before.h"

#include <string.h>

#define UNKNOWN TOKEND_STATE_UNKNOWN
#define OK TOKEND_STATE_OK
#define LOW TOKEND_STATE_LOW
#define FINAL TOKEND_STATE_FINAL_TRY
#define LOCKED TOKEND_STATE_LOCKED
#define UNINITIALIZED TOKEND_STATE_UNINITIALIZED

#define NOWHERE TOKEND_RETRIES_SOURCE_NONE
#define TOKEN TOKEND_RETRIES_SOURCE_TOKEN
#define FLAGS TOKEND_RETRIES_SOURCE_FLAGS
#define LEDGER TOKEND_RETRIES_SOURCE_LEDGER

#define NONE TOKEND_FLAGS_MEANING_NONE
#define EXACT TOKEND_FLAGS_MEANING_EXACT
#define LAST_ONLY TOKEND_FLAGS_MEANING_LAST_ONLY
#define LOW_ONLY TOKEND_FLAGS_MEANING_LOW_ONLY

typedef struct {
  const char *what;
  const char *shown; /* L: COUNT_LOW, F: FINAL_TRY, X: LOCKED, U: the code is not set yet */
  int remaining, maximum;
  struct {
    TokendFlagsMeaning flags;
    int maximum;
    gboolean never_locks;
  } profile;
  TokendCounterRecord ledger;
  TokendCounter result;
} Row;

/* A row for each edge of the status table's lines; that table itself is test-architecture.c's.
 * -1: not known. */
static const Row rows[] = {
  /* The token's number n of max. */
  { "3 of 3", "", 3, 3, { NONE, -1 }, { 0 }, { OK, 3, 3, TOKEN, TRUE } },
  { "2 of 3", "", 2, 3, { NONE, -1 }, { 0 }, { LOW, 2, 3, TOKEN, TRUE } },
  { "1 of 3", "", 1, 3, { NONE, -1 }, { 0 }, { FINAL, 1, 3, TOKEN, FALSE } },
  { "0 of 3", "", 0, 3, { NONE, -1 }, { 0 }, { LOCKED, 0, 3, TOKEN, FALSE } },
  { "15 of 15", "", 15, 15, { NONE, -1 }, { 0 }, { OK, 15, 15, TOKEN, TRUE } },
  { "14 of 15", "", 14, 15, { NONE, -1 }, { 0 }, { LOW, 14, 15, TOKEN, TRUE } },
  { "2 of 2", "", 2, 2, { NONE, -1 }, { 0 }, { OK, 2, 2, TOKEN, TRUE } },
  { "1 of 1", "", 1, 1, { NONE, -1 }, { 0 }, { FINAL, 1, 1, TOKEN, FALSE } },
  { "5, no maximum", "", 5, -1, { NONE, -1 }, { 0 }, { OK, 5, -1, TOKEN, TRUE } },
  { "2, no maximum", "", 2, -1, { NONE, -1 }, { 0 }, { OK, 2, -1, TOKEN, TRUE } },
  { "1, no maximum", "", 1, -1, { NONE, -1 }, { 0 }, { FINAL, 1, -1, TOKEN, FALSE } },
  { "0, no maximum", "", 0, -1, { NONE, -1 }, { 0 }, { LOCKED, 0, -1, TOKEN, FALSE } },
  { "the profile's maximum", "", 2, -1, { EXACT, 3 }, { 0 }, { LOW, 2, 3, TOKEN, TRUE } },
  { "all of the profile's maximum", "", 3, -1, { EXACT, 3 }, { 0 }, { OK, 3, 3, TOKEN, TRUE } },
  { "the token's maximum first", "", 3, 5, { EXACT, 3 }, { 0 }, { LOW, 3, 5, TOKEN, TRUE } },
  { "more than the profile knows", "", 5, -1, { EXACT, 3 }, { 0 }, { OK, 5, -1, TOKEN, TRUE } },

  /* … and flags that agree with it, or say nothing. */
  { "2 of 3, LOW", "L", 2, 3, { EXACT, 3 }, { 0 }, { LOW, 2, 3, TOKEN, TRUE } },
  { "1 of 3, FINAL", "F", 1, 3, { EXACT, 3 }, { 0 }, { FINAL, 1, 3, TOKEN, FALSE } },
  { "1 of 3, LOW and FINAL", "LF", 1, 3, { EXACT, 3 }, { 0 }, { FINAL, 1, 3, TOKEN, FALSE } },
  { "1 of 3, LOW", "L", 1, 3, { EXACT, 3 }, { 0 }, { FINAL, 1, 3, TOKEN, FALSE } },
  { "0 of 3, LOCKED", "X", 0, 3, { EXACT, 3 }, { 0 }, { LOCKED, 0, 3, TOKEN, FALSE } },
  { "0 of 3, LOW, LOCKED", "LX", 0, 3, { EXACT, 3 }, { 0 }, { LOCKED, 0, 3, TOKEN, FALSE } },
  { "1 of 3, no exact flag", "", 1, 3, { EXACT, 3 }, { 0 }, { FINAL, 1, 3, TOKEN, FALSE } },
  { "5, no maximum, LOW", "L", 5, -1, { NONE, -1 }, { 0 }, { LOW, 5, -1, TOKEN, TRUE } },
  { "1, no maximum, LOW", "L", 1, -1, { NONE, -1 }, { 0 }, { FINAL, 1, -1, TOKEN, FALSE } },

  /* … and flags that contradict it: the worse state, no number. */
  { "3 of 3, LOW", "L", 3, 3, { EXACT, 3 }, { 0 }, { LOW, -1, 3, NOWHERE, FALSE } },
  { "3 of 3, FINAL", "F", 3, 3, { EXACT, 3 }, { 0 }, { FINAL, -1, 3, NOWHERE, FALSE } },
  { "2 of 3, FINAL", "F", 2, 3, { LAST_ONLY, 3 }, { 0 }, { FINAL, -1, 3, NOWHERE, FALSE } },
  { "3 of 3, LOCKED", "X", 3, 3, { EXACT, 3 }, { 0 }, { LOCKED, -1, 3, NOWHERE, FALSE } },
  { "2 of 3, LOCKED", "X", 2, 3, { NONE, -1 }, { 0 }, { LOCKED, -1, 3, NOWHERE, FALSE } },
  { "1 of 3, LOCKED", "X", 1, 3, { EXACT, 3 }, { 0 }, { LOCKED, -1, 3, NOWHERE, FALSE } },
  { "1 of 3, all flags", "LFX", 1, 3, { NONE, 3 }, { 0 }, { LOCKED, -1, 3, NOWHERE, FALSE } },
  { "9, no maximum, FINAL", "F", 9, -1, { NONE, -1 }, { 0 }, { FINAL, -1, -1, NOWHERE, FALSE } },
  { "never locks, 2, FINAL",
    "F",
    2,
    3,
    { LOW_ONLY, 3, TRUE },
    { 0 },
    { FINAL, -1, 3, NOWHERE, FALSE } },

  /* exact, maximum 3 */
  { "exact 3: none", "", -1, -1, { EXACT, 3 }, { 0 }, { OK, 3, 3, FLAGS, TRUE } },
  { "exact 3: LOW", "L", -1, -1, { EXACT, 3 }, { 0 }, { LOW, 2, 3, FLAGS, TRUE } },
  { "exact 3: FINAL", "F", -1, -1, { EXACT, 3 }, { 0 }, { FINAL, 1, 3, FLAGS, FALSE } },
  { "exact 3: LOCKED", "X", -1, -1, { EXACT, 3 }, { 0 }, { LOCKED, 0, 3, FLAGS, FALSE } },
  { "exact 3: LOW, FINAL", "LF", -1, -1, { EXACT, 3 }, { 0 }, { FINAL, 1, 3, FLAGS, FALSE } },
  { "exact 3: LOW, LOCKED", "LX", -1, -1, { EXACT, 3 }, { 0 }, { LOCKED, 0, 3, FLAGS, FALSE } },
  { "exact 3: FINAL, LOCKED", "FX", -1, -1, { EXACT, 3 }, { 0 }, { LOCKED, 0, 3, FLAGS, FALSE } },
  { "exact, token's 3", "L", -1, 3, { EXACT, -1 }, { 0 }, { LOW, 2, 3, FLAGS, TRUE } },
  { "exact, token's 5", "L", -1, 5, { EXACT, 3 }, { 0 }, { LOW, -1, 5, NOWHERE, TRUE } },

  /* exact, another maximum, or none */
  { "exact 10: none", "", -1, -1, { EXACT, 10 }, { 0 }, { OK, 10, 10, FLAGS, TRUE } },
  { "exact 10: LOW", "L", -1, -1, { EXACT, 10 }, { 0 }, { LOW, -1, 10, NOWHERE, TRUE } },
  { "exact 10: FINAL", "F", -1, -1, { EXACT, 10 }, { 0 }, { FINAL, 1, 10, FLAGS, FALSE } },
  { "exact 10: LOCKED", "X", -1, -1, { EXACT, 10 }, { 0 }, { LOCKED, 0, 10, FLAGS, FALSE } },
  { "exact 4: LOW", "L", -1, -1, { EXACT, 4 }, { 0 }, { LOW, -1, 4, NOWHERE, TRUE } },
  { "exact 2: none", "", -1, -1, { EXACT, 2 }, { 0 }, { OK, 2, 2, FLAGS, TRUE } },
  { "exact, no maximum: none", "", -1, -1, { EXACT, -1 }, { 0 }, { OK, -1, -1, NOWHERE, TRUE } },
  { "exact, no maximum: LOW", "L", -1, -1, { EXACT, -1 }, { 0 }, { LOW, -1, -1, NOWHERE, TRUE } },
  { "exact, no maximum: FINAL", "F", -1, -1, { EXACT, -1 }, { 0 }, { FINAL, 1, -1, FLAGS, FALSE } },
  { "exact, no maximum: LOCKED",
    "X",
    -1,
    -1,
    { EXACT, -1 },
    { 0 },
    { LOCKED, 0, -1, FLAGS, FALSE } },

  /* last-only */
  { "last-only: none", "", -1, -1, { LAST_ONLY, -1 }, { 0 }, { OK, -1, -1, NOWHERE, TRUE } },
  { "last-only 3: none", "", -1, -1, { LAST_ONLY, 3 }, { 0 }, { OK, -1, 3, NOWHERE, TRUE } },
  { "last-only 3: LOW", "L", -1, -1, { LAST_ONLY, 3 }, { 0 }, { LOW, -1, 3, NOWHERE, TRUE } },
  { "last-only: FINAL", "F", -1, -1, { LAST_ONLY, 3 }, { 0 }, { FINAL, 1, 3, FLAGS, FALSE } },
  { "last-only: LOCKED", "X", -1, -1, { LAST_ONLY, 3 }, { 0 }, { LOCKED, 0, 3, FLAGS, FALSE } },

  /* low-only, with and without never-locks */
  { "never locks: none", "", -1, -1, { LOW_ONLY, -1, TRUE }, { 0 }, { OK, -1, -1, NOWHERE, TRUE } },
  { "never locks: LOW",
    "L",
    -1,
    -1,
    { LOW_ONLY, -1, TRUE },
    { 0 },
    { LOW, -1, -1, NOWHERE, TRUE } },
  { "never locks, maximum 3: none",
    "",
    -1,
    -1,
    { LOW_ONLY, 3, TRUE },
    { 0 },
    { OK, -1, 3, NOWHERE, TRUE } },
  { "never locks, and yet FINAL",
    "F",
    -1,
    -1,
    { LOW_ONLY, -1, TRUE },
    { 0 },
    { FINAL, 1, -1, FLAGS, FALSE } },
  { "never locks, and yet LOCKED",
    "X",
    -1,
    -1,
    { LOW_ONLY, -1, TRUE },
    { 0 },
    { LOCKED, 0, -1, FLAGS, FALSE } },
  { "low-only: none", "", -1, -1, { LOW_ONLY, 3 }, { 0 }, { OK, -1, 3, NOWHERE, FALSE } },
  { "low-only: LOW", "L", -1, -1, { LOW_ONLY, 3 }, { 0 }, { LOW, -1, 3, NOWHERE, FALSE } },

  /* flags = none, or no profile: a flag is believed if it is set, else nothing is known. */
  { "no profile: none", "", -1, -1, { NONE, -1 }, { 0 }, { UNKNOWN, -1, -1, NOWHERE, FALSE } },
  { "no profile: LOW", "L", -1, -1, { NONE, -1 }, { 0 }, { LOW, -1, -1, NOWHERE, FALSE } },
  { "none, maximum 3: LOW", "L", -1, -1, { NONE, 3 }, { 0 }, { LOW, -1, 3, NOWHERE, FALSE } },
  { "no profile: LOW, LOCKED", "LX", -1, -1, { NONE, -1 }, { 0 }, { LOCKED, 0, -1, FLAGS, FALSE } },
  { "no profile: LOW, tried", "L", -1, -1, { NONE, -1 }, { 2 }, { LOW, -1, -1, NOWHERE, FALSE } },
  { "none, maximum 3: LOW, tried", "L", -1, -1, { NONE, 3 }, { 1 }, { LOW, 2, 3, LEDGER, FALSE } },
  { "no profile: FINAL", "F", -1, -1, { NONE, -1 }, { 0 }, { FINAL, 1, -1, FLAGS, FALSE } },
  { "no profile: LOCKED", "X", -1, -1, { NONE, -1 }, { 0 }, { LOCKED, 0, -1, FLAGS, FALSE } },
  { "no profile, token's maximum",
    "",
    -1,
    3,
    { NONE, -1 },
    { 0 },
    { UNKNOWN, -1, 3, NOWHERE, FALSE } },
  { "none, maximum 3: none", "", -1, -1, { NONE, 3 }, { 0 }, { UNKNOWN, -1, 3, NOWHERE, FALSE } },

  /* Not set yet. A lock is a lock all the same. */
  { "not set", "U", -1, -1, { EXACT, 3 }, { 0 }, { UNINITIALIZED, -1, -1, NOWHERE, FALSE } },
  { "not set, 3 of 3", "U", 3, 3, { EXACT, 3 }, { 0 }, { UNINITIALIZED, -1, -1, NOWHERE, FALSE } },
  { "not set, FINAL",
    "UF",
    -1,
    -1,
    { NONE, -1 },
    { 0 },
    { UNINITIALIZED, -1, -1, NOWHERE, FALSE } },
  { "not set, never locks",
    "U",
    -1,
    -1,
    { LOW_ONLY, -1, TRUE },
    { 0 },
    { UNINITIALIZED, -1, -1, NOWHERE, FALSE } },
  { "not set, tried", "U", -1, -1, { EXACT, 3 }, { 1 }, { UNINITIALIZED, -1, -1, NOWHERE, FALSE } },
  { "not set, LOCKED", "UX", -1, -1, { EXACT, 3 }, { 0 }, { LOCKED, 0, 3, FLAGS, FALSE } },

  /* The ledger lowers state and number … */
  { "tried once", "", -1, -1, { EXACT, 3 }, { 1 }, { LOW, 2, 3, LEDGER, TRUE } },
  { "tried twice", "", -1, -1, { EXACT, 3 }, { 2 }, { FINAL, 1, 3, LEDGER, FALSE } },
  { "tried three times", "", -1, -1, { EXACT, 3 }, { 3 }, { LOCKED, 0, 3, LEDGER, FALSE } },
  { "tried more often than can be",
    "",
    -1,
    -1,
    { EXACT, 3 },
    { 510 },
    { LOCKED, 0, 3, LEDGER, FALSE } },
  { "LOW, tried twice", "L", -1, -1, { EXACT, 3 }, { 2 }, { FINAL, 1, 3, LEDGER, FALSE } },
  { "FINAL, tried three times", "F", -1, -1, { EXACT, 3 }, { 3 }, { LOCKED, 0, 3, LEDGER, FALSE } },
  { "10, tried once", "", -1, -1, { EXACT, 10 }, { 1 }, { LOW, 9, 10, LEDGER, TRUE } },
  { "10, LOW, tried eight times", "L", -1, -1, { EXACT, 10 }, { 8 }, { LOW, 2, 10, LEDGER, TRUE } },
  { "10, LOW, tried nine times",
    "L",
    -1,
    -1,
    { EXACT, 10 },
    { 9 },
    { FINAL, 1, 10, LEDGER, FALSE } },
  { "last-only 3, tried once", "", -1, -1, { LAST_ONLY, 3 }, { 1 }, { LOW, 2, 3, LEDGER, TRUE } },
  { "last-only 3, tried twice",
    "",
    -1,
    -1,
    { LAST_ONLY, 3 },
    { 2 },
    { FINAL, 1, 3, LEDGER, FALSE } },
  { "low-only 3, tried once", "L", -1, -1, { LOW_ONLY, 3 }, { 1 }, { LOW, 2, 3, LEDGER, FALSE } },
  { "last-only, no maximum, tried",
    "",
    -1,
    -1,
    { LAST_ONLY, -1 },
    { 1 },
    { LOW, -1, -1, NOWHERE, TRUE } },
  { "exact, no maximum, tried", "", -1, -1, { EXACT, -1 }, { 9 }, { LOW, -1, -1, NOWHERE, TRUE } },
  { "token's maximum, tried", "", -1, 5, { EXACT, 3 }, { 2 }, { LOW, 3, 5, LEDGER, TRUE } },
  { "3 of 3, LOW, tried twice", "L", 3, 3, { EXACT, 3 }, { 2 }, { FINAL, 1, 3, LEDGER, FALSE } },
  { "3 of 3, LOW, tried once", "L", 3, 3, { EXACT, 3 }, { 1 }, { LOW, 2, 3, LEDGER, FALSE } },

  /* … and never raises or permits. */
  { "LOW, tried once", "L", -1, -1, { EXACT, 3 }, { 1 }, { LOW, 2, 3, FLAGS, TRUE } },
  { "FINAL, tried once", "F", -1, -1, { EXACT, 3 }, { 1 }, { FINAL, 1, 3, FLAGS, FALSE } },
  { "FINAL, tried twice", "F", -1, -1, { EXACT, 3 }, { 2 }, { FINAL, 1, 3, FLAGS, FALSE } },
  { "LOCKED, tried once", "X", -1, -1, { EXACT, 3 }, { 1 }, { LOCKED, 0, 3, FLAGS, FALSE } },
  { "LOCKED, no maximum, tried",
    "X",
    -1,
    -1,
    { NONE, -1 },
    { 1 },
    { LOCKED, 0, -1, FLAGS, FALSE } },
  { "FINAL, no maximum, tried", "F", -1, -1, { NONE, -1 }, { 1 }, { FINAL, 1, -1, FLAGS, FALSE } },
  { "2 of 3, FINAL, tried once", "F", 2, 3, { EXACT, 3 }, { 1 }, { FINAL, -1, 3, NOWHERE, FALSE } },
  { "unknown, tried", "", -1, -1, { NONE, -1 }, { 1 }, { UNKNOWN, -1, -1, NOWHERE, FALSE } },
  { "unknown of 3, tried once",
    "",
    -1,
    -1,
    { NONE, 3 },
    { 1 },
    { UNKNOWN, -1, 3, NOWHERE, FALSE } },
  { "unknown of 3, tried twice", "", -1, -1, { NONE, 3 }, { 2 }, { FINAL, 1, 3, LEDGER, FALSE } },
  { "unknown of 3, tried thrice", "", -1, -1, { NONE, 3 }, { 3 }, { LOCKED, 0, 3, LEDGER, FALSE } },

  /* The token's own number stands above the ledger. */
  { "3 of 3, tried twice", "", 3, 3, { EXACT, 3 }, { 2 }, { OK, 3, 3, TOKEN, TRUE } },
  { "2 of 3, once locked", "", 2, 3, { EXACT, 3 }, { 1, TRUE }, { LOW, 2, 3, TOKEN, TRUE } },
  { "0 of 3, tried once", "", 0, 3, { EXACT, 3 }, { 1 }, { LOCKED, 0, 3, TOKEN, FALSE } },

  /* It showed the host that tried that one try was left: no more than that, whatever it shows to
   * others. */
  { "final to the host",
    "",
    -1,
    -1,
    { LAST_ONLY, -1 },
    { 1, FALSE, TRUE },
    { FINAL, 1, -1, LEDGER, FALSE } },
  { "final to the host, of 5",
    "",
    -1,
    -1,
    { LAST_ONLY, 5 },
    { 1, FALSE, TRUE },
    { FINAL, 1, 5, LEDGER, FALSE } },
  { "final to the host, of 3, tried thrice",
    "",
    -1,
    -1,
    { EXACT, 3 },
    { 3, FALSE, TRUE },
    { LOCKED, 0, 3, LEDGER, FALSE } },
  { "final to the host, no worth",
    "",
    -1,
    -1,
    { NONE, -1 },
    { 1, FALSE, TRUE },
    { FINAL, 1, -1, LEDGER, FALSE } },
  { "final to the host, and to all",
    "F",
    -1,
    -1,
    { LAST_ONLY, -1 },
    { 1, FALSE, TRUE },
    { FINAL, 1, -1, FLAGS, FALSE } },
  { "final to the host, LOCKED",
    "X",
    -1,
    -1,
    { LAST_ONLY, -1 },
    { 1, FALSE, TRUE },
    { LOCKED, 0, -1, FLAGS, FALSE } },
  { "final to the host, then locked",
    "",
    -1,
    -1,
    { NONE, -1 },
    { 2, TRUE, TRUE },
    { LOCKED, 0, -1, LEDGER, FALSE } },
  { "final to the host, 3 of 3",
    "",
    3,
    3,
    { EXACT, 3 },
    { 1, FALSE, TRUE },
    { OK, 3, 3, TOKEN, TRUE } },

  /* The token itself answered "locked". */
  { "answered locked", "", -1, -1, { EXACT, 3 }, { 0, TRUE }, { LOCKED, 0, 3, LEDGER, FALSE } },
  { "answered locked, no maximum",
    "",
    -1,
    -1,
    { LAST_ONLY, -1 },
    { 0, TRUE },
    { LOCKED, 0, -1, LEDGER, FALSE } },
  { "answered locked, no profile",
    "",
    -1,
    -1,
    { NONE, -1 },
    { 0, TRUE },
    { LOCKED, 0, -1, LEDGER, FALSE } },
  { "answered locked, LOW, tried",
    "L",
    -1,
    -1,
    { EXACT, 3 },
    { 1, TRUE },
    { LOCKED, 0, 3, LEDGER, FALSE } },
  { "answered locked, 3 of 3, FINAL",
    "F",
    3,
    3,
    { EXACT, 3 },
    { 0, TRUE },
    { LOCKED, 0, 3, LEDGER, FALSE } },
  { "answered locked, LOCKED",
    "X",
    -1,
    -1,
    { EXACT, 3 },
    { 3, TRUE },
    { LOCKED, 0, 3, FLAGS, FALSE } },

  /* A token that never locks cannot have its last try spent, however often it was tried. */
  { "never locks, tried",
    "L",
    -1,
    -1,
    { LOW_ONLY, -1, TRUE },
    { 9 },
    { LOW, -1, -1, NOWHERE, TRUE } },
  { "never locks, maximum 3, tried",
    "",
    -1,
    -1,
    { LOW_ONLY, 3, TRUE },
    { 9 },
    { OK, -1, 3, NOWHERE, TRUE } },
  { "never locks is proof by itself",
    "",
    -1,
    -1,
    { NONE, -1, TRUE },
    { 0 },
    { UNKNOWN, -1, -1, NOWHERE, TRUE } },

  /* With a maximum this small, no flag excludes that the next try is the last. */
  { "exact 1: none", "", -1, -1, { EXACT, 1 }, { 0 }, { FINAL, 1, 1, FLAGS, FALSE } },
  { "exact, token's 1: none", "", -1, 1, { EXACT, 3 }, { 0 }, { FINAL, 1, 1, FLAGS, FALSE } },
  { "exact 2: LOW", "L", -1, -1, { EXACT, 2 }, { 0 }, { LOW, -1, 2, NOWHERE, FALSE } },
};

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  TokendCounterReading reading = { .initialized = strchr (row->shown, 'U') == NULL,
                                   .count_low = strchr (row->shown, 'L') != NULL,
                                   .final_try = strchr (row->shown, 'F') != NULL,
                                   .locked = strchr (row->shown, 'X') != NULL,
                                   .remaining = row->remaining,
                                   .maximum = row->maximum };
  TokendCounterRules rules = { .flags = row->profile.flags,
                               .maximum = row->profile.maximum,
                               .never_locks = row->profile.never_locks };
  TokendCounter counter = tokend_counter_evaluate (&reading, &rules, &row->ledger);

  g_assert_cmpint (counter.state, ==, row->result.state);
  g_assert_cmpint (counter.remaining, ==, row->result.remaining);
  g_assert_cmpint (counter.maximum, ==, row->result.maximum);
  g_assert_cmpint (counter.source, ==, row->result.source);
  g_assert_cmpint (counter.another_remains, ==, row->result.another_remains);
}

/* What must hold of everything that can be read, profiled and recorded. */
static void
check_promises (const TokendCounterReading *reading, const TokendCounterRules *rules,
                const TokendCounterRecord *record)
{
  static const TokendCounterRecord nothing = { 0 };
  TokendCounter counter = tokend_counter_evaluate (reading, rules, record);
  TokendCounter without = tokend_counter_evaluate (reading, rules, &nothing);
  gboolean has_number = counter.remaining != TOKEND_RETRIES_UNKNOWN;

  /* A number has a source, and a source a number. */
  g_assert_cmpint (has_number, ==, counter.source != TOKEND_RETRIES_SOURCE_NONE);
  if (has_number) {
    g_assert_cmpint (counter.remaining == 0, ==, counter.state == TOKEND_STATE_LOCKED);
    g_assert_cmpint (counter.remaining == 1, ==, counter.state == TOKEND_STATE_FINAL_TRY);
    if (counter.maximum != TOKEND_RETRIES_UNKNOWN)
      g_assert_cmpint (counter.remaining, <=, counter.maximum);
  }

  /* Another try is never said to remain where the number, a flag or the ledger speaks against
   * it. */
  if (counter.another_remains) {
    g_assert_true (!has_number || counter.remaining >= 2);
    g_assert_false (reading->locked);
    g_assert_false (reading->final_try);
    g_assert_true (without.another_remains);
  }

  /* The ledger never raises. */
  if (has_number && without.remaining != TOKEND_RETRIES_UNKNOWN)
    g_assert_cmpint (counter.remaining, <=, without.remaining);
  if (without.state == TOKEND_STATE_LOCKED)
    g_assert_cmpint (counter.state, ==, TOKEND_STATE_LOCKED);
  if (without.state == TOKEND_STATE_FINAL_TRY)
    g_assert_true (counter.state == TOKEND_STATE_FINAL_TRY || counter.state == TOKEND_STATE_LOCKED);
  if (without.state == TOKEND_STATE_LOW)
    g_assert_cmpint (counter.state, !=, TOKEND_STATE_OK);
  if (g_test_failed ())
    g_test_message ("reading %d%d%d%d %d/%d, rules %d %d %d, record %u %d", reading->initialized,
                    reading->count_low, reading->final_try, reading->locked, reading->remaining,
                    reading->maximum, (int) rules->flags, rules->never_locks, rules->maximum,
                    record->spent, record->locked);
}

static void
test_promises_with (const TokendCounterReading *reading)
{
  static const TokendFlagsMeaning meanings[] = { NONE, EXACT, LAST_ONLY, LOW_ONLY };
  static const int maxima[] = { -1, 1, 2, 3, 4, 10 };
  static const guint spent[] = { 0, 1, 2, 3, 9, 255, 510 };

  for (gsize f = 0; f < G_N_ELEMENTS (meanings); f++)
    for (gsize m = 0; m < G_N_ELEMENTS (maxima); m++)
      for (gsize s = 0; s < G_N_ELEMENTS (spent); s++)
        for (guint bits = 0; bits < 4 && !g_test_failed (); bits++) {
          TokendCounterRules rules = { meanings[f], (bits & 1) != 0, maxima[m] };
          TokendCounterRecord record = { spent[s], (bits & 2) != 0 };
          check_promises (reading, &rules, &record);
        }
}

static void
test_promises (void)
{
  static const int maxima[] = { -1, 1, 2, 3, 10 };

  for (guint bits = 0; bits < 16; bits++)
    for (gsize m = 0; m < G_N_ELEMENTS (maxima); m++)
      for (int remaining = -1; remaining <= (maxima[m] < 0 ? 12 : maxima[m]); remaining++) {
        TokendCounterReading reading = { (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0,
                                         (bits & 8) != 0, remaining,       maxima[m] };
        test_promises_with (&reading);
      }
}

static gboolean
bars (const TokendCounter *counter)
{
  return !counter->another_remains;
}

/* Whatever a code was barred by before is what it is barred by now; a lost record bars more. */
static void
check_before (const TokendCounterReading *reading, const TokendCounterRules *rules,
              const TokendCounterRecord *record)
{
  TokendCounter before = counter_before_evaluate (reading, rules, record);
  const TokendCounter now = tokend_counter_evaluate (reading, rules, record);
  const gboolean was_barred = bars (&before);

  /* A lost record bars more, and LOW was not believed where flags are worth nothing. */
  before.another_remains = now.another_remains;
  if (rules->flags != NONE || !reading->count_low)
    g_assert_true (tokend_counter_equal (&before, &now));
  if (record->lost)
    g_assert_true (bars (&now) || !was_barred);
  else
    g_assert_cmpint (bars (&now), ==, was_barred);
  /* Of a record that was lost nothing but the token's own number, or that it never locks, rules out
   * the last try. */
  if (record->lost && now.source != TOKEN && !rules->never_locks)
    g_assert_true (bars (&now));
}

/* No number but by what the token shows, and the record does not speak against; nobody is spared
 * the question for the last try; and no lock that the token does not tell of. */
static void
check_told (const TokendCounterReading *reading, const TokendCounterRules *rules,
            const TokendCounterRecord *record)
{
  static const TokendCounterRecord nothing = { 0 };
  const TokendCounter shown = tokend_counter_evaluate (reading, rules, &nothing);
  const TokendCounter barred = tokend_counter_evaluate (reading, rules, record);
  const TokendCounter told = tokend_counter_tell (reading, rules, record);
  gboolean is_barred;

  g_assert_cmpint (told.source, !=, LEDGER);
  g_assert_cmpint (told.another_remains, ==, barred.another_remains);
  if (told.remaining != TOKEND_RETRIES_UNKNOWN) {
    g_assert_cmpint (told.remaining, ==, shown.remaining);
    g_assert_cmpint (told.remaining, ==, barred.remaining);
  }
  if (barred.another_remains)
    g_assert_cmpint (told.state, ==, shown.state);
  if (told.state == OK || told.state == LOW)
    g_assert_true (told.another_remains || told.remaining >= 2 || bars (&shown));
  if (told.state == LOCKED || told.state == FINAL)
    g_assert_cmpint (told.state, ==, shown.state);
  if (shown.state == LOCKED || shown.state == FINAL)
    g_assert_cmpint (told.state, ==, shown.state);
  g_assert_cmpuint (told.wrong, ==, record->wrong);
  g_assert_cmpuint (told.maybe_lost, ==, record->pending);
  g_assert_cmpint (told.sent_at, ==, record->sent_at);

  /* A flag that is set is believed, whatever the record says. */
  if (reading->initialized && reading->count_low && rules->flags == NONE && barred.state == LOW
      && !rules->never_locks)
    g_assert_cmpint (told.state, ==, LOW);
  g_assert_cmpint (told.never_locks, ==, rules->never_locks && told.another_remains);
  g_assert_false (told.is_flag_gone);
  is_barred = !tokend_counter_equal (&shown, &barred);
  /* What the record says is worse is told as no better. */
  if (is_barred && !barred.another_remains)
    g_assert_true (told.state != OK && (told.state != LOW || barred.state == LOW));
  g_assert_cmpint (told.seen, ==, is_barred ? record->seen : UNKNOWN);
  g_assert_cmpint (told.is_record_lost, ==, is_barred && record->lost);
  g_assert_cmpint (told.is_sent_elsewhere, ==, is_barred && record->is_elsewhere);
}

static void
check_with (const TokendCounterReading *reading)
{
  static const TokendFlagsMeaning meanings[] = { NONE, EXACT, LAST_ONLY, LOW_ONLY };
  static const int maxima[] = { -1, 1, 2, 3, 4, 10 };
  static const TokendState seen[] = { UNKNOWN, LOCKED, FINAL, LOCKED }; /* by LOCKED and FINAL */
  static const guint spent[] = { 0, 1, 2, 3, 4, 9, 10, 254, 255, 510 };

  for (gsize f = 0; f < G_N_ELEMENTS (meanings); f++)
    for (gsize m = 0; m < G_N_ELEMENTS (maxima); m++)
      for (gsize s = 0; s < G_N_ELEMENTS (spent); s++)
        for (guint bits = 0; bits < 16 && !g_test_failed (); bits++) {
          const TokendCounterRules rules = { meanings[f], (bits & 1) != 0, maxima[m] };
          const TokendCounterRecord record = { .spent = spent[s],
                                               .locked = (bits & 2) != 0,
                                               .final_try = (bits & 4) != 0,
                                               .lost = spent[s] >= 255 && (bits & 8) != 0,
                                               .is_elsewhere = (bits & 8) != 0,
                                               .seen = seen[bits / 2 % 4],
                                               .wrong = MIN (spent[s], 2),
                                               .pending = spent[s] > 2,
                                               .sent_at = spent[s] };

          check_before (reading, &rules, &record);
          check_told (reading, &rules, &record);
          if (g_test_failed ())
            g_test_message ("reading %d%d%d%d %d/%d, rules %d %d %d, record %u %d %d",
                            reading->initialized, reading->count_low, reading->final_try,
                            reading->locked, reading->remaining, reading->maximum,
                            (int) rules.flags, rules.never_locks, rules.maximum, record.spent,
                            record.locked, record.final_try);
        }
}

static void
test_before (void)
{
  static const int maxima[] = { -1, 1, 2, 3, 4, 10 };

  for (guint bits = 0; bits < 16; bits++)
    for (gsize m = 0; m < G_N_ELEMENTS (maxima); m++)
      for (int remaining = -1; remaining <= (maxima[m] < 0 ? 12 : maxima[m]); remaining++) {
        const TokendCounterReading reading = { (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0,
                                               (bits & 8) != 0, remaining,       maxima[m] };
        check_with (&reading);
      }
}

static void
test_equal (void)
{
  const TokendCounter one = { LOW, 2, 3, TOKEN, TRUE };
  const TokendCounter others[] = {
    { OK, 2, 3, TOKEN, TRUE },
    { LOW, 1, 3, TOKEN, TRUE },
    { LOW, 2, 4, TOKEN, TRUE },
    { LOW, 2, 3, FLAGS, TRUE },
    { LOW, 2, 3, TOKEN, FALSE },
    { LOW, 2, 3, TOKEN, TRUE, .never_locks = TRUE },
    { LOW, 2, 3, TOKEN, TRUE, .is_flag_gone = TRUE },
    { LOW, 2, 3, TOKEN, TRUE, .is_record_lost = TRUE },
    { LOW, 2, 3, TOKEN, TRUE, .is_sent_elsewhere = TRUE },
    { LOW, 2, 3, TOKEN, TRUE, .seen = LOCKED },
    { LOW, 2, 3, TOKEN, TRUE, .wrong = 1 },
    { LOW, 2, 3, TOKEN, TRUE, .maybe_lost = 1 },
    { LOW, 2, 3, TOKEN, TRUE, .sent_at = 1 },
  };

  g_assert_true (tokend_counter_equal (&one, &one));
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (tokend_counter_equal (&one, &others[i]));
}

static void
test_tokens_word (void)
{
  static const struct {
    TokendCounter counter;
    gboolean is_tokens_word;
  } words[] = {
    { { LOW, 2, 3, TOKEN, TRUE }, TRUE },     { { LOW, 2, 3, FLAGS, TRUE }, TRUE },
    { { LOCKED, 0, 3, TOKEN, FALSE }, TRUE }, { { LOW, 2, 3, LEDGER, TRUE }, FALSE },
    { { LOW, -1, 3, TOKEN, TRUE }, FALSE },   { { UNKNOWN, -1, -1, NOWHERE, FALSE }, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_assert_cmpint (tokend_counter_is_tokens_word (&words[i].counter), ==,
                     words[i].is_tokens_word);
  g_assert_false (tokend_counter_is_tokens_word (&tokend_counter_unknown));
  g_assert_cmpint (tokend_counter_unknown.state, ==, UNKNOWN);
}

/* At least two are left where flags prove it, and there is no number. */
static void
test_minimum (void)
{
  static const struct {
    const char *flags;
    int remaining;
    TokendCounterRules rules;
    TokendCounterRecord record;
    int minimum;
  } minima[] = {
    { "", -1, { LAST_ONLY, FALSE, -1 }, { 0 }, 2 },
    { "", -1, { LAST_ONLY, FALSE, 3 }, { 0 }, 2 },
    { "L", -1, { LAST_ONLY, FALSE, -1 }, { 0 }, 2 },
    { "F", -1, { LAST_ONLY, FALSE, -1 }, { 0 }, -1 },
    { "X", -1, { LAST_ONLY, FALSE, -1 }, { 0 }, -1 },
    { "", -1, { EXACT, FALSE, -1 }, { 0 }, 2 },
    { "L", -1, { EXACT, FALSE, 10 }, { 0 }, 2 },
    { "L", -1, { EXACT, FALSE, 2 }, { 0 }, -1 },
    /* There is a number, or nothing is proven by flags. */
    { "", -1, { EXACT, FALSE, 3 }, { 0 }, -1 },
    { "", 5, { LAST_ONLY, FALSE, -1 }, { 0 }, -1 },
    { "L", -1, { NONE, FALSE, -1 }, { 0 }, -1 },
    { "", -1, { NONE, FALSE, -1 }, { 0 }, -1 },
    { "", -1, { LOW_ONLY, FALSE, -1 }, { 0 }, -1 },
    { "L", -1, { LOW_ONLY, TRUE, -1 }, { 0 }, -1 },
    /* The record rules it out, or does not. */
    { "", -1, { LAST_ONLY, FALSE, -1 }, { .spent = 1 }, 2 },
    { "", -1, { LAST_ONLY, FALSE, 3 }, { .spent = 2 }, -1 },
    { "", -1, { LAST_ONLY, FALSE, -1 }, { .final_try = TRUE }, -1 },
    { "", -1, { LAST_ONLY, FALSE, -1 }, { .locked = TRUE }, -1 },
    { "", -1, { LAST_ONLY, FALSE, -1 }, { .lost = TRUE, .spent = 255 }, -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (minima); i++) {
    const TokendCounterReading reading = { .initialized = TRUE,
                                           .count_low = *minima[i].flags == 'L',
                                           .final_try = *minima[i].flags == 'F',
                                           .locked = *minima[i].flags == 'X',
                                           .remaining = minima[i].remaining,
                                           .maximum = -1 };
    const TokendCounter told = tokend_counter_tell (&reading, &minima[i].rules, &minima[i].record);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_counter_get_minimum (&told), ==, minima[i].minimum);
  }
}

/* Readings one after another: a flag or "-", then "u" if the token may have been used since the one
 * before, and "t" if it is by the process that sent a code; and whether a flag is then gone. */
static void
test_flag_memory (void)
{
  static const struct {
    const char *readings;
    const char *gone;
  } memories[] = {
    { "- -u", ". ." },
    { "Fu -u -", ". g g" },
    { "Lu -u", ". g" },
    { "Xu -u", ". g" },
    { "Fu - - -u", ". . . g" },
    { "Fu -u Lu -u", ". g . g" },
    { "Fu -u Lu -", ". g . ." },
    { "Fu Lu -u", ". . g" },
    /* Shown only to the process that sent the code, which did not bring it back. */
    { "-u Fut -u", ". . ." },
    { "Fu Fut -u", ". . ." },
    /* It did. */
    { "Fu -ut -", ". g g" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (memories); i++) {
    g_auto (GStrv) readings = g_strsplit (memories[i].readings, " ", -1);
    g_autoptr (GString) gone = g_string_new (NULL);
    TokendFlagMemory memory = { 0 };

    for (guint j = 0; readings[j] != NULL; j++) {
      static const TokendCounterRules none = { NONE, FALSE, -1 };
      static const TokendCounterRules exact = { EXACT, FALSE, 3 };
      static const TokendCounterRecord nothing = { 0 };
      const char *word = readings[j];
      TokendCounterReading reading = { .initialized = TRUE,
                                       .count_low = *word == 'L',
                                       .final_try = *word == 'F',
                                       .locked = *word == 'X',
                                       .remaining = -1,
                                       .maximum = -1 };

      tokend_flag_memory_observe (&memory, &reading, strchr (word, 'u') != NULL,
                                  strchr (word, 't') != NULL);
      g_string_append_printf (gone, "%s%s", j > 0 ? " " : "", reading.is_flag_gone ? "g" : ".");
      g_assert_cmpint (tokend_counter_tell (&reading, &none, &nothing).is_flag_gone, ==,
                       reading.is_flag_gone);
      g_assert_false (tokend_counter_tell (&reading, &exact, &nothing).is_flag_gone);
    }
    g_assert_cmpstr (gone->str, ==, memories[i].gone);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/counter/table/%s", rows[i].what);
    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/counter/promises", test_promises);
  g_test_add_func ("/counter/before", test_before);
  g_test_add_func ("/counter/equal", test_equal);
  g_test_add_func ("/counter/minimum", test_minimum);
  g_test_add_func ("/counter/flag-memory", test_flag_memory);
  g_test_add_func ("/counter/tokens-word", test_tokens_word);
  return g_test_run ();
}
