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
 * TokendAuditRecord:
 *
 * An operation that has ended, for the journal.
 */
typedef struct {
  TokendRole role; /* the PUK's: Unlock; the PIN's: SetPin */
  char *token;     /* see tokend_reading_physical_id() */
  char *label;     /* made printable */
  char *module;    /* NULL: it came to none */

  gboolean is_done;
  TokendError error; /* what was replied, unless it is done */
  gboolean sent;     /* the token saw the code, or may have */
  gboolean in_doubt; /* no answer came: the module host may still be at it */
  TokendAuditEnd end;
  TokendTryResult try_result;
  TokendCounter before; /* the role's, as the operating host read it */
  TokendCounter after;  /* as the reply says it */
  TokendState barred;   /* what the next code is barred by, the service's own record included */

  guint n_suppressed; /* refusals of the same user's before this one that have no entry */
} TokendAuditRecord;

void tokend_audit_record_free (TokendAuditRecord *record);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendAuditRecord, tokend_audit_record_free)

TokendSpent tokend_audit_record_get_spent (const TokendAuditRecord *record);
GLogLevelFlags tokend_audit_record_get_level (const TokendAuditRecord *record);
GVariant *tokend_audit_record_compose (const TokendAuditRecord *record, const TokendIdentity *who);

G_END_DECLS
