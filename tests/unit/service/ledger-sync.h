/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ledger.h"
#include "scratch.h"

G_BEGIN_DECLS

/* What the ledger does in its own time, waited for; and what it says. */

void ledger_keep_result (GObject *source, GAsyncResult *result, gpointer user_data);
void ledger_wait_for (GAsyncResult **kept);

gboolean ledger_begin (TokendLedger *ledger, const char *card, TokendRole role, GError **error);
gboolean ledger_begin_by (TokendLedger *ledger, const char *card, TokendRole role,
                          const char *module, GError **error);
gboolean ledger_resolve (TokendLedger *ledger, const char *card, TokendRole role,
                         TokendTryResult try_result);
void ledger_try (TokendLedger *ledger, const char *card, TokendRole role,
                 TokendTryResult try_result);

void ledger_flush (TokendLedger *ledger);

TokendCounterRecord ledger_get (TokendLedger *ledger, const char *card, TokendRole role);
void ledger_assert_record (TokendLedger *ledger, const char *card, TokendRole role, guint spent,
                           gboolean locked);
void ledger_assert_on_disk (const Scratch *scratch, const char *card, TokendRole role, guint spent,
                            gboolean locked);

void ledger_remove (const Scratch *scratch);
char *ledger_seal (const char *body);

G_END_DECLS
