/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decision.h"

static guint
gravity (const TokenctlTries *tries)
{
  switch (tries->state) {
  case TOKEND_STATE_LOCKED:
    return 3;
  case TOKEND_STATE_FINAL_TRY:
    return 2;
  case TOKEND_STATE_LOW:
    return 1;
  case TOKEND_STATE_OK:
  case TOKEND_STATE_UNINITIALIZED:
  case TOKEND_STATE_UNKNOWN:
  default:
    return 0;
  }
}

gboolean
tokend_notify_is_concern (const TokenctlTries *tries)
{
  return gravity (tries) > 0;
}

gboolean
tokend_notify_is_worse (const TokenctlTries *a, const TokenctlTries *b)
{
  if (gravity (a) != gravity (b))
    return gravity (a) > gravity (b);
  return a->state == TOKEND_STATE_LOW && a->remaining_known && b->remaining_known
         && a->remaining < b->remaining;
}

static gboolean
is_equal (const TokenctlTries *a, const TokenctlTries *b)
{
  return a->state == b->state && a->remaining_known == b->remaining_known
         && (!a->remaining_known || a->remaining == b->remaining) && a->maximum == b->maximum
         && a->minimum == b->minimum;
}

/* Takes a counter that is higher than before and not full for news: it was full in between, and a
 * try was lost again. */
static gboolean
is_news (const TokenctlTries *told, const TokenctlTries *now)
{
  return tokend_notify_is_concern (now)
         && (tokend_notify_is_worse (now, told) || tokend_notify_is_worse (told, now));
}

/* Keeps what is not known now as it was: a failed reading makes nothing well. A flag that went when
 * the token was used does. */
static TokenctlTries
believed (const TokenctlTries *told, const TokenctlTries *now)
{
  static const TokenctlTries well = { 0 };

  if (now->state == TOKEND_STATE_UNKNOWN && !now->flag_gone)
    return *told;
  return tokend_notify_is_concern (now) ? *now : well;
}

/**
 * tokend_notify_decide:
 * @told: what the person was told of this token in this session; all zero for nothing
 * @now: its present status
 *
 * Ignores whether the token was away in between: a person who was told once need not be told again.
 *
 * Returns: what to do with the token's notification
 */
TokendNotifyDecision
tokend_notify_decide (const TokendNotifyTries *told, const TokendNotifyTries *now)
{
  TokendNotifyDecision decision = { TOKEND_NOTIFY_KEEP, { { { 0 } } } };
  gboolean concern = FALSE, had_concern = FALSE, news = FALSE, changed = FALSE;

  for (guint role = 0; role < G_N_ELEMENTS (decision.told.of); role++) {
    const TokenctlTries *old = &told->of[role];
    TokenctlTries new = believed (old, &now->of[role]);

    decision.told.of[role] = new;
    had_concern = had_concern || tokend_notify_is_concern (old);
    concern = concern || tokend_notify_is_concern (&new);
    news = news || is_news (old, &new);
    changed = changed || !is_equal (old, &new);
  }

  if (news)
    decision.act = TOKEND_NOTIFY_SHOW;
  else if (had_concern && !concern)
    decision.act = TOKEND_NOTIFY_CLOSE;
  else if (changed)
    decision.act = TOKEND_NOTIFY_UPDATE;
  return decision;
}
