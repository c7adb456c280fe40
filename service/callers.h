/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Calls that one connection may have under way at a time. */
#define TOKEND_CALLS_PER_CALLER_MAX 16

/**
 * TokendCallers:
 * Counts the calls that each connection has under way.
 *
 * Signal `changed`: a call began or ended.
 */
#define TOKEND_TYPE_CALLERS (tokend_callers_get_type ())
G_DECLARE_FINAL_TYPE (TokendCallers, tokend_callers, TOKEND, CALLERS, GObject)

TokendCallers *tokend_callers_new (void);
gboolean tokend_callers_admit (TokendCallers *self, GDBusMethodInvocation *invocation,
                               GError **error);
guint tokend_callers_count (TokendCallers *self);

G_END_DECLS
