/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "status.h"

G_BEGIN_DECLS

/**
 * TokendNotifyTries:
 *
 * What is known of both codes' tries; of the PIN first, by #TokenctlRole.
 */
typedef struct {
  TokenctlTries of[2];
} TokendNotifyTries;

/**
 * TokendNotifyAct:
 *
 * What becomes of a token's notification.
 */
typedef enum {
  TOKEND_NOTIFY_KEEP,   /* nothing */
  TOKEND_NOTIFY_SHOW,   /* there is news: it is shown, whether the person has put it away or not */
  TOKEND_NOTIFY_UPDATE, /* no news, but the words are not right any more: changed if still there */
  TOKEND_NOTIFY_CLOSE,  /* all is well */
} TokendNotifyAct;

/**
 * TokendNotifyDecision:
 * @act: what to do
 * @told: what the person knows from then on
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
