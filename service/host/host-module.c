/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-module.h"

#include "card-numbers.h"
#include "enum-nick.h"
#include "opensc-readers.h"
#include "pkcs11-reason.h"
#include "slots.h"
#include "tokend-enums.h"
#include "tokend-error.h"

/* org.tokend.Module1 */
struct _TokendHostModule {
  TokendDbusModule1Skeleton parent;
  TokendHostState *host;
};

typedef struct {
  TokendHostState *host;
  GDBusMethodInvocation *invocation;
  char *path;
  GVariant *environment;
  char *reader;
  GVariant *questions;
  gboolean is_for_cards;
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
  g_free (call->reader);
  g_clear_pointer (&call->environment, g_variant_unref);
  g_clear_pointer (&call->questions, g_variant_unref);
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

static GVariant *
initialize (const Call *call, GError **error)
{
  TokendHostState *host = call->host;

  if (call->is_for_cards)
    return tokend_opensc_readers_check (error) ? g_variant_ref_sink (g_variant_new ("a{sv}", NULL))
                                               : NULL;
  if (tokend_opensc_readers_get_configuration () != NULL
      && !tokend_opensc_readers_leave_out_others (call->reader, error))
    return NULL;
  if (!tokend_pkcs11_module_initialize (&host->read, error))
    return NULL;
  return tokend_pkcs11_module_describe (&host->read, error);
}

static void
load (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Call *call = data;
  TokendHostState *host = call->host;
  TokendOperationFunctions *functions = host->mode == TOKEND_HOST_OPERATE ? &host->functions : NULL;
  GVariant *info = NULL;
  GError *error = NULL;

  tokend_card_numbers_set_questions (call->questions);
  if (tokend_pkcs11_module_load (call->path, call->environment, &host->read, functions, &error))
    info = initialize (call, &error);
  if (info != NULL)
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

  if (call->is_for_cards)
    call->host->cards = tokend_cards_new (call->path, call->environment, call->questions);
  tokend_host_end (call->host, TOKEND_HOST_STAGE_LOADED);
  tokend_dbus_module1_complete_load (NULL, call->invocation, info);
}

static gboolean
handle_load (TokendDbusModule1 *object, GDBusMethodInvocation *invocation, const char *path,
             GVariant *environment, const char *watch, const char *reader, GVariant *questions)
{
  TokendHostState *host = TOKEND_HOST_MODULE (object)->host;
  Call *call;

  if (!tokend_host_begin (host, TOKEND_HOST_CALL_LOAD, invocation))
    return TRUE;

  call = call_new (object, invocation);
  call->path = g_strdup (path);
  call->reader = g_strdup (reader);
  call->environment = g_variant_ref (environment);
  call->questions = g_variant_ref (questions);
  call->is_for_cards = host->mode == TOKEND_HOST_WATCH && g_str_equal (watch, "readers");
  run (call, load, on_loaded);
  return TRUE;
}

static GVariant *
read_prepared_token (const TokendPkcs11Operation *operation, GError **error)
{
  GVariant *reading = tokend_pkcs11_operation_read (operation, error);

  return reading != NULL ? g_variant_new_array (G_VARIANT_TYPE_VARDICT, &reading, 1) : NULL;
}

static GVariant *
read_all (const Call *call, GError **error)
{
  TokendHostState *host = call->host;

  if (host->operation != NULL)
    return read_prepared_token (host->operation, error);
  return tokend_slots_read_all (&host->read, host->certificates, host->slot_events, &host->readings,
                                error);
}

static void
read_tokens (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GError *error = NULL;
  GVariant *tokens = read_all (data, &error);

  if (tokens != NULL)
    g_task_return_pointer (task, g_variant_ref_sink (tokens), (GDestroyNotify) g_variant_unref);
  else
    g_task_return_error (task, error);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  static const char *const unknown[] = { NULL };
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) tokens = g_task_propagate_pointer (G_TASK (result), &error);

  tokend_host_end (call->host, call->host->stage);
  if (tokens != NULL)
    tokend_dbus_module1_complete_read (NULL, call->invocation, tokens,
                                       tokend_enum_get_nick (TOKEND_TYPE_DOUBT, TOKEND_DOUBT_NONE),
                                       unknown);
  else
    g_dbus_method_invocation_return_gerror (call->invocation, error);
}

static void
on_cards_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GVariant) answer = tokend_cards_read_finish (result);

  tokend_host_end (call->host, call->host->stage);
  g_dbus_method_invocation_return_value (call->invocation, answer);
}

static gboolean
handle_read (TokendDbusModule1 *object, GDBusMethodInvocation *invocation, gboolean all)
{
  TokendHostState *host = TOKEND_HOST_MODULE (object)->host;

  if (!tokend_host_begin (host, TOKEND_HOST_CALL_READ, invocation))
    return TRUE;
  if (host->cards != NULL)
    tokend_cards_read_async (host->cards, all, on_cards_read, call_new (object, invocation));
  else
    run (call_new (object, invocation), read_tokens, on_read);
  return TRUE;
}

static gboolean
wait_for_slot_event (TokendHostState *host, GError **error)
{
  const CK_RV rv = tokend_slot_events_wait (host->slot_events, &host->read);

  return rv == CKR_OK
         || tokend_pkcs11_set_error (error,
                                     rv == CKR_FUNCTION_NOT_SUPPORTED ? TOKEND_ERROR_NOT_SUPPORTED
                                                                      : TOKEND_ERROR_MODULE_FAILED,
                                     "C_WaitForSlotEvent", rv);
}

static void
wait_for_change (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  TokendHostState *host = ((Call *) data)->host;
  GError *error = NULL;

  if (wait_for_slot_event (host, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;

  call->host->waiting = FALSE;
  g_task_propagate_boolean (G_TASK (result), &error);
  if (error == NULL)
    tokend_dbus_module1_complete_wait_for_change (NULL, call->invocation);
  else
    g_dbus_method_invocation_return_gerror (call->invocation, error);
}

static void
begin_wait (Call *call)
{
  g_autoptr (GTask) task = g_task_new (NULL, NULL, on_waited, call);

  g_task_set_task_data (task, call, NULL);
  g_task_run_in_thread (task, wait_for_change);
}

static void
begin_events (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  TokendHostState *host = ((Call *) data)->host;

  tokend_slot_events_begin (host->slot_events, &host->read);
  g_task_return_boolean (task, TRUE);
}

static void
on_events_begun (GObject *source, GAsyncResult *result, gpointer data)
{
  begin_wait (data);
}

/* A read that is asked for later comes after what the module tells at first. */
static gboolean
handle_wait_for_change (TokendDbusModule1 *object, GDBusMethodInvocation *invocation)
{
  TokendHostState *host = TOKEND_HOST_MODULE (object)->host;
  Call *call;

  if (host->waiting) {
    g_dbus_method_invocation_return_error_literal (invocation, TOKEND_ERROR, TOKEND_ERROR_BUSY,
                                                   "Another call waits");
    return TRUE;
  }
  if (host->mode != TOKEND_HOST_WATCH || host->stage != TOKEND_HOST_STAGE_LOADED
      || (host->cards == NULL && host->read.wait_for_slot_event == NULL)) {
    g_dbus_method_invocation_return_error_literal (
        invocation, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED, "This module host cannot wait");
    return TRUE;
  }
  host->waiting = TRUE;
  call = call_new (object, invocation);
  if (host->cards != NULL)
    tokend_cards_wait_async (host->cards, on_waited, call);
  else
    run (call, begin_events, on_events_begun);
  return TRUE;
}

static gboolean
handle_stop_waiting (TokendDbusModule1 *object, GDBusMethodInvocation *invocation)
{
  TokendHostState *host = TOKEND_HOST_MODULE (object)->host;

  if (host->cards != NULL)
    tokend_cards_stop_waiting (host->cards);
  tokend_dbus_module1_complete_stop_waiting (NULL, invocation);
  return TRUE;
}

static void
tokend_host_module_iface_init (TokendDbusModule1Iface *iface)
{
  iface->handle_load = handle_load;
  iface->handle_read = handle_read;
  iface->handle_wait_for_change = handle_wait_for_change;
  iface->handle_stop_waiting = handle_stop_waiting;
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
tokend_host_module_new (TokendHostState *host)
{
  TokendHostModule *self = g_object_new (TOKEND_TYPE_HOST_MODULE, NULL);

  self->host = host;
  return self;
}
