/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendNotify:
 *
 * Shows one notification for each token of which a person should know something.
 */
typedef struct _TokendNotify TokendNotify;

TokendNotify *tokend_notify_new (GDBusConnection *session_bus);
void tokend_notify_free (TokendNotify *notify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotify, tokend_notify_free)

G_END_DECLS
