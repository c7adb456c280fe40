/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manager.h"

#include "call.h"
#include "module.h"

/* How long Subscribe waits for the modules; a module that hangs holds up no subscriber. */
#define FIRST_READ_TIMEOUT_MS 3000

/* A reply to Subscribe, which waits for reads of several modules and for a deadline. */
typedef struct {
  grefcount references;
  GDBusMethodInvocation *invocation; /* NULL once replied to */
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

  /* GetModules tells of a module that failed. */
  tokend_token_source_read_finish (TOKEND_TOKEN_SOURCE (source), result, NULL);
  if (--first->n_reads == 0)
    reply (first);
  first_read_unref (first);
}

void
tokend_manager_subscribe (TokendService *service, gpointer object,
                          GDBusMethodInvocation *invocation, const char *action)
{
  GPtrArray *modules = service->modules;
  GError *error = NULL;
  FirstRead *first;

  if (!tokend_callers_subscribe (service->callers, g_dbus_method_invocation_get_sender (invocation),
                                 &error)) {
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

void
tokend_manager_unsubscribe (TokendService *service, gpointer object,
                            GDBusMethodInvocation *invocation, const char *action)
{
  tokend_callers_unsubscribe (service->callers, g_dbus_method_invocation_get_sender (invocation));
  g_dbus_method_invocation_return_value (invocation, NULL);
}

void
tokend_manager_get_modules (TokendService *service, gpointer object,
                            GDBusMethodInvocation *invocation, const char *action)
{
  GPtrArray *modules = service->modules;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < modules->len; i++)
    g_variant_builder_add_value (&builder, tokend_module_describe (modules->pdata[i]));
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &builder));
}
