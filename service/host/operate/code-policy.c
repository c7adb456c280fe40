/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-policy.h"

#include "tokend-error.h"

/**
 * tokend_code_name:
 *
 * Returns: what a person calls the code, as in "The %s is empty".
 */
const char *
tokend_code_name (TokendCodeName name)
{
  switch (name) {
  case TOKEND_CODE_PUK:
    return "PUK";
  case TOKEND_CODE_PIN:
    return "PIN";
  case TOKEND_CODE_NEW_PIN:
    return "new PIN";
  }
  g_return_val_if_reached ("code");
}

/* Follows what is wrong with a present code that another program may have set so. */
#define TOKEND_CODE_UNUSUAL                                                                        \
  "; if another program has set it so, send it with " TOKEND_OPTION_SEND_UNUSUAL_CODE

static TokendError
refusal_of (TokendCodeName name)
{
  return name == TOKEND_CODE_NEW_PIN ? TOKEND_ERROR_PIN_POLICY : TOKEND_ERROR_INVALID_ARGS;
}

static const char *
in_english (const char *text)
{
  return text;
}

static gboolean
take_result (const TokendCodeResult *result, TokendCodeName name, gboolean send_unusual,
             GError **error)
{
  const gboolean may_be_sent = result->answer == TOKEND_CODE_REFUSE;
  g_autofree char *mistake = NULL;

  if (result->answer < TOKEND_CODE_REFUSE || (may_be_sent && send_unusual))
    return TRUE;

  mistake = tokend_code_result_describe (result, in_english);
  g_set_error (error, TOKEND_ERROR, refusal_of (name), "The %s %s%s", tokend_code_name (name),
               mistake, may_be_sent ? TOKEND_CODE_UNUSUAL : "");
  return FALSE;
}

static gboolean
set_length_error (gsize length, const char *unit, const TokendCodeLimits *limits, GError **error)
{
  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
               "The new PIN is too %s: it takes %u to %u %s",
               length < limits->minimum ? "short" : "long", limits->minimum, limits->maximum, unit);
  return FALSE;
}

/**
 * tokend_code_check:
 * @bytes: (array length=length): a PUK or present PIN
 * @limits: of its length on this token, in bytes
 * @send_unusual: whether the caller says that another program has set it so
 * @error: InvalidArgs, with the mistake and what to do
 *
 * Returns: whether the code can be right at all
 */
gboolean
tokend_code_check (const char *bytes, gsize length, TokendCodeName name,
                   const TokendCodeLimits *limits, gboolean send_unusual, GError **error)
{
  const TokendCodeRules rules = { .length = *limits };
  TokendCodeResult result = tokend_code_validate (bytes, length, TOKEND_CODE_KIND_PRESENT);

  if (!take_result (&result, name, send_unusual, error))
    return FALSE;
  result = tokend_code_validate_by_rules (bytes, length, &rules);
  return take_result (&result, name, send_unusual, error);
}

/**
 * tokend_new_pin_check:
 * @bytes: (array length=length): a PIN to be set
 * @error: PinPolicy, with the mistake and what to do
 *
 * Returns: whether the PIN keeps the policy
 */
gboolean
tokend_new_pin_check (const char *bytes, gsize length, const TokendNewPinRules *policy,
                      GError **error)
{
  const TokendCodeResult result = tokend_code_validate (bytes, length, TOKEND_CODE_KIND_NEW);

  if (!take_result (&result, TOKEND_CODE_NEW_PIN, FALSE, error))
    return FALSE;
  switch (tokend_new_pin_validate (bytes, length, policy)) {
  case TOKEND_NEW_PIN_KEEPS_ALL:
    return TRUE;
  case TOKEND_NEW_PIN_NOT_DIGITS:
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
                         "The new PIN may have digits only");
    return FALSE;
  case TOKEND_NEW_PIN_LENGTH_IN_CHARACTERS:
    return set_length_error ((gsize) g_utf8_strlen (bytes, (gssize) length), "characters",
                             &policy->characters_limits, error);
  case TOKEND_NEW_PIN_LENGTH_IN_BYTES:
    break;
  }
  return set_length_error (length, "bytes", &policy->bytes_limits, error);
}

/**
 * tokend_new_pin_check_differs:
 * @is_same: whether the new PIN is the code that it is set with
 * @name: which code that is
 * @error: PinPolicy
 *
 * Refuses the PUK as the new PIN, since it was typed by mistake, and the present PIN, which changes
 * nothing.
 *
 * Returns: whether the new PIN may be set
 */
gboolean
tokend_new_pin_check_differs (gboolean is_same, TokendCodeName name, GError **error)
{
  if (is_same)
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
                         tokend_code_describe_same (name == TOKEND_CODE_PUK, in_english));
  return !is_same;
}
