/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Calls under way at a time, of all users. org.tokend.Tokend1.xml and tokend(8) state it. The bus
 * grants the service 128 calls that wait for their replies, and beyond it polkit cannot be asked:
 * an open prompt is one, and to withdraw it is another. */
#define TOKEND_CALLS_MAX 60

gboolean tokend_call_quota_has_room (guint n_user, guint n_others);

G_END_DECLS
