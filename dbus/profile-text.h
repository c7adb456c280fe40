/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

GKeyFile *tokend_profile_text_load (const char *name, const char *group, const char *directory,
                                    const char *admin_directory);
char *tokend_profile_text_get (GKeyFile *key_file, const char *group, const char *key);

G_END_DECLS
