/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-object.h"

#include "dispatch.h"
#include "tokend-glue.h"

/* A token's object on the bus, as long as its module shows it. */
#define TOKEND_TYPE_TOKEN_OBJECT (tokend_token_object_get_type ())
G_DECLARE_FINAL_TYPE (TokendTokenObject, tokend_token_object, TOKEND, TOKEN_OBJECT,
                      TokendDbusTokenSkeleton)

struct _TokendTokenObject {
  TokendDbusTokenSkeleton parent_instance;

  TokendService *service;
  TokendToken *token;
};

G_DEFINE_FINAL_TYPE (TokendTokenObject, tokend_token_object, TOKEND_DBUS_TYPE_TOKEN_SKELETON)

static void
tokend_token_object_init (TokendTokenObject *self)
{
}

static void
tokend_token_object_finalize (GObject *object)
{
  TokendTokenObject *self = TOKEND_TOKEN_OBJECT (object);

  g_object_unref (self->token);
  G_OBJECT_CLASS (tokend_token_object_parent_class)->finalize (object);
}

static void
on_call (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *arguments, GDBusMethodInvocation *invocation,
         gpointer user_data)
{
  TokendTokenObject *self = user_data;

  tokend_dispatch_call (self->service, self->token, invocation);
}

/* Replaces the skeleton's vtable, whose handlers would be called without a check. */
static GDBusInterfaceVTable *
get_vtable (GDBusInterfaceSkeleton *skeleton)
{
  static GDBusInterfaceVTable vtable = { .method_call = on_call };

  return &vtable;
}

static void
tokend_token_object_class_init (TokendTokenObjectClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_token_object_finalize;
  G_DBUS_INTERFACE_SKELETON_CLASS (klass)->get_vtable = get_vtable;
}

static void
on_gone (TokendToken *token, TokendTokenObject *self)
{
  g_dbus_object_manager_server_unexport (self->service->objects,
                                         tokend_token_get_object_path (token));
}

/**
 * tokend_token_object_export:
 *
 * Puts @token on the bus, until it is gone.
 */
void
tokend_token_object_export (TokendService *service, TokendToken *token)
{
  g_autoptr (TokendTokenObject) self = g_object_new (TOKEND_TYPE_TOKEN_OBJECT, NULL);
  g_autoptr (TokendDbusObjectSkeleton) object =
      tokend_dbus_object_skeleton_new (tokend_token_get_object_path (token));

  self->service = service;
  self->token = g_object_ref (token);
  g_signal_connect_object (token, "gone", G_CALLBACK (on_gone), self, 0);
  tokend_dbus_object_skeleton_set_token (object, TOKEND_DBUS_TOKEN (self));
  g_dbus_object_manager_server_export (service->objects, G_DBUS_OBJECT_SKELETON (object));
}
