/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-steps-private.h"

/* Ends the call at the first failure until a try is recorded, and completes it from there on. */
static const TokendStep order[TOKEND_N_STEPS][TOKEND_N_STEP_RESULTS] = {
  [TOKEND_STEP_ACCEPT] = { TOKEND_STEP_IDENTIFY, TOKEND_STEP_REPLY },
  [TOKEND_STEP_IDENTIFY] = { TOKEND_STEP_MAY_READ, TOKEND_STEP_REPLY },
  /* Asks a caller who may not read the status first, so that the state is told only to who is
   * authorized. */
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
  [TOKEND_STEP_READ_AFTER] = { TOKEND_STEP_CLOSE, TOKEND_STEP_CLOSE },
  [TOKEND_STEP_CLOSE] = { TOKEND_STEP_REPLY, TOKEND_STEP_REPLY },
  [TOKEND_STEP_REPLY] = { TOKEND_STEP_OPEN, TOKEND_STEP_END },
};

/**
 * tokend_step_next:
 * @step: the present step; not TOKEND_STEP_END.
 * @result: how it ended.
 *
 * Returns: the next step.
 */
TokendStep
tokend_step_next (TokendStep step, TokendStepResult result)
{
  TokendStep next = order[step][result];

  /* A transition that the table does not have could cost a try. */
  if (next == TOKEND_STEP_ACCEPT)
    g_error ("An operation has no way from step %d by result %d", (int) step, (int) result);
  return next;
}

/**
 * tokend_step_may_be_left:
 *
 * Returns: whether the operation goes no further when its end comes during @step: the caller leaves
 *   or cancels, the time is over, or the token is removed.
 */
gboolean
tokend_step_may_be_left (TokendStep step)
{
  return step < TOKEND_STEP_RECORD;
}

/**
 * tokend_step_evaluate:
 * @step: the present step.
 * @result: how it ended by itself.
 * @is_over: whether the operation was ended meanwhile.
 *
 * Returns: the result that counts.
 */
TokendStepResult
tokend_step_evaluate (TokendStep step, TokendStepResult result, gboolean is_over)
{
  return is_over && tokend_step_may_be_left (step) ? TOKEND_STEP_FAILED : result;
}

/**
 * tokend_step_may_go_on:
 * @is_open: whether the caller has got pipes.
 * @is_over: whether the operation was ended, or ends by this reply.
 * @was_sent: whether a code was sent, or may have been.
 *
 * Returns: whether Finish may be called again after this reply.
 */
gboolean
tokend_step_may_go_on (gboolean is_open, gboolean is_over, gboolean was_sent)
{
  return is_open && !is_over && !was_sent;
}
