/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "call-quota-private.h"

/**
 * tokend_call_quota_has_room:
 * @n_user: how many calls a user has under way.
 * @n_others: how many all others have.
 *
 * A user may have half of what the others leave, the odd one included: the first 30, the second 15,
 * then 8, 4, 2 and 1. So it takes six users to fill the service, and one who has nothing under way
 * gets in as long as there is any room.
 *
 * Returns: whether the user may have one more.
 */
gboolean
tokend_call_quota_has_room (guint n_user, guint n_others)
{
  return 2 * n_user + n_others < TOKEND_CALLS_MAX;
}
