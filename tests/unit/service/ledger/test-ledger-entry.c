/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger-entry-private.h"

#include <string.h>

/*
 * A row is what happens to an entry, step by step, written as in a diary:
 *
 *   b          a try begins
 *   n s o l u  it is settled: not spent, spent, succeeded ("ok"), locked, unknown
 *   F X O      the host that tried is shown a final try, a lock, neither
 *   3 2 1 0    the token shows flags that are worth as many tries (none, COUNT_LOW, FINAL_TRY,
 *              LOCKED), or that number itself; what else it shows stands in the row
 *   -          the token shows neither
 */
typedef struct {
  const char *what;
  const char *steps;
  enum { BY_FLAGS, BY_NUMBER } shows;
  TokendFlagsMeaning flags;
  int maximum;
  TokendLedgerEntry result;
} Row;

#define EXACT BY_FLAGS, TOKEND_FLAGS_MEANING_EXACT
#define LAST_ONLY BY_FLAGS, TOKEND_FLAGS_MEANING_LAST_ONLY, -1
#define NUMBER BY_NUMBER, TOKEND_FLAGS_MEANING_EXACT

static const Row rows[] = {
  { "nothing happened", "", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "nothing to settle, by flags", "3210", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "nothing to settle, by number", "3210", NUMBER, 3, { 0, 0, FALSE, FALSE } },
  { "begun", "b", EXACT, 3, { 0, 1, FALSE, FALSE } },
  { "begun twice", "bb", EXACT, 3, { 0, 2, FALSE, FALSE } },
  { "not sent", "bn", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "spent", "bs", EXACT, 3, { 1, 0, FALSE, FALSE } },
  { "spent twice", "bsbs", EXACT, 3, { 2, 0, FALSE, FALSE } },
  { "unknown", "bu", EXACT, 3, { 0, 1, FALSE, FALSE } },
  { "unknown, then spent", "bubs", EXACT, 3, { 1, 1, FALSE, FALSE } },
  { "unknown, then not sent", "bubn", EXACT, 3, { 0, 1, FALSE, FALSE } },
  { "unknown twice", "bubu", EXACT, 3, { 0, 2, FALSE, FALSE } },
  { "spent, then not sent", "bsbn", EXACT, 3, { 1, 0, FALSE, FALSE } },
  { "succeeded", "bo", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "spent, unknown, succeeded", "bsbubo", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "locked", "bl", EXACT, 3, { 0, 0, TRUE, FALSE } },
  { "locked, then succeeded", "blbo", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "unknown, then locked", "bubl", EXACT, 3, { 0, 1, TRUE, FALSE } },
  { "not sent, and then it was", "bns", EXACT, 3, { 1, 0, FALSE, FALSE } },
  { "not sent, and then it was, beside an unknown one", "bubns", EXACT, 3, { 1, 1, FALSE, FALSE } },
  { "unknown, and then it is known", "bubus", EXACT, 3, { 1, 1, FALSE, FALSE } },
  { "settled without a beginning", "n", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "spent without a beginning", "s", EXACT, 3, { 1, 0, FALSE, FALSE } },
  { "spent, and then it showed a lock", "bsl", EXACT, 3, { 1, 0, TRUE, FALSE } },

  /* A token that shows no flags for the role: none must not look like a full counter. */
  { "no flags: spent", "bs3", EXACT, 3, { 1, 0, FALSE, FALSE } },
  { "no flags: spent, seen often", "bs3333", EXACT, 3, { 1, 0, FALSE, FALSE } },
  { "no flags: spent twice", "3bs3bs3", EXACT, 3, { 2, 0, FALSE, FALSE } },
  { "no flags: pending", "bu3", EXACT, 3, { 0, 1, FALSE, FALSE } },
  { "no flags: found pending at start", "b3", EXACT, 3, { 0, 1, FALSE, FALSE } },
  { "no flags: locked", "bl3", EXACT, 3, { 0, 0, TRUE, FALSE } },

  /* Flags that follow our tries. */
  { "followed", "bs2", EXACT, 3, { 1, 0, FALSE, TRUE } },
  { "followed twice", "bs2bs1", EXACT, 3, { 2, 0, FALSE, TRUE } },
  { "more was spent by others", "bs1", EXACT, 3, { 1, 0, FALSE, TRUE } },
  { "locked by others", "bs0", EXACT, 3, { 1, 0, FALSE, TRUE } },
  { "pending, and counted", "bu2", EXACT, 3, { 0, 1, FALSE, TRUE } },
  { "locked, and shown", "bl0", EXACT, 3, { 0, 0, TRUE, TRUE } },
  { "locked, but FINAL", "bl1", EXACT, 3, { 0, 0, TRUE, FALSE } },
  { "more tries than can be", "bsbsbsbs0", EXACT, 3, { 4, 0, FALSE, TRUE } },
  { "more tries than can be, no flags", "bsbsbsbs3", EXACT, 3, { 4, 0, FALSE, FALSE } },
  { "spent and pending count together", "bsbu2", EXACT, 3, { 1, 1, FALSE, FALSE } },
  { "spent and pending, shown", "bsbu1", EXACT, 3, { 1, 1, FALSE, TRUE } },
  { "pending settles nothing that followed", "bs2bu2", EXACT, 3, { 1, 1, FALSE, FALSE } },

  /* … and then rise. */
  { "rose", "bs23", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "rose from a lock", "bsbsbs03", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "rose from our lock", "bl03", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "rose from our lock, not fully", "bl02", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "rose from FINAL to LOW", "bsbs12", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "pending was counted, then rose", "bu23", EXACT, 3, { 0, 0, FALSE, FALSE } },
  { "fell further, came back to ours", "bs12", EXACT, 3, { 1, 0, FALSE, TRUE } },
  { "rose, and tried again", "bs23bs", EXACT, 3, { 1, 0, FALSE, FALSE } },
  { "a new try must be followed anew", "bs2bs3", EXACT, 3, { 2, 0, FALSE, FALSE } },
  { "not sent: followed again", "bs2bn2", EXACT, 3, { 1, 0, FALSE, TRUE } },

  /* Another maximum: COUNT_LOW has no number. */
  { "10: LOW tells nothing", "bs2", EXACT, 10, { 1, 0, FALSE, FALSE } },
  { "10: none tells nothing", "bs3", EXACT, 10, { 1, 0, FALSE, FALSE } },
  { "10: FINAL follows", "bs1", EXACT, 10, { 1, 0, FALSE, TRUE } },
  { "10: FINAL, then none", "bs13", EXACT, 10, { 0, 0, FALSE, FALSE } },
  { "10: FINAL, then LOW", "bs12", EXACT, 10, { 1, 0, FALSE, TRUE } },
  { "no maximum: nothing is told", "bs103", EXACT, -1, { 1, 0, FALSE, FALSE } },

  /* Flags that are not exact settle nothing. */
  { "none", "bs2103", BY_FLAGS, TOKEND_FLAGS_MEANING_NONE, 3, { 1, 0, FALSE, FALSE } },
  { "low-only", "bs2103", BY_FLAGS, TOKEND_FLAGS_MEANING_LOW_ONLY, 3, { 1, 0, FALSE, FALSE } },

  /* Flags that tell of the last try alone: they can be followed as far as that. */
  { "last-only: none", "bs3", LAST_ONLY, { 1, 0, FALSE, FALSE } },
  { "last-only: LOW", "bs23", LAST_ONLY, { 1, 0, FALSE, FALSE } },
  { "last-only: FINAL", "bs1", LAST_ONLY, { 1, 0, FALSE, TRUE } },
  { "last-only: FINAL, then none", "bs13", LAST_ONLY, { 0, 0, FALSE, FALSE } },
  { "last-only: LOCKED, then FINAL", "bl01", LAST_ONLY, { 0, 0, FALSE, FALSE } },
  { "last-only: locked, but FINAL", "bl1", LAST_ONLY, { 0, 0, TRUE, FALSE } },
  { "last-only: a new try", "bs1bs3", LAST_ONLY, { 2, 0, FALSE, FALSE } },

  /* What only the host saw that tried. */
  { "host: FINAL, then none to others", "bsF3333", LAST_ONLY, { 1, 0, FALSE, FALSE, TRUE } },
  { "host: FINAL, shown to others", "bsF1", LAST_ONLY, { 1, 0, FALSE, TRUE, TRUE } },
  { "host: FINAL, shown, then none", "bsF13", LAST_ONLY, { 0, 0, FALSE, FALSE } },
  { "host: FINAL, shown, then locked", "bsF10", LAST_ONLY, { 1, 0, FALSE, TRUE, TRUE } },
  { "host: FINAL, then a success", "bsFbo3", LAST_ONLY, { 0, 0, FALSE, FALSE } },
  { "host: FINAL, seen again", "bsFFO3", LAST_ONLY, { 1, 0, FALSE, FALSE, TRUE } },
  { "host: FINAL, then LOCKED", "bsFbsX3", LAST_ONLY, { 2, 0, TRUE, FALSE, TRUE } },
  { "host: LOCKED, then none to others", "bsX3333", LAST_ONLY, { 1, 0, TRUE, FALSE } },
  { "host: LOCKED, flags without worth",
    "bsX3",
    BY_FLAGS,
    TOKEND_FLAGS_MEANING_NONE,
    -1,
    { 1, 0, TRUE } },
  { "host: FINAL, flags without worth",
    "bsF13",
    BY_FLAGS,
    TOKEND_FLAGS_MEANING_NONE,
    -1,
    { 1, 0, FALSE, FALSE, TRUE } },
  { "host: FINAL, but LOW", "bsF2", EXACT, 3, { 1, 0, FALSE, FALSE, TRUE } },
  { "host: nothing of the kind", "bsO3", LAST_ONLY, { 1, 0, FALSE, FALSE } },

  /* The token's own number settles it at once, whatever it is: so many are spent as it says. */
  { "number: as recorded", "bs2", NUMBER, 3, { 1, 0, FALSE, FALSE } },
  { "number: full", "bs3", NUMBER, 3, { 0, 0, FALSE, FALSE } },
  { "number: fewer", "bs1", NUMBER, 3, { 2, 0, FALSE, FALSE } },
  { "number: more", "bsbs2", NUMBER, 3, { 1, 0, FALSE, FALSE } },
  { "number: not spent after all", "bu3", NUMBER, 3, { 0, 0, FALSE, FALSE } },
  { "number: spent indeed", "bu2", NUMBER, 3, { 1, 0, FALSE, FALSE } },
  { "number: spent and pending", "bsbu1", NUMBER, 3, { 2, 0, FALSE, FALSE } },
  { "number: locked", "bl0", NUMBER, 3, { 3, 0, FALSE, FALSE } },
  { "number: locked, and unlocked", "bl03", NUMBER, 3, { 0, 0, FALSE, FALSE } },
  { "number: not locked", "bl1", NUMBER, 3, { 2, 0, FALSE, FALSE } },
  { "number: back at what it was", "bsbs13", NUMBER, 3, { 0, 0, FALSE, FALSE } },
  { "number: what the host saw", "bsX2", NUMBER, 3, { 1, 0, FALSE, FALSE } },
  { "number: then a success", "bs2bo", NUMBER, 3, { 0, 0, FALSE, FALSE } },

  /* … also once it is not shown any more. */
  { "number: lost", "bs2-", NUMBER, 3, { 1, 0, FALSE, FALSE } },
  { "number: lost at the last", "bsbs1---", NUMBER, 3, { 2, 0, FALSE, FALSE } },
  { "number: lost, and another try", "bs2-bs", NUMBER, 3, { 2, 0, FALSE, FALSE } },
  { "number: lost, and back", "bs2-3", NUMBER, 3, { 0, 0, FALSE, FALSE } },

  /* Of how many is not known: what was recorded stays, as far as the number does not tell. */
  { "number: no maximum", "bs2", NUMBER, -1, { 1, 0, FALSE, FALSE } },
  { "number: no maximum, pending", "bsbu2", NUMBER, -1, { 2, 0, FALSE, FALSE } },
  { "number: no maximum, no end", "bs1", NUMBER, -1, { 1, 0, FALSE, FALSE, TRUE } },
  { "number: no maximum, locked", "bs0", NUMBER, -1, { 1, 0, TRUE, FALSE } },
  { "number: no maximum, not locked", "bl2", NUMBER, -1, { 0, 0, FALSE, FALSE } },
  { "number: no maximum, not final", "bsF2", NUMBER, -1, { 1, 0, FALSE, FALSE } },
  { "number: no profile", "bu2", BY_NUMBER, TOKEND_FLAGS_MEANING_NONE, -1, { 1, 0, FALSE, FALSE } },
};

/* When each code is sent: one after the other. */
#define NOW 1900000000000000
static gint64 now = NOW;

static TokendCounterReading
make_reading (const Row *row, int left)
{
  TokendCounterReading reading = { .initialized = TRUE,
                                   .remaining = TOKEND_RETRIES_UNKNOWN,
                                   .maximum = TOKEND_RETRIES_UNKNOWN };

  if (row->shows == BY_NUMBER && left >= 0) {
    reading.remaining = left;
  } else {
    reading.count_low = left == 2;
    reading.final_try = left == 1;
    reading.locked = left == 0;
  }
  return reading;
}

static void
step (const Row *row, TokendLedgerEntry *entry, char what)
{
  static const char *const try_results = "nsolu"; /* in the order of TokendTryResult */
  static const char *const notes = "FXO";
  static const TokendState noted[] = { TOKEND_STATE_FINAL_TRY, TOKEND_STATE_LOCKED,
                                       TOKEND_STATE_OK };
  const char *try_result = strchr (try_results, what);
  const char *note = strchr (notes, what);

  if (what == 'b') {
    tokend_ledger_entry_begin (entry, ++now);
  } else if (note != NULL) {
    const TokendLedgerEntry before = *entry;
    const gboolean changed = tokend_ledger_entry_note (entry, noted[note - notes]);

    g_assert_cmpint (changed, ==, memcmp (&before, entry, sizeof before) != 0);
  } else if (try_result != NULL) {
    tokend_ledger_entry_resolve (entry, (TokendTryResult) (try_result - try_results));
  } else {
    TokendCounterReading reading = make_reading (row, what == '-' ? -1 : what - '0');
    TokendCounterRules rules = { row->flags, FALSE, row->maximum };
    TokendLedgerEntry before = *entry;
    gboolean changed = tokend_ledger_entry_observe (entry, &reading, &rules);

    g_assert_false (changed && tokend_ledger_entry_is_clear (&before));
    g_assert_cmpint (changed, ==, memcmp (&before, entry, sizeof before) != 0);
  }
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;
  TokendLedgerEntry entry = { 0 };

  for (const char *p = row->steps; *p != '\0'; p++)
    step (row, &entry, *p);
  g_assert_cmpuint (entry.spent, ==, row->result.spent);
  g_assert_cmpuint (entry.pending, ==, row->result.pending);
  g_assert_cmpint (entry.locked, ==, row->result.locked);
  g_assert_cmpint (entry.final_try, ==, row->result.final_try);
  if (!tokend_ledger_entry_is_clear (&entry))
    g_assert_cmpint (entry.confirmed, ==, row->result.confirmed);
}

/* A number that a flag contradicts is no number. */
static void
test_contradicted_number (void)
{
  const TokendCounterReading reading = { TRUE, FALSE, TRUE, FALSE, 3, 3 };
  const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 };
  TokendLedgerEntry entry = { .pending = 1 };

  g_assert_false (tokend_ledger_entry_observe (&entry, &reading, &rules));
  g_assert_cmpuint (entry.pending, ==, 1);
}

/* What people are told of the codes that were sent, by the steps of the table; the n-th is sent at
 * NOW + n. */
static const struct {
  const char *steps;
  guint shows;
  TokendFlagsMeaning flags;
  int maximum;
  guint wrong;
  guint sent; /* which was the last; 0: none, or it is not known */
  TokendState seen;
} sent[] = {
  { "", EXACT, 3, 0, 0 },
  { "b", EXACT, 3, 0, 0 }, /* under way */
  { "bn", EXACT, 3, 0, 0 },
  { "bu", EXACT, 3, 0, 1 },
  { "bs", EXACT, 3, 1, 1 },
  { "bl", EXACT, 3, 0, 1, TOKEND_STATE_LOCKED },
  { "bsl", EXACT, 3, 0, 1, TOKEND_STATE_LOCKED }, /* whether it was wrong is not known */
  { "bsbsl", EXACT, 3, 1, 2, TOKEND_STATE_LOCKED },
  { "bsbl", EXACT, 3, 1, 2, TOKEND_STATE_LOCKED },
  { "bsbsll", EXACT, 3, 1, 2, TOKEND_STATE_LOCKED }, /* said twice */
  { "bslbs", EXACT, 3, 1, 2 },
  { "bslbl", EXACT, 3, 0, 2, TOKEND_STATE_LOCKED },
  { "bsbs", EXACT, 3, 2, 2 },
  { "bsbn", EXACT, 3, 1, 1 },
  { "bsb", EXACT, 3, 1, 1 },
  { "bsbu", EXACT, 3, 1, 2 },
  { "bsbns", EXACT, 3, 2, 2 },  /* it was sent after all */
  { "bsbnbn", EXACT, 3, 1, 1 }, /* none of these was */
  { "bsbsbo", EXACT, 3, 0, 0 },
  { "bsbs13", EXACT, 3, 0, 0 }, /* the flags told of them, and of a right one then */
  { "bsbs3", EXACT, 3, 2, 2 },  /* they did not */
  { "bsbs1", NUMBER, 3, 2, 2 }, /* the number agrees */
  { "bs1", NUMBER, 3, 1, 1 },   /* another program has sent one more */
  { "bsbs2", NUMBER, 3, 0, 0 }, /* a right one came in between */
  { "bsbs3", NUMBER, 3, 0, 0 },
  { "bu2", NUMBER, 3, 0, 0 }, /* whose it was is not known */
  { "bs2", NUMBER, -1, 1, 1 },
  { "bs1", NUMBER, -1, 1, 1, TOKEND_STATE_FINAL_TRY },
  { "bs0", NUMBER, -1, 1, 1, TOKEND_STATE_LOCKED },
  { "bsF", LAST_ONLY, 1, 1, TOKEND_STATE_FINAL_TRY },
  { "bsX", LAST_ONLY, 1, 1, TOKEND_STATE_LOCKED },
  { "bsXbn", LAST_ONLY, 1, 1, TOKEND_STATE_LOCKED },
  { "bsFbsX", LAST_ONLY, 2, 2, TOKEND_STATE_LOCKED },
  { "blbs", LAST_ONLY, 1, 2 }, /* another program has unlocked it in between */
  { "blbsF", LAST_ONLY, 1, 2, TOKEND_STATE_FINAL_TRY },
};

static void
test_sent (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sent); i++) {
    const Row row = { sent[i].steps, sent[i].steps, sent[i].shows, sent[i].flags, sent[i].maximum };
    TokendLedgerEntry entry = { 0 }, told;
    guint pending;

    g_test_message ("%s", row.steps);
    now = NOW;
    for (const char *p = row.steps; *p != '\0'; p++)
      step (&row, &entry, *p);
    told = tokend_ledger_entry_get_told (&entry);
    pending = entry.pending - (g_str_has_suffix (row.steps, "b") ? 1 : 0);
    g_assert_cmpuint (told.pending, ==, pending);
    g_assert_cmpuint (told.wrong, ==, sent[i].wrong);
    g_assert_cmpint (told.sent_at, ==, sent[i].sent > 0 ? NOW + sent[i].sent : 0);
    g_assert_cmpint (told.seen, ==, sent[i].seen);
  }
}

/* The counters stop where no token's go, and do not wrap. */
static void
test_endless (void)
{
  TokendLedgerEntry pending = { 0 };
  TokendLedgerEntry spent = { 0 };

  for (guint i = 0; i < 1000; i++) {
    tokend_ledger_entry_begin (&pending, NOW);
    tokend_ledger_entry_begin (&spent, NOW);
    tokend_ledger_entry_resolve (&spent, TOKEND_TRY_SPENT);
  }
  g_assert_cmpuint (pending.pending, ==, 255);
  g_assert_cmpuint (pending.spent, ==, 0);
  g_assert_cmpuint (spent.spent, ==, 255);
  g_assert_cmpuint (spent.pending, ==, 0);
}

/* Of two labels that share a counter. */
static const struct {
  TokendLedgerEntry a, b, sum;
} sums[] = {
  { { 0 }, { 0 }, { 0 } },
  { { .spent = 1 }, { .spent = 2 }, { .spent = 3 } },
  { { .pending = 1 }, { .spent = 2 }, { .spent = 2, .pending = 1 } },
  { { .pending = 200 }, { .spent = 200, .pending = 200 }, { .spent = 200, .pending = 255 } },
  { { .spent = 200 }, { .spent = 200 }, { .spent = 255 } },
  { { .locked = TRUE }, { .final_try = TRUE }, { .locked = TRUE, .final_try = TRUE } },
  { { .spent = 1, .confirmed = TRUE }, { .spent = 1 }, { .spent = 2 } },
  { { .spent = 1, .confirmed = TRUE },
    { .spent = 1, .confirmed = TRUE },
    { .spent = 2, .confirmed = TRUE } },
  { { .spent = 1, .confirmed = TRUE }, { 0 }, { .spent = 1, .confirmed = TRUE } },
  { { .spent = 1 }, { .confirmed = TRUE }, { .spent = 1 } },
  { { .spent = 1, .wrong = 1, .sent_at = 2 },
    { .spent = 3, .wrong = 2, .sent_at = 1 },
    { .spent = 4, .wrong = 3, .sent_at = 2 } },
  { { .spent = 1, .seen = TOKEND_STATE_LOCKED },
    { .spent = 1, .seen = TOKEND_STATE_FINAL_TRY },
    { .spent = 2, .seen = TOKEND_STATE_LOCKED } },
  { { .spent = 1, .seen = TOKEND_STATE_FINAL_TRY },
    { .spent = 1 },
    { .spent = 2, .seen = TOKEND_STATE_FINAL_TRY } },
};

static void
check_sum (gsize i, const TokendLedgerEntry *a, const TokendLedgerEntry *b)
{
  TokendLedgerEntry sum = { 0 };

  g_test_message ("row %" G_GSIZE_FORMAT, i);
  tokend_ledger_entry_add (&sum, a);
  tokend_ledger_entry_add (&sum, b);
  g_assert_cmpmem (&sum, sizeof sum, &sums[i].sum, sizeof sum);
}

/* In whatever order they are found. */
static void
test_add (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (sums); i++) {
    check_sum (i, &sums[i].a, &sums[i].b);
    check_sum (i, &sums[i].b, &sums[i].a);
  }
}

static void
test_is_clear (void)
{
  const TokendLedgerEntry clear = { 0 };
  const TokendLedgerEntry confirmed = { .confirmed = TRUE };
  const TokendLedgerEntry others[] = {
    { .spent = 1 }, { .pending = 1 }, { .locked = TRUE }, { .final_try = TRUE }
  };

  g_assert_true (tokend_ledger_entry_is_clear (&clear));
  g_assert_true (tokend_ledger_entry_is_clear (&confirmed));
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_false (tokend_ledger_entry_is_clear (&others[i]));
}

/* Whatever is new in it has to be written down. */
static void
test_note (void)
{
  static const struct {
    TokendLedgerEntry before;
    TokendState shown;
    gboolean changes, locked, final_try;
  } notes[] = {
    { { .spent = 1 }, TOKEND_STATE_OK, FALSE, FALSE, FALSE },
    { { .spent = 1 }, TOKEND_STATE_LOCKED, TRUE, TRUE, FALSE },
    { { .spent = 1 }, TOKEND_STATE_FINAL_TRY, TRUE, FALSE, TRUE },
    { { .locked = TRUE }, TOKEND_STATE_OK, FALSE, TRUE, FALSE },
    { { .locked = TRUE }, TOKEND_STATE_LOCKED, TRUE, TRUE, FALSE },
    { { .locked = TRUE, .seen = TOKEND_STATE_LOCKED }, TOKEND_STATE_LOCKED, FALSE, TRUE, FALSE },
    { { .locked = TRUE }, TOKEND_STATE_FINAL_TRY, TRUE, TRUE, TRUE },
    { { .final_try = TRUE }, TOKEND_STATE_OK, FALSE, FALSE, TRUE },
    { { .final_try = TRUE }, TOKEND_STATE_FINAL_TRY, TRUE, FALSE, TRUE },
    { { .final_try = TRUE }, TOKEND_STATE_LOCKED, TRUE, TRUE, TRUE },
    /* As a file may have it. */
    { { .seen = TOKEND_STATE_LOCKED }, TOKEND_STATE_LOCKED, TRUE, TRUE, FALSE },
    { { .seen = TOKEND_STATE_FINAL_TRY }, TOKEND_STATE_FINAL_TRY, TRUE, FALSE, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (notes); i++) {
    TokendLedgerEntry entry = notes[i].before;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_ledger_entry_note (&entry, notes[i].shown), ==, notes[i].changes);
    g_assert_cmpint (entry.locked, ==, notes[i].locked);
    g_assert_cmpint (entry.final_try, ==, notes[i].final_try);
  }
}

/* A code that was right settles all, also one that did not do what it was to do. */
static void
test_accepted (void)
{
  TokendLedgerEntry entry = { .spent = 2, .locked = TRUE };

  tokend_ledger_entry_begin (&entry, NOW);
  tokend_ledger_entry_resolve (&entry, TOKEND_TRY_ACCEPTED);
  g_assert_true (tokend_ledger_entry_is_clear (&entry));
  g_assert_cmpint (entry.sent_at, ==, 0);
}

/* A token that is not set up may show any flags, or none. */
static void
test_uninitialized (void)
{
  const TokendCounterReading reading = { .initialized = FALSE,
                                         .remaining = TOKEND_RETRIES_UNKNOWN,
                                         .maximum = TOKEND_RETRIES_UNKNOWN };
  const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_LAST_ONLY, FALSE, -1 };
  TokendLedgerEntry entry = { .spent = 1, .confirmed = TRUE };

  g_assert_false (tokend_ledger_entry_observe (&entry, &reading, &rules));
  g_assert_cmpuint (entry.spent, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/ledger-entry/table/%s", rows[i].what);
    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/ledger-entry/contradicted-number", test_contradicted_number);
  g_test_add_func ("/ledger-entry/uninitialized", test_uninitialized);
  g_test_add_func ("/ledger-entry/note", test_note);
  g_test_add_func ("/ledger-entry/accepted", test_accepted);
  g_test_add_func ("/ledger-entry/sent", test_sent);
  g_test_add_func ("/ledger-entry/endless", test_endless);
  g_test_add_func ("/ledger-entry/add", test_add);
  g_test_add_func ("/ledger-entry/is-clear", test_is_clear);
  return g_test_run ();
}
