/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ledger-entry.h"

/*
 * The order of an operation (steps 1 to 10 of service/operation.c) on one token and one role, with all that can come in
 * between: a second caller, another program, a crash of the service or of the host, a disk that cannot be written. What is
 * decided on the way is decided by the service's own functions: tokend_counter_judge(), tokend_attempt_check(),
 * tokend_ledger_entry_…(), tokend_outcome_judge().
 */

#define MODEL_MAXIMUM 3
#define MODEL_N_CALLERS 2

/* What a token lets one know of its tries. */
typedef enum {
  MODEL_NUMBER,    /* its own number */
  MODEL_EXACT,     /* flags that are exact */
  MODEL_LAST_ONLY, /* FINAL_TRY and LOCKED, and no maximum is known */
  MODEL_NOTHING,   /* nothing, and its profile says so */
  MODEL_HIDING,    /* nothing, though its profile says that its flags are exact */
  MODEL_N_KINDS
} ModelKind;

typedef enum {
  STEP_NONE, /* no call; may make one if any are left */
  STEP_CHECKED,
  STEP_CLAIMED,
  STEP_PREPARED,
  STEP_RECORDING,
  STEP_COMMITTING,
  STEP_SETTLING,
} ModelStep;

/* What the operating host is at. From HOST_ASKED on it completes, whoever leaves. */
typedef enum { HOST_NONE, HOST_PREPARED, HOST_ASKED, HOST_SENDING, HOST_ANSWERED } ModelHost;

typedef struct {
  guint8 spent, pending, locked, confirmed;
} ModelEntry;

/* All of one moment. Nothing but bytes: two moments are the same if their bytes are. */
typedef struct {
  guint8 remaining; /* the token's tries, in truth */
  guint8 ours;      /* lost by us since the last right code */
  guint8 others;    /* lost by another program since then */

  guint8 is_up;
  ModelEntry memory; /* the service's ledger */
  ModelEntry disk;

  struct {
    guint8 step;
    guint8 calls_left;
    guint8 has_word; /* the caller's, that this may be the last try */
    guint8 is_right; /* the code */
  } callers[MODEL_N_CALLERS];

  guint8 host;
  guint8 owner; /* the caller whose call the host works for; MODEL_N_CALLERS: nobody's any more */
  guint8 last_read;  /* the tries when it last read them */
  guint8 has_word;   /* as its caller's */
  guint8 is_right;   /* likewise */
  guint8 settlement; /* of what it answered */

  guint8 has_two; /* operations were under way at once */

  guint8 crashes_left;
  guint8 meddlings_left;
} ModelState;

/** ModelVisit: called for each state that may follow, @event being what happened. */
typedef void (*ModelVisit) (const ModelState *next, const char *event, gpointer user_data);

void model_begin (ModelState *state);
void model_follow (const ModelState *state, ModelKind kind, ModelVisit visit, gpointer user_data);
const char *model_find_fault (const ModelState *state, ModelKind kind);
