/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendGateAnswer:
 *
 * Whether a caller is authorized, and if not, why.
 */
typedef enum {
  TOKEND_GATE_ALLOWED,
  TOKEND_GATE_DENIED,            /* polkit refused, which no person can change */
  TOKEND_GATE_NEEDS_PERSON,      /* a person must be asked, and was not to be */
  TOKEND_GATE_NO_AGENT,          /* nobody could be asked */
  TOKEND_GATE_DISMISSED,         /* the person closed the prompt */
  TOKEND_GATE_NOT_AUTHENTICATED, /* the person gave no right password */
  TOKEND_GATE_EXPIRED,           /* the person did not answer */
  TOKEND_GATE_UNANSWERED,        /* polkit did not answer */
  TOKEND_GATE_WITHDRAWN,         /* nobody waits for the answer any more */
} TokendGateAnswer;

/**
 * TokendGateReply:
 *
 * What polkit said.
 */
typedef struct {
  gboolean is_authorized;
  gboolean is_challenge; /* a person would have to be asked */
  gboolean is_dismissed;
} TokendGateReply;

TokendGateAnswer tokend_gate_answer_interpret (const TokendGateReply *reply,
                                               gboolean was_prompting);
GError *tokend_gate_answer_new_error (TokendGateAnswer answer, const char *action);

G_END_DECLS
