/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

const char *tokend_opensc_readers_get_configuration (void);
gboolean tokend_opensc_readers_can_name (const char *reader);
gboolean tokend_opensc_readers_can_leave_out (void);
char *tokend_opensc_readers_configure (const char *base, GHashTable *readers);
gboolean tokend_opensc_readers_is_left_out (GHashTable *readers, const char *reader);
gboolean tokend_opensc_readers_leave_out (GHashTable *readers, GError **error);

G_END_DECLS
