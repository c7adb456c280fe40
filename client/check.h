/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokenctlBlanks:
 * Where a code has blanks: one that was pasted often does.
 */
typedef enum {
  TOKENCTL_BLANKS_NONE,
  TOKENCTL_BLANKS_INSIDE,
  TOKENCTL_BLANKS_AT_ENDS,
} TokenctlBlanks;

gboolean tokenctl_check_code (const char *bytes, gsize length, GError **error);
gboolean tokenctl_check_new_pin (const char *pin, GVariant *status, GError **error);
TokenctlBlanks tokenctl_check_blanks (const char *code);

G_END_DECLS
