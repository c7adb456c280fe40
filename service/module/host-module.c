/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-module.h"

#include "pkcs11-reason.h"
#include "slots.h"
#include "tokend-error.h"

/* org.tokend.Module1 */
struct _TokendHostModule {
  TokendDbusModule1Skeleton parent;
  TokendHost *host;
};

typedef struct {
  TokendHost *host;
  GDBusMethodInvocation *invocation;
  char *path;
  GVariant *environment;
} Call;

static void tokend_host_module_iface_init (TokendDbusModule1Iface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TokendHostModule, tokend_host_module,
                               TOKEND_DBUS_TYPE_MODULE1_SKELETON,
                               G_IMPLEMENT_INTERFACE (TOKEND_DBUS_TYPE_MODULE1,
                                                      tokend_host_module_iface_init))

static Call *
call_new (TokendDbusModule1 *object, GDBusMethodInvocation *invocation)
{
  Call *call = g_new0 (Call, 1);

  call->host = TOKEND_HOST_MODULE (object)->host;
  call->invocation = invocation;
  return call;
}

static void
call_free (Call *call)
{
  g_free (call->path);
  g_clear_pointer (&call->environment, g_variant_unref);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static void
run (Call *call, GTaskThreadFunc func, GAsyncReadyCallback done)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, done, call);

  g_task_set_task_data (task, call, NULL);
  tokend_worker_run (call->host->worker, task, func);
}

static void
load (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Call *call = data;
  TokendHost *host = call->host;
  TokendOperationFunctions *functions = host->mode == TOKEND_HOST_OPERATE ? &host->functions : NULL;
  GVariant *info;
  GError *error = NULL;

  if (tokend_pkcs11_module_load (call->path, call->environment, &host->read, functions, &info,
                                 &error))
    g_task_return_pointer (task, info, (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

static void
on_loaded (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) info = g_task_propagate_pointer (G_TASK (result), &error);

  if (info == NULL) {
    tokend_host_end (call->host, TOKEND_HOST_STAGE_FAILED);
    g_dbus_method_invocation_return_gerror (call->invocation, error);
    return;
  }

  tokend_host_end (call->host, TOKEND_HOST_STAGE_LOADED);
  tokend_dbus_module1_complete_load (NULL, call->invocation, info);
}

static gboolean
handle_load (TokendDbusModule1 *object, GDBusMethodInvocation *invocation, const char *path,
             GVariant *environment)
{
  Call *call;

  if (!tokend_host_begin (TOKEND_HOST_MODULE (object)->host, TOKEND_HOST_CALL_LOAD, invocation))
    return TRUE;

  call = call_new (object, invocation);
  call->path = g_strdup (path);
  call->environment = g_variant_ref (environment);
  run (call, load, on_loaded);
  return TRUE;
}

static GVariant *
read_prepared_token (const TokendOperation *operation, GError **error)
{
  GVariant *reading = tokend_operation_read (operation, error);

  return reading != NULL ? g_variant_new_array (G_VARIANT_TYPE_VARDICT, &reading, 1) : NULL;
}

static void
read_tokens (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const TokendHost *host = ((Call *) data)->host;
  GError *error = NULL;
  GVariant *tokens = host->operation != NULL
                         ? read_prepared_token (host->operation, &error)
                         : tokend_slots_read_with_numbers (&host->read, host->certificates, &error);

  if (tokens != NULL)
    g_task_return_pointer (task, g_variant_ref_sink (tokens), (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) tokens = g_task_propagate_pointer (G_TASK (result), &error);

  tokend_host_end (call->host, call->host->stage);
  if (tokens != NULL)
    tokend_dbus_module1_complete_read (NULL, call->invocation, tokens);
  else
    g_dbus_method_invocation_return_gerror (call->invocation, error);
}

static gboolean
handle_read (TokendDbusModule1 *object, GDBusMethodInvocation *invocation)
{
  if (tokend_host_begin (TOKEND_HOST_MODULE (object)->host, TOKEND_HOST_CALL_READ, invocation))
    run (call_new (object, invocation), read_tokens, on_read);
  return TRUE;
}

static void
wait_for_slot_event (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const CK_C_WaitForSlotEvent wait = ((Call *) data)->host->read.wait_for_slot_event;
  GError *error = NULL;
  CK_SLOT_ID slot = 0;
  CK_RV rv = wait (0, &slot, NULL);

  if (rv == CKR_OK) {
    g_task_return_boolean (task, TRUE);
    return;
  }
  tokend_pkcs11_set_error (&error,
                           rv == CKR_FUNCTION_NOT_SUPPORTED ? TOKEND_ERROR_NOT_SUPPORTED
                                                            : TOKEND_ERROR_MODULE_FAILED,
                           "C_WaitForSlotEvent", rv);
  g_task_return_error (task, error);
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;

  call->host->waiting = FALSE;
  if (g_task_propagate_boolean (G_TASK (result), &error))
    tokend_dbus_module1_complete_wait_for_slot_event (NULL, call->invocation);
  else
    g_dbus_method_invocation_return_gerror (call->invocation, error);
}

static gboolean
handle_wait_for_slot_event (TokendDbusModule1 *object, GDBusMethodInvocation *invocation)
{
  TokendHost *host = TOKEND_HOST_MODULE (object)->host;
  g_autoptr (GTask) task = NULL;
  Call *call;

  if (host->waiting) {
    g_dbus_method_invocation_return_error_literal (invocation, TOKEND_ERROR, TOKEND_ERROR_BUSY,
                                                   "Another call waits");
    return TRUE;
  }
  if (host->mode != TOKEND_HOST_WATCH || host->stage != TOKEND_HOST_STAGE_LOADED
      || host->read.wait_for_slot_event == NULL) {
    g_dbus_method_invocation_return_error_literal (
        invocation, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED, "This module host cannot wait");
    return TRUE;
  }
  host->waiting = TRUE;
  call = call_new (object, invocation);
  task = g_task_new (NULL, NULL, on_waited, call);
  g_task_set_task_data (task, call, NULL);
  g_task_run_in_thread (task, wait_for_slot_event);
  return TRUE;
}

static void
tokend_host_module_iface_init (TokendDbusModule1Iface *iface)
{
  iface->handle_load = handle_load;
  iface->handle_read = handle_read;
  iface->handle_wait_for_slot_event = handle_wait_for_slot_event;
}

static void
tokend_host_module_class_init (TokendHostModuleClass *class)
{
}

static void
tokend_host_module_init (TokendHostModule *self)
{
}

/**
 * tokend_host_module_new:
 * @host: lives as long as the process
 *
 * Returns: (transfer full): the interface of @host that loads and reads
 */
TokendHostModule *
tokend_host_module_new (TokendHost *host)
{
  TokendHostModule *self = g_object_new (TOKEND_TYPE_HOST_MODULE, NULL);

  self->host = host;
  return self;
}
