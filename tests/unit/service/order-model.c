/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "order-model.h"

#include "attempt.h"
#include "outcome.h"

#include <string.h>

#define CRASHES_MAX 1
#define MEDDLINGS_MAX 2
#define ROLE TOKEND_ROLE_PUK

static const TokendCounterRules rules[MODEL_N_KINDS] = {
  [MODEL_NUMBER] = { TOKEND_FLAGS_MEANING_NONE, FALSE, TOKEND_RETRIES_UNKNOWN },
  [MODEL_EXACT] = { TOKEND_FLAGS_MEANING_EXACT, FALSE, MODEL_MAXIMUM },
  [MODEL_LAST_ONLY] = { TOKEND_FLAGS_MEANING_LAST_ONLY, FALSE, TOKEND_RETRIES_UNKNOWN },
  [MODEL_NOTHING] = { TOKEND_FLAGS_MEANING_NONE, FALSE, TOKEND_RETRIES_UNKNOWN },
  [MODEL_HIDING] = { TOKEND_FLAGS_MEANING_EXACT, FALSE, MODEL_MAXIMUM },
};

void
model_begin (ModelState *state)
{
  static const guint8 calls[MODEL_N_CALLERS] = { 2, 1 };

  memset (state, 0, sizeof *state);
  state->remaining = MODEL_MAXIMUM;
  state->is_up = TRUE;
  state->owner = MODEL_N_CALLERS;
  state->crashes_left = CRASHES_MAX;
  state->meddlings_left = MEDDLINGS_MAX;
  for (guint i = 0; i < MODEL_N_CALLERS; i++)
    state->callers[i].calls_left = calls[i];
}

/* What the token shows while so many tries remain. */
static TokendCounterReading
show (ModelKind kind, guint remaining)
{
  TokendCounterReading reading = { .initialized = TRUE,
                                   .remaining = TOKEND_RETRIES_UNKNOWN,
                                   .maximum = TOKEND_RETRIES_UNKNOWN };

  if (kind == MODEL_NUMBER) {
    reading.remaining = (int) remaining;
    reading.maximum = MODEL_MAXIMUM;
  }
  if (kind == MODEL_EXACT || kind == MODEL_LAST_ONLY) {
    reading.final_try = remaining == 1;
    reading.locked = remaining == 0;
  }
  if (kind == MODEL_EXACT)
    reading.count_low = remaining > 0 && remaining < MODEL_MAXIMUM;
  return reading;
}

static TokendLedgerEntry
unpack (const ModelEntry *entry)
{
  return (TokendLedgerEntry){ entry->spent, entry->pending, entry->locked, entry->confirmed };
}

static void
pack (ModelEntry *packed, const TokendLedgerEntry *entry)
{
  packed->spent = (guint8) entry->spent;
  packed->pending = (guint8) entry->pending;
  packed->locked = entry->locked != FALSE;
  packed->confirmed = entry->confirmed != FALSE;
}

static TokendCounter
judge (ModelKind kind, guint remaining, const ModelEntry *entry)
{
  TokendCounterReading reading = show (kind, remaining);
  TokendCounterRecord record = { (guint) (entry->spent + entry->pending), entry->locked };

  return tokend_counter_judge (&reading, &rules[kind], &record);
}

static gboolean
may_spend (const ModelState *state, ModelKind kind, gboolean has_word)
{
  TokendAttempt attempt = { .final_attempt = has_word };
  TokendCounter counter = judge (kind, state->remaining, &state->memory);

  return tokend_attempt_check (&attempt, ROLE, &counter, NULL);
}

static void
settle (ModelState *state, TokendSettlement settlement)
{
  TokendLedgerEntry entry = unpack (&state->memory);

  tokend_ledger_entry_settle (&entry, settlement);
  pack (&state->memory, &entry);
}

static void
begin_try (ModelState *state)
{
  TokendLedgerEntry entry = unpack (&state->memory);

  tokend_ledger_entry_begin (&entry);
  pack (&state->memory, &entry);
}

static gboolean
observe (ModelState *state, ModelKind kind)
{
  TokendLedgerEntry entry = unpack (&state->memory);
  TokendCounterReading reading = show (kind, state->remaining);
  gboolean changed = tokend_ledger_entry_observe (&entry, &reading, &rules[kind]);

  pack (&state->memory, &entry);
  return changed;
}

/* The host's lock outlives the service that took it. */
static gboolean
is_claimed (const ModelState *state)
{
  for (guint i = 0; i < MODEL_N_CALLERS; i++)
    if (state->callers[i].step >= STEP_CLAIMED)
      return TRUE;
  return state->host != HOST_NONE;
}

static void
end_host (ModelState *state)
{
  state->host = HOST_NONE;
  state->owner = MODEL_N_CALLERS;
  state->last_read = state->has_word = state->is_right = state->settlement = 0;
}

static void
end_call (ModelState *state, guint i)
{
  state->callers[i].step = STEP_NONE;
  state->callers[i].has_word = state->callers[i].is_right = FALSE;
  if (state->owner == i)
    end_host (state);
}

/* What the host's answer means, by the service's own reading of it. */
static TokendSettlement
judge_outcome (const char *text)
{
  g_autoptr (GVariant) outcome = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  return tokend_outcome_judge (outcome, ROLE, TRUE, &error).settlement;
}

static void
follow_new_call (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  for (guint choice = 0; choice < 4; choice++) {
    ModelState next = *state;

    next.callers[i].calls_left--;
    next.callers[i].has_word = choice & 1;
    next.callers[i].is_right = choice >> 1;
    if (may_spend (&next, kind, choice & 1) && !is_claimed (&next))
      next.callers[i].step = STEP_CHECKED;
    else
      end_call (&next, i);
    visit (&next, "a call is checked before polkit is asked", data);
  }
}

static void
follow_checked (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (is_claimed (&next) || !may_spend (&next, kind, next.callers[i].has_word))
    end_call (&next, i);
  else
    next.callers[i].step = STEP_CLAIMED;
  visit (&next, "polkit says yes; the state again, and the claim", data);
}

static void
follow_claimed (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  next.has_two = state->host != HOST_NONE;
  if (may_spend (&next, kind, next.callers[i].has_word)) {
    next.callers[i].step = STEP_PREPARED;
    next.host = HOST_PREPARED;
    next.owner = (guint8) i;
    next.last_read = next.remaining;
    next.has_word = next.callers[i].has_word;
    next.is_right = next.callers[i].is_right;
  } else {
    end_call (&next, i);
  }
  visit (&next, "the host prepares", data);
}

static void
follow_recording (const ModelState *state, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  next.disk = next.memory;
  next.callers[i].step = STEP_COMMITTING;
  next.host = HOST_ASKED;
  visit (&next, "the pending try is on the disk, and the host is asked to commit", data);

  next = *state;
  settle (&next, TOKEND_SETTLEMENT_NOT_SPENT);
  next.callers[i].step = STEP_SETTLING;
  visit (&next, "the pending try cannot be written", data);
}

static void
follow_committing (const ModelState *state, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  next.callers[i].step = STEP_SETTLING;
  if (state->owner == i && state->host == HOST_ANSWERED) {
    settle (&next, next.settlement);
    visit (&next, "the outcome comes", data);
    return;
  }
  settle (&next, TOKEND_SETTLEMENT_UNKNOWN);
  next.owner = MODEL_N_CALLERS;
  visit (&next, state->owner == i ? "no answer comes in time" : "the host ended without an answer",
         data);
}

static void
follow_settling (const ModelState *state, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  end_call (&next, i);
  visit (&next, "the outcome cannot be written; the reply", data);
  next.disk = next.memory;
  visit (&next, "the outcome is on the disk; the reply", data);
}

static void
follow_caller (const ModelState *state, ModelKind kind, guint i, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  switch ((ModelStep) state->callers[i].step) {
  case STEP_NONE:
    if (state->callers[i].calls_left > 0)
      follow_new_call (state, kind, i, visit, data);
    break;
  case STEP_CHECKED:
    follow_checked (state, kind, i, visit, data);
    break;
  case STEP_CLAIMED:
    follow_claimed (state, kind, i, visit, data);
    break;
  case STEP_PREPARED:
    begin_try (&next);
    next.callers[i].step = STEP_RECORDING;
    visit (&next, "a pending try is recorded", data);
    break;
  case STEP_RECORDING:
    follow_recording (state, i, visit, data);
    break;
  case STEP_COMMITTING:
    follow_committing (state, i, visit, data);
    break;
  case STEP_SETTLING:
    follow_settling (state, i, visit, data);
    break;
  }
}

static void
answer (ModelState *state, const char *outcome)
{
  state->settlement = (guint8) judge_outcome (outcome);
  state->host = HOST_ANSWERED;
}

static void
send_code (ModelState *state)
{
  if (state->remaining == 0) {
    answer (state, "{'result': <'code-locked'>, 'sent': <true>}");
  } else if (state->is_right) {
    state->remaining = MODEL_MAXIMUM;
    state->ours = state->others = 0;
    answer (state, "{'result': <'done'>, 'sent': <true>}");
  } else {
    state->remaining--;
    state->ours++;
    answer (state, "{'result': <'code-incorrect'>, 'sent': <true>}");
  }
}

/* What is shown is all that the host can compare with what it read when it prepared. */
static gboolean
shows_the_same (const ModelState *state, ModelKind kind)
{
  TokendCounterReading before = show (kind, state->last_read), now = show (kind, state->remaining);

  return memcmp (&before, &now, sizeof now) == 0;
}

static void
follow_host (const ModelState *state, ModelKind kind, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (state->host == HOST_ASKED && shows_the_same (state, kind)) {
    next.host = HOST_SENDING;
    next.last_read = next.remaining;
    visit (&next, "the host finds the tries as they were", data);
  } else if (state->host == HOST_ASKED) {
    answer (&next, "{'result': <'changed'>, 'sent': <false>}");
    visit (&next, "the host finds other tries", data);
  } else if (state->host == HOST_SENDING) {
    send_code (&next);
    visit (&next, "the code goes to the token", data);
  }

  /* A host that nobody waits for ends by itself, once it is done; and any host may crash. */
  if (state->host >= HOST_ASKED) {
    next = *state;
    end_host (&next);
    visit (&next, "the host ends", data);
  }
}

static void
crash (ModelState *state)
{
  state->crashes_left--;
  state->is_up = FALSE;
  memset (&state->memory, 0, sizeof state->memory);
  for (guint i = 0; i < MODEL_N_CALLERS; i++) {
    state->callers[i].step = STEP_NONE;
    state->callers[i].has_word = state->callers[i].is_right = FALSE;
  }
  state->owner = MODEL_N_CALLERS;
  if (state->host < HOST_ASKED)
    end_host (state);
}

static void
follow_service (const ModelState *state, ModelKind kind, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (!state->is_up) {
    next.is_up = TRUE;
    next.memory = next.disk;
    visit (&next, "the service starts", data);
    return;
  }
  if (!is_claimed (state) && observe (&next, kind)) {
    visit (&next, "the token is read, and the ledger not written", data);
    next.disk = next.memory;
    visit (&next, "the token is read", data);
  }
  if (state->crashes_left > 0) {
    next = *state;
    crash (&next);
    visit (&next, "the service crashes", data);
  }
}

static void
follow_another_program (const ModelState *state, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (state->meddlings_left == 0 || state->remaining == 0)
    return;
  next.meddlings_left--;
  next.remaining--;
  next.others++;
  visit (&next, "another program loses a try", data);

  next.remaining = MODEL_MAXIMUM;
  next.ours = next.others = 0;
  visit (&next, "another program has the right code", data);
}

/** model_follow: all that can happen next. */
void
model_follow (const ModelState *state, ModelKind kind, ModelVisit visit, gpointer user_data)
{
  if (state->is_up)
    for (guint i = 0; i < MODEL_N_CALLERS; i++)
      follow_caller (state, kind, i, visit, user_data);
  follow_host (state, kind, visit, user_data);
  follow_service (state, kind, visit, user_data);
  follow_another_program (state, visit, user_data);
}

/* Of a token that hides its tries, what another program lost cannot be known. */
static gboolean
can_be_known (const ModelState *state, ModelKind kind)
{
  return kind != MODEL_HIDING || state->others == 0;
}

static gboolean
promises_too_much (const ModelState *state, ModelKind kind, const ModelEntry *entry)
{
  TokendCounter counter = judge (kind, state->remaining, entry);

  return counter.remaining != TOKEND_RETRIES_UNKNOWN && counter.remaining > state->remaining;
}

/* The token's own word may have settled the ledger; where it never can, every try of ours is in it. */
static gboolean
is_recorded (const ModelState *state, ModelKind kind, const ModelEntry *entry)
{
  if (kind == MODEL_NUMBER || kind == MODEL_EXACT)
    return !promises_too_much (state, kind, entry);
  return entry->locked || state->ours <= entry->spent + entry->pending;
}

/**
 * model_find_fault:
 * Returns: (nullable): what is wrong with @state.
 */
const char *
model_find_fault (const ModelState *state, ModelKind kind)
{
  if (state->has_two)
    return "two operations are under way on one token";
  if (state->host == HOST_SENDING && state->last_read == 1 && state->remaining == 1
      && !state->has_word && can_be_known (state, kind))
    return "a last try goes without the caller's word";
  if (state->is_up && can_be_known (state, kind) && promises_too_much (state, kind, &state->memory))
    return "more tries are told than there are";
  if (can_be_known (state, kind) && promises_too_much (state, kind, &state->disk))
    return "after a restart more tries would be told than there are";
  if (!is_recorded (state, kind, &state->disk)
      || (state->is_up && !is_recorded (state, kind, &state->memory)))
    return "a try of ours is not recorded";
  if (state->is_up && !is_claimed (state) && state->remaining > 0 && !may_spend (state, kind, TRUE))
    return "the right code cannot be sent any more";
  return NULL;
}
