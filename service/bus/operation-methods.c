/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-methods.h"

#include "call.h"
#include "callers.h"
#include "opened.h"
#include "operation.h"
#include "tokend-error.h"
#include "tokend-glue.h"
#include "tokend-status.h"

/*
 * The objects of the operations that were opened. They are in no object manager and no list: the
 * bus shows the same at every path, be there an operation of the caller's, of somebody else's, or
 * none.
 */

static void
return_not_found (GDBusMethodInvocation *invocation)
{
  tokend_call_return_error (
      invocation, g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                                       "This connection has opened no such operation; nothing was "
                                       "sent: call Unlock or SetPin"));
}

static TokendOperation *
find (TokendService *service, GDBusMethodInvocation *invocation)
{
  return tokend_opened_find (service->opened, g_dbus_method_invocation_get_object_path (invocation),
                             g_dbus_method_invocation_get_sender (invocation));
}

static void
dispatch (TokendOperation *operation, GDBusMethodInvocation *invocation)
{
  const char *method = g_dbus_method_invocation_get_method_name (invocation);

  if (g_str_equal (method, "Finish")) {
    g_autoptr (GVariant) options =
        g_variant_get_child_value (g_dbus_method_invocation_get_parameters (invocation), 0);

    tokend_operation_finish (operation, invocation, options);
  } else if (g_str_equal (method, "Again")) {
    tokend_operation_again (operation, invocation);
  } else {
    tokend_operation_cancel (operation, invocation);
  }
}

typedef struct {
  TokendService *service;
  GDBusMethodInvocation *invocation;
} Call;

static void
on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  TokendOperation *operation = find (call->service, call->invocation);
  GError *error = NULL;

  if (!tokend_callers_admit_finish (TOKEND_CALLERS (source), result, &error))
    tokend_call_return_error (call->invocation, error);
  else if (operation == NULL)
    return_not_found (call->invocation);
  else
    dispatch (operation, call->invocation);
}

/* Whoever opened it was authorized; nobody else is answered. */
static void
on_call (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *arguments, GDBusMethodInvocation *invocation,
         gpointer service)
{
  Call *call;

  if (find (service, invocation) == NULL) {
    return_not_found (invocation);
    return;
  }
  call = g_new (Call, 1);
  *call = (Call){ service, invocation };
  tokend_callers_admit_async (call->service->callers, invocation, on_admitted, call);
}

static const GDBusInterfaceVTable vtable = { .method_call = on_call };

static char **
list_nodes (GDBusConnection *bus, const char *sender, const char *path, gpointer user_data)
{
  return g_new0 (char *, 1);
}

/* @node: NULL: that of all operations. */
static GDBusInterfaceInfo **
get_interfaces (GDBusConnection *bus, const char *sender, const char *path, const char *node,
                gpointer user_data)
{
  GDBusInterfaceInfo **interfaces = g_new0 (GDBusInterfaceInfo *, 2);

  if (node != NULL)
    interfaces[0] = g_dbus_interface_info_ref (tokend_dbus_operation_interface_info ());
  return interfaces;
}

static const GDBusInterfaceVTable *
get_vtable (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
            const char *node, gpointer *call_data, gpointer service)
{
  *call_data = service;
  return &vtable;
}

/**
 * tokend_operation_methods_register:
 * @service: outlives it.
 *
 * Has calls of org.tokend.Tokend1.Operation's methods served.
 *
 * Returns: for g_dbus_connection_unregister_subtree(); 0 on error.
 */
guint
tokend_operation_methods_register (TokendService *service, GError **error)
{
  static const GDBusSubtreeVTable subtree = {
    .enumerate = list_nodes,
    .introspect = get_interfaces,
    .dispatch = get_vtable,
  };

  return g_dbus_connection_register_subtree (service->bus, TOKEND_OPERATIONS_PATH, &subtree,
                                             G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
                                             service, NULL, error);
}
