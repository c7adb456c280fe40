/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GSocketConnection *tokend_host_relay_new (GSocketConnection *peer, GError **error);

G_END_DECLS
