/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "place.h"

G_BEGIN_DECLS

/**
 * TokendSettlement:
 *
 * What became of a try that was recorded as pending.
 */
typedef enum {
  TOKEND_SETTLEMENT_NOT_SPENT, /* nothing was sent, or the token does not count it */
  TOKEND_SETTLEMENT_SPENT,     /* the token refused the code */
  TOKEND_SETTLEMENT_SUCCEEDED, /* the token accepted the code and did what it was sent for */
  TOKEND_SETTLEMENT_LOCKED,    /* the token answered that the role is locked */
  TOKEND_SETTLEMENT_UNKNOWN,   /* it may have been spent: it stays pending, and counts */
  TOKEND_SETTLEMENT_ACCEPTED,  /* the token accepted the code, and did not do the rest */
} TokendSettlement;

#define TOKEND_TYPE_LEDGER (tokend_ledger_get_type ())
G_DECLARE_FINAL_TYPE (TokendLedger, tokend_ledger, TOKEND, LEDGER, GObject)

TokendLedger *tokend_ledger_new (const char *directory);

TokendCounterRecord tokend_ledger_get_record (TokendLedger *self, const TokendPlace *place,
                                              TokendRole role);

void tokend_ledger_begin_async (TokendLedger *self, const TokendPlace *place, TokendRole role,
                                const char *module, GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean tokend_ledger_begin_finish (TokendLedger *self, GAsyncResult *result, GError **error);

void tokend_ledger_settle_async (TokendLedger *self, const TokendPlace *place, TokendRole role,
                                 TokendSettlement settlement, GAsyncReadyCallback callback,
                                 gpointer user_data);
gboolean tokend_ledger_settle_finish (TokendLedger *self, GAsyncResult *result, GError **error);

void tokend_ledger_flush_async (TokendLedger *self, GAsyncReadyCallback callback,
                                gpointer user_data);
void tokend_ledger_flush_finish (TokendLedger *self, GAsyncResult *result);

void tokend_ledger_note (TokendLedger *self, const TokendPlace *place, TokendRole role,
                         TokendState shown);
void tokend_ledger_observe (TokendLedger *self, const TokendPlace *place, TokendRole role,
                            const char *module, const TokendCounterReading *reading,
                            const TokendCounterRules *rules);
void tokend_ledger_spread (TokendLedger *self, const TokendPlace *place);

G_END_DECLS
