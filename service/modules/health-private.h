/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A module that worked so long has recovered: what comes after that is news. */
#define TOKEND_HEALTH_WELL_US (10 * G_TIME_SPAN_MINUTE)
/* As many reasons are told of until then: a module makes its reasons up as it likes. */
#define TOKEND_HEALTH_REASONS_MAX 5

/* One that was never read since it failed is started again after 1 s, 2 s, 4 s, … at most the last.
 * One that fails again each time that it has worked for a moment is no better, once it has done so
 * more often than this. */
#define TOKEND_HEALTH_QUICK_STARTS 10
#define TOKEND_HEALTH_PAUSE_MAX_SECONDS 300

/**
 * TokendHealth:
 *
 * Of a module's failures and recoveries, all since it was well for long: what the journal was told
 * of, and how many there were; zero at first. One that fails and comes back again and again shall
 * hide nothing behind it, nor keep the machine busy with its starts, and the journal's last word
 * shall not be that it is back while it is not.
 */
typedef struct {
  guint n_failed;
  guint n_in_a_row; /* without a read that worked in between */
  char *reason;     /* told last */
  guint n_told;
  gboolean is_ill_told;  /* the journal's last word is a failure */
  gboolean is_back_told; /* that it is back, for the first time */
  gint64 well_since;     /* monotonic, microseconds; 0: it is not */
} TokendHealth;

gboolean tokend_health_fail (TokendHealth *self, const char *reason, gint64 now);
gboolean tokend_health_work (TokendHealth *self, gint64 now);
guint tokend_health_get_pause (const TokendHealth *self);
void tokend_health_clear (TokendHealth *self);

G_END_DECLS
