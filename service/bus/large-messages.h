/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void tokend_large_messages_watch (GDBusConnection *bus);

G_END_DECLS
