/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendDaemon:
 *
 * The service as a whole, from its connection to the bus to its end.
 */
#define TOKEND_TYPE_DAEMON (tokend_daemon_get_type ())
G_DECLARE_FINAL_TYPE (TokendDaemon, tokend_daemon, TOKEND, DAEMON, GObject)

TokendDaemon *tokend_daemon_new (GDBusConnection *bus, gboolean may_leave, GError **error);
gboolean tokend_daemon_run (TokendDaemon *self, GError **error);

G_END_DECLS
