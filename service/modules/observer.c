/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "observer.h"

#include "journal.h"
#include "loss-private.h"

/* In ten minutes: of what one token shows of one role more than a person loses, of each kind of
 * entry; and of all that a module shows, which can make up tokens. */
#define TOLD_OF_ROLE_MAX 10
#define TOLD_OF_MODULE_MAX 100
#define TOLD_INTERVAL_US (10 * G_TIME_SPAN_MINUTE)

/**
 * tokend_observer_limit_new:
 *
 * Returns: (transfer full): how much goes to the journal of what modules show.
 */
TokendTellLimit *
tokend_observer_limit_new (void)
{
  return tokend_tell_limit_new (TOLD_OF_MODULE_MAX, TOLD_OF_ROLE_MAX, TOLD_INTERVAL_US);
}

/**
 * tokend_sighting_judge:
 *
 * Returns: what the token shows by itself, whatever is recorded of it.
 */
TokendCounter
tokend_sighting_judge (const TokendSighting *self, TokendRole role)
{
  static const TokendCounterRecord nothing = { 0 };

  return tokend_counter_judge (&self->reading->counters[role], &self->rules[role], &nothing);
}

/**
 * tokend_sighting_settle_refused:
 * @by_number: whether only a number of the token's own is taken. There are cards that show a flag
 *   to the process that tried a code, and to no other: that it is gone for the next one is no rise.
 *
 * Forgets the refused codes of a role whose counter has risen.
 */
void
tokend_sighting_settle_refused (const TokendSighting *self, TokendRefused *refused,
                                gboolean by_number)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    TokendCounter shown = tokend_sighting_judge (self, role);

    if (!by_number || shown.source == TOKEND_RETRIES_SOURCE_TOKEN)
      tokend_refused_observe (refused, self->place, role, self->module, &shown);
  }
}

static void
settle_ledger (const TokendSighting *sighting, TokendLedger *ledger)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    tokend_ledger_observe (ledger, sighting->place, role, sighting->module,
                           &sighting->reading->counters[role], &sighting->rules[role]);
}

/* A module says what it likes, as often as it likes. */
static void
tell_too_many (const TokendSighting *sighting, TokendRole role, const TokendTelling *telling)
{
  const char *code = role == TOKEND_ROLE_PUK ? "PUK" : "PIN";
  g_autofree char *what = telling->is_last_of_source
                              ? g_strdup ("its tokens")
                              : g_strdup_printf ("the %s of “%s”", code, sighting->label);

  tokend_journal (
      G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_TOO_MANY, "TOKEND_MODULE", sighting->module, "MESSAGE",
      "What the module %s shows of %s changes too often: for up to ten minutes, no more "
      "of this kind is told",
      sighting->module, what);
}

/* Returns: whether it may be told; else it is kept, and told later if it is still so. */
static gboolean
tell (TokendService *service, const TokendSighting *sighting, TokendRole role, GLogLevelFlags level,
      GVariant *entry)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (entry);
  g_autofree char *subject = NULL;
  const char *kind = NULL;
  TokendTelling telling;

  g_variant_lookup (owned, "MESSAGE_ID", "&s", &kind);
  subject = g_strdup_printf ("%s/%s/%d", tokend_place_get_holder (sighting->place), kind, role);
  if (!tokend_tell_limit_take (service->sightings, sighting->module, subject,
                               g_get_monotonic_time (), &telling))
    return FALSE;
  tokend_journal_variant (level, owned);
  if (telling.is_last_of_source || telling.is_last_of_subject)
    tell_too_many (sighting, role, &telling);
  return TRUE;
}

/* Each module that shows a card without a serial number knows of a stay of its own. In one reader
 * it is one card.
 * Returns: (transfer full): by what its losses are known. */
static char *
name_holder (const TokendSighting *sighting)
{
  if (sighting->place->is_known_card || sighting->reading->reader == NULL)
    return g_strdup (tokend_place_get_holder (sighting->place));
  return g_strdup_printf ("%s %s", sighting->place->name, sighting->reading->reader);
}

/* What was lost since the last sighting, another program has lost: between the two was no operation
 * of ours. What may not be told now is compared with next time again, so that it is told when it
 * may be. */
static void
tell_loss (TokendObserver *self, TokendService *service, const TokendSighting *sighting,
           TokendRole role)
{
  g_autofree char *holder = name_holder (sighting);
  TokendCounter now = tokend_sighting_judge (sighting, role);
  g_autofree char *view = g_strdup_printf ("%s/%s", sighting->module, sighting->label);

  if (tokend_told_losses_observe (service->told_losses, holder, role, view, &self->shown[role],
                                  &now)) {
    if (!tell (service, sighting, role, tokend_loss_get_level (&now),
               tokend_loss_compose (role, &now, sighting->place->card, sighting->label,
                                    sighting->module)))
      return;
    tokend_told_losses_add (service->told_losses, holder, role, view, &now);
  }
  self->shown[role] = now;
}

static void
tell_contradiction (TokendObserver *self, TokendService *service, const TokendSighting *sighting,
                    TokendRole role)
{
  TokendContradiction *contradiction = &self->contradictions[role];

  if (tokend_contradiction_observe (contradiction, &sighting->reading->counters[role],
                                    &sighting->rules[role]))
    contradiction->is_told =
        tell (service, sighting, role, G_LOG_LEVEL_WARNING,
              tokend_contradiction_compose (
                  contradiction, role, tokend_sighting_judge (sighting, role).state,
                  sighting->place->card, sighting->label, sighting->module));
}

/**
 * tokend_observer_take:
 * @sighting: while no operation of ours is under way on the token.
 *
 * Lets what the token shows stand above what is remembered of it, and tells the journal of what
 * another program has spent and of what makes no sense.
 */
void
tokend_observer_take (TokendObserver *self, TokendService *service, const TokendSighting *sighting)
{
  tokend_sighting_settle_refused (sighting, service->refused, FALSE);
  settle_ledger (sighting, service->ledger);
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    tell_loss (self, service, sighting, role);
    tell_contradiction (self, service, sighting, role);
  }
}

/**
 * tokend_observer_forget:
 *
 * The next sighting is not to be compared with the last one: an operation of ours is between.
 */
void
tokend_observer_forget (TokendObserver *self)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    self->shown[role] = tokend_counter_unknown;
}
