/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

const char *tokend_enum_get_nick (GType type, int value);
gboolean tokend_enum_parse (GType type, const char *nick, gpointer value);

G_END_DECLS
