/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "order-caller.h"

#include "operation-steps-private.h"

/* What a step that is begun may not find. */
typedef enum {
  FAULT_NONE = MODEL_NO_FAULT,
  FAULT_OLD,
  FAULT_TOLD,
  FAULT_PROMPT,
  FAULT_AUTHORIZED,
  FAULT_VAIN,
  FAULT_UNFINISHED,
  FAULT_OVER,
  FAULT_TWICE,
  FAULT_KEPT,
  FAULT_NEEDLESS,
  FAULT_CLAIM,
  FAULT_TWO,
  FAULT_PREPARED,
  FAULT_LEFT,
  FAULT_UNREAD,
  FAULT_OPEN,
} Fault;

static const char *const faults[] = {
  [FAULT_OLD] = "a state is checked by an old reading",
  [FAULT_TOLD] = "a state is told to one who may not read it",
  [FAULT_PROMPT] = "a person is prompted for what was not checked",
  [FAULT_AUTHORIZED] = "a host gets codes before polkit's word, or against it",
  [FAULT_VAIN] = "a person is to type codes for what was not checked or not authorized",
  [FAULT_UNFINISHED] = "a host gets codes that are not said to be whole, or are not",
  [FAULT_OVER] = "a code goes to the token although the operation is over",
  [FAULT_KEPT] = "an operation is open although it is over",
  [FAULT_TWICE] = "an operation sends a second code",
  [FAULT_NEEDLESS] = "a host gets codes for what was not checked any more",
  [FAULT_CLAIM] = "a host gets codes for a token that is not claimed",
  [FAULT_TWO] = "two operations are under way on one token",
  [FAULT_PREPARED] = "what no host prepared is compared",
  [FAULT_LEFT] = "an operation does not complete although its try is recorded",
  [FAULT_UNREAD] = "a card is closed before it was read",
  [FAULT_OPEN] = "the reply does not wait for the card to be closed, or not for long enough",
};

const char *
model_name_fault (const ModelState *state)
{
  return faults[state->fault];
}

/* All that it opened is gone. */
void
model_end_call (ModelState *state, guint i)
{
  state->callers[i] = (ModelCaller){ .calls_left = state->callers[i].calls_left };
  if (state->owner == i)
    model_end_host (state);
}

/* It is open still. */
static void
end_finish (ModelState *state, guint i)
{
  const ModelCaller *caller = &state->callers[i];

  state->callers[i] = (ModelCaller){ .step = caller->step,
                                     .calls_left = caller->calls_left,
                                     .finishes_left = caller->finishes_left,
                                     .is_open = caller->is_open,
                                     .is_over = caller->is_over,
                                     .n_sent = caller->n_sent,
                                     .is_authorized = caller->is_authorized };
  if (state->owner == i)
    model_end_host (state);
}

static void advance (ModelState *state, ModelKind kind, guint i, TokendStepResult result);

static void
begin_check (ModelState *state, ModelKind kind, guint i)
{
  ModelCaller *caller = &state->callers[i];
  gboolean may = (caller->step == TOKEND_STEP_CHECK
                      ? model_may_spend (state, kind, state->remaining, caller->has_word)
                      : model_may_open (state, kind))
                 && !model_is_claimed (state);

  if (!caller->has_read)
    state->fault = FAULT_OLD;
  else if (!caller->may_read_unasked && !caller->is_authorized)
    state->fault = FAULT_TOLD;
  caller->has_checked = (guint8) may;
  advance (state, kind, i, may ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

static void
begin_ask (ModelState *state, guint i)
{
  if (state->callers[i].may_read_unasked && !state->callers[i].has_checked)
    state->fault = FAULT_PROMPT;
}

static void
begin_hand_out (ModelState *state, ModelKind kind, guint i)
{
  ModelCaller *caller = &state->callers[i];

  if (!caller->has_checked || !caller->is_authorized)
    state->fault = FAULT_VAIN;
  caller->is_open = caller->has_pipes = TRUE;
  caller->finishes_left = model_get_finishes (i);
  advance (state, kind, i, TOKEND_STEP_DONE);
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
  else if (!caller->is_authorized || !caller->is_rechecked)
    state->fault = FAULT_AUTHORIZED;
  else if (!caller->is_finishing || !caller->is_whole)
    state->fault = FAULT_UNFINISHED;
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
  if (state->callers[i].is_over)
    state->fault = FAULT_OVER;
  else if (state->callers[i].has_begun || state->callers[i].n_sent > 0)
    state->fault = FAULT_TWICE;
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

/* Whether a code was sent is not known where no answer came. */
static gboolean
was_sent (const ModelCaller *caller)
{
  return caller->has_begun && (!caller->has_answer || caller->has_sent);
}

static void
begin_close (ModelState *state, guint i)
{
  if (state->callers[i].has_answer && !state->callers[i].has_read)
    state->fault = FAULT_UNREAD;
}

static void
begin_reply (ModelState *state, ModelKind kind, guint i)
{
  ModelCaller *caller = &state->callers[i];
  gboolean may_go_on = tokend_step_may_go_on (caller->is_open, caller->is_over, was_sent (caller));

  if (caller->has_begun && !caller->has_closed)
    state->fault = FAULT_OPEN;
  if (may_go_on)
    end_finish (state, i);
  advance (state, kind, i, may_go_on ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

/* These three wait, too: but what comes in between says no more than what comes before or after
 * it. */
static void
begin_may_peek (ModelState *state, ModelKind kind, guint i)
{
  ModelCaller *caller = &state->callers[i];

  caller->may_read_unasked = caller->may_read;
  caller->may_read = FALSE;
  advance (state, kind, i, caller->may_read_unasked ? TOKEND_STEP_DONE : TOKEND_STEP_NOT_ALLOWED);
}

static void
begin_peek (ModelState *state, ModelKind kind, guint i)
{
  model_read_token (state, kind);
  state->callers[i].has_read = TRUE;
  advance (state, kind, i, TOKEND_STEP_DONE);
}

static void
begin_collect (ModelState *state, ModelKind kind, guint i)
{
  ModelCaller *caller = &state->callers[i];

  caller->is_whole = caller->has_pipes && caller->will_be_whole;
  caller->will_be_whole = FALSE;
  advance (state, kind, i, caller->is_whole ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
}

/* What service/operation/operation.c does at once when it comes to a step. */
static void
begin_step (ModelState *state, ModelKind kind, guint i)
{
  switch ((TokendStep) state->callers[i].step) {
  /* Who the caller is changes nothing until TOKEND_STEP_AUTHORIZE_AGAIN. */
  case TOKEND_STEP_IDENTIFY:
  case TOKEND_STEP_IDENTIFY_AGAIN:
    advance (state, kind, i, TOKEND_STEP_DONE);
    break;
  case TOKEND_STEP_MAY_READ:
    begin_may_peek (state, kind, i);
    break;
  case TOKEND_STEP_READ_BEFORE_PROMPT:
    begin_peek (state, kind, i);
    break;
  case TOKEND_STEP_CHECK_BEFORE_PROMPT:
  case TOKEND_STEP_CHECK_AFTER_PROMPT:
  case TOKEND_STEP_CHECK:
    begin_check (state, kind, i);
    break;
  case TOKEND_STEP_AUTHORIZE:
    begin_ask (state, i);
    break;
  case TOKEND_STEP_HAND_OUT:
    begin_hand_out (state, kind, i);
    break;
  case TOKEND_STEP_OPEN:
    if (state->callers[i].is_over)
      state->fault = FAULT_KEPT;
    break;
  case TOKEND_STEP_COLLECT:
    begin_collect (state, kind, i);
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
  case TOKEND_STEP_RESOLVE:
    model_resolve (state, state->callers[i].try_result);
    break;
  case TOKEND_STEP_CLOSE:
    begin_close (state, i);
    break;
  case TOKEND_STEP_REPLY:
    begin_reply (state, kind, i);
    break;
  case TOKEND_STEP_END:
    model_end_call (state, i);
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
  caller->step = (guint8) tokend_step_next (
      caller->step, tokend_step_evaluate (caller->step, result, caller->is_over));
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
  for (guint may_read = 0; may_read < 2; may_read++) {
    ModelState next = *state;

    next.callers[i].calls_left--;
    next.callers[i].may_read = (guint8) may_read;
    visit_result (&next, kind, i, TOKEND_STEP_DONE, visit,
                  may_read ? "a call comes" : "a call comes from one who may not read", data);
  }
}

/* Also without pipes, or before what was to be written is. */
static void
follow_open (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  const ModelCaller *caller = &state->callers[i];
  ModelState next = *state;

  if (caller->finishes_left == 0)
    return;
  if (!caller->has_pipes) {
    next.callers[i].has_pipes = TRUE;
    visit (&next, "it gets pipes again", data);
  } else {
    next.callers[i].has_pipes = FALSE;
    visit (&next, "the codes have waited for too long", data);
  }
  for (guint way = 0; way < 4; way++) {
    next = *state;
    next.callers[i].finishes_left--;
    next.callers[i].is_finishing = TRUE;
    next.callers[i].has_word = way & 1;
    next.callers[i].will_be_whole = way >> 1;
    visit_result (&next, kind, i, TOKEND_STEP_DONE, visit,
                  way > 1 ? "it is to be finished" : "likewise, and the pipes do not end", data);
  }
}

/* The caller's session may be another one since it was opened, or polkit's mind. */
static void
follow_recheck (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  next.callers[i].is_rechecked = TRUE;
  visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "it still is authorized", data);

  next = *state;
  next.callers[i].is_over = TRUE;
  visit_result (&next, kind, i, TOKEND_STEP_FAILED, visit, "it is not authorized any more", data);
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
  next.callers[i].may_read_unasked = FALSE; /* or not: it does not matter any more */
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
  gboolean is_outcome = state->callers[i].step == TOKEND_STEP_RESOLVE;
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
    next.callers[i].try_result = next.try_result;
    next.callers[i].has_sent = next.has_sent;
    visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "the outcome comes", data);
    return;
  }
  next.callers[i].try_result = TOKEND_TRY_UNKNOWN;
  next.is_uncertain = TRUE;
  next.owner = MODEL_N_CALLERS;
  visit_result (&next, kind, i, TOKEND_STEP_FAILED, visit,
                state->owner == i ? "no answer comes in time" : "the host ended without an answer",
                data);
}

/* The outcome is recorded by then. A host that does not answer keeps its lock. */
static void
follow_close (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  next.callers[i].has_closed = TRUE;
  if (state->owner == i)
    visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "the card is closed", data);
  next.owner = MODEL_N_CALLERS;
  visit_result (&next, kind, i, TOKEND_STEP_DONE, visit, "nobody says that it is closed", data);
}

static void
follow_failure (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (next.callers[i].has_begun)
    next.fault = FAULT_LEFT;
  visit_result (&next, kind, i, TOKEND_STEP_FAILED, visit, "a step fails", data);
}

/* Its caller leaves or cancels it, it expires, or its token is removed: a step that is
 * done just then changes nothing of that, unless a try is recorded. */
static void
follow_stop (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  next.callers[i].is_over = TRUE;
  /* Once a try is recorded that says no more at one step than at another. */
  if (tokend_step_may_be_left (state->callers[i].step))
    visit_result (&next, kind, i,
                  state->callers[i].step == TOKEND_STEP_OPEN ? TOKEND_STEP_FAILED
                                                             : TOKEND_STEP_DONE,
                  visit, "it is ended", data);
  else if (state->callers[i].step == TOKEND_STEP_COMMIT)
    visit (&next, "it is ended, its try being recorded", data);
}

/* How a step that waits for somebody may end. */
void
model_follow_caller (const ModelState *state, ModelKind kind, guint i, ModelVisit visit,
                     gpointer data)
{
  TokendStep step = state->callers[i].step;

  if (step != TOKEND_STEP_ACCEPT && !state->callers[i].is_over)
    follow_stop (state, kind, i, visit, data);
  if (step != TOKEND_STEP_ACCEPT && step != TOKEND_STEP_OPEN && tokend_step_may_be_left (step))
    follow_failure (state, kind, i, visit, data);
  switch (step) {
  case TOKEND_STEP_ACCEPT:
    if (state->callers[i].calls_left > 0)
      follow_new_call (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_READ_AFTER_PROMPT:
  case TOKEND_STEP_READ:
  case TOKEND_STEP_READ_AFTER:
    follow_read (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_AUTHORIZE:
    follow_ask (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_PREPARE:
    follow_prepare (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_OPEN:
    follow_open (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_AUTHORIZE_AGAIN:
    follow_recheck (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_RECORD:
  case TOKEND_STEP_RESOLVE:
    follow_write (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_COMMIT:
    follow_commit (state, kind, i, visit, data);
    break;
  case TOKEND_STEP_CLOSE:
    follow_close (state, kind, i, visit, data);
    break;
  default:
    g_assert_not_reached ();
  }
}
