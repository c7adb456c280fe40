/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The most operations that are open, or that ended while their caller is still connected. The pipes
 * of each may wait in the bus for a caller that does not read; while 64 descriptors do, the bus
 * takes nothing from the service. org.tokend.Tokend1.xml and tokend(8) state these limits. */
#define TOKEND_OPEN_PER_USER_MAX 4
#define TOKEND_OPEN_MAX 12
/* The most pairs of pipes of one operation that the caller is not known to have got. */
#define TOKEND_UNTAKEN_PIPES_MAX 2

gboolean tokend_open_limits_check (guint n_user, guint n_others, GError **error);

G_END_DECLS
