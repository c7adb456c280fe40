/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "code.h"
#include "status.h"
#include "terminal.h"

G_BEGIN_DECLS

/**
 * TokenctlOpened:
 *
 * An operation that the service has opened for this program alone, with pipes for its codes. It
 * ends with this program, unless a code is on its way to the token.
 */
typedef struct TokenctlOpened TokenctlOpened;

TokenctlOpened *tokenctl_opened_new (GDBusConnection *connection, const char *owner,
                                     const char *path, TokendRole role, GVariant *options,
                                     GError **error);
void tokenctl_opened_free (TokenctlOpened *opened);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlOpened, tokenctl_opened_free)

gboolean tokenctl_opened_write (TokenctlOpened *opened, TokenctlCode *code, TokenctlCode *new_pin,
                                GError **error);
GVariant *tokenctl_opened_finish (TokenctlOpened *opened, GVariant *options,
                                  TokenctlTerminal *terminal, gboolean *is_cancelled,
                                  GError **error);
gboolean tokenctl_opened_again (TokenctlOpened *opened, GError **error);

G_END_DECLS
