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
 * TokendReportEnd:
 *
 * Why an operation ended before anything was sent, where no error says it.
 */
typedef enum {
  TOKEND_REPORT_END_NONE,
  TOKEND_REPORT_END_CALLER_LEFT,
  TOKEND_REPORT_END_CANCELLED,
  TOKEND_REPORT_END_EXPIRED,
} TokendReportEnd;

/**
 * TokendReport:
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
  TokendReportEnd end;
  TokendSettlement settlement;
  TokendCounter before; /* the role's, as the operating host read it */
  TokendCounter after;  /* as the reply says it */
  TokendState barred;   /* what the next code is barred by, the service's own record included */

  guint n_suppressed; /* refusals of the same user's before this one that have no entry */
} TokendReport;

void tokend_report_free (TokendReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendReport, tokend_report_free)

TokendSpent tokend_report_judge_spent (const TokendReport *report);
GLogLevelFlags tokend_report_get_level (const TokendReport *report);
GVariant *tokend_report_compose (const TokendReport *report, const TokendIdentity *who);

G_END_DECLS
