/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attempt-private.h"

#include "refused-message.h"
#include "tokend-error.h"

static const struct {
  const char *name;
  const char *type;
  gboolean is_of_opening; /* else an option of Finish alone */
} known[] = {
  { TOKEND_OPTION_FINAL_ATTEMPT, "b", FALSE },
  { TOKEND_OPTION_SEND_REFUSED_CODE, "b", FALSE },
  { TOKEND_OPTION_SEND_UNUSUAL_CODE, "b", FALSE },
  { TOKEND_OPTION_EXPECTED_RETRIES, "u", TRUE },
};

static gboolean
check_option (const char *name, GVariant *value, gboolean opens, GError **error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++) {
    if (!g_str_equal (name, known[i].name))
      continue;
    if (opens && !known[i].is_of_opening) {
      g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                   "Option “%s” is one of Finish's; nothing was sent", name);
      return FALSE;
    }
    if (g_variant_is_of_type (value, G_VARIANT_TYPE (known[i].type)))
      return TRUE;
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "Option “%s” must be of D-Bus type %s; nothing was sent", name, known[i].type);
    return FALSE;
  }
  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
               "Unknown option “%s”; nothing was sent", name);
  return FALSE;
}

static void
take_option (TokendAttempt *attempt, const char *name, GVariant *value)
{
  if (g_str_equal (name, TOKEND_OPTION_FINAL_ATTEMPT)) {
    attempt->final_attempt = g_variant_get_boolean (value);
  } else if (g_str_equal (name, TOKEND_OPTION_SEND_REFUSED_CODE)) {
    attempt->send_refused_code = g_variant_get_boolean (value);
  } else if (g_str_equal (name, TOKEND_OPTION_SEND_UNUSUAL_CODE)) {
    attempt->send_unusual_code = g_variant_get_boolean (value);
  } else {
    attempt->expects_retries = TRUE;
    attempt->expected_retries = g_variant_get_uint32 (value);
  }
}

/**
 * tokend_attempt_parse:
 * @options: a{sv}, as the caller sent it.
 * @opens: whether the call is Unlock or SetPin; else it is Finish.
 * @attempt: (out): what the options say.
 * @error: InvalidArgs for an unknown option or one of the wrong type.
 *
 * Returns: whether the options are valid.
 */
gboolean
tokend_attempt_parse (GVariant *options, gboolean opens, TokendAttempt *attempt, GError **error)
{
  GVariantIter iter;
  const char *name;
  GVariant *value;

  *attempt = (TokendAttempt){ 0 };
  g_variant_iter_init (&iter, options);
  while (g_variant_iter_next (&iter, "{&sv}", &name, &value)) {
    g_autoptr (GVariant) owned = value;

    if (!check_option (name, value, opens, error))
      return FALSE;
    take_option (attempt, name, value);
  }
  return TRUE;
}

/**
 * tokend_attempt_check:
 * @attempt: what the caller allows.
 * @role: whose code would be sent.
 * @counter: that role's status, of the last read.
 * @error: PinLocked, PukLocked, NotSupported (not set yet), RetriesChanged or FinalAttempt.
 *
 * A lock that only the ledger knows counts as a last try, so that a wrong ledger cannot shut the
 * person out for ever.
 *
 * Returns: whether one try may be spent.
 */
gboolean
tokend_attempt_check (const TokendAttempt *attempt, TokendRole role, const TokendCounter *counter,
                      GError **error)
{
  const char *code = role == TOKEND_ROLE_PIN ? "PIN" : "PUK";

  if (counter->state == TOKEND_STATE_LOCKED && counter->source != TOKEND_RETRIES_SOURCE_LEDGER) {
    g_set_error (error, TOKEND_ERROR,
                 role == TOKEND_ROLE_PIN ? TOKEND_ERROR_PIN_LOCKED : TOKEND_ERROR_PUK_LOCKED,
                 "The %s is locked; nothing was sent", code);
    return FALSE;
  }
  if (counter->state == TOKEND_STATE_UNINITIALIZED) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
                 "The %s of this token has not been set yet; nothing was sent", code);
    return FALSE;
  }
  if (attempt->expects_retries
      && (counter->remaining == TOKEND_RETRIES_UNKNOWN
          || (guint) counter->remaining != attempt->expected_retries)) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_RETRIES_CHANGED,
                 "The tries left for the %s are not the %u that were expected; nothing was sent",
                 code, attempt->expected_retries);
    return FALSE;
  }
  if (!counter->another_remains && !attempt->final_attempt) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_FINAL_ATTEMPT,
                 "This may be the last try for the %s, and it was not allowed; nothing was sent",
                 code);
    return FALSE;
  }
  return TRUE;
}

/**
 * tokend_attempt_check_opening:
 * @attempt: what the caller allows.
 * @role: whose code would be sent.
 * @counter: that role's status, of the last read.
 * @error: as of tokend_attempt_check(), but FinalAttempt, which concerns Finish.
 *
 * Returns: whether an operation may be opened.
 */
gboolean
tokend_attempt_check_opening (const TokendAttempt *attempt, TokendRole role,
                              const TokendCounter *counter, GError **error)
{
  TokendAttempt with_word = *attempt;

  with_word.final_attempt = TRUE;
  return tokend_attempt_check (&with_word, role, counter, error);
}

/**
 * tokend_attempt_check_prepared:
 * @attempt: what the caller allows.
 * @role: whose code would be sent.
 * @counter: that role's status, as the session shows it that would send the code.
 * @refused_at: when the token last refused this code, microseconds since the epoch; 0: never.
 * @error: as of tokend_attempt_check(); or AlreadyRefused.
 *
 * Checks again, since another program may have lost tries since the token was read.
 *
 * Returns: whether the prepared host may spend the try.
 */
gboolean
tokend_attempt_check_prepared (const TokendAttempt *attempt, TokendRole role,
                               const TokendCounter *counter, gint64 refused_at, GError **error)
{
  if (!tokend_attempt_check (attempt, role, counter, error))
    return FALSE;
  if (refused_at != 0 && !attempt->send_refused_code) {
    g_autofree char *message =
        tokend_refused_message_new (role == TOKEND_ROLE_PUK ? "PUK" : "PIN", refused_at);

    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_ALREADY_REFUSED, message);
    return FALSE;
  }
  return TRUE;
}
