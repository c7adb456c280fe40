/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-steps-private.h"

/* Until a try is recorded, whatever fails ends the call; from there on it completes. */
static const TokendStep order[TOKEND_N_STEPS][TOKEND_N_STEP_RESULTS] = {
  [TOKEND_STEP_ACCEPT] = { TOKEND_STEP_IDENTIFY, TOKEND_STEP_REPLY },
  [TOKEND_STEP_IDENTIFY] = { TOKEND_STEP_MAY_READ, TOKEND_STEP_REPLY },
  /* One who may not read the status is asked first, and learns the state only once authorized. */
  [TOKEND_STEP_MAY_READ] = { TOKEND_STEP_READ_BEFORE_PROMPT, TOKEND_STEP_REPLY,
                             TOKEND_STEP_AUTHORIZE },
  [TOKEND_STEP_READ_BEFORE_PROMPT] = { TOKEND_STEP_CHECK_BEFORE_PROMPT, TOKEND_STEP_REPLY },
  [TOKEND_STEP_CHECK_BEFORE_PROMPT] = { TOKEND_STEP_AUTHORIZE, TOKEND_STEP_REPLY },
  [TOKEND_STEP_AUTHORIZE] = { TOKEND_STEP_IDENTIFY_AGAIN, TOKEND_STEP_REPLY },
  [TOKEND_STEP_IDENTIFY_AGAIN] = { TOKEND_STEP_READ_AFTER_PROMPT, TOKEND_STEP_REPLY },
  [TOKEND_STEP_READ_AFTER_PROMPT] = { TOKEND_STEP_CHECK_AFTER_PROMPT, TOKEND_STEP_REPLY },
  [TOKEND_STEP_CHECK_AFTER_PROMPT] = { TOKEND_STEP_HAND_OUT, TOKEND_STEP_REPLY },
  [TOKEND_STEP_HAND_OUT] = { TOKEND_STEP_OPEN, TOKEND_STEP_REPLY },
  [TOKEND_STEP_OPEN] = { TOKEND_STEP_COLLECT, TOKEND_STEP_END },
  [TOKEND_STEP_COLLECT] = { TOKEND_STEP_AUTHORIZE_AGAIN, TOKEND_STEP_REPLY },
  [TOKEND_STEP_AUTHORIZE_AGAIN] = { TOKEND_STEP_READ, TOKEND_STEP_REPLY },
  [TOKEND_STEP_READ] = { TOKEND_STEP_CHECK, TOKEND_STEP_REPLY },
  [TOKEND_STEP_CHECK] = { TOKEND_STEP_CLAIM, TOKEND_STEP_REPLY },
  [TOKEND_STEP_CLAIM] = { TOKEND_STEP_PREPARE, TOKEND_STEP_REPLY },
  [TOKEND_STEP_PREPARE] = { TOKEND_STEP_COMPARE, TOKEND_STEP_REPLY },
  [TOKEND_STEP_COMPARE] = { TOKEND_STEP_RECORD, TOKEND_STEP_REPLY },
  [TOKEND_STEP_RECORD] = { TOKEND_STEP_COMMIT, TOKEND_STEP_RESOLVE },
  [TOKEND_STEP_COMMIT] = { TOKEND_STEP_RESOLVE, TOKEND_STEP_RESOLVE },
  [TOKEND_STEP_RESOLVE] = { TOKEND_STEP_READ_AFTER, TOKEND_STEP_READ_AFTER },
  [TOKEND_STEP_READ_AFTER] = { TOKEND_STEP_REPLY, TOKEND_STEP_REPLY },
  [TOKEND_STEP_REPLY] = { TOKEND_STEP_OPEN, TOKEND_STEP_END },
};

/**
 * tokend_step_next:
 * @step: what the operation was at; not TOKEND_STEP_END.
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

/**
 * tokend_step_may_be_left:
 *
 * Returns: whether what ends an operation keeps it from going on when it comes during @step: its
 *   caller leaves, or cancels it, its time is over, its token is removed.
 */
gboolean
tokend_step_may_be_left (TokendStep step)
{
  return step < TOKEND_STEP_RECORD;
}

/**
 * tokend_step_evaluate:
 * @step: what the operation is at.
 * @result: how that ended by itself.
 * @is_over: whether the operation was ended meanwhile.
 *
 * Returns: how it ended.
 */
TokendStepResult
tokend_step_evaluate (TokendStep step, TokendStepResult result, gboolean is_over)
{
  return is_over && tokend_step_may_be_left (step) ? TOKEND_STEP_FAILED : result;
}

/**
 * tokend_step_may_go_on:
 * @is_open: whether the caller has got pipes.
 * @is_over: whether the operation was ended meanwhile, or its Finish is told that it may not.
 * @was_sent: whether a code was sent, or may have been.
 *
 * Returns: whether Finish may be called again after this reply.
 */
gboolean
tokend_step_may_go_on (gboolean is_open, gboolean is_over, gboolean was_sent)
{
  return is_open && !is_over && !was_sent;
}
