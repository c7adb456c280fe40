/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call.h"

#include "tokend-error.h"

GError *
tokend_call_new_ending_error (void)
{
  return g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_SERVICE_ENDING,
                              "The service is ending; nothing was sent, call again");
}

/**
 * tokend_call_normalise_error:
 *
 * Turns an error that is not a #TokendError into Failed.
 */
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
 * @error: (transfer full): why it failed.
 *
 * Replies with @error, normalised.
 */
void
tokend_call_return_error (GDBusMethodInvocation *invocation, GError *error)
{
  tokend_call_normalise_error (error);
  g_dbus_method_invocation_take_error (invocation, error);
}
