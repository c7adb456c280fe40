/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "status.h"

G_BEGIN_DECLS

/**
 * TokendNotifyTries:
 *
 * What is known of the tries of both codes, by #TokendRole.
 */
typedef struct {
  TokenctlTries of[TOKEND_N_ROLES];
} TokendNotifyTries;

/**
 * TokendNotifyAct:
 *
 * What to do with a token's notification.
 */
typedef enum {
  TOKEND_NOTIFY_KEEP,   /* nothing */
  TOKEND_NOTIFY_SHOW,   /* show it, even if the person has put it away: there is news */
  TOKEND_NOTIFY_UPDATE, /* change it if it is still shown, as its words are not right any more */
  TOKEND_NOTIFY_CLOSE,  /* close it: all is well */
} TokendNotifyAct;

/**
 * TokendNotifyDecision:
 * @act: what to do
 * @told: what the person then knows
 */
typedef struct {
  TokendNotifyAct act;
  TokendNotifyTries told;
} TokendNotifyDecision;

gboolean tokend_notify_is_concern (const TokenctlTries *tries);
gboolean tokend_notify_is_worse (const TokenctlTries *a, const TokenctlTries *b);
TokendNotifyDecision tokend_notify_decide (const TokendNotifyTries *told,
                                           const TokendNotifyTries *now);

G_END_DECLS
