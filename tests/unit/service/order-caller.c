/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "order-caller.h"

#include "operation-steps.h"

/* What a step that is begun may not find. */
typedef enum {
  FAULT_NONE = MODEL_NO_FAULT,
  FAULT_OLD,
  FAULT_TOLD,
  FAULT_PROMPT,
  FAULT_AUTHORIZED,
  FAULT_NEEDLESS,
  FAULT_CLAIM,
  FAULT_TWO,
  FAULT_PREPARED,
  FAULT_LEFT,
  FAULT_UNREAD,
} Fault;

static const char *const faults[] = {
  [FAULT_OLD] = "a state is checked by an old reading",
  [FAULT_TOLD] = "a state is told to one who may not read it",
  [FAULT_PROMPT] = "a person is prompted for what was not checked",
  [FAULT_AUTHORIZED] = "a host gets codes before polkit's word",
  [FAULT_NEEDLESS] = "a host gets codes for what was not checked any more",
  [FAULT_CLAIM] = "a host gets codes for a token that is not claimed",
  [FAULT_TWO] = "two operations are under way on one token",
  [FAULT_PREPARED] = "what no host prepared is compared",
  [FAULT_LEFT] = "an operation does not complete although its try is recorded",
  [FAULT_UNREAD] = "the reply does not wait for the token to be read",
};

const char *
model_name_fault (const ModelState *state)
{
  return faults[state->fault];
}

void
model_end_call (ModelState *state, guint i)
{
  state->callers[i] = (ModelCaller){ .calls_left = state->callers[i].calls_left };
  if (state->owner == i)
    model_end_host (state);
}

static void advance (ModelState *state, ModelKind kind, guint i, TokendStepResult result);

static void
begin_check (ModelState *state, ModelKind kind, guint i)
{
  ModelCaller *caller = &state->callers[i];
  gboolean may = model_may_spend (state, kind, state->remaining, caller->has_word)
                 && !model_is_claimed (state);

  if (!caller->has_read)
    state->fault = FAULT_OLD;
  else if (!caller->may_peek && !caller->is_authorized)
    state->fault = FAULT_TOLD;
  caller->has_checked = (guint8) may;
  advance (state, kind, i, may ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

static void
begin_ask (ModelState *state, guint i)
{
  if (state->callers[i].may_peek && !state->callers[i].has_checked)
    state->fault = FAULT_PROMPT;
}

static void
begin_claim (ModelState *state, ModelKind kind, guint i)
{
  gboolean may = !model_is_claimed (state);

  state->callers[i].has_claim = may;
  advance (state, kind, i, may ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

static void
begin_prepare (ModelState *state, guint i)
{
  const ModelCaller *caller = &state->callers[i];

  if (state->host != HOST_NONE)
    state->fault = FAULT_TWO;
  else if (!caller->is_authorized)
    state->fault = FAULT_AUTHORIZED;
  else if (!caller->has_claim)
    state->fault = FAULT_CLAIM;
  else if (!caller->has_checked)
    state->fault = FAULT_NEEDLESS;
  state->host = HOST_STARTED;
  state->owner = (guint8) i;
  state->has_word = caller->has_word;
}

static void
begin_compare (ModelState *state, ModelKind kind, guint i)
{
  gboolean may = model_may_commit (state, kind);

  if (state->owner != i || state->host != HOST_PREPARED)
    state->fault = FAULT_PREPARED;
  advance (state, kind, i, may ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

static void
begin_record (ModelState *state, guint i)
{
  model_begin_try (state);
  state->callers[i].has_begun = TRUE;
}

static void
begin_commit (ModelState *state, ModelKind kind, guint i)
{
  if (state->owner == i)
    state->host = HOST_ASKED;
  else
    advance (state, kind, i, TOKEND_STEP_FAILED);
}

static void
begin_reply (ModelState *state, guint i)
{
  if (state->callers[i].has_answer && !state->callers[i].has_read)
    state->fault = FAULT_UNREAD;
  model_end_call (state, i);
}

/* What service/operation.c does at once when it comes to a step. */
static void
begin_step (ModelState *state, ModelKind kind, guint i)
{
  switch ((TokendStep) state->callers[i].step) {
  case TOKEND_STEP_FORESEE:
  case TOKEND_STEP_CHECK:
    begin_check (state, kind, i);
    break;
  case TOKEND_STEP_ASK:
    begin_ask (state, i);
    break;
  case TOKEND_STEP_CLAIM:
    begin_claim (state, kind, i);
    break;
  case TOKEND_STEP_PREPARE:
    begin_prepare (state, i);
    break;
  case TOKEND_STEP_COMPARE:
    begin_compare (state, kind, i);
    break;
  case TOKEND_STEP_RECORD:
    begin_record (state, i);
    break;
  case TOKEND_STEP_COMMIT:
    begin_commit (state, kind, i);
    break;
  case TOKEND_STEP_SETTLE:
    model_settle (state, state->callers[i].settlement);
    break;
  case TOKEND_STEP_REPLY:
    begin_reply (state, i);
    break;
  default:
    break; /* it asks somebody, and waits */
  }
}

static void
advance (ModelState *state, ModelKind kind, guint i, TokendStepResult result)
{
  ModelCaller *caller = &state->callers[i];

  caller->is_written = FALSE;
  caller->step = (guint8) tokend_step_next (caller->step, result);
  begin_step (state, kind, i);
}

/* A step that waited ends so. Where the next one waits, what was known before is old by then. */
static void
visit_result (const ModelState *state, ModelKind kind, guint i, TokendStepResult result,
              ModelVisit visit, const char *event, gpointer data)
{
  ModelState next = *state;

  advance (&next, kind, i, result);
  next.callers[i].has_read = next.callers[i].has_checked = FALSE;
  visit (&next, event, data);
}

static void
follow_new_call (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  for (guint has_word = 0; has_word < 2; has_word++) {
    ModelState next = *state;

    next.callers[i].calls_left--;
    next.callers[i].has_word = (guint8) has_word;
    visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "a call comes", data);
  }
}

static void
follow_may_peek (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  visit_result (state, kind, i, TOKEND_STEP_NOT_ALLOWED, visit, "its caller may not read", data);
  next.callers[i].may_peek = TRUE;
  visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "its caller may read", data);
}

static void
follow_read (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;
  gboolean changed = model_read_token (&next, kind);

  next.callers[i].has_read = TRUE;
  visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "the token is read for a call", data);
  if (!changed)
    return;
  next.disk = next.memory;
  visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "likewise, and the ledger is written",
                data);
}

static void
follow_ask (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  next.callers[i].is_authorized = TRUE;
  next.callers[i].may_peek = FALSE; /* or not: it does not matter any more */
  visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "polkit says yes", data);
}

static void
follow_prepare (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (state->owner != i)
    return;
  next.host = HOST_PREPARED;
  next.last_read = next.remaining;
  visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "the host is prepared", data);
}

/* The worker thread, and then the service, which may crash between them. */
static void
follow_write (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  gboolean is_outcome = state->callers[i].step == TOKEND_STEP_SETTLE;
  ModelState next = *state;

  if (state->callers[i].is_written) {
    visit_result (state, kind, i, TOKEND_STEP_DONE, visit, "the service hears of it", data);
    return;
  }
  next.is_uncertain |= is_outcome;
  visit_result (&next, kind, i, TOKEND_STEP_FAILED, visit, "the ledger cannot be written", data);

  next = *state;
  next.callers[i].is_written = TRUE;
  next.disk = next.memory;
  visit (&next, is_outcome ? "the outcome is on the disk" : "the pending try is on the disk", data);
}

static void
follow_commit (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (state->owner == i && state->host == HOST_ANSWERED) {
    next.callers[i].has_answer = TRUE;
    next.callers[i].settlement = next.settlement;
    visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "the outcome comes", data);
    return;
  }
  next.callers[i].settlement = TOKEND_SETTLEMENT_UNKNOWN;
  next.is_uncertain = TRUE;
  next.owner = MODEL_N_CALLERS;
  visit_result (&next, kind, i, TOKEND_STEP_FAILED, visit,
                state->owner == i ? "no answer comes in time" : "the host ended without an answer",
                data);
}

static void
follow_failure (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (next.callers[i].has_begun)
    next.fault = FAULT_LEFT;
  visit_result (&next, kind, i, TOKEND_STEP_FAILED, visit, "a step fails, or its caller leaves",
                data);
}

/* How a step that waits for somebody may end. */
void
model_follow_caller (const ModelState *state, ModelKind kind, guint i, ModelVisit visit,
                     gpointer data)
{
  TokendStep step = state->callers[i].step;

  if (step != TOKEND_STEP_ACCEPT && tokend_step_may_be_left (step))
    follow_failure (state, kind, i, visit, data);
  switch (step) {
  case TOKEND_STEP_ACCEPT:
    if (state->callers[i].calls_left > 0)
      follow_new_call (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_MAY_PEEK:
    follow_may_peek (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_PEEK:
  case TOKEND_STEP_READ:
  case TOKEND_STEP_READ_AFTER:
    follow_read (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_ASK:
    follow_ask (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_PREPARE:
    follow_prepare (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_CONFIRM:
    visit_result (state, kind, i, TOKEND_STEP_DONE, visit, "its caller is still there", data);
    break;
  case TOKEND_STEP_RECORD:
  case TOKEND_STEP_SETTLE:
    follow_write (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_COMMIT:
    follow_commit (state, kind, i, visit, data);
    break;
  default:
    g_assert_not_reached ();
  }
}
