/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *tokenctl_json (GVariant *value, gboolean pretty);
void tokenctl_json_print (GVariant *value, gboolean pretty);

G_END_DECLS
