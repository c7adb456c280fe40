/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dispatch.h"

#include "call.h"
#include "config.h"
#include "gate.h"
#include "methods.h"
#include "open-operations.h"
#include "tokend-glue.h"
#include "tokend-error.h"
#include "tokend-status.h"

/* A call on its way to its handler. It passes its row in methods.c, the caller's limits, and its
 * rule. */

typedef struct {
  TokendService *service;
  const TokendMethod *method;
  GDBusMethodInvocation *invocation;
  GObject *object; /* NULL: an operation's */
} Call;

static void
call_free (Call *call)
{
  g_clear_object (&call->object);
  g_free (call);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static TokendOperation *
find_operation (TokendService *service, GDBusMethodInvocation *invocation)
{
  return tokend_open_operations_find (service->operations,
                                      g_dbus_method_invocation_get_object_path (invocation),
                                      g_dbus_method_invocation_get_sender (invocation));
}

/* Says the same at every path, whether somebody else's operation is there or none. */
static void
return_no_operation (GDBusMethodInvocation *invocation)
{
  tokend_call_return_error (
      invocation, g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                                       "This connection has opened no such operation; nothing was "
                                       "sent: call Unlock or SetPin"));
}

static void
handle (const Call *call, gpointer object)
{
  call->method->handler (call->service, object, call->invocation, call->method->action);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  GError *error = NULL;
  const gboolean is_allowed = tokend_gate_check_finish (TOKEND_GATE (source), result, &error);

  /* Refuses everybody: nobody would cancel a read that begins now. */
  if (g_cancellable_is_cancelled (call->service->ending)) {
    g_clear_error (&error);
    tokend_call_return_error (call->invocation, tokend_call_new_ending_error ());
  } else if (is_allowed) {
    handle (call, call->object);
  } else {
    tokend_call_return_error (call->invocation, error);
  }
}

static void
handle_for_owner (const Call *call)
{
  TokendOperation *operation = find_operation (call->service, call->invocation);

  if (operation != NULL)
    handle (call, operation);
  else
    return_no_operation (call->invocation);
}

static void
on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Call) call = user_data;
  const TokendMethod *method = call->method;
  TokendService *service = call->service;
  GError *error = NULL;
  const TokendCaller *caller =
      tokend_callers_admit_finish (TOKEND_CALLERS (source), result, &error);

  if (caller == NULL) {
    tokend_call_return_error (call->invocation, error);
  } else if (method->rule == TOKEND_METHOD_OWNER) {
    handle_for_owner (call);
  } else {
    GDBusMethodInvocation *invocation = call->invocation;

    tokend_gate_check_async (service->gate, invocation, method->action, TOKEND_GATE_AS_CALLER_SAYS,
                             NULL, NULL, caller->gone, service->ending, on_checked,
                             g_steal_pointer (&call));
  }
}

/**
 * tokend_dispatch_call:
 * @object: (nullable): the token that is called; %NULL: the manager, or an operation by its path.
 * @invocation: (transfer full): the call, as it came in.
 *
 * Has the call served, or refused.
 */
void
tokend_dispatch_call (TokendService *service, gpointer object, GDBusMethodInvocation *invocation)
{
  const TokendMethod *method =
      tokend_methods_find (g_dbus_method_invocation_get_interface_name (invocation),
                           g_dbus_method_invocation_get_method_name (invocation));
  g_autoptr (Call) call = g_new0 (Call, 1);

  *call = (Call){ service, method, invocation, object != NULL ? g_object_ref (object) : NULL };
  if (method == NULL)
    tokend_call_return_error (invocation, tokend_gate_answer_new_error (TOKEND_GATE_DENIED, NULL));
  else if (method->rule == TOKEND_METHOD_OPENS)
    handle (call,
            /* Limits are the operation's first step, since the journal has what they refuse. */
            object);
  else if (method->rule == TOKEND_METHOD_OWNER && find_operation (service, invocation) == NULL)
    return_no_operation (invocation);
  else
    tokend_callers_admit_async (service->callers, invocation, on_admitted, g_steal_pointer (&call));
}

static void
on_call (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *arguments, GDBusMethodInvocation *invocation,
         gpointer service)
{
  tokend_dispatch_call (service, NULL, invocation);
}

/* Answers the only property. */
static GVariant *
get_version (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
             const char *property, GError **error, gpointer service)
{
  return g_variant_new_string (TOKEND_VERSION);
}

/* Answers NotFound at paths without a token, where GDBus would call the methods unknown. */
static void
on_gone_token_call (GDBusConnection *bus, const char *sender, const char *path,
                    const char *interface, const char *method, GVariant *arguments,
                    GDBusMethodInvocation *invocation, gpointer service)
{
  tokend_call_return_error (invocation,
                            g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                                                 "The token is not there any more; see "
                                                 "GetManagedObjects for those that are"));
}

/* @path: the path that is called, or the one above, as GDBus chooses. */
static gboolean
is_of_operations (const char *path)
{
  return g_str_has_prefix (path, TOKEND_OPERATIONS_PATH);
}

static char **
list_nodes (GDBusConnection *bus, const char *sender, const char *path, gpointer service)
{
  return g_new0 (char *, 1);
}

/* @node: NULL: of all operations, or tokens. */
static GDBusInterfaceInfo **
get_interfaces (GDBusConnection *bus, const char *sender, const char *path, const char *node,
                gpointer service)
{
  GDBusInterfaceInfo **interfaces = g_new0 (GDBusInterfaceInfo *, 2);

  if (node != NULL)
    interfaces[0] =
        g_dbus_interface_info_ref (is_of_operations (path) ? tokend_dbus_operation_interface_info ()
                                                           : tokend_dbus_token_interface_info ());
  return interfaces;
}

static const GDBusInterfaceVTable *
get_vtable (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
            const char *node, gpointer *call_data, gpointer service)
{
  static const GDBusInterfaceVTable operations = { .method_call = on_call };
  static const GDBusInterfaceVTable gone_tokens = { .method_call = on_gone_token_call };

  *call_data = service;
  return is_of_operations (path) ? &operations : &gone_tokens;
}

/* Registers paths that are not listed: the bus shows the same at each, whatever is there. */
static guint
register_paths (TokendService *service, const char *path, GError **error)
{
  static const GDBusSubtreeVTable subtree = {
    .enumerate = list_nodes,
    .introspect = get_interfaces,
    .dispatch = get_vtable,
  };

  return g_dbus_connection_register_subtree (service->bus, path, &subtree,
                                             G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES,
                                             service, NULL, error);
}

/**
 * tokend_dispatch_register:
 * @self: all zero; what is registered.
 * @service: outlives it.
 *
 * Serves the calls of the manager and of all operations, and answers NotFound for tokens that are
 * not there. A token's object serves its own calls.
 */
gboolean
tokend_dispatch_register (TokendDispatch *self, TokendService *service, GError **error)
{
  static const GDBusInterfaceVTable manager = { .method_call = on_call,
                                                .get_property = get_version };

  self->manager = g_dbus_connection_register_object (service->bus, TOKEND_OBJECT_PATH,
                                                     tokend_dbus_manager_interface_info (),
                                                     &manager, service, NULL, error);
  if (self->manager != 0)
    self->operations = register_paths (service, TOKEND_OPERATIONS_PATH, error);
  if (self->operations != 0)
    self->gone_tokens = register_paths (service, TOKEND_TOKENS_PATH, error);
  return self->gone_tokens != 0;
}

/**
 * tokend_dispatch_unregister:
 * @self: registered or not.
 *
 * Undoes tokend_dispatch_register().
 */
void
tokend_dispatch_unregister (TokendDispatch *self, TokendService *service)
{
  if (self->manager != 0)
    g_dbus_connection_unregister_object (service->bus, self->manager);
  if (self->operations != 0)
    g_dbus_connection_unregister_subtree (service->bus, self->operations);
  if (self->gone_tokens != 0)
    g_dbus_connection_unregister_subtree (service->bus, self->gone_tokens);
}
