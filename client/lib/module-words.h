/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Tells people of modules, as GetModules of org.tokend.Tokend1.xml describes them. */

gboolean tokenctl_module_is_unread (GVariant *module);
char *tokenctl_module_find_unknown_card (GVariant *module);
char *tokenctl_words_for_unread_module (GVariant *module);

G_END_DECLS
