/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most calls of all users under way at a time; org.tokend.Tokend1.xml and tokend(8) state it.
 * The bus grants the service 128 calls that wait for replies. Beyond that polkit could not be
 * asked: an open prompt is one such call, and withdrawing it another. */
#define TOKEND_CALLS_MAX 60

gboolean tokend_call_quota_has_room (guint n_user, guint n_others);

G_END_DECLS
