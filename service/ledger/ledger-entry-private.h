/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ledger.h"

G_BEGIN_DECLS

/* No token has more tries. A lost ledger counts as that many spent. It also keeps a counter that
 * only grows from wrapping. */
#define TOKEND_TRIES_MAX 255

/**
 * TokendLedgerEntry:
 *
 * What the service has spent of one role's tries since the last success, at one target or several.
 */
typedef struct {
  guint spent;        /* tries that the token refused */
  guint pending;      /* tries whose result is not known */
  gboolean locked;    /* the token answered "locked", or showed it to the host that tried */
  gboolean confirmed; /* the token's own flags have been seen to follow these tries */
  gboolean final_try; /* the token showed the host that tried that one try is left */
  guint wrong;        /* codes of ours that it refused, whatever it shows; for people */
  TokendState seen;   /* LOCKED or FINAL_TRY, as the last code showed it; for people */
  /* When the last code was sent, wall clock, for people; 0: none was, or not known. */
  gint64 sent_at;
  /* Of the last try that was begun; not in the file. */
  gint64 sent_before; /* when the code before it was sent; if it was not sent, when it was begun */
  gboolean is_under_way; /* it has not been resolved */
  gboolean is_closed;    /* it does not count as pending any more */
  gboolean is_wrong;     /* it counts as wrong */
} TokendLedgerEntry;

void tokend_ledger_entry_begin (TokendLedgerEntry *entry, gint64 now);
void tokend_ledger_entry_resolve (TokendLedgerEntry *entry, TokendTryResult try_result);
gboolean tokend_ledger_entry_note (TokendLedgerEntry *entry, TokendState shown);
gboolean tokend_ledger_entry_observe (TokendLedgerEntry *entry, const TokendCounterReading *reading,
                                      const TokendCounterRules *rules);
TokendLedgerEntry tokend_ledger_entry_get_told (const TokendLedgerEntry *entry);
TokendState tokend_ledger_entry_get_worst (const TokendLedgerEntry *entry);
void tokend_ledger_entry_add (TokendLedgerEntry *sum, const TokendLedgerEntry *entry);
gboolean tokend_ledger_entry_is_clear (const TokendLedgerEntry *entry);

G_END_DECLS
