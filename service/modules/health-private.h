/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A module that has worked this long has recovered: a later failure is news. */
#define TOKEND_HEALTH_WELL_US (10 * G_TIME_SPAN_MINUTE)
/* The most reasons that are told until then, since a module makes up its reasons as it likes. */
#define TOKEND_HEALTH_REASONS_MAX 5

/* A module that was never read since it failed is started again after 1 s, 2 s, 4 s, … up to the
 * maximum. A module that works for a moment after each start is treated alike after this many
 * starts. */
#define TOKEND_HEALTH_QUICK_STARTS 10
#define TOKEND_HEALTH_PAUSE_MAX_SECONDS 300

/**
 * TokendHealth:
 *
 * A module's failures and recoveries since it was well for long; zero at first. Decides what the
 * journal is told and when the module is started again. A module that fails and recovers again and
 * again must not flood the journal, nor keep the machine busy. The journal's last word must not be
 * that the module is back while it is not.
 */
typedef struct {
  guint n_failed;
  guint n_in_a_row; /* without a successful read in between */
  char *reason;     /* the last one told */
  guint n_told;
  gboolean is_ill_told;  /* the journal's last word is a failure */
  gboolean is_back_told; /* the first recovery is in the journal */
  gint64 well_since;     /* monotonic, microseconds; 0: it is not well */
} TokendHealth;

gboolean tokend_health_fail (TokendHealth *self, const char *reason, gint64 now);
gboolean tokend_health_work (TokendHealth *self, gint64 now);
guint tokend_health_get_pause (const TokendHealth *self);
void tokend_health_clear (TokendHealth *self);

G_END_DECLS
