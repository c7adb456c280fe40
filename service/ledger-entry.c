/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger-entry.h"

/* No token has so many tries; it keeps a counter that only grows from wrapping. */
#define TRIES_MAX 255

/** tokend_ledger_entry_begin: one try is about to be sent. */
void
tokend_ledger_entry_begin (TokendLedgerEntry *entry)
{
  entry->pending = MIN (entry->pending + 1, TRIES_MAX);
  entry->confirmed = FALSE;
}

/** tokend_ledger_entry_settle: what became of the try that tokend_ledger_entry_begin() recorded. */
void
tokend_ledger_entry_settle (TokendLedgerEntry *entry, TokendSettlement settlement)
{
  if (settlement == TOKEND_SETTLEMENT_UNKNOWN)
    return;
  if (settlement == TOKEND_SETTLEMENT_SUCCEEDED || settlement == TOKEND_SETTLEMENT_ACCEPTED) {
    *entry = (TokendLedgerEntry){ 0 };
    return;
  }
  if (entry->pending > 0)
    entry->pending--;
  if (settlement == TOKEND_SETTLEMENT_SPENT)
    entry->spent = MIN (entry->spent + 1, TRIES_MAX);
  if (settlement == TOKEND_SETTLEMENT_LOCKED)
    entry->locked = TRUE;
}

/**
 * tokend_ledger_entry_observe:
 * @entry: the entry.
 * @reading: what the token shows while no try of ours is under way.
 * @rules: what that is worth.
 *
 * Lets the token's own word stand above the entry. A number of the token's own settles it at once.
 * Exact flags settle it too, but only once they have been seen to follow our tries, and then show
 * more tries than we left: some tokens show no flags at all for a role, and that must not look like
 * a full counter.
 *
 * Returns: whether @entry changed.
 */
gboolean
tokend_ledger_entry_observe (TokendLedgerEntry *entry, const TokendCounterReading *reading,
                             const TokendCounterRules *rules)
{
  static const TokendCounterRecord nothing = { 0 };
  TokendCounter shown;
  guint left;

  if (tokend_ledger_entry_is_clear (entry))
    return FALSE;

  shown = tokend_counter_judge (reading, rules, &nothing);
  if (shown.remaining == TOKEND_RETRIES_UNKNOWN)
    return FALSE;
  if (shown.source == TOKEND_RETRIES_SOURCE_TOKEN) {
    *entry = (TokendLedgerEntry){ 0 };
    return TRUE;
  }
  if (rules->flags != TOKEND_FLAGS_MEANING_EXACT || shown.maximum == TOKEND_RETRIES_UNKNOWN)
    return FALSE;

  left = entry->locked
             ? 0
             : (guint) shown.maximum - MIN ((guint) shown.maximum, entry->spent + entry->pending);
  if ((guint) shown.remaining <= left) {
    gboolean changed = !entry->confirmed;
    entry->confirmed = TRUE;
    return changed;
  }
  if (!entry->confirmed)
    return FALSE;
  *entry = (TokendLedgerEntry){ 0 };
  return TRUE;
}

/** tokend_ledger_entry_is_clear: whether @entry says nothing. */
gboolean
tokend_ledger_entry_is_clear (const TokendLedgerEntry *entry)
{
  return entry->spent == 0 && entry->pending == 0 && !entry->locked;
}
