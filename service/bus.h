/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The longest message, header included, that the service reads; org.tokend.Tokend1.xml and tokend(8) state it. What is meant
 * for the service is below 1 KiB; of the bus's own answers the list of a caller's groups is the longest. */
#define TOKEND_MESSAGE_MAX_BYTES (16 * 1024)

GDBusConnection *tokend_bus_connect (GError **error);

G_END_DECLS
