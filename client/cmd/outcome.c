/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome.h"

#include <glib/gi18n.h>

#include "printable.h"
#include "provider-words.h"
#include "refused-code.h"
#include "token.h"
#include "tokend-error.h"
#include "words.h"

static void
append_line (GString *text, const char *line)
{
  if (line == NULL || *line == '\0')
    return;
  if (text->len > 0)
    g_string_append_c (text, '\n');
  g_string_append (text, line);
}

/* Replaces the polkit action, which is not in the catalogue's text. */
static char *
translate (const char *message)
{
  static const char *const actions[] = { TOKEND_ACTION_READ_STATUS, TOKEND_ACTION_UNLOCK,
                                         TOKEND_ACTION_SET_PIN };
  g_autoptr (GString) text = g_string_new (message);
  g_autoptr (GString) translated = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++) {
    if (g_string_replace (text, actions[i], "%s", 1) == 0)
      continue;
    translated = g_string_new (_ (text->str));
    g_string_replace (translated, "%s", actions[i], 1);
    return g_string_free (g_steal_pointer (&translated), FALSE);
  }
  /* The translation of the empty text is the catalogue's head. */
  return g_strdup (*message != '\0' ? _ (message) : "");
}

/**
 * tokenctl_words_of_service:
 * @message: what the service says, in English
 *
 * Translates what is meant for a person and not for a program alone.
 *
 * Returns: (transfer full): the message, printable, in the person's language
 */
char *
tokenctl_words_of_service (const char *message)
{
  g_autofree char *words = translate (message);

  return tokenctl_printable (words);
}

static char *
detail_of (const GError *error)
{
  g_autoptr (GError) copy = g_error_copy (error);

  g_dbus_error_strip_remote_error (copy);
  return tokenctl_words_of_service (copy->message);
}

/* Returns: (nullable): what happened, where the words depend on the role. */
static char *
words_for_what (const TokenctlOutcome *outcome)
{
  const TokenctlTries tries = tokenctl_status_tries (outcome->before, outcome->role);

  if (!g_error_matches (outcome->error, TOKEND_ERROR, TOKEND_ERROR_ALREADY_REFUSED))
    return NULL;
  return tokenctl_words_for_refused_code (outcome->error, outcome->role, &tries);
}

static void
append_what (GString *text, const GError *error, const TokenctlExplanation *explanation)
{
  g_autofree char *detail = detail_of (error);
  g_autofree char *line = NULL;

  if (explanation->detail && *detail != '\0')
    line = g_strdup_printf ("%s (%s)", explanation->what, detail);
  append_line (text, line != NULL ? line : explanation->what);
}

/**
 * tokenctl_words_for_error:
 * @error: an error of anything but an operation
 *
 * Returns: (transfer full): what happened and what to do now
 */
char *
tokenctl_words_for_error (const GError *error)
{
  TokenctlExplanation explanation = tokenctl_explain_error (error, FALSE);
  GString *text = g_string_new (NULL);

  append_what (text, error, &explanation);
  append_line (text, explanation.now);
  return g_string_free (text, FALSE);
}

/* Tells whether no try is lost, by the token's own tries. A right code brings them back before the
 * new PIN is looked at. Of a refused new PIN the service says that the PUK was right, or was not
 * sent. */
static gboolean
is_nothing_lost (const TokenctlOutcome *outcome, const TokenctlTries *before,
                 const TokenctlTries *after)
{
  return (before->remaining_known && after->remaining_known && after->remaining > before->remaining)
         || (outcome->role == TOKEND_ROLE_PUK
             && g_error_matches (outcome->error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY));
}

/* Returns: (nullable): what was spent, unless tokenctl's own error says it. */
static char *
words_for_cost (const TokenctlOutcome *outcome, const TokenctlExplanation *explanation)
{
  TokenctlTries before = tokenctl_status_tries (outcome->before, outcome->role);
  TokenctlTries after = { 0 };

  if (outcome->error->domain == TOKENCTL_ERROR)
    return NULL;
  if (explanation->cost == TOKENCTL_COST_NONE)
    return g_strdup (_ ("No try was spent."));

  if (outcome->after != NULL)
    after = tokenctl_status_tries (outcome->after, outcome->role);
  if (before.remaining_known && after.remaining_known && after.remaining <= before.remaining) {
    guint spent = before.remaining - after.remaining;

    if (spent == 0)
      return g_strdup (_ ("No try was spent."));
    if (after.remaining == 0 && explanation->exit == TOKENCTL_EXIT_LOCKED)
      return g_strdup (_ ("The last try was spent."));
    return g_strdup_printf (ngettext ("%u try was spent.", "%u tries were spent.", spent), spent);
  }
  if (explanation->cost == TOKENCTL_COST_ASK && is_nothing_lost (outcome, &before, &after))
    return g_strdup (_ ("No try was spent."));
  return g_strdup (explanation->cost == TOKENCTL_COST_ONE
                       ? _ ("Count one try as spent.")
                       : _ ("Whether a try was spent is not known: count it "
                            "as spent."));
}

static char *
words_for_left (GVariant *status, TokendRole role)
{
  TokenctlTries tries = tokenctl_status_tries (status, role);
  g_autofree char *code = tokenctl_words_for_code (&tries, role);
  g_autofree char *words = tokenctl_words_for_tries (&tries, role);

  return g_strdup_printf (_ ("%s: %s."), code, words);
}

/* Tells whether the new PIN may have been set. A code that cost a try was wrong, and nothing was
 * set; else the tries do not tell how far the operation came. */
static gboolean
may_have_new_pin (const TokenctlOutcome *outcome, const TokenctlExplanation *explanation)
{
  TokenctlTries before = tokenctl_status_tries (outcome->before, outcome->role);
  TokenctlTries after = { 0 };

  if (outcome->after != NULL)
    after = tokenctl_status_tries (outcome->after, outcome->role);
  return explanation->exit == TOKENCTL_EXIT_OUTCOME_UNKNOWN
         && !(before.remaining_known && after.remaining_known
              && after.remaining < before.remaining);
}

/* Returns: (nullable): what the last PUK try may have cost, unless the provider says it. */
static char *
words_for_loss (const TokenctlOutcome *outcome)
{
  TokenctlTries puk = { 0 };

  if (outcome->after != NULL)
    puk = tokenctl_status_tries (outcome->after, TOKEND_ROLE_PUK);
  if (outcome->role != TOKEND_ROLE_PUK || puk.state != TOKEND_STATE_LOCKED || puk.puk_words != NULL
      || (outcome->provider != NULL && outcome->provider->loss != NULL))
    return NULL;
  return g_strdup (
      _ ("The certificate on the token may be destroyed; if it is, a new one must be bought."));
}

/* Returns: (nullable): what the owners of the token call its PUK. */
static const TokenctlPukWords *
puk_words_of (const TokenctlOutcome *outcome)
{
  return tokenctl_status_puk_words (outcome->before);
}

/* Returns: (nullable): what to do after a refusal for safety, in its own words. */
static const char *
words_for_now (const TokenctlOutcome *outcome, const TokenctlExplanation *explanation)
{
  if (puk_words_of (outcome) != NULL
      && g_error_matches (outcome->error, TOKEND_ERROR, TOKEND_ERROR_PUK_INCORRECT))
    return _ ("Make no further try unless you are sure of the PUK.");
  if (puk_words_of (outcome) != NULL
      && g_error_matches (outcome->error, TOKEND_ERROR, TOKEND_ERROR_PUK_LOCKED))
    return NULL;
  if (outcome->has_other_pin && outcome->role == TOKEND_ROLE_PUK
      && g_error_matches (outcome->error, TOKEND_ERROR, TOKEND_ERROR_ALREADY_REFUSED))
    return _ (
        "Check the code. It may have been refused for another PIN of this card. Only if each has a "
        "PUK of its own, and you are sure that this one is right here: --send-refused-code");
  return explanation->now;
}

/* Tells whether the status after it is the same token's: after a restart of the service another
 * token may have the path. */
static gboolean
is_after_of_same_token (const TokenctlOutcome *outcome)
{
  TokenctlToken before = { NULL, outcome->before };
  TokenctlToken after = { NULL, outcome->after };

  return outcome->after != NULL && tokenctl_token_is_same_view (&before, &after);
}

/* Appends a text of the catalogue that does not name the token. */
static void
append_named_line (GString *text, const TokenctlOutcome *outcome, const char *line)
{
  g_autofree char *named = line != NULL ? tokenctl_name_puk (puk_words_of (outcome), line) : NULL;

  append_line (text, named);
}

static void
append_named_what (GString *text, const TokenctlOutcome *outcome,
                   const TokenctlExplanation *explanation)
{
  g_autofree char *what = tokenctl_name_puk (puk_words_of (outcome), explanation->what);
  TokenctlExplanation named = *explanation;

  named.what = what;
  append_what (text, outcome->error, &named);
}

static char *
words_for_outcome (const TokenctlOutcome *outcome)
{
  TokenctlExplanation explanation = tokenctl_explain_error (outcome->error, !outcome->nothing_sent);
  GString *text = g_string_new (NULL);
  g_autofree char *cost = words_for_cost (outcome, &explanation);
  g_autofree char *what = words_for_what (outcome);
  g_autofree char *loss = words_for_loss (outcome);
  g_autofree char *left = NULL;
  g_autofree char *next = NULL;
  g_autofree char *more = NULL;
  g_autofree char *puk = NULL;

  if (what != NULL)
    append_line (text, what);
  else
    append_named_what (text, outcome, &explanation);
  if (outcome->after != NULL) {
    left = words_for_left (outcome->after, outcome->role);
    next = tokenctl_next_step (outcome->after, outcome->role, outcome->token_argument);
    more = tokenctl_words_for_provider (outcome->provider, outcome->after, outcome->role);
    puk = tokenctl_words_for_puk_beside (outcome->provider, outcome->after, outcome->role);
  }
  append_line (text, cost);
  if (left != NULL)
    g_string_append_printf (text, "%c%s", cost != NULL ? ' ' : '\n', left);
  append_line (text, loss);
  if (outcome->after != NULL)
    append_line (text, tokenctl_words_for_left_open (outcome->after));
  if (may_have_new_pin (outcome, &explanation))
    append_line (text, _ ("The PIN may be the new one already, or still the old one."));

  /* A refusal advises by its reason, all else by the token's state. */
  if (explanation.exit != TOKENCTL_EXIT_WRONG_CODE && explanation.exit != TOKENCTL_EXIT_LOCKED) {
    append_named_line (text, outcome, words_for_now (outcome, &explanation));
    append_line (text, more);
  } else {
    if (next != NULL)
      append_line (text, next);
    else
      append_named_line (text, outcome, words_for_now (outcome, &explanation));
    append_line (text, more);
    append_line (text, puk);
  }
  return g_string_free (text, FALSE);
}

/**
 * tokenctl_words_for_outcome:
 * @outcome: an operation that did not succeed
 *
 * Returns: (transfer full): what happened, what it cost, what is left, what to do now
 */
char *
tokenctl_words_for_outcome (const TokenctlOutcome *outcome)
{
  TokenctlOutcome known = *outcome;

  if (!is_after_of_same_token (outcome))
    known.after = NULL;
  return words_for_outcome (&known);
}

/**
 * tokenctl_words_for_success:
 * @after: the status after it
 * @token_argument: what to call the token on tokenctl's command line
 *
 * Returns: (transfer full): what happened, what is left, what to do now
 */
char *
tokenctl_words_for_success (GVariant *after, const char *token_argument)
{
  GString *text = g_string_new (NULL);

  append_line (text, _ ("The new PIN is set."));
  append_line (text, tokenctl_words_for_left_open (after));
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autofree char *left = words_for_left (after, role);

    g_string_append_printf (text, "%c%s", role == TOKEND_ROLE_PIN ? '\n' : ' ', left);
  }
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autofree char *next = tokenctl_next_step (after, role, token_argument);

    append_line (text, next);
  }
  return g_string_free (text, FALSE);
}
