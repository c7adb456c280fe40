/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-rules.h"
#include "tokend-error.h"

#include <string.h>

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
  { 4, 0, FALSE, { -1, 12, 0 }, { -1, -1, 0 }, { 0, 0, TOKEND_CHARACTERS_ANY } },
  { 4, 8, FALSE, { -1, 0, 0 }, { -1, -1, 0 }, { 0, 0, TOKEND_CHARACTERS_ANY } },
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
  return (TokendProfile){ .codes = { [TOKEND_ROLE_PIN] = { .minimum_length = policy->minimum,
                                                           .maximum_length = policy->maximum,
                                                           .characters = policy->characters } } };
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

/* Of a present code: what the token says of PINs, each profile, and what comes of it. */
static const struct {
  const char *what;
  TokendRole role;
  TokendReading reading;
  TokendProfileCode module, provider;
  TokendCodeRules rules;
} codes[] = {
  { "nobody says anything",
    TOKEND_ROLE_PIN,
    { .pin_minimum_length = -1, .pin_maximum_length = -1 },
    { -1, -1, -1 },
    { -1, -1, -1 },
    { { 0, 0 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "the token's own limits are the present PIN's",
    TOKEND_ROLE_PIN,
    { .pin_minimum_length = 4, .pin_maximum_length = 16 },
    { -1, -1, -1 },
    { -1, -1, -1 },
    { { 4, 16 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "and neither a rule nor a custom of the PUK's",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = 8, .pin_maximum_length = 16 },
    { -1, -1, -1 },
    { -1, -1, -1 },
    { { 0, 0 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "a policy of new PINs says nothing of an older one",
    TOKEND_ROLE_PIN,
    { .pin_minimum_length = 4,
      .pin_maximum_length = 16,
      .new_pin_minimum_length = 8,
      .new_pin_maximum_length = 12 },
    { -1, -1, -1 },
    { -1, -1, -1 },
    { { 4, 16 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "without a document: a custom",
    TOKEND_ROLE_PIN,
    { .pin_minimum_length = 4, .pin_maximum_length = 16 },
    { 6, 8, -1, TOKEND_CHARACTERS_DIGITS, FALSE },
    { -1, -1, -1 },
    { { 4, 16 }, { 6, 8 }, TOKEND_CHARACTERS_DIGITS } },
  { "with one: a rule, but for the characters",
    TOKEND_ROLE_PIN,
    { .pin_minimum_length = 4, .pin_maximum_length = 16 },
    { 6, 8, -1, TOKEND_CHARACTERS_DIGITS, TRUE },
    { -1, -1, -1 },
    { { 6, 8 }, { 0, 0 }, TOKEND_CHARACTERS_DIGITS } },
  { "a rule, and a custom beside it",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = 4, .pin_maximum_length = 8 },
    { 6, 8, 8, TOKEND_CHARACTERS_ANY, TRUE },
    { -1, -1, -1 },
    { { 6, 8 }, { 8, 8 }, TOKEND_CHARACTERS_ANY } },
  { "the module's rule, and the provider's habit",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = -1, .pin_maximum_length = -1 },
    { 6, -1, -1, TOKEND_CHARACTERS_ANY, TRUE },
    { 8, 10, -1, TOKEND_CHARACTERS_DIGITS, FALSE },
    { { 6, 0 }, { 8, 10 }, TOKEND_CHARACTERS_DIGITS } },
  { "two rules: the stricter one",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = -1, .pin_maximum_length = -1 },
    { 6, 12, -1, TOKEND_CHARACTERS_ANY, TRUE },
    { 8, 10, -1, TOKEND_CHARACTERS_ANY, TRUE },
    { { 8, 10 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "more than the token can take",
    TOKEND_ROLE_PIN,
    { .pin_minimum_length = 4, .pin_maximum_length = 8 },
    { 10, -1, -1, TOKEND_CHARACTERS_ANY, TRUE },
    { -1, -1, -1 },
    { { 8, 8 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "no more than one character",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = -1, .pin_maximum_length = -1 },
    { 2, 1, -1, TOKEND_CHARACTERS_ANY, TRUE },
    { -1, -1, -1 },
    { { 1, 1 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "no less than one",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = -1, .pin_maximum_length = -1 },
    { 1, -1, -1, TOKEND_CHARACTERS_ANY, TRUE },
    { -1, -1, -1 },
    { { 1, 0 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "zero says nothing",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = -1, .pin_maximum_length = -1 },
    { 6, 8, -1, TOKEND_CHARACTERS_ANY, TRUE },
    { 0, 0, 0, TOKEND_CHARACTERS_ANY, TRUE },
    { { 6, 8 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "a PIN that the token came with may be short",
    TOKEND_ROLE_PIN,
    { .pin_minimum_length = 6, .pin_maximum_length = 8, .pin_must_change = TRUE },
    { 6, 8, -1, TOKEND_CHARACTERS_ANY, TRUE },
    { 4, -1, -1, TOKEND_CHARACTERS_ANY, FALSE },
    { { 0, 8 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "not so the PUK of such a token",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = 6, .pin_maximum_length = 8, .pin_must_change = TRUE },
    { 6, 8, 8, TOKEND_CHARACTERS_ANY, TRUE },
    { -1, -1, -1 },
    { { 6, 8 }, { 8, 8 }, TOKEND_CHARACTERS_ANY } },
  { "a token that wants more than digits",
    TOKEND_ROLE_PIN,
    { .pin_minimum_length = -1, .pin_maximum_length = -1, .pin_complex = TRUE },
    { -1, -1, -1, TOKEND_CHARACTERS_DIGITS },
    { -1, -1, -1 },
    { { 0, 0 }, { 0, 0 }, TOKEND_CHARACTERS_ANY } },
  { "not so in the PUK",
    TOKEND_ROLE_PUK,
    { .pin_minimum_length = -1, .pin_maximum_length = -1, .pin_complex = TRUE },
    { -1, -1, -1, TOKEND_CHARACTERS_DIGITS },
    { -1, -1, -1 },
    { { 0, 0 }, { 0, 0 }, TOKEND_CHARACTERS_DIGITS } },
};

static void
test_code_rules (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    TokendProfile module = { .name = "module" };
    TokendProfile provider = { .name = "provider" };
    TokendCodeRules rules;

    g_test_message ("%s", codes[i].what);
    module.codes[codes[i].role] = codes[i].module;
    provider.codes[codes[i].role] = codes[i].provider;
    rules =
        tokend_profile_rules_get_code_rules (&module, &provider, &codes[i].reading, codes[i].role);
    g_assert_cmpuint (rules.length.minimum, ==, codes[i].rules.length.minimum);
    g_assert_cmpuint (rules.length.maximum, ==, codes[i].rules.length.maximum);
    g_assert_cmpuint (rules.usual_length.minimum, ==, codes[i].rules.usual_length.minimum);
    g_assert_cmpuint (rules.usual_length.maximum, ==, codes[i].rules.usual_length.maximum);
    g_assert_cmpint (rules.usual_characters, ==, codes[i].rules.usual_characters);
  }
}

static void
test_code_rules_without_profiles (void)
{
  const TokendReading reading = { .pin_minimum_length = 4, .pin_maximum_length = 8 };
  TokendCodeRules rules =
      tokend_profile_rules_get_code_rules (NULL, NULL, &reading, TOKEND_ROLE_PIN);

  g_assert_cmpuint (rules.length.minimum, ==, 4);
  g_assert_cmpuint (rules.length.maximum, ==, 8);
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

/* Its host knows of a token that the flags of its PIN are not true, whatever they are on others of
 * its profile. */
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

/* A wrong PIN costs a try where C_Login is asked first, and else where the profile says so; a wrong
 * PUK always. */
static void
test_wrong_codes (void)
{
  static const struct {
    gboolean is_known, change_proves, change_counts;
    gboolean wants_login, counts_pin;
  } rows[] = {
    { FALSE, FALSE, FALSE, TRUE, TRUE }, { TRUE, FALSE, FALSE, TRUE, TRUE },
    { TRUE, FALSE, TRUE, TRUE, TRUE },   { TRUE, TRUE, FALSE, FALSE, FALSE },
    { TRUE, TRUE, TRUE, FALSE, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const TokendProfile profile = { .change_proves = rows[i].change_proves,
                                    .change_counts = rows[i].change_counts };
    const TokendProfile *module = rows[i].is_known ? &profile : NULL;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_profile_rules_want_login (module), ==, rows[i].wants_login);
    g_assert_cmpint (tokend_profile_rules_count (module, TOKEND_ROLE_PIN), ==, rows[i].counts_pin);
    g_assert_true (tokend_profile_rules_count (module, TOKEND_ROLE_PUK));
  }
}

#define NO_PIN                                                                                     \
  {                                                                                                \
    .initialized = FALSE                                                                           \
  }
#define PIN_SET                                                                                    \
  {                                                                                                \
    .initialized = TRUE                                                                            \
  }
#define PIN_LOCKED                                                                                 \
  {                                                                                                \
    .locked = TRUE                                                                                 \
  }

/* Of a profile: whether there is one, and its way to unlock. */
static const struct {
  gboolean is_known;
  TokendUnlockMethod method;
  gboolean pin_pad, has_puk, is_double;
  gboolean unlocks, changes;
  TokendCounterReading pin;
  gboolean sets_first_pin;
} kinds[] = {
  { TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, FALSE, TRUE, FALSE, TRUE, TRUE, PIN_SET },
  { TRUE, TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN, FALSE, TRUE, FALSE, TRUE, TRUE, PIN_SET },
  { TRUE, TOKEND_UNLOCK_METHOD_NONE, FALSE, TRUE, FALSE, FALSE, TRUE, PIN_SET },
  { FALSE, 0, FALSE, TRUE, FALSE, FALSE, TRUE, PIN_SET },
  { TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, TRUE, TRUE, FALSE, FALSE, FALSE, PIN_SET },
  { TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, FALSE, FALSE, FALSE, FALSE, TRUE, PIN_SET },
  { TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, FALSE, TRUE, TRUE, FALSE, FALSE, PIN_SET },
  /* No PIN yet; one that is locked was set. */
  { TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, FALSE, TRUE, FALSE, FALSE, TRUE, NO_PIN },
  { TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, FALSE, TRUE, FALSE, TRUE, TRUE, NO_PIN, TRUE },
  { TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, FALSE, TRUE, FALSE, TRUE, TRUE, PIN_LOCKED },
};

static void
test_support (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    const TokendProfile profile = { .name = "a profile",
                                    .unlock_method = kinds[i].method,
                                    .sets_first_pin = kinds[i].sets_first_pin };
    const TokendReading reading = {
      .pin_pad = kinds[i].pin_pad,
      .is_double = kinds[i].is_double,
      .counters = { kinds[i].pin, { .initialized = kinds[i].has_puk } },
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

/* Neither code is asked for where the right one would be sent in a form that the card refuses. */
static void
test_hashed_codes (void)
{
  const TokendProfile profile = { .name = "a profile",
                                  .unlock_method = TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN };
  const TokendReading reading = {
    .codes_hashed = TRUE,
    .counters = { PIN_SET, { .initialized = TRUE } },
  };

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autoptr (GError) error = NULL;

    g_assert_false (tokend_profile_rules_support (&profile, &reading, role, &error));
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED);
    g_assert_nonnull (strstr (error->message, "KDF"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/profile-rules/pin-policy", test_pin_policy);
  g_test_add_func ("/profile-rules/pin-policy/without-profiles", test_pin_policy_without_profiles);
  g_test_add_func ("/profile-rules/code-rules", test_code_rules);
  g_test_add_func ("/profile-rules/code-rules/without-profiles", test_code_rules_without_profiles);
  g_test_add_func ("/profile-rules/counter-rules", test_counter_rules);
  g_test_add_func ("/profile-rules/hidden-tries", test_hidden_tries);
  g_test_add_func ("/profile-rules/wrong-codes", test_wrong_codes);
  g_test_add_func ("/profile-rules/support", test_support);
  g_test_add_func ("/profile-rules/support/hashed-codes", test_hashed_codes);
  return g_test_run ();
}
