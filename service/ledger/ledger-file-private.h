/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "scope-private.h"
#include "ledger-entry-private.h"

G_BEGIN_DECLS

/**
 * TokendLedgerTries:
 *
 * The record of one target.
 */
typedef struct {
  gboolean known[TOKEND_N_ROLES];
  char *modules[TOKEND_N_ROLES]; /* or NULL */
  guint told[TOKEND_N_ROLES];    /* pending tries that the journal was told of */
  TokendLedgerEntry entries[TOKEND_N_ROLES];
  TokendScope scope[TOKEND_N_ROLES]; /* empty while the entry is clear */
} TokendLedgerTries;

GHashTable *tokend_ledger_file_make_targets (void);

gboolean tokend_ledger_file_read (const char *path, GHashTable *targets, gboolean *assume_spent,
                                  GError **error);
void tokend_ledger_file_read_previous (const char *path, GHashTable *targets);
char *tokend_ledger_file_to_text (GHashTable *targets, gboolean assume_spent);
gboolean tokend_ledger_file_write (const char *path, const char *text, gboolean keep_old,
                                   GError **error);

G_END_DECLS
