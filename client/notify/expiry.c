/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "expiry.h"

#include "validity.h"

/* The beginning of each stage, in days as a calendar counts them. */
static const struct {
  gint days;
  TokendNotifyStage stage;
} beginnings[] = {
  { TOKENCTL_RENEWAL_DAYS, TOKEND_NOTIFY_STAGE_MONTH },
  { 7, TOKEND_NOTIFY_STAGE_WEEK },
  { 1, TOKEND_NOTIFY_STAGE_DAY },
};

/**
 * tokend_notify_stage:
 * @not_after: the end of a certificate
 * @now: in the same time zone
 *
 * Returns: how near the end is
 */
TokendNotifyStage
tokend_notify_stage (GDateTime *not_after, GDateTime *now)
{
  TokenctlValidity validity = tokenctl_validity (not_after, now);
  TokendNotifyStage stage = TOKEND_NOTIFY_STAGE_FAR;

  if (validity.ended)
    return TOKEND_NOTIFY_STAGE_ENDED;
  for (gsize i = 0; i < G_N_ELEMENTS (beginnings); i++) {
    if (validity.days <= beginnings[i].days)
      stage = beginnings[i].stage;
  }
  return stage;
}

/**
 * tokend_notify_stage_is_news:
 * @stage: of a certificate
 * @told: a bit, 1 << stage, for each stage at which the person was warned
 *
 * Does not make up for a stage that was passed over. A later stage does not stand for it either, as
 * it may have been told while the clock was wrong.
 *
 * Returns: whether to warn
 */
gboolean
tokend_notify_stage_is_news (TokendNotifyStage stage, guint told)
{
  return stage != TOKEND_NOTIFY_STAGE_FAR && (told & 1u << stage) == 0;
}

static GDateTime *
midnight_before (GDateTime *moment, gint days)
{
  g_autoptr (GDateTime) earlier = g_date_time_add_days (moment, -days);
  gint year, month, day;

  if (earlier == NULL)
    return NULL;
  g_date_time_get_ymd (earlier, &year, &month, &day);
  return g_date_time_new (g_date_time_get_timezone (moment), year, month, day, 0, 0, 0);
}

/**
 * tokend_notify_next_stage:
 * @not_after: the end of a certificate
 * @now: in the same time zone
 *
 * Returns: (transfer full) (nullable): when its next stage begins; %NULL in the last stage
 */
GDateTime *
tokend_notify_next_stage (GDateTime *not_after, GDateTime *now)
{
  for (gsize i = 0; i < G_N_ELEMENTS (beginnings); i++) {
    g_autoptr (GDateTime) beginning = midnight_before (not_after, beginnings[i].days);

    if (beginning != NULL && g_date_time_compare (now, beginning) < 0)
      return g_steal_pointer (&beginning);
  }
  return g_date_time_compare (now, not_after) <= 0 ? g_date_time_add_seconds (not_after, 1) : NULL;
}
