/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "order-model.h"

#include "attempt-private.h"
#include "order-caller.h"
#include "outcome-private.h"

#include <string.h>

#define CRASHES_MAX 1
#define MEDDLINGS_MAX 2
#define ROLE TOKEND_ROLE_PUK

static const guint8 calls[MODEL_N_CALLERS] = { 2, 1 };
/* Of each operation */
static const guint8 finishes[MODEL_N_CALLERS] = { 1, 2 };

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
  memset (state, 0, sizeof *state);
  state->remaining = MODEL_MAXIMUM;
  state->is_up = TRUE;
  state->owner = MODEL_N_CALLERS;
  state->crashes_left = CRASHES_MAX;
  state->meddlings_left = MEDDLINGS_MAX;
  for (guint i = 0; i < MODEL_N_CALLERS; i++)
    state->callers[i].calls_left = calls[i];
}

guint8
model_get_finishes (guint i)
{
  return finishes[i];
}

/**
 * model_describe_bounds:
 *
 * Returns: (transfer full): up to what the model goes.
 */
char *
model_describe_bounds (void)
{
  return g_strdup_printf (
      "%u tries, %u operations with %u Finish and %u with %u, %d crash of the service, %d times "
      "another program",
      MODEL_MAXIMUM, calls[0], finishes[0], calls[1], finishes[1], CRASHES_MAX, MEDDLINGS_MAX);
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
evaluate (ModelKind kind, guint remaining, const ModelEntry *entry)
{
  TokendCounterReading reading = show (kind, remaining);
  TokendCounterRecord record = { (guint) (entry->spent + entry->pending), entry->locked };

  return tokend_counter_evaluate (&reading, &rules[kind], &record);
}

/* @remaining: as somebody read them. */
gboolean
model_may_spend (const ModelState *state, ModelKind kind, guint remaining, gboolean has_word)
{
  TokendAttempt attempt = { .final_attempt = has_word };
  TokendCounter counter = evaluate (kind, remaining, &state->memory);

  return tokend_attempt_check (&attempt, ROLE, &counter, NULL);
}

/* By the last reading. */
gboolean
model_may_open (const ModelState *state, ModelKind kind)
{
  static const TokendAttempt attempt = { 0 };
  TokendCounter counter = evaluate (kind, state->remaining, &state->memory);

  return tokend_attempt_check_opening (&attempt, ROLE, &counter, NULL);
}

/* By what the host read when it prepared. */
gboolean
model_may_commit (const ModelState *state, ModelKind kind)
{
  TokendAttempt attempt = { .final_attempt = state->has_word };
  TokendCounter counter = evaluate (kind, state->last_read, &state->memory);

  return tokend_attempt_check_prepared (&attempt, ROLE, &counter, FALSE, NULL);
}

void
model_resolve (ModelState *state, TokendTryResult try_result)
{
  TokendLedgerEntry entry = unpack (&state->memory);

  tokend_ledger_entry_resolve (&entry, try_result);
  pack (&state->memory, &entry);
}

void
model_begin_try (ModelState *state)
{
  TokendLedgerEntry entry = unpack (&state->memory);

  tokend_ledger_entry_begin (&entry, 0);
  pack (&state->memory, &entry);
}

/* Returns: whether there is something to be written. */
gboolean
model_read_token (ModelState *state, ModelKind kind)
{
  TokendLedgerEntry entry = unpack (&state->memory);
  TokendCounterReading reading = show (kind, state->remaining);
  gboolean changed =
      !model_is_claimed (state) && tokend_ledger_entry_observe (&entry, &reading, &rules[kind]);

  pack (&state->memory, &entry);
  return changed;
}

/* The host's lock outlives the service that took it. */
gboolean
model_is_claimed (const ModelState *state)
{
  for (guint i = 0; i < MODEL_N_CALLERS; i++)
    if (state->callers[i].has_claim)
      return TRUE;
  return state->host != HOST_NONE;
}

void
model_end_host (ModelState *state)
{
  state->host = HOST_NONE;
  state->owner = MODEL_N_CALLERS;
  state->last_read = state->has_word = state->try_result = state->has_sent = 0;
}

/* What the host's answer means, by the service's own reading of it. */
static TokendTryEffect
evaluate_outcome (const char *text)
{
  g_autoptr (GVariant) outcome = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
  g_autoptr (GError) error = NULL;

  return tokend_outcome_interpret (outcome, ROLE, TRUE, &error);
}

static void
answer (ModelState *state, const char *outcome)
{
  const TokendTryEffect effect = evaluate_outcome (outcome);

  state->try_result = (guint8) effect.try_result;
  state->has_sent = effect.sent != FALSE;
  state->host = HOST_ANSWERED;
}

static void
send_code (ModelState *state, gboolean is_right)
{
  if (state->owner < MODEL_N_CALLERS)
    state->callers[state->owner].n_sent++;
  if (state->remaining == 0) {
    answer (state, "{'result': <'code-locked'>, 'sent': <true>}");
  } else if (is_right) {
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
    send_code (&next, FALSE);
    visit (&next, "a wrong code goes to the token", data);
    next = *state;
    send_code (&next, TRUE);
    visit (&next, "the right code goes to the token", data);
  }

  /* A host that nobody waits for ends by itself, once it is done; and any host may crash. */
  if (state->host != HOST_NONE) {
    next = *state;
    model_end_host (&next);
    visit (&next, "the host ends", data);
  }
}

static void
crash (ModelState *state)
{
  state->crashes_left--;
  state->is_up = FALSE;
  memset (&state->memory, 0, sizeof state->memory);
  state->owner = MODEL_N_CALLERS;
  for (guint i = 0; i < MODEL_N_CALLERS; i++)
    model_end_call (state, i);
  if (state->host < HOST_ASKED)
    model_end_host (state);
}

/* What each start takes a ledger for that it cannot read, until one that says so has come in its
 * place. */
static void
follow_down (const ModelState *state, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  next.is_up = TRUE;
  next.memory = next.disk;
  visit (&next, "the service starts", data);

  next = *state;
  next.disk = (ModelEntry){ .spent = 255 };
  visit (&next, "the ledger is damaged", data);
}

static void
follow_service (const ModelState *state, ModelKind kind, ModelVisit visit, gpointer data)
{
  ModelState next = *state;

  if (!state->is_up) {
    follow_down (state, visit, data);
    return;
  }
  if (model_read_token (&next, kind)) {
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

/**
 * model_follow:
 *
 * All that can happen next.
 */
void
model_follow (const ModelState *state, ModelKind kind, ModelVisit visit, gpointer user_data)
{
  if (state->is_up)
    for (guint i = 0; i < MODEL_N_CALLERS; i++)
      model_follow_caller (state, kind, i, visit, user_data);
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
  TokendCounter counter = evaluate (kind, state->remaining, entry);

  return counter.remaining != TOKEND_RETRIES_UNKNOWN && counter.remaining > state->remaining;
}

/* The token's own word may have settled the ledger; where it never can, every try of ours is in
 * it. */
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
  if (state->fault != MODEL_NO_FAULT)
    return model_name_fault (state);
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
  if (state->is_up && !model_is_claimed (state) && state->remaining > 0
      && !model_may_spend (state, kind, state->remaining, TRUE))
    return "the right code cannot be sent any more";
  if (state->is_up && !model_is_claimed (state) && !state->is_uncertain
      && state->crashes_left == CRASHES_MAX
      && (state->memory.pending > 0 || state->disk.pending > 0))
    return "an outcome that is known is not recorded";
  return NULL;
}

/**
 * model_is_success:
 *
 * Whether a caller has heard that the code was right.
 */
gboolean
model_is_success (const ModelState *state)
{
  for (guint i = 0; i < MODEL_N_CALLERS; i++)
    if (state->callers[i].has_answer && state->callers[i].try_result == TOKEND_TRY_SUCCEEDED)
      return TRUE;
  return FALSE;
}
