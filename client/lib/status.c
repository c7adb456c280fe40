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

/**
 * tokenctl_status_puk_words:
 *
 * Returns: (transfer none) (nullable): the words for a PUK that its owners call otherwise; nobody
 *   who issued a certificate has such a code
 */
const TokenctlPukWords *
tokenctl_status_puk_words (GVariant *status)
{
  return tokenctl_puk_words (tokenctl_status_string (status, TOKEND_STATUS_MODULE_PROFILE));
}

TokenctlTries
tokenctl_status_tries (GVariant *status, TokendRole role)
{
  const TokendStatusKeys *keys = &tokend_status_keys[role];
  TokenctlTries tries = { .state = TOKEND_STATE_UNKNOWN };

  tokend_enum_parse (TOKEND_TYPE_STATE, tokenctl_status_string (status, keys->state), &tries.state);
  tries.remaining_known = tokenctl_status_uint (status, keys->remaining, &tries.remaining);
  tokenctl_status_uint (status, keys->maximum, &tries.maximum);
  tokenctl_status_uint (status, keys->minimum, &tries.minimum);
  tries.never_locks = tokenctl_status_is (status, keys->never_locks, TRUE);
  tries.flag_gone = tokenctl_status_is (status, keys->flag_gone, TRUE);
  if (role == TOKEND_ROLE_PUK)
    tries.puk_words = tokenctl_status_puk_words (status);
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
  const TokendStatusKeys *keys = &tokend_status_keys[role];
  TokendCodeRules rules = { .usual_characters = TOKEND_CHARACTERS_ANY };

  tokenctl_status_uint (status, keys->minimum_length, &rules.length.minimum);
  tokenctl_status_uint (status, keys->maximum_length, &rules.length.maximum);
  tokenctl_status_uint (status, keys->usual_minimum, &rules.usual_length.minimum);
  tokenctl_status_uint (status, keys->usual_maximum, &rules.usual_length.maximum);
  if (g_str_equal (tokenctl_status_string (status, keys->usual_characters), "digits"))
    rules.usual_characters = TOKEND_CHARACTERS_DIGITS;
  return rules;
}

static gboolean
is_last_excluded (const TokenctlTries *tries)
{
  return tries->never_locks || MAX (tries->minimum, tries->remaining) >= 2;
}

/**
 * tokenctl_decide:
 *
 * Decides before the codes are typed, by the service's rule, which has the last word.
 *
 * Returns: what must happen before a code is asked for
 */
TokenctlDecision
tokenctl_decide (const TokenctlTries *tries)
{
  switch (tries->state) {
  case TOKEND_STATE_OK:
  case TOKEND_STATE_LOW:
    return is_last_excluded (tries) ? TOKENCTL_DECISION_GO : TOKENCTL_DECISION_FINAL_WORD;
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
