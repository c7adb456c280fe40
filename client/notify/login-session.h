/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendNotifyLoginSession:
 *
 * Tells whether the person sits at this session, by logind.
 */
typedef struct _TokendNotifyLoginSession TokendNotifyLoginSession;

typedef void (*TokendNotifyLoginSessionListener) (gboolean active, gpointer user_data);

TokendNotifyLoginSession *
tokend_notify_login_session_new (TokendNotifyLoginSessionListener listener, gpointer user_data);
void tokend_notify_login_session_free (TokendNotifyLoginSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifyLoginSession, tokend_notify_login_session_free)

G_END_DECLS
