/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tracker.h"

#include "journal.h"
#include "loss-private.h"

/* The most entries of one kind in ten minutes, of one role of a token and of a module, which can
 * make up tokens. A person loses fewer tries. */
#define TOLD_OF_ROLE_MAX 10
#define TOLD_OF_MODULE_MAX 100
#define TOLD_INTERVAL_US (10 * G_TIME_SPAN_MINUTE)

TokendRateLimit *
tokend_tracker_limit_new (void)
{
  return tokend_rate_limit_new (TOLD_OF_MODULE_MAX, TOLD_OF_ROLE_MAX, TOLD_INTERVAL_US);
}

/**
 * tokend_snapshot_evaluate:
 *
 * Returns: what the token shows by itself, without the ledger.
 */
TokendCounter
tokend_snapshot_evaluate (const TokendSnapshot *self, TokendRole role)
{
  static const TokendCounterRecord nothing = { 0 };

  return tokend_counter_evaluate (&self->reading->counters[role], &self->rules[role], &nothing);
}

/**
 * tokend_snapshot_update_refused:
 * @by_number: whether only a number of the token's own counts. Some cards show a flag only to the
 *   process that tried a code; its absence in the next process is no rise.
 *
 * Forgets the refused codes of a role whose counter has risen.
 */
void
tokend_snapshot_update_refused (const TokendSnapshot *self, TokendRefused *refused,
                                gboolean by_number)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    TokendCounter shown = tokend_snapshot_evaluate (self, role);

    if (!by_number || shown.source == TOKEND_RETRIES_SOURCE_TOKEN)
      tokend_refused_observe (refused, self->target, role, self->module, &shown);
  }
}

static void
update_ledger (const TokendSnapshot *snapshot, TokendLedger *ledger)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    tokend_ledger_observe (ledger, snapshot->target, role, snapshot->module,
                           &snapshot->reading->counters[role], &snapshot->rules[role]);
}

static void
tell_too_many (const TokendSnapshot *snapshot, TokendRole role, const TokendRateLimitInfo *info)
{
  const char *code = role == TOKEND_ROLE_PUK ? "PUK" : "PIN";
  g_autofree char *what = info->is_last_of_source
                              ? g_strdup ("its tokens")
                              : g_strdup_printf ("the %s of “%s”", code, snapshot->label);

  tokend_journal (
      G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_TOO_MANY, "TOKEND_MODULE", snapshot->module, "MESSAGE",
      "What the module %s shows of %s changes too often: for up to ten minutes, no more "
      "of this kind is told",
      snapshot->module, what);
}

/* Returns: whether it was told; else it is told later if it is still so. */
static gboolean
tell (TokendService *service, const TokendSnapshot *snapshot, TokendRole role, GLogLevelFlags level,
      GVariant *entry)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (entry);
  g_autofree char *subject = NULL;
  const char *kind = NULL;
  TokendRateLimitInfo info;

  g_variant_lookup (owned, "MESSAGE_ID", "&s", &kind);
  subject = g_strdup_printf ("%s/%s/%d", tokend_target_get_holder (snapshot->target), kind, role);
  if (!tokend_rate_limit_take (service->snapshot_limit, snapshot->module, subject,
                               g_get_monotonic_time (), &info))
    return FALSE;
  tokend_journal_variant (level, owned);
  if (info.is_last_of_source || info.is_last_of_subject)
    tell_too_many (snapshot, role, &info);
  return TRUE;
}

/* Names what has the tries. Each module that shows a card without a serial number has its own stay
 * of it, but one reader holds one card.
 * Returns: (transfer full): the name. */
static char *
name_holder (const TokendSnapshot *snapshot)
{
  if (snapshot->target->is_known_card || snapshot->reading->reader == NULL)
    return g_strdup (tokend_target_get_holder (snapshot->target));
  return g_strdup_printf ("%s %s", snapshot->target->name, snapshot->reading->reader);
}

/* Tells of a loss, which another program caused, since no operation of ours was in between. A loss
 * that may not be told now is compared again, and told when it may be. */
static void
tell_loss (TokendTracker *self, TokendService *service, const TokendSnapshot *snapshot,
           TokendRole role)
{
  g_autofree char *holder = name_holder (snapshot);
  TokendCounter now = tokend_snapshot_evaluate (snapshot, role);
  g_autofree char *view = g_strdup_printf ("%s/%s", snapshot->module, snapshot->label);

  if (tokend_loss_log_observe (service->loss_log, holder, role, view, &self->shown[role], &now)) {
    if (!tell (service, snapshot, role, tokend_loss_get_level (&now),
               tokend_loss_compose (role, &now, snapshot->target->card, snapshot->label,
                                    snapshot->module)))
      return;
    tokend_loss_log_add (service->loss_log, holder, role, view, &now);
  }
  self->shown[role] = now;
}

static void
tell_inconsistency (TokendTracker *self, TokendService *service, const TokendSnapshot *snapshot,
                    TokendRole role)
{
  TokendInconsistency *inconsistency = &self->inconsistencies[role];

  if (tokend_inconsistency_observe (inconsistency, &snapshot->reading->counters[role],
                                    &snapshot->rules[role]))
    inconsistency->is_told =
        tell (service, snapshot, role, G_LOG_LEVEL_WARNING,
              tokend_inconsistency_compose (
                  inconsistency, role, tokend_snapshot_evaluate (snapshot, role).state,
                  snapshot->target->card, snapshot->label, snapshot->module));
}

/**
 * tokend_tracker_update:
 * @snapshot: taken while no operation of ours is under way on the token.
 *
 * Lets what the token shows stand above the ledger and the refused codes. Tells the journal of lost
 * tries and inconsistencies.
 */
void
tokend_tracker_update (TokendTracker *self, TokendService *service, const TokendSnapshot *snapshot)
{
  tokend_snapshot_update_refused (snapshot, service->refused, FALSE);
  update_ledger (snapshot, service->ledger);
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    tell_loss (self, service, snapshot, role);
    tell_inconsistency (self, service, snapshot, role);
  }
}

/**
 * tokend_tracker_observe_flags:
 * @reading: (inout): see tokend_flag_memory_observe().
 * @by_trier: see there.
 */
void
tokend_tracker_observe_flags (TokendTracker *self, TokendReading *reading, gboolean by_trier)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    tokend_flag_memory_observe (&self->flags[role], &reading->counters[role],
                                by_trier || !reading->is_unused, by_trier);
}

/**
 * tokend_tracker_reset:
 *
 * Keeps the next snapshot from being compared with the last one: an operation of ours is in
 * between.
 */
void
tokend_tracker_reset (TokendTracker *self)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    self->shown[role] = tokend_counter_unknown;
}
