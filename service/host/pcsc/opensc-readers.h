/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

const char *tokend_opensc_readers_get_configuration (void);
gboolean tokend_opensc_readers_check (GError **error);
char *tokend_opensc_readers_configure (const char *base, GHashTable *readers, GPtrArray *drivers);
GHashTable *tokend_opensc_readers_list_others (GHashTable *readers, const char *reader);
gboolean tokend_opensc_readers_leave_out_others (const char *reader, GError **error);

G_END_DECLS
