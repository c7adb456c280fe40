/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "open-limits-private.h"

#include "tokend-error.h"

/**
 * tokend_open_limits_check:
 * @n_user: how many operations of the user count.
 * @n_others: how many of all others do.
 * @error: LimitsExceeded.
 *
 * Returns: whether the user may open one more.
 */
gboolean
tokend_open_limits_check (guint n_user, guint n_others, GError **error)
{
  if (n_user >= TOKEND_OPEN_PER_USER_MAX) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
                 "%d operations of the user are open already, those counted that ended while the "
                 "connection that opened them is still there; nothing was sent",
                 TOKEND_OPEN_PER_USER_MAX);
    return FALSE;
  }
  if (n_user + n_others >= TOKEND_OPEN_MAX) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
                 "%d operations of all users are open already; nothing was sent: try again later",
                 TOKEND_OPEN_MAX);
    return FALSE;
  }
  return TRUE;
}
