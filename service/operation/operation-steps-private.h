/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendStep:
 *
 * A step of an operation: of Unlock and SetPin until TOKEND_STEP_OPEN, then of Finish. The numbers
 * are those of ARCHITECTURE.md.
 */
typedef enum {
  TOKEND_STEP_ACCEPT,              /* 1  arguments, options, limits */
  TOKEND_STEP_IDENTIFY,            /* 1  whether the caller's session is active */
  TOKEND_STEP_MAY_READ,            /* 2  whether the caller may read the status unasked */
  TOKEND_STEP_READ_BEFORE_PROMPT,  /* 2  the token is read */
  TOKEND_STEP_CHECK_BEFORE_PROMPT, /* 2  the state, so that nobody is prompted in vain */
  TOKEND_STEP_AUTHORIZE,           /* 3  polkit */
  TOKEND_STEP_IDENTIFY_AGAIN,      /* 3  the session, after the time that a prompt took */
  TOKEND_STEP_READ_AFTER_PROMPT, /* 3  the token is read again, after the time that a prompt took */
  TOKEND_STEP_CHECK_AFTER_PROMPT, /* 3  the state, so that nobody types a code in vain */
  TOKEND_STEP_HAND_OUT,           /* 3  the caller gets the pipes */
  TOKEND_STEP_OPEN,               /* waits for Finish */
  TOKEND_STEP_COLLECT,            /* 4  the codes are whole */
  TOKEND_STEP_AUTHORIZE_AGAIN,    /* 4  polkit, and the caller's session */
  TOKEND_STEP_READ,               /* 4  the token is read again */
  TOKEND_STEP_CHECK,              /* 4  the state, after the time that a person took to type */
  TOKEND_STEP_CLAIM,              /* 4  the token is this operation's alone */
  TOKEND_STEP_PREPARE, /* 5  the operating host opens its session, and reads and checks the codes */
  TOKEND_STEP_COMPARE, /* 5  the state as that session shows it; the code was not refused before */
  TOKEND_STEP_RECORD,  /* 6  the ledger: one try pending */
  TOKEND_STEP_COMMIT,  /* 7  the host sends the code */
  TOKEND_STEP_RESOLVE, /* 8  the ledger: the try's result */
  TOKEND_STEP_READ_AFTER, /* 9  the status, read from the token */
  TOKEND_STEP_CLOSE,      /* 10 the host closes on the card what the code has opened */
  TOKEND_STEP_REPLY,      /* 11 */
  TOKEND_STEP_END,        /* nothing follows */
  TOKEND_N_STEPS
} TokendStep;

/**
 * TokendStepResult:
 *
 * How a step ended.
 */
typedef enum {
  /* TOKEND_STEP_OPEN: Finish was called. TOKEND_STEP_REPLY: Finish may be called again. */
  TOKEND_STEP_DONE,
  TOKEND_STEP_FAILED,
  TOKEND_STEP_NOT_ALLOWED, /* of TOKEND_STEP_MAY_READ alone: no, which does not end the operation */
  TOKEND_N_STEP_RESULTS
} TokendStepResult;

TokendStep tokend_step_next (TokendStep step, TokendStepResult result);
TokendStepResult tokend_step_evaluate (TokendStep step, TokendStepResult result, gboolean is_over);
gboolean tokend_step_may_go_on (gboolean is_open, gboolean is_over, gboolean was_sent);
gboolean tokend_step_may_be_left (TokendStep step);

G_END_DECLS
