/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ledger.h"

G_BEGIN_DECLS

/* No token has so many tries: of a record that was lost, any number may have been spent. It keeps a counter that only grows
 * from wrapping, too. */
#define TOKEND_TRIES_MAX 255

/** TokendLedgerEntry: what the service has spent of one role's tries at one place, or at several, since the last success. */
typedef struct {
  guint spent;        /* tries that the token refused */
  guint pending;      /* tries whose outcome is not known */
  gboolean locked;    /* the token answered "locked", or showed it to the host that tried */
  gboolean confirmed; /* the token's own flags have been seen to tell of these tries */
  gboolean final_try; /* the token showed the host that tried that one try is left */
  guint wrong;        /* codes of ours that it refused, whatever it shows; for people alone */
  gint64
      sent_at; /* when the last code was sent; wall clock, for people alone; 0: none, or not known */
  gint64 sent_before; /* the same, of the code before it; not in the file */
} TokendLedgerEntry;

void tokend_ledger_entry_begin (TokendLedgerEntry *entry, gint64 now);
void tokend_ledger_entry_settle (TokendLedgerEntry *entry, TokendSettlement settlement);
gboolean tokend_ledger_entry_note (TokendLedgerEntry *entry, TokendState shown);
gboolean tokend_ledger_entry_observe (TokendLedgerEntry *entry, const TokendCounterReading *reading,
                                      const TokendCounterRules *rules);
void tokend_ledger_entry_add (TokendLedgerEntry *sum, const TokendLedgerEntry *entry);
gboolean tokend_ledger_entry_is_clear (const TokendLedgerEntry *entry);

G_END_DECLS
