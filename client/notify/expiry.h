/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendNotifyStage:
 *
 * How near a certificate's end is; each but the first has one warning.
 */
typedef enum {
  TOKEND_NOTIFY_STAGE_FAR,
  TOKEND_NOTIFY_STAGE_MONTH, /* 30 days */
  TOKEND_NOTIFY_STAGE_WEEK,  /* 7 days */
  TOKEND_NOTIFY_STAGE_DAY,   /* tomorrow, or today */
  TOKEND_NOTIFY_STAGE_ENDED,
} TokendNotifyStage;

#define TOKEND_NOTIFY_N_STAGES 5

TokendNotifyStage tokend_notify_stage (GDateTime *not_after, GDateTime *now);
gboolean tokend_notify_stage_is_news (TokendNotifyStage stage, guint told);
GDateTime *tokend_notify_next_stage (GDateTime *not_after, GDateTime *now);

G_END_DECLS
