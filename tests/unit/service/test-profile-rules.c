/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-rules.h"
#include "tokend-error.h"

/* A profile's policy of a new PIN: -1, the profile does not say. */
typedef struct {
  int minimum, maximum;
  TokendCharacters characters;
} Policy;

static const struct {
  int token_minimum, token_maximum;
  gboolean token_complex;
  Policy module, provider;
  Policy strictest;
} policies[] = {
  /* The token alone says something, or nobody does. */
  { 4, 8, FALSE, { -1, -1, 0 }, { -1, -1, 0 }, { 4, 8, TOKEND_CHARACTERS_ANY } },
  { -1, -1, FALSE, { -1, -1, 0 }, { -1, -1, 0 }, { -1, -1, TOKEND_CHARACTERS_ANY } },
  /* Whoever is stricter */
  { 4, 16, FALSE, { 6, 8, 0 }, { -1, -1, 0 }, { 6, 8, TOKEND_CHARACTERS_ANY } },
  { 6, 8, FALSE, { 4, 16, 0 }, { -1, -1, 0 }, { 6, 8, TOKEND_CHARACTERS_ANY } },
  { 4, -1, FALSE, { -1, 12, 0 }, { 5, 10, 0 }, { 5, 10, TOKEND_CHARACTERS_ANY } },
  { 4,
    8,
    FALSE,
    { -1, -1, TOKEND_CHARACTERS_DIGITS },
    { -1, -1, 0 },
    { 4, 8, TOKEND_CHARACTERS_DIGITS } },
  { 4,
    8,
    FALSE,
    { -1, -1, 0 },
    { -1, -1, TOKEND_CHARACTERS_DIGITS },
    { 4, 8, TOKEND_CHARACTERS_DIGITS } },
  /* More than the token can take */
  { 4, 8, FALSE, { -1, -1, 0 }, { 10, -1, 0 }, { 8, 8, TOKEND_CHARACTERS_ANY } },
  /* What the token does not take */
  { 4,
    8,
    TRUE,
    { -1, -1, TOKEND_CHARACTERS_DIGITS },
    { -1, -1, TOKEND_CHARACTERS_DIGITS },
    { 4, 8, TOKEND_CHARACTERS_ANY } },
};

static TokendProfile
make_profile (const Policy *policy)
{
  return (TokendProfile){ .pin_minimum_length = policy->minimum,
                          .pin_maximum_length = policy->maximum,
                          .pin_characters = policy->characters };
}

static void
test_pin_policy (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++) {
    const TokendProfile module = make_profile (&policies[i].module);
    const TokendProfile provider = make_profile (&policies[i].provider);
    const TokendReading reading = { .new_pin_minimum_length = policies[i].token_minimum,
                                    .new_pin_maximum_length = policies[i].token_maximum,
                                    .pin_complex = policies[i].token_complex };
    TokendPinPolicy policy = tokend_profile_rules_get_pin_policy (&module, &provider, &reading);

    g_test_message ("policy %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (policy.minimum_length, ==, policies[i].strictest.minimum);
    g_assert_cmpint (policy.maximum_length, ==, policies[i].strictest.maximum);
    g_assert_cmpint (policy.characters, ==, policies[i].strictest.characters);
  }
}

static void
test_pin_policy_without_profiles (void)
{
  const TokendReading reading = { .new_pin_minimum_length = 4, .new_pin_maximum_length = 8 };
  TokendPinPolicy policy = tokend_profile_rules_get_pin_policy (NULL, NULL, &reading);

  g_assert_cmpint (policy.minimum_length, ==, 4);
  g_assert_cmpint (policy.maximum_length, ==, 8);
  g_assert_cmpint (policy.characters, ==, TOKEND_CHARACTERS_ANY);
}

/* What flags are worth is the module's to say, how many tries there are the provider's. */
static void
test_counter_rules (void)
{
  static const TokendCounterRules exact_5 = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 5 };
  const TokendProfile module = { .rules = { exact_5, exact_5 } };
  const TokendProfile provider = { .rules = { { TOKEND_FLAGS_MEANING_NONE, TRUE, 3 },
                                              { .maximum = TOKEND_RETRIES_UNKNOWN } } };
  const TokendReading token = { 0 };
  TokendCounterRules pin = tokend_profile_rules_get (&module, &provider, &token, TOKEND_ROLE_PIN);
  TokendCounterRules puk = tokend_profile_rules_get (&module, &provider, &token, TOKEND_ROLE_PUK);
  TokendCounterRules nobodys = tokend_profile_rules_get (NULL, NULL, &token, TOKEND_ROLE_PUK);
  TokendCounterRules providers =
      tokend_profile_rules_get (NULL, &provider, &token, TOKEND_ROLE_PIN);

  g_assert_cmpint (pin.maximum, ==, 3);
  g_assert_cmpint (pin.flags, ==, TOKEND_FLAGS_MEANING_EXACT);
  g_assert_false (pin.never_locks);
  g_assert_cmpint (puk.maximum, ==, 5);
  g_assert_cmpint (nobodys.maximum, ==, TOKEND_RETRIES_UNKNOWN);
  g_assert_cmpint (nobodys.flags, ==, TOKEND_FLAGS_MEANING_NONE);
  g_assert_cmpint (providers.maximum, ==, 3);
  g_assert_cmpint (providers.flags, ==, TOKEND_FLAGS_MEANING_NONE);
  g_assert_false (providers.never_locks);
}

/* Its host knows of a token that the flags of its PIN are not true, whatever they are on others of its profile. */
static void
test_hidden_tries (void)
{
  static const TokendCounterRules exact_5 = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 5 };
  const TokendProfile module = { .rules = { exact_5, exact_5 } };
  const TokendReading token = { .pin_tries_hidden = TRUE };
  TokendCounterRules pin = tokend_profile_rules_get (&module, NULL, &token, TOKEND_ROLE_PIN);
  TokendCounterRules puk = tokend_profile_rules_get (&module, NULL, &token, TOKEND_ROLE_PUK);

  g_assert_cmpint (pin.flags, ==, TOKEND_FLAGS_MEANING_NONE);
  g_assert_cmpint (pin.maximum, ==, 5);
  g_assert_cmpint (puk.flags, ==, TOKEND_FLAGS_MEANING_EXACT);
}

/* Of a profile: whether there is one, and its way to unlock. */
static const struct {
  gboolean is_known;
  TokendUnlockWay way;
  gboolean pin_pad, has_puk, is_double;
  gboolean unlocks, changes;
} kinds[] = {
  { TRUE, TOKEND_UNLOCK_WAY_SO_LOGIN_INIT_PIN, FALSE, TRUE, FALSE, TRUE, TRUE },
  { TRUE, TOKEND_UNLOCK_WAY_OPENSC_SET_PIN, FALSE, TRUE, FALSE, TRUE, TRUE },
  { TRUE, TOKEND_UNLOCK_WAY_NONE, FALSE, TRUE, FALSE, FALSE, TRUE },
  { FALSE, 0, FALSE, TRUE, FALSE, FALSE, TRUE },
  { TRUE, TOKEND_UNLOCK_WAY_SO_LOGIN_INIT_PIN, TRUE, TRUE, FALSE, FALSE, FALSE },
  { TRUE, TOKEND_UNLOCK_WAY_SO_LOGIN_INIT_PIN, FALSE, FALSE, FALSE, FALSE, TRUE },
  { TRUE, TOKEND_UNLOCK_WAY_SO_LOGIN_INIT_PIN, FALSE, TRUE, TRUE, FALSE, FALSE },
};

static void
test_support (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    const TokendProfile profile = { .name = "a profile", .unlock_way = kinds[i].way };
    const TokendReading reading = {
      .pin_pad = kinds[i].pin_pad,
      .is_double = kinds[i].is_double,
      .counters = { [TOKEND_ROLE_PUK] = { .initialized = kinds[i].has_puk } },
    };
    const gboolean expected[] = { kinds[i].changes, kinds[i].unlocks };

    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      g_autoptr (GError) error = NULL;

      g_test_message ("kind %" G_GSIZE_FORMAT ", role %d", i, (int) role);
      g_assert_cmpint (tokend_profile_rules_support (kinds[i].is_known ? &profile : NULL, &reading,
                                                     role, &error),
                       ==, expected[role]);
      if (!expected[role])
        g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/profile-rules/pin-policy", test_pin_policy);
  g_test_add_func ("/profile-rules/pin-policy/without-profiles", test_pin_policy_without_profiles);
  g_test_add_func ("/profile-rules/counter-rules", test_counter_rules);
  g_test_add_func ("/profile-rules/hidden-tries", test_hidden_tries);
  g_test_add_func ("/profile-rules/support", test_support);
  return g_test_run ();
}
