/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-state.h"

#include "tokend-error.h"

#include <unistd.h>

/**
 * tokend_host_begin:
 * @call: the method
 * @invocation: (transfer none): the call; answered with Busy or InvalidArgs if it may not be made
 *   now
 *
 * Returns: whether the call may go on; tokend_host_end() then ends it
 */
gboolean
tokend_host_begin (TokendHostState *host, TokendHostCall call, GDBusMethodInvocation *invocation)
{
  if (host->busy) {
    g_dbus_method_invocation_return_error_literal (invocation, TOKEND_ERROR, TOKEND_ERROR_BUSY,
                                                   "Another call is under way");
    return FALSE;
  }
  if ((call & (1 << host->stage)) == 0) {
    g_dbus_method_invocation_return_error_literal (
        invocation, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
        "Calls come in this order: Load, Prepare, Commit, Close, each once");
    return FALSE;
  }

  host->busy = TRUE;
  return TRUE;
}

/**
 * tokend_host_end:
 *
 * Ends what tokend_host_begin() began; the host is now at @stage.
 */
void
tokend_host_end (TokendHostState *host, TokendHostStage stage)
{
  host->busy = FALSE;
  host->stage = stage;
}

/**
 * tokend_host_leave:
 *
 * Ends the process without exit handlers and destructors, in which a module may hang.
 */
void
tokend_host_leave (int status)
{
  _exit (status);
}
