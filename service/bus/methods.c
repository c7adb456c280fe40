/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "methods.h"

#include "call.h"
#include "manager.h"
#include "operation.h"
#include "tokend-status.h"

static void
reply_with_status (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TokendToken *token = TOKEND_TOKEN (source);
  GDBusMethodInvocation *invocation = user_data;
  GError *error = NULL;

  if (tokend_token_refresh_finish (token, result, &error))
    g_dbus_method_invocation_return_value (
        invocation, g_variant_new ("(@a{sv})", tokend_token_get_status (token)));
  else
    tokend_call_return_error (invocation, error);
}

static void
refresh (TokendService *service, gpointer token, GDBusMethodInvocation *invocation,
         const char *action)
{
  tokend_token_refresh_async (token, reply_with_status, invocation);
}

static void
get_status (TokendService *service, gpointer token, GDBusMethodInvocation *invocation,
            const char *action)
{
  if (tokend_token_is_fresh (token))
    g_dbus_method_invocation_return_value (
        invocation, g_variant_new ("(@a{sv})", tokend_token_get_status (token)));
  else
    refresh (service, token, invocation, action);
}

static GVariant *
get_options (GDBusMethodInvocation *invocation)
{
  return g_variant_get_child_value (g_dbus_method_invocation_get_parameters (invocation), 0);
}

static void
unlock (TokendService *service, gpointer token, GDBusMethodInvocation *invocation,
        const char *action)
{
  g_autoptr (GVariant) options = get_options (invocation);

  tokend_operation_start (service, token, TOKEND_ROLE_PUK, action, invocation, options);
}

static void
set_pin (TokendService *service, gpointer token, GDBusMethodInvocation *invocation,
         const char *action)
{
  g_autoptr (GVariant) options = get_options (invocation);

  tokend_operation_start (service, token, TOKEND_ROLE_PIN, action, invocation, options);
}

static void
finish (TokendService *service, gpointer operation, GDBusMethodInvocation *invocation,
        const char *action)
{
  g_autoptr (GVariant) options = get_options (invocation);

  tokend_operation_finish (operation, invocation, options);
}

static void
again (TokendService *service, gpointer operation, GDBusMethodInvocation *invocation,
       const char *action)
{
  tokend_operation_again (operation, invocation);
}

static void
cancel (TokendService *service, gpointer operation, GDBusMethodInvocation *invocation,
        const char *action)
{
  tokend_operation_cancel (operation, invocation);
}

#define MANAGER "org.tokend.Tokend1.Manager"
#define TOKEN "org.tokend.Tokend1.Token"
#define OPERATION "org.tokend.Tokend1.Operation"

/* Everything that can be called; dispatch.c refuses all else. */
static const TokendMethod methods[] = {
  { MANAGER, "Subscribe", TOKEND_METHOD_ACTION, TOKEND_ACTION_READ_STATUS,
    tokend_manager_subscribe },
  { MANAGER, "Unsubscribe", TOKEND_METHOD_ACTION, TOKEND_ACTION_READ_STATUS,
    tokend_manager_unsubscribe },
  { MANAGER, "GetModules", TOKEND_METHOD_ACTION, TOKEND_ACTION_READ_STATUS,
    tokend_manager_get_modules },
  { TOKEN, "GetStatus", TOKEND_METHOD_ACTION, TOKEND_ACTION_READ_STATUS, get_status },
  { TOKEN, "Refresh", TOKEND_METHOD_ACTION, TOKEND_ACTION_READ_STATUS, refresh },
  { TOKEN, "Unlock", TOKEND_METHOD_OPENS, TOKEND_ACTION_UNLOCK, unlock },
  { TOKEN, "SetPin", TOKEND_METHOD_OPENS, TOKEND_ACTION_SET_PIN, set_pin },
  { OPERATION, "Finish", TOKEND_METHOD_OWNER, NULL, finish },
  { OPERATION, "Again", TOKEND_METHOD_OWNER, NULL, again },
  { OPERATION, "Cancel", TOKEND_METHOD_OWNER, NULL, cancel },
};

const TokendMethod *
tokend_methods_get_all (gsize *n_methods)
{
  *n_methods = G_N_ELEMENTS (methods);
  return methods;
}

/**
 * tokend_methods_find:
 *
 * Returns: (transfer none) (nullable): the row of a method; %NULL: it cannot be called.
 */
const TokendMethod *
tokend_methods_find (const char *interface, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (g_str_equal (methods[i].interface, interface) && g_str_equal (methods[i].name, name))
      return &methods[i];
  return NULL;
}
