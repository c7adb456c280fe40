/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome-private.h"

#include "enum-nick.h"
#include "printable.h"
#include "tokend-enums.h"
#include "tokend-error.h"
#include "tokend-module.h"

#include <glib/gi18n.h>
#include <string.h>

/* "C_InitPIN: CKR_…" is shorter; anything longer is not a reason. */
#define REASON_MAX 96

static gboolean
parse_result (GVariant *outcome, TokendOutcome *result, gboolean *sent)
{
  const char *nick;

  if (!g_variant_lookup (outcome, "result", "&s", &nick)
      || !g_variant_lookup (outcome, "sent", "b", sent)
      || !tokend_enum_parse (TOKEND_TYPE_OUTCOME, nick, result))
    return FALSE;
  /* Refuses "done" without a code that was sent, and "changed, nothing was sent" with one. */
  return *sent ? *result != TOKEND_OUTCOME_CHANGED : *result >= TOKEND_OUTCOME_CHANGED;
}

static char *
get_reason (GVariant *outcome)
{
  const char *given = "";
  g_autoptr (GBytes) bytes = NULL;

  g_variant_lookup (outcome, "reason", "&s", &given);
  bytes = g_bytes_new (given, strnlen (given, REASON_MAX));
  return tokend_printable (bytes);
}

static TokendTryEffect
evaluate_failure (GVariant *outcome, gboolean sent, TokendError code, GError **error)
{
  g_autofree char *reason = get_reason (outcome);

  g_set_error (error, TOKEND_ERROR, code, "The token %s (%s); %s",
               code == TOKEND_ERROR_OUTCOME_UNKNOWN ? "was removed before it answered"
                                                    : "did not complete it",
               reason, sent ? "ask the status" : "nothing was sent");
  return (TokendTryEffect){ sent ? TOKEND_TRY_UNKNOWN : TOKEND_TRY_NOT_SPENT, sent };
}

static void
set_code_incorrect (TokendRole role, GError **error)
{
  gboolean is_puk = role == TOKEND_ROLE_PUK;

  g_set_error (error, TOKEND_ERROR,
               is_puk ? TOKEND_ERROR_PUK_INCORRECT : TOKEND_ERROR_PIN_INCORRECT,
               "The %s is not right; the status says what is left", is_puk ? "PUK" : "PIN");
}

/* Evaluates a new PIN that the token refused. A PUK was accepted before. A change alone hands
 * over both codes at once, and the answer does not say which one was wrong, nor whether the try
 * was counted. */
static TokendTryEffect
evaluate_refused_new_pin (TokendRole role, gboolean counts, GError **error)
{
  if (role == TOKEND_ROLE_PUK) {
    g_set_error_literal (
        error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
        N_ ("The PUK is right, but the token refused the new PIN; no try was spent"));
    return (TokendTryEffect){ TOKEND_TRY_ACCEPTED, TRUE };
  }
  if (!counts) {
    g_set_error_literal (
        error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
        N_ ("The token refused the new PIN; whether the PIN was right is not known"));
    return (TokendTryEffect){ TOKEND_TRY_NOT_SPENT, TRUE };
  }
  g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
                       N_ ("The token refused the new PIN; whether the PIN was right, or cost a "
                           "try, is not known: ask the status"));
  return (TokendTryEffect){ TOKEND_TRY_UNKNOWN, TRUE };
}

/* Evaluates what failed after C_Login took the PIN: whatever the token calls it, that PIN is right,
 * and cost no try. Where the answer is lost, the new one may be set. */
static TokendTryEffect
evaluate_after_login (GVariant *outcome, TokendOutcome result, GError **error)
{
  g_autofree char *reason = get_reason (outcome);

  if (result == TOKEND_OUTCOME_NEW_PIN_REFUSED)
    g_set_error_literal (
        error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
        N_ ("The PIN is right, but the token refused the new PIN; no try was spent"));
  else if (result == TOKEND_OUTCOME_TOKEN_REMOVED || result == TOKEND_OUTCOME_FAILED)
    g_set_error (
        error, TOKEND_ERROR,
        result == TOKEND_OUTCOME_FAILED ? TOKEND_ERROR_FAILED : TOKEND_ERROR_OUTCOME_UNKNOWN,
        "The PIN is right, but the token did not complete the change (%s); ask the status", reason);
  else
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED,
                 "The PIN is right, but the token did not set the new one (%s); ask the status",
                 reason);
  return (TokendTryEffect){ TOKEND_TRY_ACCEPTED, TRUE };
}

static gboolean
is_proven_pin (GVariant *outcome, TokendRole role)
{
  gboolean is_accepted;

  return role == TOKEND_ROLE_PIN && g_variant_lookup (outcome, "accepted", "b", &is_accepted)
         && is_accepted;
}

/**
 * tokend_outcome_interpret:
 * @outcome: the answer to Commit of org.tokend.Module1.Operation: hostile input.
 * @role: whose code was to be sent.
 * @counts: whether this kind of token counts a wrong code in this operation.
 * @error: (out): the reply; stays %NULL on success.
 *
 * Takes an outcome that makes no sense for a try that may have been spent.
 *
 * Returns: what to record.
 */
TokendTryEffect
tokend_outcome_interpret (GVariant *outcome, TokendRole role, gboolean counts, GError **error)
{
  gboolean is_puk = role == TOKEND_ROLE_PUK;
  const char *code = is_puk ? "PUK" : "PIN";
  TokendOutcome result;
  gboolean sent;

  if (!parse_result (outcome, &result, &sent)) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_OUTCOME_UNKNOWN,
                         "The module host's answer makes no sense: count the try as spent, and ask "
                         "the status");
    return (TokendTryEffect){ TOKEND_TRY_UNKNOWN, TRUE };
  }

  if (sent && result != TOKEND_OUTCOME_DONE && is_proven_pin (outcome, role))
    return evaluate_after_login (outcome, result, error);

  switch (result) {
  case TOKEND_OUTCOME_DONE:
    return (TokendTryEffect){ TOKEND_TRY_SUCCEEDED, sent };

  case TOKEND_OUTCOME_CODE_INCORRECT:
    set_code_incorrect (role, error);
    return (TokendTryEffect){ counts ? TOKEND_TRY_SPENT : TOKEND_TRY_NOT_SPENT, sent, TRUE };

  case TOKEND_OUTCOME_CODE_LOCKED:
    g_set_error (error, TOKEND_ERROR, is_puk ? TOKEND_ERROR_PUK_LOCKED : TOKEND_ERROR_PIN_LOCKED,
                 "The token answered that its %s is locked", code);
    return (TokendTryEffect){ TOKEND_TRY_LOCKED, sent };

  case TOKEND_OUTCOME_NEW_PIN_REFUSED:
    return evaluate_refused_new_pin (role, counts, error);

  case TOKEND_OUTCOME_LENGTH_REFUSED:
    g_set_error_literal (
        error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
        is_puk
            ? N_ ("The module refused the length of the PUK or of the new PIN; no try was spent")
            : N_ ("The module refused the length of the PIN or of the new PIN; no try was spent"));
    return (TokendTryEffect){ TOKEND_TRY_NOT_SPENT, sent };

  case TOKEND_OUTCOME_CHANGED:
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_RETRIES_CHANGED,
                 "Meanwhile another program changed the tries left for the %s; nothing was sent",
                 code);
    return (TokendTryEffect){ TOKEND_TRY_NOT_SPENT, sent };

  case TOKEND_OUTCOME_TOKEN_REMOVED:
    return evaluate_failure (
        outcome, sent, sent ? TOKEND_ERROR_OUTCOME_UNKNOWN : TOKEND_ERROR_TOKEN_REMOVED, error);

  case TOKEND_OUTCOME_FAILED:
    return evaluate_failure (outcome, sent, sent ? TOKEND_ERROR_FAILED : TOKEND_ERROR_MODULE_FAILED,
                             error);
  }
  g_return_val_if_reached (((TokendTryEffect){ TOKEND_TRY_UNKNOWN, TRUE }));
}

/* Tells whether the token itself, not our ledger, showed a try. */
static gboolean
had_a_try (const TokendCounter *before)
{
  return before->another_remains
         || (before->state == TOKEND_STATE_FINAL_TRY
             && before->source != TOKEND_RETRIES_SOURCE_LEDGER);
}

/* Takes back that a code was refused if the token had no try. Some cards show their lock only once
 * a code was tried, and then answer any code, the right one too, as a wrong one. */
static void
review_refused_code (TokendTryEffect *effect, TokendRole role, const TokendCounter *before,
                     const TokendCounter *after, GError **error)
{
  gboolean is_puk = role == TOKEND_ROLE_PUK;

  if (after->state != TOKEND_STATE_LOCKED || after->source == TOKEND_RETRIES_SOURCE_LEDGER
      || had_a_try (before))
    return;
  effect->refused = FALSE;
  effect->try_result = TOKEND_TRY_LOCKED;
  g_clear_error (error);
  g_set_error (
      error, TOKEND_ERROR, is_puk ? TOKEND_ERROR_PUK_LOCKED : TOKEND_ERROR_PIN_LOCKED,
      "The %s is locked, which the token showed only now; whether this one was right is not "
      "known",
      is_puk ? "PUK" : "PIN");
}

/* Flags that show all tries may be those of a token that shows none. */
static gboolean
can_rise (const TokendCounter *before)
{
  return before->source == TOKEND_RETRIES_SOURCE_TOKEN || before->remaining < before->maximum;
}

/* Takes a lost try for a wrong code, whatever the module calls it: a right one brings all tries
 * back before the new PIN is looked at. If more than one is lost, another program was there too. */
static void
review_refused_new_pin (TokendTryEffect *effect, TokendRole role, const TokendCounter *before,
                        const TokendCounter *after, GError **error)
{
  if (!tokend_counter_is_tokens_word (before) || !tokend_counter_is_tokens_word (after))
    return;
  if (after->remaining == before->remaining - 1) {
    effect->try_result = TOKEND_TRY_SPENT;
    effect->refused = TRUE;
    g_clear_error (error);
    set_code_incorrect (role, error);
  } else if (effect->try_result == TOKEND_TRY_UNKNOWN && after->remaining >= before->remaining
             && can_rise (before)) {
    effect->try_result = TOKEND_TRY_NOT_SPENT;
    g_clear_error (error);
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
                         N_ ("The token refused the new PIN; no try was spent"));
  }
}

/**
 * tokend_outcome_review:
 * @effect: what tokend_outcome_interpret() returned.
 * @role: whose code was sent.
 * @before: its counter, as the host that sent it had read it.
 * @after: its counter, as that host reads it now.
 * @error: (inout): the reply.
 *
 * Corrects both by the token's tries, which say more of a code than the module's answer; but of a
 * PIN that C_Login took they have been looked at.
 */
void
tokend_outcome_review (TokendTryEffect *effect, TokendRole role, const TokendCounter *before,
                       const TokendCounter *after, GError **error)
{
  if (effect->refused)
    review_refused_code (effect, role, before, after, error);
  else if (g_error_matches (*error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY)
           && (role == TOKEND_ROLE_PUK || effect->try_result != TOKEND_TRY_ACCEPTED))
    review_refused_new_pin (effect, role, before, after, error);
}
