/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "ledger-entry-private.h"

/*
 * Operations on one token and one role, two of them open at a time, with all that can come in
 * between: that they are cancelled, expire, lose their authorization, their token or their caller;
 * another program, a crash of the service or of the host, a disk that cannot be written, a ledger
 * that is damaged meanwhile. The order of their steps is the service's own, from
 * tokend_step_next(), _judge(), _may_be_left() and _may_go_on(); what is decided on the way is
 * decided by the service's own functions: tokend_counter_evaluate(), tokend_attempt_check…(),
 * tokend_ledger_entry_…(), tokend_outcome_interpret().
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

/* What the operating host is at. From HOST_ASKED on it completes, whoever leaves. */
typedef enum {
  HOST_NONE,
  HOST_STARTED,
  HOST_PREPARED,
  HOST_ASKED,
  HOST_SENDING,
  HOST_ANSWERED
} ModelHost;

typedef struct {
  guint8 spent, pending, locked, confirmed;
} ModelEntry;

typedef struct {
  guint8 step; /* TOKEND_STEP_ACCEPT: no call; may make one if any are left */
  guint8 calls_left;
  guint8 finishes_left; /* of the operation that is open */
  guint8 is_open;
  /* Cancelled, expired, no longer authorized, its caller left, its token was removed */
  guint8 is_over;
  guint8 has_pipes;
  guint8 is_finishing;     /* Finish has said that the codes are whole */
  guint8 will_be_whole;    /* so they are */
  guint8 is_whole;         /* and were found to be */
  guint8 is_rechecked;     /* it may still be */
  guint8 has_word;         /* that this may be the last try */
  guint8 may_read;         /* the status: so polkit will say */
  guint8 may_read_unasked; /* so it has said */
  guint8 is_authorized;
  guint8 has_read;    /* the token, since it last waited for anything else */
  guint8 has_checked; /* the state, likewise */
  guint8 has_claim;
  guint8 has_begun; /* its try */
  guint8 n_sent;    /* codes that went to the token by the operation that is open */
  /* Of the steps that write: it is on the disk, and the service has not heard of it */
  guint8 is_written;
  guint8 has_answer; /* the host's */
  guint8 has_sent;   /* as that says */
  guint8 try_result;
  guint8 has_closed; /* the host has, or nobody waits for it any more */
} ModelCaller;

/* All of one moment. Nothing but bytes: two moments are the same if their bytes are. */
typedef struct {
  guint8 remaining; /* the token's tries, in truth */
  guint8 ours;      /* lost by us since the last right code */
  guint8 others;    /* lost by another program since then */

  guint8 is_up;
  ModelEntry memory; /* the service's ledger */
  ModelEntry disk;

  ModelCaller callers[MODEL_N_CALLERS];

  guint8 host;
  guint8 owner; /* the caller whose call the host works for; MODEL_N_CALLERS: nobody's any more */
  guint8 last_read;  /* the tries when it last read them */
  guint8 has_word;   /* as its caller's */
  guint8 try_result; /* of what it answered */
  guint8 has_sent;   /* as it answered */

  guint8 is_uncertain; /* an answer did not come, or an outcome could not be written */
  guint8 fault;        /* a step was begun that must not be: see order-model.c */

  guint8 crashes_left;
  guint8 meddlings_left;
} ModelState;

/**
 * ModelVisit:
 *
 * Called for each state that may follow, @event being what happened.
 */
typedef void (*ModelVisit) (const ModelState *next, const char *event, gpointer user_data);

char *model_describe_bounds (void);
void model_begin (ModelState *state);
void model_follow (const ModelState *state, ModelKind kind, ModelVisit visit, gpointer user_data);
const char *model_find_fault (const ModelState *state, ModelKind kind);
gboolean model_is_success (const ModelState *state);
