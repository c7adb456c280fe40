/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "authorize.h"

#include "call.h"
#include "callers.h"
#include "gate.h"

typedef struct {
  TokendService *service;
  GDBusMethodInvocation *invocation;
  TokendCallFunc allowed;
  gpointer object;
} Call;

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
 * tokend_authorize:
 * @invocation: (transfer full): a call that just came in.
 * @allowed: called if the caller may; a refusal is replied to here.
 * @object: a #GObject for @allowed.
 *
 * What every method of a token's or the manager's but Unlock and SetPin begins with: the caller's limits, then polkit.
 */
void
tokend_authorize (TokendService *service, GDBusMethodInvocation *invocation, TokendCallFunc allowed,
                  gpointer object)
{
  Call *call = g_new0 (Call, 1);

  call->service = service;
  call->invocation = invocation;
  call->allowed = allowed;
  call->object = g_object_ref (object);
  tokend_callers_admit_async (service->callers, invocation, on_admitted, call);
}
