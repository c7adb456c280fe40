/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gone.h"

#include "call.h"
#include "tokend-error.h"
#include "tokend-glue.h"
#include "tokend-status.h"

/*
 * The paths under TOKEND_TOKENS_PATH at which no token is, any more: GDBus would call the methods of the contract unknown.
 * It comes here only where no object is exported.
 */

static void
on_call (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *arguments, GDBusMethodInvocation *invocation,
         gpointer user_data)
{
  tokend_call_return_error (invocation,
                            g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                                                 "The token is not there any more; see "
                                                 "GetManagedObjects for those that are"));
}

static const GDBusInterfaceVTable vtable = { .method_call = on_call };

static char **
list_nodes (GDBusConnection *bus, const char *sender, const char *path, gpointer user_data)
{
  return g_new0 (char *, 1);
}

/* @node: NULL: that of all tokens. */
static GDBusInterfaceInfo **
get_interfaces (GDBusConnection *bus, const char *sender, const char *path, const char *node,
                gpointer user_data)
{
  GDBusInterfaceInfo **interfaces = g_new0 (GDBusInterfaceInfo *, 2);

  if (node != NULL)
    interfaces[0] = g_dbus_interface_info_ref (tokend_dbus_token_interface_info ());
  return interfaces;
}

static const GDBusInterfaceVTable *
get_vtable (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
            const char *node, gpointer *dispatch_data, gpointer user_data)
{
  return &vtable;
}

/**
 * tokend_gone_register:
 * @bus: where the tokens are.
 *
 * Has calls of a token's methods answered NotFound at paths where no token is.
 *
 * Returns: for g_dbus_connection_unregister_subtree(); 0 on error.
 */
guint
tokend_gone_register (GDBusConnection *bus, GError **error)
{
  static const GDBusSubtreeVTable subtree = {
    .enumerate = list_nodes,
    .introspect = get_interfaces,
    .dispatch = get_vtable,
  };

  return g_dbus_connection_register_subtree (bus, TOKEND_TOKENS_PATH, &subtree,
                                             G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
                                             NULL, NULL, error);
}
