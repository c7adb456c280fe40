/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "code-check.h"

G_BEGIN_DECLS

char *tokenctl_check_describe (const TokendCodeVerdict *verdict);
gboolean tokenctl_check_new_pin (const char *pin, GVariant *status, GError **error);

G_END_DECLS
