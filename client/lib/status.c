/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

#include "enum-nick.h"
#include "tokend-enums.h"

/**
 * tokenctl_status_string:
 *
 * Returns: (transfer none): the string at @key, "" if it is absent or no string
 */
const char *
tokenctl_status_string (GVariant *status, const char *key)
{
  const char *value = NULL;

  return g_variant_lookup (status, key, "&s", &value) ? value : "";
}

/**
 * tokenctl_status_uint:
 * @value: (out): the number at @key, 0 if not known
 *
 * Returns: whether the number is known
 */
gboolean
tokenctl_status_uint (GVariant *status, const char *key, guint *value)
{
  guint32 number = 0;
  gboolean known = g_variant_lookup (status, key, "u", &number);

  *value = number;
  return known;
}

/**
 * tokenctl_status_is:
 *
 * Returns: whether @key is known and is @value
 */
gboolean
tokenctl_status_is (GVariant *status, const char *key, gboolean value)
{
  gboolean found = FALSE;

  return g_variant_lookup (status, key, "b", &found) && !found == !value;
}

TokenctlTries
tokenctl_status_tries (GVariant *status, TokendRole role)
{
  gboolean pin = role == TOKEND_ROLE_PIN;
  TokenctlTries tries = { .state = TOKEND_STATE_UNKNOWN };

  tokend_enum_parse (
      TOKEND_TYPE_STATE,
      tokenctl_status_string (status, pin ? TOKEND_STATUS_PIN_STATE : TOKEND_STATUS_PUK_STATE),
      &tries.state);
  tries.remaining_known = tokenctl_status_uint (
      status, pin ? TOKEND_STATUS_PIN_REMAINING : TOKEND_STATUS_PUK_REMAINING, &tries.remaining);
  tokenctl_status_uint (status, pin ? TOKEND_STATUS_PIN_MAXIMUM : TOKEND_STATUS_PUK_MAXIMUM,
                        &tries.maximum);
  return tries;
}

/**
 * tokenctl_status_code_rules:
 * @role: the PUK's, or the present PIN's
 *
 * Returns: what @status says of that code
 */
TokendCodeRules
tokenctl_status_code_rules (GVariant *status, TokendRole role)
{
  static const struct {
    const char *minimum, *maximum, *usual_minimum, *usual_maximum, *usual_characters;
  } keys[] = {
    [TOKEND_ROLE_PIN] = { TOKEND_STATUS_PRESENT_PIN_MINIMUM_LENGTH,
                          TOKEND_STATUS_PRESENT_PIN_MAXIMUM_LENGTH,
                          TOKEND_STATUS_PRESENT_PIN_USUAL_MINIMUM,
                          TOKEND_STATUS_PRESENT_PIN_USUAL_MAXIMUM,
                          TOKEND_STATUS_PRESENT_PIN_USUAL_CHARACTERS },
    [TOKEND_ROLE_PUK] = { TOKEND_STATUS_PUK_MINIMUM_LENGTH, TOKEND_STATUS_PUK_MAXIMUM_LENGTH,
                          TOKEND_STATUS_PUK_USUAL_MINIMUM, TOKEND_STATUS_PUK_USUAL_MAXIMUM,
                          TOKEND_STATUS_PUK_USUAL_CHARACTERS },
  };
  TokendCodeRules rules = { .usual_characters = TOKEND_CHARACTERS_ANY };

  tokenctl_status_uint (status, keys[role].minimum, &rules.length.minimum);
  tokenctl_status_uint (status, keys[role].maximum, &rules.length.maximum);
  tokenctl_status_uint (status, keys[role].usual_minimum, &rules.usual_length.minimum);
  tokenctl_status_uint (status, keys[role].usual_maximum, &rules.usual_length.maximum);
  if (g_str_equal (tokenctl_status_string (status, keys[role].usual_characters), "digits"))
    rules.usual_characters = TOKEND_CHARACTERS_DIGITS;
  return rules;
}

/**
 * tokenctl_decide:
 *
 * Decides before the codes are typed, by the service's rule, which has the last word. Without a
 * number the service says ok or low only if the last try is excluded.
 *
 * Returns: what must happen before a code is asked for
 */
TokenctlDecision
tokenctl_decide (const TokenctlTries *tries)
{
  switch (tries->state) {
  case TOKEND_STATE_OK:
  case TOKEND_STATE_LOW:
    return tries->remaining_known && tries->remaining < 2 ? TOKENCTL_DECISION_FINAL_WORD
                                                          : TOKENCTL_DECISION_GO;
  case TOKEND_STATE_LOCKED:
    return TOKENCTL_DECISION_LOCKED;
  case TOKEND_STATE_UNINITIALIZED:
    return TOKENCTL_DECISION_NOT_SET;
  case TOKEND_STATE_FINAL_TRY:
  case TOKEND_STATE_UNKNOWN:
  default:
    return TOKENCTL_DECISION_FINAL_WORD;
  }
}
