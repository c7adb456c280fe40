/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "code.h"
#include "status.h"
#include "terminal.h"

G_BEGIN_DECLS

/**
 * TokenctlOpenOperation:
 *
 * An operation that the service has opened for this program alone, with pipes for its codes. It
 * ends with this program, unless a code is on its way to the token.
 */
typedef struct TokenctlOpenOperation TokenctlOpenOperation;

TokenctlOpenOperation *tokenctl_open_operation_new (GDBusConnection *connection, const char *owner,
                                                    const char *path, TokendRole role,
                                                    GVariant *options, GError **error);
void tokenctl_open_operation_free (TokenctlOpenOperation *opened);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlOpenOperation, tokenctl_open_operation_free)

gboolean tokenctl_open_operation_write (TokenctlOpenOperation *opened, TokenctlCode *code,
                                        TokenctlCode *new_pin, GError **error);
GVariant *tokenctl_open_operation_finish (TokenctlOpenOperation *opened, GVariant *options,
                                          TokenctlTerminal *terminal, gboolean *is_cancelled,
                                          GError **error);
gboolean tokenctl_open_operation_again (TokenctlOpenOperation *opened, GError **error);

G_END_DECLS
