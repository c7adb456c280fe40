/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <glib/gi18n.h>

#include "exit-code.h"
#include "status.h"

static const char *
translate (const char *text)
{
  return gettext (text);
}

/**
 * tokenctl_check_describe:
 *
 * Returns: (transfer full): what is wrong with a code, in the person's language; it follows a
 *   subject, as "the code"
 */
char *
tokenctl_check_describe (const TokendCodeResult *result)
{
  return tokend_code_result_describe (result, translate);
}

/* Takes the maximum in bytes from the longest PIN of the token, which is all that a status tells.
 */
static TokendNewPinRules
new_pin_rules (GVariant *status)
{
  const TokendCodeRules present = tokenctl_status_code_rules (status, TOKEND_ROLE_PIN);
  const char *characters = tokenctl_status_string (status, TOKEND_STATUS_PIN_CHARACTERS);
  TokendNewPinRules rules = { .bytes_limits = { .maximum = present.length.maximum },
                              .characters = g_str_equal (characters, "digits")
                                                ? TOKEND_CHARACTERS_DIGITS
                                                : TOKEND_CHARACTERS_ANY };

  tokenctl_status_uint (status, TOKEND_STATUS_PIN_MINIMUM_LENGTH, &rules.characters_limits.minimum);
  tokenctl_status_uint (status, TOKEND_STATUS_PIN_MAXIMUM_LENGTH, &rules.characters_limits.maximum);
  return rules;
}

static gboolean
set_length_error (gsize length, const TokendCodeLimits *limits, GError **error)
{
  if (length < limits->minimum)
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                 ngettext ("The new PIN is too short: it must have at least %u character.",
                           "The new PIN is too short: it must have at least %u characters.",
                           limits->minimum),
                 limits->minimum);
  else
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                 ngettext ("The new PIN is too long: it must have at most %u character.",
                           "The new PIN is too long: it must have at most %u characters.",
                           limits->maximum),
                 limits->maximum);
  return FALSE;
}

static gboolean
keeps_the_rules (TokenctlCode *pin, GVariant *status, GError **error)
{
  const TokendNewPinRules rules = new_pin_rules (status);
  const char *bytes = tokenctl_code_bytes (pin);
  const gsize length = tokenctl_code_length (pin);

  switch (tokend_new_pin_validate (bytes, length, &rules)) {
  case TOKEND_NEW_PIN_KEEPS_ALL:
    return TRUE;
  case TOKEND_NEW_PIN_NOT_DIGITS:
    g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                         _ ("The new PIN may consist of digits only."));
    return FALSE;
  case TOKEND_NEW_PIN_LENGTH_IN_CHARACTERS:
    return set_length_error ((gsize) g_utf8_strlen (bytes, (gssize) length),
                             &rules.characters_limits, error);
  case TOKEND_NEW_PIN_LENGTH_IN_BYTES:
    break;
  }
  g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
               _ ("The new PIN is too long: a letter such as “ş” takes two bytes, and the token "
                  "takes %u."),
               rules.bytes_limits.maximum);
  return FALSE;
}

/**
 * tokenctl_check_new_pin:
 * @pin: a new PIN that tokend_code_validate() accepts
 * @wanted: what it must be
 *
 * Checks that @pin differs from the code that it is set with, and keeps the token's rules, as far
 * as they are known.
 *
 * Returns: whether it may be sent
 */
gboolean
tokenctl_check_new_pin (TokenctlCode *pin, const TokenctlNewPin *wanted, GError **error)
{
  if (wanted->code != NULL && tokenctl_code_equal (pin, wanted->code)) {
    g_autofree char *words =
        tokenctl_name_puk (tokenctl_status_puk_words (wanted->status),
                           tokend_code_describe_same (wanted->role == TOKEND_ROLE_PUK, translate));

    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED, "%s.", words);
    return FALSE;
  }
  return keeps_the_rules (pin, wanted->status, error);
}
