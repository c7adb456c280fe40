/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

gboolean tokend_notify_open_unlock (const char *const *names, const char *activation_token,
                                    GError **error);
void tokend_notify_open_page (const char *address, const char *activation_token,
                              GAsyncReadyCallback callback, gpointer user_data);

G_END_DECLS
