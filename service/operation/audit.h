/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

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

/**
 * TokendAuditCaller:
 *
 * A connection with operations that are under way or not written yet.
 */
typedef struct _TokendAuditCaller TokendAuditCaller;

TokendAudit *tokend_audit_new (GDBusConnection *bus);

TokendAuditCaller *tokend_audit_begin (TokendAudit *self, const char *name);
void tokend_audit_write (TokendAudit *self, TokendAuditCaller *caller, TokendAuditRecord *record);
void tokend_audit_end (TokendAudit *self, TokendAuditCaller *caller);

G_END_DECLS
