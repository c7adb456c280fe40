/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-methods.h"

#include "call.h"
#include "operation.h"

static void
reply_with_status (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TokendToken *self = TOKEND_TOKEN (source);
  GDBusMethodInvocation *invocation = user_data;
  GError *error = NULL;

  if (tokend_token_refresh_finish (self, result, &error))
    g_dbus_method_invocation_return_value (
        invocation, g_variant_new ("(@a{sv})", tokend_token_get_status (self)));
  else
    tokend_call_return_error (invocation, error);
}

static void
refresh (gpointer object, GDBusMethodInvocation *invocation)
{
  tokend_token_refresh_async (object, reply_with_status, invocation);
}

static void
get_status (gpointer object, GDBusMethodInvocation *invocation)
{
  TokendToken *self = object;

  if (tokend_token_is_fresh (self))
    g_dbus_method_invocation_return_value (
        invocation, g_variant_new ("(@a{sv})", tokend_token_get_status (self)));
  else
    refresh (object, invocation);
}

static gboolean
handle_get_status (TokendDbusToken *object, GDBusMethodInvocation *invocation)
{
  TokendToken *self = TOKEND_TOKEN (object);

  tokend_call_authorize (tokend_token_get_service (self), invocation, get_status, self);
  return TRUE;
}

static gboolean
handle_refresh (TokendDbusToken *object, GDBusMethodInvocation *invocation)
{
  TokendToken *self = TOKEND_TOKEN (object);

  tokend_call_authorize (tokend_token_get_service (self), invocation, refresh, self);
  return TRUE;
}

static gboolean
handle_unlock (TokendDbusToken *object, GDBusMethodInvocation *invocation, GUnixFDList *fds,
               GVariant *options)
{
  TokendToken *self = TOKEND_TOKEN (object);

  tokend_operation_start (tokend_token_get_service (self), self, TOKEND_ROLE_PUK, invocation,
                          options);
  return TRUE;
}

static gboolean
handle_set_pin (TokendDbusToken *object, GDBusMethodInvocation *invocation, GUnixFDList *fds,
                GVariant *options)
{
  TokendToken *self = TOKEND_TOKEN (object);

  tokend_operation_start (tokend_token_get_service (self), self, TOKEND_ROLE_PIN, invocation,
                          options);
  return TRUE;
}

/** tokend_token_methods_init: what org.tokend.Tokend1.Token calls on a token. */
void
tokend_token_methods_init (TokendDbusTokenIface *iface)
{
  iface->handle_get_status = handle_get_status;
  iface->handle_refresh = handle_refresh;
  iface->handle_unlock = handle_unlock;
  iface->handle_set_pin = handle_set_pin;
}
