/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *tokend_refused_message_new (const char *code, gint64 refused_at);
GDateTime *tokend_refused_message_get_time (const char *message);

G_END_DECLS
