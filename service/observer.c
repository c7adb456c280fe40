/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "observer.h"

#include "journal.h"
#include "loss.h"

/** tokend_sighting_judge: Returns: what the token shows by itself, whatever is recorded of it. */
TokendCounter
tokend_sighting_judge (const TokendSighting *self, TokendRole role)
{
  static const TokendCounterRecord nothing = { 0 };

  return tokend_counter_judge (&self->reading->counters[role], &self->rules[role], &nothing);
}

/** tokend_sighting_settle_refused: forgets the refused codes of a role whose counter has risen. */
void
tokend_sighting_settle_refused (const TokendSighting *self, TokendRefused *refused)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    TokendCounter shown = tokend_sighting_judge (self, role);

    tokend_refused_observe (refused, self->physical_id, role, self->module, &shown);
  }
}

static void
settle_ledger (const TokendSighting *sighting, TokendLedger *ledger)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    tokend_ledger_observe (ledger, sighting->physical_id, role, sighting->module,
                           &sighting->reading->counters[role], &sighting->rules[role]);
}

/* What was lost since the last sighting, another program has lost: between the two was no operation of ours. */
static void
tell_loss (TokendObserver *self, TokendToldLosses *told, const TokendSighting *sighting,
           TokendRole role)
{
  TokendCounter now = tokend_sighting_judge (sighting, role);
  g_autofree char *view = g_strdup_printf ("%s/%s", sighting->module, sighting->label);

  if (tokend_told_losses_take (told, sighting->physical_id, role, view, &self->shown[role], &now))
    tokend_journal_variant (
        tokend_loss_get_level (&now),
        tokend_loss_compose (role, &now, sighting->physical_id, sighting->label, sighting->module));
  self->shown[role] = now;
}

static void
tell_contradiction (TokendObserver *self, const TokendSighting *sighting, TokendRole role)
{
  TokendContradiction *contradiction = &self->contradictions[role];

  if (tokend_contradiction_observe (contradiction, &sighting->reading->counters[role],
                                    &sighting->rules[role]))
    tokend_journal_variant (G_LOG_LEVEL_WARNING,
                            tokend_contradiction_compose (
                                contradiction, role, tokend_sighting_judge (sighting, role).state,
                                sighting->physical_id, sighting->label, sighting->module));
}

/**
 * tokend_observer_take:
 * @sighting: while no operation of ours is under way on the token.
 *
 * Lets what the token shows stand above what is remembered of it, and tells the journal of what another program has spent
 * and of what makes no sense.
 */
void
tokend_observer_take (TokendObserver *self, TokendService *service, const TokendSighting *sighting)
{
  tokend_sighting_settle_refused (sighting, service->refused);
  settle_ledger (sighting, service->ledger);
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    tell_loss (self, service->told_losses, sighting, role);
    tell_contradiction (self, sighting, role);
  }
}

/** tokend_observer_forget: the next sighting is not to be compared with the last one: an operation of ours is between. */
void
tokend_observer_forget (TokendObserver *self)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    self->shown[role] = tokend_counter_unknown;
}
