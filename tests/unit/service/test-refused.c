/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refused.h"

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define LIMIT 64

static GBytes *
make_digest (guint number)
{
  guint8 digest[32] = { 0 };

  digest[0] = (guint8) number;
  digest[31] = (guint8) (number >> 8);
  return g_bytes_new (digest, sizeof digest);
}

static gboolean
contains (TokendRefused *refused, const char *card, TokendRole role, guint number)
{
  g_autoptr (GBytes) digest = make_digest (number);

  return tokend_refused_contains (refused, card, role, digest);
}

static void
refuse (TokendRefused *refused, const char *card, TokendRole role, guint number)
{
  g_autoptr (GBytes) digest = make_digest (number);

  tokend_refused_add (refused, card, role, digest);
}

static void
test_key (void)
{
  g_autoptr (TokendRefused) one = tokend_refused_new ();
  g_autoptr (TokendRefused) two = tokend_refused_new ();

  g_assert_cmpuint (g_bytes_get_size (tokend_refused_get_key (one)), ==, 32);
  g_assert_true (g_bytes_equal (tokend_refused_get_key (one), tokend_refused_get_key (one)));
  g_assert_false (g_bytes_equal (tokend_refused_get_key (one), tokend_refused_get_key (two)));
}

static void
test_apart (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 2));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1 + 256));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
  g_assert_false (contains (refused, OTHER_CARD, TOKEND_ROLE_PUK, 1));
}

static void
test_forget (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  refuse (refused, CARD, TOKEND_ROLE_PUK, 2);
  refuse (refused, CARD, TOKEND_ROLE_PIN, 1);
  refuse (refused, OTHER_CARD, TOKEND_ROLE_PUK, 1);
  tokend_refused_forget (refused, CARD, TOKEND_ROLE_PUK);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 2));
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
  g_assert_true (contains (refused, OTHER_CARD, TOKEND_ROLE_PUK, 1));

  tokend_refused_forget (refused, CARD, TOKEND_ROLE_PUK);
  tokend_refused_forget (refused, "never seen", TOKEND_ROLE_PIN);
  refuse (refused, CARD, TOKEND_ROLE_PUK, 3);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 3));
}

/* The oldest goes first, a role's on a token at a time; the same twice takes one place. */
static void
test_limit (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PIN, 0);
  refuse (refused, OTHER_CARD, TOKEND_ROLE_PUK, 0);
  for (guint number = 0; number < LIMIT; number++) {
    refuse (refused, CARD, TOKEND_ROLE_PUK, number);
    refuse (refused, CARD, TOKEND_ROLE_PUK, number);
  }
  for (guint number = 0; number < LIMIT; number++)
    g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, number));

  refuse (refused, CARD, TOKEND_ROLE_PUK, LIMIT);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 0));
  for (guint number = 1; number <= LIMIT; number++)
    g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, number));
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 0));
  g_assert_true (contains (refused, OTHER_CARD, TOKEND_ROLE_PUK, 0));
}

static void
show (TokendRefused *refused, const char *module, int remaining)
{
  const TokendCounter shown = { .state = remaining == 3 ? TOKEND_STATE_OK : TOKEND_STATE_LOW,
                                .remaining = remaining,
                                .maximum = 3 };

  tokend_refused_observe (refused, CARD, TOKEND_ROLE_PUK, module, &shown);
}

/* Only a counter that rises after the refusal, seen through one module, tells of another program's success. */
static void
test_rise (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  show (refused, "a", 3); /* before the refusal: of no use */
  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  show (refused, "a", 2);
  show (refused, "a", 2); /* the token was taken out and plugged in again */
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  show (refused, "b", 3); /* another module, which may be wrong about the token */
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  show (refused, "a", 1);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  show (refused, "a", 2);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
}

/* A second refusal begins anew: what was seen before it is not a level to rise from. */
static void
test_rise_after_another_refusal (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  show (refused, "a", 1);
  refuse (refused, CARD, TOKEND_ROLE_PUK, 2);
  show (refused, "a", 2);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 2));
}

static void
test_rise_without_numbers (void)
{
  static const TokendCounter low = { .state = TOKEND_STATE_LOW,
                                     .remaining = TOKEND_RETRIES_UNKNOWN };
  static const TokendCounter ok = { .state = TOKEND_STATE_OK, .remaining = TOKEND_RETRIES_UNKNOWN };
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PIN, 1);
  tokend_refused_observe (refused, CARD, TOKEND_ROLE_PIN, "a", &tokend_counter_unknown);
  tokend_refused_observe (refused, CARD, TOKEND_ROLE_PIN, "a", &ok);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
  tokend_refused_observe (refused, CARD, TOKEND_ROLE_PIN, "a", &low);
  tokend_refused_observe (refused, CARD, TOKEND_ROLE_PIN, "a", &ok);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
}

/* A number that comes or goes is not one that rises. */
static void
test_rise_with_a_number_now_and_then (void)
{
  static const TokendCounter low = { .state = TOKEND_STATE_LOW,
                                     .remaining = TOKEND_RETRIES_UNKNOWN };
  static const TokendCounter ok = { .state = TOKEND_STATE_OK, .remaining = TOKEND_RETRIES_UNKNOWN };
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  tokend_refused_observe (refused, CARD, TOKEND_ROLE_PUK, "a", &low);
  show (refused, "a", 2);
  tokend_refused_observe (refused, CARD, TOKEND_ROLE_PUK, "a", &low);
  show (refused, "a", 1);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  tokend_refused_observe (refused, CARD, TOKEND_ROLE_PUK, "a", &ok);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
}

/* As long as there is a code that could be sent again, the service stays. */
static void
test_is_empty (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  g_assert_true (tokend_refused_is_empty (refused));
  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  g_assert_false (tokend_refused_is_empty (refused));
  refuse (refused, CARD, TOKEND_ROLE_PIN, 1);
  g_assert_false (tokend_refused_is_empty (refused));
  tokend_refused_forget (refused, CARD, TOKEND_ROLE_PUK);
  g_assert_false (tokend_refused_is_empty (refused));
  tokend_refused_forget (refused, CARD, TOKEND_ROLE_PIN);
  g_assert_true (tokend_refused_is_empty (refused));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/refused/key", test_key);
  g_test_add_func ("/refused/apart", test_apart);
  g_test_add_func ("/refused/forget", test_forget);
  g_test_add_func ("/refused/rise", test_rise);
  g_test_add_func ("/refused/rise/after-another-refusal", test_rise_after_another_refusal);
  g_test_add_func ("/refused/rise/without-numbers", test_rise_without_numbers);
  g_test_add_func ("/refused/rise/with-a-number-now-and-then",
                   test_rise_with_a_number_now_and_then);
  g_test_add_func ("/refused/limit", test_limit);
  g_test_add_func ("/refused/is-empty", test_is_empty);
  return g_test_run ();
}
