/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callers.h"
#include "audit-record.h"

G_BEGIN_DECLS

/**
 * TokendAudit:
 *
 * Writes an entry of the journal for each try, and for each operation that came to none, once it is
 * known who did it. An operation never waits for it.
 */
#define TOKEND_TYPE_AUDIT (tokend_audit_get_type ())
G_DECLARE_FINAL_TYPE (TokendAudit, tokend_audit, TOKEND, AUDIT, GObject)

TokendAudit *tokend_audit_new (TokendCallers *callers);

void tokend_audit_write (TokendAudit *self, TokendCaller *caller, TokendAuditRecord *record);

G_END_DECLS
