/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The most calls of one connection under way at a time; org.tokend.Tokend1.xml and tokend(8) state
 * it. call-quota-private.h has the limits of users. */
#define TOKEND_CALLS_PER_CALLER_MAX 16

/**
 * TokendCallers:
 *
 * Counts the calls that each connection and each user has under way.
 *
 * Signal `changed`: a call began or ended.
 */
#define TOKEND_TYPE_CALLERS (tokend_callers_get_type ())
G_DECLARE_FINAL_TYPE (TokendCallers, tokend_callers, TOKEND, CALLERS, GObject)

TokendCallers *tokend_callers_new (GDBusConnection *bus);
void tokend_callers_admit_async (TokendCallers *self, GDBusMethodInvocation *invocation,
                                 GAsyncReadyCallback callback, gpointer user_data);
gboolean tokend_callers_admit_finish (TokendCallers *self, GAsyncResult *result, GError **error);
guint32 tokend_callers_get_user (TokendCallers *self, GDBusMethodInvocation *invocation);
guint tokend_callers_count (TokendCallers *self);

G_END_DECLS
