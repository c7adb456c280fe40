/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-quota-private.h"

/**
 * tokend_call_quota_has_room:
 * @n_user: how many calls the user has under way.
 * @n_others: how many all others have.
 *
 * Grants a user half of what the others leave, rounded up: the first 30, the second 15, then 8, 4,
 * 2 and 1. So six users are needed to fill the service, and a user without a call gets in as long
 * as there is any room.
 *
 * Returns: whether the user may have one more.
 */
gboolean
tokend_call_quota_has_room (guint n_user, guint n_others)
{
  return 2 * n_user + n_others < TOKEND_CALLS_MAX;
}
