/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger-entry-private.h"

#include <string.h>

/**
 * tokend_ledger_entry_begin:
 * @now: wall clock, in microseconds.
 *
 * Records a pending try.
 */
void
tokend_ledger_entry_begin (TokendLedgerEntry *entry, gint64 now)
{
  entry->sent_before = entry->sent_at;
  entry->sent_at = now;
  entry->pending = MIN (entry->pending + 1, TOKEND_TRIES_MAX);
  entry->confirmed = FALSE;
  entry->is_under_way = TRUE;
  entry->is_closed = FALSE;
  entry->is_wrong = FALSE;
}

/* Restores the time of a try that was resolved as not sent, and was sent. */
static void
restore_time (TokendLedgerEntry *entry)
{
  entry->sent_at = MAX (entry->sent_at, entry->sent_before);
}

/**
 * tokend_ledger_entry_resolve:
 * @try_result: the result of the try that tokend_ledger_entry_begin() recorded.
 *
 * Resolves it. May be called again, where what the token shows afterwards says more.
 */
void
tokend_ledger_entry_resolve (TokendLedgerEntry *entry, TokendTryResult try_result)
{
  entry->is_under_way = FALSE;
  if (try_result == TOKEND_TRY_UNKNOWN)
    return;
  if (try_result == TOKEND_TRY_SUCCEEDED || try_result == TOKEND_TRY_ACCEPTED) {
    *entry = (TokendLedgerEntry){ 0 };
    return;
  }
  if (entry->is_closed)
    restore_time (entry);
  else if (entry->pending > 0)
    entry->pending--;
  entry->is_closed = TRUE;
  if (try_result == TOKEND_TRY_SPENT) {
    entry->spent = MIN (entry->spent + 1, TOKEND_TRIES_MAX);
    entry->wrong = MIN (entry->wrong + 1, TOKEND_TRIES_MAX);
    entry->is_wrong = TRUE;
    entry->seen = TOKEND_STATE_UNKNOWN;
  }
  if (try_result == TOKEND_TRY_NOT_SPENT) {
    const gint64 begun_at = entry->sent_at;

    entry->sent_at = entry->sent_before;
    entry->sent_before = begun_at;
  }
  if (try_result == TOKEND_TRY_LOCKED) {
    /* A locked token may refuse a right code in the same words. */
    if (entry->is_wrong)
      entry->wrong--;
    entry->is_wrong = FALSE;
    entry->locked = TRUE;
    entry->seen = TOKEND_STATE_LOCKED;
  }
}

/**
 * tokend_ledger_entry_note:
 * @shown: what the token's flags showed the host right after it had sent a code.
 *
 * Keeps a lock or a final try until a code succeeds: some cards show it to nobody but the process
 * that tried.
 *
 * Returns: whether @entry changed.
 */
gboolean
tokend_ledger_entry_note (TokendLedgerEntry *entry, TokendState shown)
{
  const TokendLedgerEntry before = *entry;

  entry->locked = entry->locked || shown == TOKEND_STATE_LOCKED;
  entry->final_try = entry->final_try || shown == TOKEND_STATE_FINAL_TRY;
  if (shown == TOKEND_STATE_LOCKED || shown == TOKEND_STATE_FINAL_TRY)
    entry->seen = shown;
  return entry->locked != before.locked || entry->final_try != before.final_try
         || entry->seen != before.seen;
}

/* Returns: how many tries @entry leaves at most, of @maximum, if the token shows no flag. */
static guint
get_left (const TokendLedgerEntry *entry, guint maximum)
{
  guint left = maximum - MIN (maximum, entry->spent + entry->pending);

  if (entry->locked)
    return 0;
  return entry->final_try ? MIN (left, 1) : left;
}

/* Returns: 0, 1, or TOKEND_TRIES_MAX for any number above. */
static guint
get_remaining_of_last_only (TokendState shown)
{
  if (shown == TOKEND_STATE_LOCKED)
    return 0;
  return shown == TOKEND_STATE_FINAL_TRY ? 1 : TOKEND_TRIES_MAX;
}

/* Finds how many tries the flags tell of, and of how many. Returns: whether they tell. */
static gboolean
get_shown (const TokendCounter *shown, const TokendCounterRules *rules, guint *remaining,
           guint *maximum)
{
  if (rules->flags == TOKEND_FLAGS_MEANING_LAST_ONLY) {
    *maximum = TOKEND_TRIES_MAX;
    *remaining = get_remaining_of_last_only (shown->state);
    return shown->state != TOKEND_STATE_UNINITIALIZED;
  }
  if (rules->flags != TOKEND_FLAGS_MEANING_EXACT || shown->remaining == TOKEND_RETRIES_UNKNOWN
      || shown->maximum == TOKEND_RETRIES_UNKNOWN)
    return FALSE;
  *maximum = (guint) shown->maximum;
  *remaining = (guint) shown->remaining;
  return TRUE;
}

/* Returns: the entry that the token's own number amounts to. The number may not be shown again, and
 *   a module that tells it only now and then must not make us forget. If fewer are spent than we
 *   sent wrong codes, a right one came in between. */
static TokendLedgerEntry
make_of_number (const TokendLedgerEntry *entry, const TokendCounter *shown)
{
  TokendLedgerEntry made = { 0 };

  if (shown->maximum != TOKEND_RETRIES_UNKNOWN) {
    made.spent = (guint) (shown->maximum - shown->remaining);
  } else {
    made.spent = MIN (entry->spent + entry->pending, TOKEND_TRIES_MAX);
    made.locked = shown->remaining == 0;
    made.final_try = shown->remaining == 1;
  }
  if (made.spent >= entry->wrong && entry->wrong > 0) {
    made.wrong = entry->wrong;
    made.sent_at = entry->sent_at;
  }
  made.seen = tokend_ledger_entry_get_worst (&made);
  return made;
}

/**
 * tokend_ledger_entry_observe:
 * @reading: what the token shows while no try of ours is under way.
 * @rules: what that is worth.
 *
 * Lets what the token says stand above the entry. Its own number replaces the entry at once. Flags
 * replace it once they have been seen to follow our tries, and then show more tries than we left.
 * Some tokens show no flags at all for a role, which must not look like a full counter. Flags that
 * tell of the last try alone are followed only that far.
 *
 * Returns: whether @entry changed.
 */
gboolean
tokend_ledger_entry_observe (TokendLedgerEntry *entry, const TokendCounterReading *reading,
                             const TokendCounterRules *rules)
{
  static const TokendCounterRecord nothing = { 0 };
  const TokendLedgerEntry before = *entry;
  TokendCounter shown;
  guint remaining, maximum, left;

  if (tokend_ledger_entry_is_clear (entry))
    return FALSE;

  shown = tokend_counter_evaluate (reading, rules, &nothing);
  if (shown.source == TOKEND_RETRIES_SOURCE_TOKEN) {
    *entry = make_of_number (&before, &shown);
    return memcmp (entry, &before, sizeof before) != 0;
  }
  if (!get_shown (&shown, rules, &remaining, &maximum))
    return FALSE;

  left = get_left (entry, maximum);
  if (remaining <= left) {
    gboolean changed = !entry->confirmed;
    entry->confirmed = TRUE;
    return changed;
  }
  if (!entry->confirmed)
    return FALSE;
  *entry = (TokendLedgerEntry){ 0 };
  return TRUE;
}

/**
 * tokend_ledger_entry_add:
 * @sum: the sum of some entries; clear at first.
 * @entry: of one more target with the same tries.
 *
 * Adds @entry. The sum is confirmed only if all of them are.
 */
void
tokend_ledger_entry_add (TokendLedgerEntry *sum, const TokendLedgerEntry *entry)
{
  if (tokend_ledger_entry_is_clear (entry))
    return;
  sum->confirmed = entry->confirmed && (sum->confirmed || tokend_ledger_entry_is_clear (sum));
  sum->spent = MIN (sum->spent + entry->spent, TOKEND_TRIES_MAX);
  sum->pending = MIN (sum->pending + entry->pending, TOKEND_TRIES_MAX);
  sum->locked = sum->locked || entry->locked;
  sum->final_try = sum->final_try || entry->final_try;
  sum->wrong = MIN (sum->wrong + entry->wrong, TOKEND_TRIES_MAX);
  if (sum->seen != TOKEND_STATE_LOCKED && entry->seen != TOKEND_STATE_UNKNOWN)
    sum->seen = entry->seen;
  sum->sent_at = MAX (sum->sent_at, entry->sent_at);
}

/**
 * tokend_ledger_entry_get_told:
 *
 * Returns: @entry as people are told of it, without a try that is under way.
 */
TokendLedgerEntry
tokend_ledger_entry_get_told (const TokendLedgerEntry *entry)
{
  TokendLedgerEntry told = *entry;

  if (!entry->is_under_way)
    return told;
  told.pending -= MIN (told.pending, 1);
  told.sent_at = entry->sent_before;
  return told;
}

/**
 * tokend_ledger_entry_get_worst:
 *
 * Returns: LOCKED or FINAL_TRY, if it was seen since the last success; else UNKNOWN.
 */
TokendState
tokend_ledger_entry_get_worst (const TokendLedgerEntry *entry)
{
  if (entry->locked)
    return TOKEND_STATE_LOCKED;
  return entry->final_try ? TOKEND_STATE_FINAL_TRY : TOKEND_STATE_UNKNOWN;
}

gboolean
tokend_ledger_entry_is_clear (const TokendLedgerEntry *entry)
{
  return entry->spent == 0 && entry->pending == 0 && !entry->locked && !entry->final_try;
}
