/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Calls that one connection may have under way at a time. */
#define TOKEND_CALLS_PER_CALLER_MAX 16

/** TokendCallers: counts the calls that each connection has under way. */
#define TOKEND_TYPE_CALLERS (tokend_callers_get_type ())
G_DECLARE_FINAL_TYPE (TokendCallers, tokend_callers, TOKEND, CALLERS, GObject)

TokendCallers *tokend_callers_new (void);
gboolean tokend_callers_admit (TokendCallers *self, GDBusMethodInvocation *invocation,
                               GError **error);

G_END_DECLS
