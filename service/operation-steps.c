/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-steps.h"

/* Until a try is recorded, whatever fails ends the operation; from there on it completes. */
static const TokendStep order[TOKEND_N_STEPS][TOKEND_N_STEP_RESULTS] = {
  [TOKEND_STEP_ACCEPT] = { TOKEND_STEP_MAY_PEEK, TOKEND_STEP_REPLY },
  /* One who may not read the status is asked first, and learns the state only once authorized. */
  [TOKEND_STEP_MAY_PEEK] = { TOKEND_STEP_PEEK, TOKEND_STEP_REPLY, TOKEND_STEP_ASK },
  [TOKEND_STEP_PEEK] = { TOKEND_STEP_FORESEE, TOKEND_STEP_REPLY },
  [TOKEND_STEP_FORESEE] = { TOKEND_STEP_ASK, TOKEND_STEP_REPLY },
  [TOKEND_STEP_ASK] = { TOKEND_STEP_READ, TOKEND_STEP_REPLY },
  [TOKEND_STEP_READ] = { TOKEND_STEP_CHECK, TOKEND_STEP_REPLY },
  [TOKEND_STEP_CHECK] = { TOKEND_STEP_CLAIM, TOKEND_STEP_REPLY },
  [TOKEND_STEP_CLAIM] = { TOKEND_STEP_PREPARE, TOKEND_STEP_REPLY },
  [TOKEND_STEP_PREPARE] = { TOKEND_STEP_COMPARE, TOKEND_STEP_REPLY },
  [TOKEND_STEP_COMPARE] = { TOKEND_STEP_CONFIRM, TOKEND_STEP_REPLY },
  [TOKEND_STEP_CONFIRM] = { TOKEND_STEP_RECORD, TOKEND_STEP_REPLY },
  [TOKEND_STEP_RECORD] = { TOKEND_STEP_COMMIT, TOKEND_STEP_SETTLE },
  [TOKEND_STEP_COMMIT] = { TOKEND_STEP_SETTLE, TOKEND_STEP_SETTLE },
  [TOKEND_STEP_SETTLE] = { TOKEND_STEP_READ_AFTER, TOKEND_STEP_READ_AFTER },
  [TOKEND_STEP_READ_AFTER] = { TOKEND_STEP_REPLY, TOKEND_STEP_REPLY },
};

/**
 * tokend_step_next:
 * @step: what the operation was at; not TOKEND_STEP_REPLY.
 * @result: how that ended.
 *
 * Returns: what the operation is at now.
 */
TokendStep
tokend_step_next (TokendStep step, TokendStepResult result)
{
  TokendStep next = order[step][result];

  /* To go on by a way that the table does not have could cost a try. */
  if (next == TOKEND_STEP_ACCEPT)
    g_error ("An operation has no way from step %d by result %d", (int) step, (int) result);
  return next;
}

/** tokend_step_may_be_left: Returns: whether the operation fails if its caller leaves during @step. */
gboolean
tokend_step_may_be_left (TokendStep step)
{
  return step < TOKEND_STEP_RECORD;
}
