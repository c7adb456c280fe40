/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "choice.h"
#include "open-operation.h"
#include "status.h"
#include "token.h"

G_BEGIN_DECLS

#define TOKENCTL_MANAGER_INTERFACE "org.tokend.Tokend1.Manager"
#define TOKENCTL_TOKEN_INTERFACE "org.tokend.Tokend1.Token"
#define TOKENCTL_OBJECT_MANAGER_INTERFACE "org.freedesktop.DBus.ObjectManager"

/* The service has deadlines of its own, and a prompt takes as long as a person takes. */
#define TOKENCTL_NO_TIMEOUT G_MAXINT

/**
 * TokenctlBus:
 *
 * The connection to the service.
 */
typedef struct _TokenctlBus TokenctlBus;

TokenctlBus *tokenctl_bus_open (GError **error);
void tokenctl_bus_close (TokenctlBus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlBus, tokenctl_bus_close)

GDBusConnection *tokenctl_bus_connection (TokenctlBus *bus);
GPtrArray *tokenctl_bus_tokens (TokenctlBus *bus, const TokenctlWanted *wanted, GPtrArray *problems,
                                GError **error);
GPtrArray *tokenctl_bus_tokens_to_operate (TokenctlBus *bus, const TokenctlWanted *wanted,
                                           GPtrArray *problems, GError **doubt, GError **error);
GPtrArray *tokenctl_bus_list (GVariant *managed_objects);
gboolean tokenctl_bus_has_left (const GError *error);
GVariant *tokenctl_bus_refresh (TokenctlBus *bus, const char *path, GError **error);
GVariant *tokenctl_bus_modules (TokenctlBus *bus, GError **error);
char *tokenctl_bus_find_failed_module (TokenctlBus *bus, GError **error);
GVariant *tokenctl_bus_modules_if_allowed (TokenctlBus *bus);

TokenctlOpenOperation *tokenctl_bus_open_operation (TokenctlBus *bus, const char *path,
                                                    TokendRole role, GVariant *options,
                                                    GError **error);

G_END_DECLS
