/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

guint tokend_gone_register (GDBusConnection *bus, GError **error);

G_END_DECLS
