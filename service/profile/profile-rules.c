/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-rules.h"

#include "tokend-error.h"

#include <glib/gi18n.h>

/**
 * tokend_profile_rules_get:
 * @module: (nullable): the module's profile, which says how far its flags can be relied on.
 * @provider: (nullable): the profile of who issued the certificate and set the number of tries.
 * @reading: of the token, whose host may know its flags better.
 * @role: whose counter.
 *
 * Returns: the rules for tokend_counter_evaluate().
 */
TokendCounterRules
tokend_profile_rules_get (const TokendProfile *module, const TokendProfile *provider,
                          const TokendReading *reading, TokendRole role)
{
  TokendCounterRules rules = { .maximum = TOKEND_RETRIES_UNKNOWN };

  if (module != NULL)
    rules = module->rules[role];
  if (provider != NULL && provider->rules[role].maximum != TOKEND_RETRIES_UNKNOWN)
    rules.maximum = provider->rules[role].maximum;
  if (role == TOKEND_ROLE_PIN && reading->pin_tries_hidden)
    rules.flags = TOKEND_FLAGS_MEANING_NONE;
  return rules;
}

static int
stricter_maximum (int a, int b)
{
  if (a < 0 || b < 0)
    return MAX (a, b);
  return MIN (a, b);
}

static void
narrow (TokendPinPolicy *policy, const TokendProfile *profile)
{
  if (profile == NULL)
    return;
  policy->minimum_length =
      MAX (policy->minimum_length, profile->codes[TOKEND_ROLE_PIN].minimum_length);
  policy->maximum_length =
      stricter_maximum (policy->maximum_length, profile->codes[TOKEND_ROLE_PIN].maximum_length);
  policy->characters = MAX (policy->characters, profile->codes[TOKEND_ROLE_PIN].characters);
}

/**
 * tokend_profile_rules_get_pin_policy:
 *
 * Returns: the strictest of the token's own policy, the module's profile and the provider's.
 */
TokendPinPolicy
tokend_profile_rules_get_pin_policy (const TokendProfile *module, const TokendProfile *provider,
                                     const TokendReading *reading)
{
  TokendPinPolicy policy = { .minimum_length = reading->new_pin_minimum_length,
                             .maximum_length = reading->new_pin_maximum_length,
                             .characters = TOKEND_CHARACTERS_ANY };

  narrow (&policy, module);
  narrow (&policy, provider);
  /* Ignores a profile that asks for what this token cannot take. */
  if (policy.maximum_length >= 0)
    policy.minimum_length = MIN (policy.minimum_length, policy.maximum_length);
  if (reading->pin_complex)
    policy.characters = TOKEND_CHARACTERS_ANY;
  return policy;
}

static void
narrow_limits (TokendCodeLimits *limits, int minimum, int maximum)
{
  if (minimum > 0)
    limits->minimum = MAX (limits->minimum, (guint) minimum);
  if (maximum > 0)
    limits->maximum =
        limits->maximum == 0 ? (guint) maximum : MIN (limits->maximum, (guint) maximum);
  /* Ignores a rule that asks for more than the others allow. */
  if (limits->maximum > 0)
    limits->minimum = MIN (limits->minimum, limits->maximum);
}

static void
narrow_rules (TokendCodeRules *rules, const TokendProfile *profile, TokendRole role)
{
  const TokendProfileCode *code;

  if (profile == NULL)
    return;
  code = &profile->codes[role];
  narrow_limits (code->is_documented ? &rules->length : &rules->usual_length, code->minimum_length,
                 code->maximum_length);
  narrow_limits (&rules->usual_length, code->usual_length, code->usual_length);
  rules->usual_characters = MAX (rules->usual_characters, code->characters);
}

/**
 * tokend_profile_rules_get_code_rules:
 * @module: (nullable): the module's profile.
 * @provider: (nullable): the profile of who issued the certificate.
 * @reading: of the token.
 * @role: whose code.
 *
 * Returns: what is known of the PUK or the present PIN, which need not keep the rules of a new PIN.
 */
TokendCodeRules
tokend_profile_rules_get_code_rules (const TokendProfile *module, const TokendProfile *provider,
                                     const TokendReading *reading, TokendRole role)
{
  TokendCodeRules rules = { .usual_characters = TOKEND_CHARACTERS_ANY };

  if (role == TOKEND_ROLE_PIN)
    narrow_limits (&rules.length, reading->pin_minimum_length, reading->pin_maximum_length);
  narrow_rules (&rules, module, role);
  narrow_rules (&rules, provider, role);
  /* A token may come with a PIN that is shorter than any that it takes. */
  if (role == TOKEND_ROLE_PIN && reading->pin_must_change)
    rules.length.minimum = rules.usual_length.minimum = 0;
  if (role == TOKEND_ROLE_PIN && reading->pin_complex)
    rules.usual_characters = TOKEND_CHARACTERS_ANY;
  return rules;
}

/**
 * tokend_profile_rules_want_login:
 * @module: (nullable): the module's profile.
 *
 * Returns: whether the present PIN is to be proven by C_Login before it is changed: what C_SetPIN
 *   answers proves nothing, as far as is known.
 */
gboolean
tokend_profile_rules_want_login (const TokendProfile *module)
{
  return module == NULL || !module->change_proves;
}

/**
 * tokend_profile_rules_count:
 * @module: (nullable): the module's profile.
 * @role: the PUK's for Unlock, the PIN's for SetPin.
 *
 * Returns: whether this kind of token counts a wrong code in this operation.
 */
gboolean
tokend_profile_rules_count (const TokendProfile *module, TokendRole role)
{
  return role == TOKEND_ROLE_PUK || tokend_profile_rules_want_login (module)
         || module->change_counts;
}

/**
 * tokend_profile_rules_support:
 * @module: (nullable): the module's profile.
 * @reading: of the token.
 * @role: the PUK's for Unlock, the PIN's for SetPin.
 * @error: NotSupported, with the reason.
 *
 * Returns: whether the operation is supported.
 */
gboolean
tokend_profile_rules_support (const TokendProfile *module, const TokendReading *reading,
                              TokendRole role, GError **error)
{
  if (reading->pin_pad) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
                         N_ ("Codes of this token are typed on the PIN pad of its reader, "
                             "which is not supported"));
    return FALSE;
  }
  if (reading->codes_hashed) {
    g_set_error_literal (
        error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
        N_ ("The card wants its codes hashed (KDF), or does not say whether, and this module sends "
            "them as they are: the right one might cost a try; OpenSC hashes them from version "
            "0.27 on"));
    return FALSE;
  }
  if (reading->is_double) {
    g_set_error_literal (
        error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
        N_ ("The module shows more than one token with this label and serial number: take the "
            "others out"));
    return FALSE;
  }
  if (role == TOKEND_ROLE_PUK && !reading->counters[TOKEND_ROLE_PUK].initialized) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
                         "The token has no PUK to be unlocked with");
    return FALSE;
  }
  if (role == TOKEND_ROLE_PUK && module == NULL) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
                         "No profile says how tokens of this kind are unlocked");
    return FALSE;
  }
  if (role == TOKEND_ROLE_PUK && module->unlock_method == TOKEND_UNLOCK_METHOD_NONE) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
                 "The profile “%s” has no way to unlock tokens of this kind", module->name);
    return FALSE;
  }
  if (role == TOKEND_ROLE_PUK && !module->sets_first_pin
      && tokend_counter_is_uninitialized (&reading->counters[TOKEND_ROLE_PIN])) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
                 "The token has no PIN yet, and the profile “%s” does not say that a first one can "
                 "be set so",
                 module->name);
    return FALSE;
  }
  return TRUE;
}
