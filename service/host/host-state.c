/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-state.h"

#include "tokend-error.h"

#include <unistd.h>

/**
 * tokend_host_begin:
 * @call: what is called
 * @invocation: (transfer none): the call; answered with Busy or InvalidArgs if it cannot be now
 *
 * Returns: whether the call may go on; then tokend_host_end() ends it
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
        "Calls come in this order: Load, Prepare, Commit, each once");
    return FALSE;
  }

  host->busy = TRUE;
  return TRUE;
}

/**
 * tokend_host_end:
 *
 * Ends what tokend_host_begin() began; the host is at @stage now.
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
 * Ends the process, without the exit handlers and destructors of a module that may hang in them.
 */
void
tokend_host_leave (int status)
{
  _exit (status);
}
