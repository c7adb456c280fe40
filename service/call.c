/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include "tokend-error.h"

typedef struct {
  TokendService *service;
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

/** tokend_call_new_ending_error: Returns: (transfer full): ServiceEnding. */
GError *
tokend_call_new_ending_error (void)
{
  return g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_SERVICE_ENDING,
                              "The service is ending; nothing was sent, call again");
}

/** tokend_call_normalise_error: makes what is not a #TokendError Failed. */
void
tokend_call_normalise_error (GError *error)
{
  if (error->domain == TOKEND_ERROR)
    return;
  error->domain = TOKEND_ERROR;
  error->code = TOKEND_ERROR_FAILED;
}

/**
 * tokend_call_return_error:
 * @invocation: (transfer full): the call.
 * @error: (transfer full): why it failed. What is not a #TokendError goes out as Failed.
 */
void
tokend_call_return_error (GDBusMethodInvocation *invocation, GError *error)
{
  tokend_call_normalise_error (error);
  g_dbus_method_invocation_take_error (invocation, error);
}

static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Call *call = user_data;
  g_autoptr (GObject) object = call->object;
  GError *error = NULL;
  const gboolean is_allowed = tokend_gate_check_finish (TOKEND_GATE (source), result, &error);

  /* Also who is allowed: what a read begins now, nobody gives up. */
  if (g_cancellable_is_cancelled (call->service->ending)) {
    g_clear_error (&error);
    tokend_call_return_error (call->invocation, tokend_call_new_ending_error ());
  } else if (is_allowed) {
    call->allowed (object, call->invocation);
  } else {
    tokend_call_return_error (call->invocation, error);
  }
}

static void
on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;
  GError *error = NULL;

  if (!tokend_callers_admit_finish (TOKEND_CALLERS (source), result, &error)) {
    tokend_call_return_error (call->invocation, error);
    g_object_unref (call->object);
    g_free (call);
    return;
  }
  tokend_gate_check_async (call->service->gate, call->invocation,
                           tokend_call_get_action (call->invocation), TOKEND_GATE_AS_CALLER_SAYS,
                           NULL, NULL, call->service->ending, on_checked, call);
}

/**
 * tokend_call_authorize:
 * @invocation: (transfer full): a call that just came in.
 * @allowed: called if the caller may; a refusal is replied to here.
 * @object: a #GObject for @allowed.
 *
 * What every method of a token's or the manager's but Unlock and SetPin begins with: the caller's limits, then polkit.
 */
void
tokend_call_authorize (TokendService *service, GDBusMethodInvocation *invocation,
                       TokendCallFunc allowed, gpointer object)
{
  Call *call = g_new0 (Call, 1);

  call->service = service;
  call->invocation = invocation;
  call->allowed = allowed;
  call->object = g_object_ref (object);
  tokend_callers_admit_async (service->callers, invocation, on_admitted, call);
}
