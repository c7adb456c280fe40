/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include "tokend-error.h"

typedef struct {
  GDBusMethodInvocation *invocation;
  TokendCallFunc allowed;
  gpointer object;
} Call;

/** tokend_call_get_action: Returns: (nullable): the polkit action of the method that is called. */
const char *
tokend_call_get_action (GDBusMethodInvocation *invocation)
{
  return tokend_gate_get_action (g_dbus_method_invocation_get_interface_name (invocation),
                                 g_dbus_method_invocation_get_method_name (invocation));
}

/**
 * tokend_call_return_error:
 * @invocation: (transfer full): the call.
 * @error: (transfer full): why it failed. What is not a #TokendError goes out as Failed.
 */
void
tokend_call_return_error (GDBusMethodInvocation *invocation, GError *error)
{
  if (error->domain != TOKEND_ERROR) {
    error->domain = TOKEND_ERROR;
    error->code = TOKEND_ERROR_FAILED;
  }
  g_dbus_method_invocation_take_error (invocation, error);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  g_autoptr (GObject) object = call->object;
  GError *error = NULL;

  if (tokend_gate_check_finish (TOKEND_GATE (source), result, &error))
    call->allowed (object, call->invocation);
  else
    tokend_call_return_error (call->invocation, error);
}

/**
 * tokend_call_authorize:
 * @invocation: (transfer full): a call that just came in.
 * @allowed: called if the caller may; a refusal is replied to here.
 * @object: a #GObject for @allowed.
 *
 * What every method but Unlock and SetPin begins with: the caller's limit, then polkit.
 */
void
tokend_call_authorize (TokendService *service, GDBusMethodInvocation *invocation,
                       TokendCallFunc allowed, gpointer object)
{
  GError *error = NULL;
  Call *call;

  if (!tokend_callers_admit (service->callers, invocation, &error)) {
    tokend_call_return_error (invocation, error);
    return;
  }
  call = g_new0 (Call, 1);
  call->invocation = invocation;
  call->allowed = allowed;
  call->object = g_object_ref (object);
  tokend_gate_check_async (service->gate, invocation, tokend_call_get_action (invocation),
                           TOKEND_GATE_AS_CALLER_SAYS, NULL, NULL, NULL, on_checked, call);
}
