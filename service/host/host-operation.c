/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-operation.h"

#include "code-policy.h"
#include "enum-nick.h"
#include "process.h"
#include "tokend-enums.h"
#include "tokend-error.h"

#include <gio/gunixfdlist.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

/* org.tokend.Module1.Operation: Prepare, Commit and Close. */
struct _TokendHostOperation {
  TokendDbusModule1OperationSkeleton parent;
  TokendHostState *host;
};

typedef struct {
  TokendHostState *host;
  GDBusMethodInvocation *invocation; /* NULL once replied to */
  TokendOperationRequest request;
  int code;
  int new_pin;
  int lock;
  guint deadline; /* of reading the codes; a source */
  TokendOperationResult result;
  gboolean is_closed;
} Call;

static void tokend_host_operation_iface_init (TokendDbusModule1OperationIface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TokendHostOperation, tokend_host_operation,
                               TOKEND_DBUS_TYPE_MODULE1_OPERATION_SKELETON,
                               G_IMPLEMENT_INTERFACE (TOKEND_DBUS_TYPE_MODULE1_OPERATION,
                                                      tokend_host_operation_iface_init))

static Call *
call_new (TokendHostState *host, GDBusMethodInvocation *invocation)
{
  Call *call = g_new0 (Call, 1);

  call->host = host;
  call->invocation = invocation;
  call->code = call->new_pin = call->lock = -1;
  return call;
}

static void
close_codes (Call *call)
{
  if (call->code >= 0)
    close (call->code);
  if (call->new_pin >= 0)
    close (call->new_pin);
  call->code = call->new_pin = -1;
}

/* Leaves the lock open: the process holds it until its end, and what it has forked does not. */
static void
call_free (Call *call)
{
  close_codes (call);
  g_free (call->result.reason);
  explicit_bzero (&call->request, sizeof call->request);
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

static gboolean
take_descriptor (GUnixFDList *list, GVariant *handle, const char *name, int *fd, GError **error)
{
  gint index = g_variant_get_handle (handle);

  if (list == NULL || index < 0 || index >= g_unix_fd_list_get_length (list)) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "The descriptor of the %s is missing", name);
    return FALSE;
  }

  *fd = g_unix_fd_list_get (list, index, error);
  return *fd >= 0;
}

/* The message would keep its descriptors open until the reply. */
static void
close_descriptors (GUnixFDList *list)
{
  g_autofree int *fds = list != NULL ? g_unix_fd_list_steal_fds (list, NULL) : NULL;

  for (int *fd = fds; fd != NULL && *fd != -1; fd++)
    close (*fd);
}

static void
refuse (Call *call, const GError *error)
{
  tokend_host_end (call->host, TOKEND_HOST_STAGE_FAILED);
  g_clear_pointer (&call->host->operation, tokend_pkcs11_operation_free);
  g_dbus_method_invocation_return_gerror (g_steal_pointer (&call->invocation), error);
}

static void
read_codes (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Call *call = data;
  GError *error = NULL;

  if (tokend_pkcs11_operation_read_codes (call->host->operation, call->code, call->new_pin, &error))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

static void
on_codes_read (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;
  const TokendPkcs11Operation *operation = call->host->operation;

  /* The call was replied to, and the process is about to end. */
  if (call->invocation == NULL)
    return;
  g_clear_handle_id (&call->deadline, g_source_remove);
  /* Closes the codes before the reply, since who wrote one may look for that. */
  close_codes (call);
  if (!g_task_propagate_boolean (G_TASK (result), &error)) {
    refuse (call, error);
    return;
  }

  tokend_host_end (call->host, TOKEND_HOST_STAGE_PREPARED);
  tokend_dbus_module1_operation_complete_prepare (
      NULL, g_steal_pointer (&call->invocation), NULL,
      tokend_pkcs11_operation_prepared_reading (operation),
      tokend_pkcs11_operation_digest (operation));
}

static void
on_flushed (GObject *connection, GAsyncResult *result, gpointer data)
{
  tokend_host_leave (EX_OK);
}

/* Handles a pipe that blocks although it has ended, since its writer has spliced something into it.
 * The reader cannot be freed. */
static gboolean
on_codes_overdue (gpointer data)
{
  Call *call = data;
  g_autoptr (GDBusConnection) connection =
      g_object_ref (g_dbus_method_invocation_get_connection (call->invocation));

  call->deadline = 0;
  call->host->stage = TOKEND_HOST_STAGE_FAILED;
  g_dbus_method_invocation_return_error_literal (
      g_steal_pointer (&call->invocation), TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT,
      "A code could not be read from its pipe in time; nothing was sent");
  g_dbus_connection_flush (connection, NULL, on_flushed, NULL);
  return G_SOURCE_REMOVE;
}

static void
open_operation (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Call *call = data;
  TokendHostState *host = call->host;
  GError *error = NULL;

  host->operation =
      tokend_pkcs11_operation_open (&host->read, &host->functions, &call->request, &error);
  if (host->operation != NULL) {
    g_task_return_boolean (task, TRUE);
    return;
  }
  g_task_return_error (task, error);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;
  g_autoptr (GError) error = NULL;

  if (!g_task_propagate_boolean (G_TASK (result), &error)) {
    refuse (call, error);
    return;
  }

  call->deadline = g_timeout_add_seconds (TOKEND_HOST_CODES_DEADLINE, on_codes_overdue, call);
  run (g_steal_pointer (&call), read_codes, on_codes_read);
}

static gboolean
handle_prepare (TokendDbusModule1Operation *object, GDBusMethodInvocation *invocation,
                GUnixFDList *fd_list, GVariant *request, GVariant *code, GVariant *new_pin,
                GVariant *lock)
{
  TokendHostState *host = TOKEND_HOST_OPERATION (object)->host;
  g_autoptr (Call) call = NULL;
  g_autoptr (GError) error = NULL;

  if (!tokend_host_begin (host, TOKEND_HOST_CALL_PREPARE, invocation))
    return TRUE;

  call = call_new (host, invocation);
  if (!tokend_operation_request_parse (&call->request, request, &error)
      || !take_descriptor (
          fd_list, code,
          tokend_code_name (call->request.unlock ? TOKEND_CODE_PUK : TOKEND_CODE_PIN), &call->code,
          &error)
      || !take_descriptor (fd_list, new_pin, tokend_code_name (TOKEND_CODE_NEW_PIN), &call->new_pin,
                           &error)
      || !take_descriptor (fd_list, lock, "lock", &call->lock, &error)) {
    refuse (call, error);
    return TRUE;
  }

  tokend_process_keep_from_children (call->lock);
  close_descriptors (fd_list);
  run (g_steal_pointer (&call), open_operation, on_opened);
  return TRUE;
}

static GVariant *
result_to_variant (const TokendOperationResult *result)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "result", "s",
                         tokend_enum_get_nick (TOKEND_TYPE_OUTCOME, (int) result->outcome));
  g_variant_dict_insert (&dict, "sent", "b", result->sent);
  g_variant_dict_insert (&dict, "may-be-open", "b", result->may_be_open);
  g_variant_dict_insert (&dict, "accepted", "b", result->accepted);
  g_variant_dict_insert (&dict, "reason", "s", result->reason);
  if (result->outcome == TOKEND_OUTCOME_CHANGED)
    g_variant_dict_insert_value (&dict, "token",
                                 tokend_host_reading_to_variant (&result->changed, NULL, NULL));

  return g_variant_dict_end (&dict);
}

static void
commit (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Call *call = data;

  tokend_pkcs11_operation_commit (call->host->operation, &call->result);
  g_task_return_boolean (task, TRUE);
}

static void
close_card (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Call *call = data;

  call->is_closed = tokend_pkcs11_operation_close (call->host->operation);
  g_task_return_boolean (task, TRUE);
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;

  if (call->host->peer_left)
    tokend_host_leave (EX_OK);

  tokend_host_end (call->host, TOKEND_HOST_STAGE_CLOSED);
  tokend_dbus_module1_operation_complete_close (NULL, call->invocation, !call->is_closed);
}

/* @invocation: (nullable): %NULL: nobody waits for it. */
static void
begin_close (TokendHostState *host, GDBusMethodInvocation *invocation)
{
  host->stage = TOKEND_HOST_STAGE_CLOSING;
  run (call_new (host, invocation), close_card, on_closed);
}

static gboolean
handle_close (TokendDbusModule1Operation *object, GDBusMethodInvocation *invocation)
{
  TokendHostState *host = TOKEND_HOST_OPERATION (object)->host;

  if (!tokend_host_begin (host, TOKEND_HOST_CALL_CLOSE, invocation))
    return TRUE;
  if (host->may_be_open) {
    begin_close (host, invocation);
    return TRUE;
  }
  tokend_host_end (host, TOKEND_HOST_STAGE_CLOSED);
  tokend_dbus_module1_operation_complete_close (NULL, invocation, FALSE);
  return TRUE;
}

/**
 * tokend_host_operation_complete:
 *
 * Has what must not be left undone done although the peer has left: a code that is on its way, and
 * a card that may be open. The process ends after that.
 *
 * Returns: whether there is any of it.
 */
gboolean
tokend_host_operation_complete (TokendHostState *host)
{
  if (host->stage == TOKEND_HOST_STAGE_COMMITTED && host->may_be_open)
    begin_close (host, NULL);
  return host->stage == TOKEND_HOST_STAGE_COMMITTING || host->stage == TOKEND_HOST_STAGE_CLOSING;
}

static void
on_committed (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (Call) call = data;

  call->host->may_be_open = call->result.may_be_open;
  tokend_host_end (call->host, TOKEND_HOST_STAGE_COMMITTED);
  tokend_dbus_module1_operation_complete_commit (NULL, call->invocation,
                                                 result_to_variant (&call->result));
  if (call->host->peer_left && !tokend_host_operation_complete (call->host))
    tokend_host_leave (EX_OK);
}

static gboolean
handle_commit (TokendDbusModule1Operation *object, GDBusMethodInvocation *invocation)
{
  TokendHostState *host = TOKEND_HOST_OPERATION (object)->host;

  if (!tokend_host_begin (host, TOKEND_HOST_CALL_COMMIT, invocation))
    return TRUE;

  /* From here on the operation completes, also when the machine shuts down: it takes a moment, and
   * a try. */
  host->stage = TOKEND_HOST_STAGE_COMMITTING;
  signal (SIGTERM, SIG_IGN);
  run (call_new (host, invocation), commit, on_committed);
  return TRUE;
}

static void
tokend_host_operation_iface_init (TokendDbusModule1OperationIface *iface)
{
  iface->handle_prepare = handle_prepare;
  iface->handle_commit = handle_commit;
  iface->handle_close = handle_close;
}

static void
tokend_host_operation_class_init (TokendHostOperationClass *class)
{
}

static void
tokend_host_operation_init (TokendHostOperation *self)
{
}

/**
 * tokend_host_operation_new:
 * @host: lives as long as the process
 *
 * Returns: (transfer full): the interface of @host that unlocks and changes PINs
 */
TokendHostOperation *
tokend_host_operation_new (TokendHostState *host)
{
  TokendHostOperation *self = g_object_new (TOKEND_TYPE_HOST_OPERATION, NULL);

  self->host = host;
  return self;
}
