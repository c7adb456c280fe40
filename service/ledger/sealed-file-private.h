/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A sealed file is a key file that ends with the checksum of everything before, so that a file that
 * was cut or changed is found out:
 *
 *   [end] sha256=       in hexadecimal */

/* The suffix of the file's previous version. */
#define TOKEND_SEALED_FILE_PREVIOUS ".previous"

char *tokend_sealed_file_to_text (GKeyFile *key_file);
gboolean tokend_sealed_file_read (const char *path, GKeyFile *key_file, GError **error);
gboolean tokend_sealed_file_write (const char *path, const char *text, const char *aside,
                                   GError **error);

G_END_DECLS
