/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "authorize.h"
#include "call.h"
#include "callers.h"
#include "config.h"
#include "module.h"

/* Subscribe waits so long for the modules to be read; one that hangs holds no subscriber up. */
#define FIRST_READ_TIMEOUT_MS 3000

struct _TokendManager {
  TokendDbusManagerSkeleton parent_instance;

  TokendService *service;
};

static void tokend_manager_iface_init (TokendDbusManagerIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TokendManager, tokend_manager, TOKEND_DBUS_TYPE_MANAGER_SKELETON,
                               G_IMPLEMENT_INTERFACE (TOKEND_DBUS_TYPE_MANAGER,
                                                      tokend_manager_iface_init))

static void
tokend_manager_init (TokendManager *self)
{
}

static void
tokend_manager_class_init (TokendManagerClass *klass)
{
}

/** tokend_manager_new: Returns: (transfer full): the manager, to be exported. */
TokendManager *
tokend_manager_new (TokendService *service)
{
  TokendManager *self = g_object_new (TOKEND_TYPE_MANAGER, "version", TOKEND_VERSION, NULL);

  self->service = service;
  return self;
}

/* The reply to Subscribe waits for reads of several modules, and for a deadline. */
typedef struct {
  grefcount references;
  GDBusMethodInvocation *invocation; /* NULL once it is replied to */
  guint n_reads;
  guint timeout;
} FirstRead;

static void
first_read_unref (FirstRead *first)
{
  if (g_ref_count_dec (&first->references))
    g_free (first);
}

static void
reply (FirstRead *first)
{
  g_clear_handle_id (&first->timeout, g_source_remove);
  if (first->invocation != NULL)
    g_dbus_method_invocation_return_value (g_steal_pointer (&first->invocation), NULL);
}

static gboolean
on_timeout (gpointer user_data)
{
  FirstRead *first = user_data;

  first->timeout = 0;
  reply (first);
  return G_SOURCE_REMOVE;
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  FirstRead *first = user_data;

  /* A module that failed says so in GetModules. */
  tokend_token_source_read_finish (TOKEND_TOKEN_SOURCE (source), result, NULL);
  if (--first->n_reads == 0)
    reply (first);
  first_read_unref (first);
}

static void
subscribe (gpointer object, GDBusMethodInvocation *invocation)
{
  TokendManager *self = object;
  GPtrArray *modules = self->service->modules;
  GError *error = NULL;
  FirstRead *first;

  if (!tokend_subscribers_add (
          self->service->subscribers, g_dbus_method_invocation_get_sender (invocation),
          tokend_callers_get_user (self->service->callers, invocation), &error)) {
    tokend_call_return_error (invocation, error);
    return;
  }
  if (modules->len == 0) {
    g_dbus_method_invocation_return_value (invocation, NULL);
    return;
  }

  first = g_new0 (FirstRead, 1);
  g_ref_count_init (&first->references);
  first->invocation = invocation;
  first->n_reads = modules->len;
  first->timeout = g_timeout_add (FIRST_READ_TIMEOUT_MS, on_timeout, first);
  for (guint i = 0; i < modules->len; i++) {
    g_ref_count_inc (&first->references);
    tokend_token_source_read_async (modules->pdata[i], on_read, first);
  }
  first_read_unref (first);
}

static void
unsubscribe (gpointer object, GDBusMethodInvocation *invocation)
{
  TokendManager *self = object;

  tokend_subscribers_remove (self->service->subscribers,
                             g_dbus_method_invocation_get_sender (invocation));
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
get_modules (gpointer object, GDBusMethodInvocation *invocation)
{
  TokendManager *self = object;
  GPtrArray *modules = self->service->modules;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < modules->len; i++)
    g_variant_builder_add_value (&builder, tokend_module_describe (modules->pdata[i]));
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &builder));
}

static gboolean
handle_subscribe (TokendDbusManager *object, GDBusMethodInvocation *invocation)
{
  tokend_authorize (TOKEND_MANAGER (object)->service, invocation, subscribe, object);
  return TRUE;
}

static gboolean
handle_unsubscribe (TokendDbusManager *object, GDBusMethodInvocation *invocation)
{
  tokend_authorize (TOKEND_MANAGER (object)->service, invocation, unsubscribe, object);
  return TRUE;
}

static gboolean
handle_get_modules (TokendDbusManager *object, GDBusMethodInvocation *invocation)
{
  tokend_authorize (TOKEND_MANAGER (object)->service, invocation, get_modules, object);
  return TRUE;
}

static void
tokend_manager_iface_init (TokendDbusManagerIface *iface)
{
  iface->handle_subscribe = handle_subscribe;
  iface->handle_unsubscribe = handle_unsubscribe;
  iface->handle_get_modules = handle_get_modules;
}
