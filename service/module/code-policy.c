/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-policy.h"

#include "tokend-error.h"

/** tokend_code_name: what a person calls the code, as in "The %s is empty". */
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

static TokendError
refusal_of (TokendCodeName name)
{
  return name == TOKEND_CODE_NEW_PIN ? TOKEND_ERROR_PIN_POLICY : TOKEND_ERROR_INVALID_ARGS;
}

static gboolean
has_control_characters (const char *text, gsize length)
{
  for (const char *p = text; p < text + length; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return TRUE;
  }

  return FALSE;
}

/* What no code can be, whoever's it is. The messages tell nothing of the code but the mistake. */
static gboolean
check_text (const char *bytes, gsize length, TokendCodeName name, GError **error)
{
  const char *mistake = NULL;

  if (length == 0)
    mistake = "is empty";
  else if (length > TOKEND_CODE_MAX)
    mistake = "is longer than " G_STRINGIFY (TOKEND_CODE_MAX) " bytes";
  else if (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')
    mistake = "ends with a newline: send the code alone";
  else if (!g_utf8_validate_len (bytes, length, NULL) && memchr (bytes, '\0', length) == NULL)
    mistake = "is not valid UTF-8";
  else if (memchr (bytes, '\0', length) != NULL || has_control_characters (bytes, length))
    mistake = "has control characters in it";

  if (mistake != NULL)
    g_set_error (error, TOKEND_ERROR, refusal_of (name), "The %s %s", tokend_code_name (name),
                 mistake);
  return mistake == NULL;
}

static gboolean
check_length (gsize length, const char *unit, TokendCodeName name, const TokendLengthLimits *limits,
              GError **error)
{
  if (length >= limits->minimum && length <= limits->maximum)
    return TRUE;

  g_set_error (error, TOKEND_ERROR, refusal_of (name), "The %s is too %s: it takes %u to %u %s",
               tokend_code_name (name), length < limits->minimum ? "short" : "long",
               limits->minimum, limits->maximum, unit);
  return FALSE;
}

static gboolean
is_digits (const char *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    if (!g_ascii_isdigit (bytes[i]))
      return FALSE;
  }

  return TRUE;
}

/**
 * tokend_code_check:
 * @bytes: (array length=length): a PUK or present PIN
 * @limits: what the module would take, in bytes
 * @error: InvalidArgs, with the mistake and what to do
 *
 * Whether the code can be right at all.
 */
gboolean
tokend_code_check (const char *bytes, gsize length, TokendCodeName name,
                   const TokendLengthLimits *limits, GError **error)
{
  return check_text (bytes, length, name, error)
         && check_length (length, "bytes", name, limits, error);
}

/**
 * tokend_new_pin_check:
 * @bytes: (array length=length): a PIN to be set
 * @error: PinPolicy, with the mistake and what to do
 *
 * Whether the PIN is what the policy wants.
 */
gboolean
tokend_new_pin_check (const char *bytes, gsize length, const TokendPinPolicy *policy,
                      GError **error)
{
  if (!check_text (bytes, length, TOKEND_CODE_NEW_PIN, error))
    return FALSE;
  if (policy->characters == TOKEND_CHARACTERS_DIGITS && !is_digits (bytes, length)) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY,
                         "The new PIN may have digits only");
    return FALSE;
  }

  return check_length ((gsize) g_utf8_strlen (bytes, (gssize) length), "characters",
                       TOKEND_CODE_NEW_PIN, &policy->characters_limits, error)
         && check_length (length, "bytes", TOKEND_CODE_NEW_PIN, &policy->bytes_limits, error);
}
