/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "target.h"

G_BEGIN_DECLS

/**
 * TokendTryResult:
 *
 * The result of a pending try.
 */
typedef enum {
  TOKEND_TRY_NOT_SPENT, /* nothing was sent, or the token does not count it */
  TOKEND_TRY_SPENT,     /* the token refused the code */
  TOKEND_TRY_SUCCEEDED, /* the token accepted the code and did what it was sent for */
  TOKEND_TRY_LOCKED,    /* the token answered that the role is locked */
  TOKEND_TRY_UNKNOWN,   /* it may have been spent: it stays pending, and counts */
  TOKEND_TRY_ACCEPTED,  /* the token accepted the code, and did not do what it was sent for */
} TokendTryResult;

#define TOKEND_TYPE_LEDGER (tokend_ledger_get_type ())
G_DECLARE_FINAL_TYPE (TokendLedger, tokend_ledger, TOKEND, LEDGER, GObject)

TokendLedger *tokend_ledger_new (const char *directory);

TokendCounterRecord tokend_ledger_get_record (TokendLedger *self, const TokendTarget *target,
                                              TokendRole role);

void tokend_ledger_begin_async (TokendLedger *self, const TokendTarget *target, TokendRole role,
                                const char *module, GAsyncReadyCallback callback,
                                gpointer user_data);
gboolean tokend_ledger_begin_finish (TokendLedger *self, GAsyncResult *result, GError **error);

void tokend_ledger_resolve_async (TokendLedger *self, const TokendTarget *target, TokendRole role,
                                  TokendTryResult try_result, GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean tokend_ledger_resolve_finish (TokendLedger *self, GAsyncResult *result, GError **error);

void tokend_ledger_flush_async (TokendLedger *self, GAsyncReadyCallback callback,
                                gpointer user_data);
void tokend_ledger_flush_finish (TokendLedger *self, GAsyncResult *result);

void tokend_ledger_note (TokendLedger *self, const TokendTarget *target, TokendRole role,
                         TokendState shown);
void tokend_ledger_observe (TokendLedger *self, const TokendTarget *target, TokendRole role,
                            const char *module, const TokendCounterReading *reading,
                            const TokendCounterRules *rules);
void tokend_ledger_spread (TokendLedger *self, const TokendTarget *target);

G_END_DECLS
