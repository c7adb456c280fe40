/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-module.h"

#include "hidden-cards.h"
#include "pkcs11-reason.h"
#include "slots.h"
#include "tokend-error.h"

#include <sysexits.h>

/* Another program that uses a card without a pause lets the module wait for its turn, without a
 * limit. Then tokend is answered before it gives the module up; one that waits for so long as this
 * hangs. In seconds. */
#define TURN_DEADLINE 4
#define HANG_DEADLINE 60

/* The module holds its cards for so long after a read, unless another comes: he who watches them
 * may have left. In seconds. */
#define LINGER 2

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
  guint deadline;
  gboolean is_for_all;
  gboolean is_watched;
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
  g_clear_handle_id (&call->deadline, g_source_remove);
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
initialize (TokendHostState *host, GError **error)
{
  if (host->cards != NULL)
    return g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  if (host->mode == TOKEND_HOST_OPERATE
      && !tokend_hidden_cards_leave_out (&host->has_hidden_cards, error))
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

  if (tokend_pkcs11_module_load (call->path, call->environment, &host->read, functions, &error))
    info = initialize (host, &error);
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

  tokend_host_end (call->host, TOKEND_HOST_STAGE_LOADED);
  tokend_dbus_module1_complete_load (NULL, call->invocation, info);
}

static gboolean
handle_load (TokendDbusModule1 *object, GDBusMethodInvocation *invocation, const char *path,
             GVariant *environment, const char *watch)
{
  TokendHostState *host = TOKEND_HOST_MODULE (object)->host;
  Call *call;

  if (!tokend_host_begin (host, TOKEND_HOST_CALL_LOAD, invocation))
    return TRUE;

  if (host->mode == TOKEND_HOST_WATCH && g_str_equal (watch, "readers"))
    host->cards = tokend_cards_new ();

  call = call_new (object, invocation);
  call->path = g_strdup (path);
  call->environment = g_variant_ref (environment);
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
  if (host->cards != NULL)
    return tokend_cards_read (host->cards, &host->read, host->certificates, call->is_for_all,
                              call->is_watched, error);
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
let_go (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  TokendHostState *host = data;

  tokend_cards_let_go (host->cards, &host->read);
  g_task_return_boolean (task, TRUE);
}

static gboolean
on_lingered (gpointer data)
{
  TokendHostState *host = data;
  g_autoptr (GTask) task = g_task_new (NULL, NULL, NULL, NULL);

  host->linger = 0;
  g_task_set_task_data (task, host, NULL);
  tokend_worker_run (host->worker, task, let_go);
  return G_SOURCE_REMOVE;
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) tokens = g_task_propagate_pointer (G_TASK (result), &error);

  tokend_host_end (call->host, call->host->stage);
  if (call->host->cards != NULL)
    call->host->linger = g_timeout_add_seconds (LINGER, on_lingered, call->host);
  if (call->invocation == NULL)
    return;
  if (tokens != NULL)
    tokend_dbus_module1_complete_read (NULL, call->invocation, tokens,
                                       call->host->cards != NULL
                                           && tokend_cards_have_hidden (call->host->cards));
  else
    g_dbus_method_invocation_return_gerror (call->invocation, error);
}

static gboolean
on_hang (gpointer data)
{
  tokend_host_leave (EX_SOFTWARE);
}

static gboolean
on_turn_overdue (gpointer data)
{
  Call *call = data;

  call->deadline = 0;
  if (!tokend_cards_are_in_use (call->host->cards))
    return G_SOURCE_REMOVE;
  tokend_cards_lose_read (call->host->cards);
  g_dbus_method_invocation_return_error_literal (
      g_steal_pointer (&call->invocation), TOKEND_ERROR, TOKEND_ERROR_BUSY,
      "Another program is using the card without a pause");
  call->deadline = g_timeout_add_seconds (HANG_DEADLINE, on_hang, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
handle_read (TokendDbusModule1 *object, GDBusMethodInvocation *invocation, gboolean all)
{
  TokendHostState *host = TOKEND_HOST_MODULE (object)->host;
  Call *call;

  if (!tokend_host_begin (host, TOKEND_HOST_CALL_READ, invocation))
    return TRUE;
  call = call_new (object, invocation);
  call->is_for_all = all;
  call->is_watched = host->waiting || host->told;
  host->told = FALSE;
  g_clear_handle_id (&host->linger, g_source_remove);
  if (host->cards != NULL)
    call->deadline = g_timeout_add_seconds (TURN_DEADLINE, on_turn_overdue, call);
  run (call, read_tokens, on_read);
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

/* What it returns is whether the tokens can be read. */
static void
wait_for_change (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  TokendHostState *host = ((Call *) data)->host;
  GError *error = NULL;

  if (host->cards != NULL)
    g_task_return_boolean (task, tokend_cards_wait (host->cards));
  else if (wait_for_slot_event (host, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static gpointer
look_on (gpointer cards)
{
  tokend_cards_look_on (cards);
  return NULL;
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;
  const gboolean readable = g_task_propagate_boolean (G_TASK (result), &error);

  call->host->waiting = FALSE;
  call->host->told = readable;
  if (call->host->cards != NULL)
    g_thread_unref (g_thread_new ("look-on", look_on, call->host->cards));
  if (error == NULL)
    tokend_dbus_module1_complete_wait_for_change (NULL, call->invocation, readable);
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

/* A read that is asked for after this comes after what the module has to tell at first. */
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
  if (host->cards == NULL)
    run (call, begin_events, on_events_begun);
  else
    begin_wait (call);
  return TRUE;
}

static void
tokend_host_module_iface_init (TokendDbusModule1Iface *iface)
{
  iface->handle_load = handle_load;
  iface->handle_read = handle_read;
  iface->handle_wait_for_change = handle_wait_for_change;
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
