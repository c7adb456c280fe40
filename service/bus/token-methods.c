/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-methods.h"

#include "authorize.h"
#include "call.h"
#include "operation.h"
#include "tokend-glue.h"

/*
 * The object of a token on the bus, as long as its module shows it.
 */
#define TOKEND_TYPE_TOKEN_METHODS (tokend_token_methods_get_type ())
G_DECLARE_FINAL_TYPE (TokendTokenMethods, tokend_token_methods, TOKEND, TOKEN_METHODS,
                      TokendDbusTokenSkeleton)

struct _TokendTokenMethods {
  TokendDbusTokenSkeleton parent_instance;

  TokendService *service;
  TokendToken *token;
};

static void tokend_token_methods_iface_init (TokendDbusTokenIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TokendTokenMethods, tokend_token_methods,
                               TOKEND_DBUS_TYPE_TOKEN_SKELETON,
                               G_IMPLEMENT_INTERFACE (TOKEND_DBUS_TYPE_TOKEN,
                                                      tokend_token_methods_iface_init))

static void
tokend_token_methods_init (TokendTokenMethods *self)
{
}

static void
tokend_token_methods_finalize (GObject *object)
{
  TokendTokenMethods *self = TOKEND_TOKEN_METHODS (object);

  g_object_unref (self->token);
  G_OBJECT_CLASS (tokend_token_methods_parent_class)->finalize (object);
}

static void
tokend_token_methods_class_init (TokendTokenMethodsClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_token_methods_finalize;
}

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
  TokendTokenMethods *self = TOKEND_TOKEN_METHODS (object);

  tokend_authorize (self->service, invocation, get_status, self->token);
  return TRUE;
}

static gboolean
handle_refresh (TokendDbusToken *object, GDBusMethodInvocation *invocation)
{
  TokendTokenMethods *self = TOKEND_TOKEN_METHODS (object);

  tokend_authorize (self->service, invocation, refresh, self->token);
  return TRUE;
}

static gboolean
handle_unlock (TokendDbusToken *object, GDBusMethodInvocation *invocation, GUnixFDList *fds,
               GVariant *options)
{
  TokendTokenMethods *self = TOKEND_TOKEN_METHODS (object);

  tokend_operation_start (self->service, self->token, TOKEND_ROLE_PUK, invocation, options);
  return TRUE;
}

static gboolean
handle_set_pin (TokendDbusToken *object, GDBusMethodInvocation *invocation, GUnixFDList *fds,
                GVariant *options)
{
  TokendTokenMethods *self = TOKEND_TOKEN_METHODS (object);

  tokend_operation_start (self->service, self->token, TOKEND_ROLE_PIN, invocation, options);
  return TRUE;
}

static void
tokend_token_methods_iface_init (TokendDbusTokenIface *iface)
{
  iface->handle_get_status = handle_get_status;
  iface->handle_refresh = handle_refresh;
  iface->handle_unlock = handle_unlock;
  iface->handle_set_pin = handle_set_pin;
}

static void
on_gone (TokendToken *token, TokendTokenMethods *self)
{
  g_dbus_object_manager_server_unexport (self->service->objects,
                                         tokend_token_get_object_path (token));
}

/** tokend_token_methods_export: puts @token on the bus, until it is gone. */
void
tokend_token_methods_export (TokendService *service, TokendToken *token)
{
  g_autoptr (TokendTokenMethods) self = g_object_new (TOKEND_TYPE_TOKEN_METHODS, NULL);
  g_autoptr (TokendDbusObjectSkeleton) object =
      tokend_dbus_object_skeleton_new (tokend_token_get_object_path (token));

  self->service = service;
  self->token = g_object_ref (token);
  g_signal_connect_object (token, "gone", G_CALLBACK (on_gone), self, 0);
  tokend_dbus_object_skeleton_set_token (object, TOKEND_DBUS_TOKEN (self));
  g_dbus_object_manager_server_export (service->objects, G_DBUS_OBJECT_SKELETON (object));
}
