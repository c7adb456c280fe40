/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"
#include "identity.h"
#include "ledger.h"
#include "tokend-error.h"

G_BEGIN_DECLS

/**
 * TokendSpent:
 *
 * Whether an operation cost a try; journal field TOKEND_SPENT.
 */
typedef enum {
  TOKEND_SPENT_NO,      /*< nick=no >*/
  TOKEND_SPENT_YES,     /*< nick=yes >*/
  TOKEND_SPENT_UNKNOWN, /*< nick=unknown >*/
} TokendSpent;

/**
 * TokendAuditEnd:
 *
 * Why an operation ended before anything was sent, where no error says it.
 */
typedef enum {
  TOKEND_AUDIT_END_NONE,
  TOKEND_AUDIT_END_CALLER_LEFT,
  TOKEND_AUDIT_END_CANCELLED,
  TOKEND_AUDIT_END_EXPIRED,
} TokendAuditEnd;

/**
 * TokendTryEffect:
 *
 * What became of a try, for the ledger, the refused codes and the journal.
 */
typedef struct {
  TokendTryResult try_result;
  gboolean sent;     /* the token saw the code, or may have */
  gboolean refused;  /* the token refused this very code, proven */
  gboolean in_doubt; /* no answer came: the host may still be working */
} TokendTryEffect;

/**
 * TokendAuditRecord:
 *
 * An operation that has ended, as the journal is told of it.
 */
typedef struct {
  TokendRole role; /* the PUK's for Unlock, the PIN's for SetPin */
  char *token;     /* see tokend_reading_physical_id() */
  char *label;     /* made printable */
  char *module;    /* NULL: the operation did not get that far */

  gboolean is_done;
  TokendError error; /* the reply's, unless it is done */
  TokendAuditEnd end;
  TokendTryEffect effect;
  TokendCounter before; /* of @role, as the operating host read it */
  TokendCounter after;  /* of @role, as the reply has it */
  TokendState barred;   /* what bars the next code, with the ledger */

  guint n_suppressed; /* earlier refusals of the same user that have no entry */
} TokendAuditRecord;

void tokend_audit_record_free (TokendAuditRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendAuditRecord, tokend_audit_record_free)

TokendSpent tokend_audit_record_get_spent (const TokendAuditRecord *record);
GLogLevelFlags tokend_audit_record_get_level (const TokendAuditRecord *record);
GVariant *tokend_audit_record_compose (const TokendAuditRecord *record, const TokendIdentity *who);

G_END_DECLS
