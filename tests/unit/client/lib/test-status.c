/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

static void
test_tries (void)
{
  g_autoptr (GVariant) status = g_variant_parse (
      G_VARIANT_TYPE_VARDICT,
      "{'pin-state': <'low'>, 'pin-retries-remaining': <uint32 2>, "
      "'pin-retries-maximum': <uint32 3>, 'pin-retries-source': <'token'>, 'puk-state': <'new'>, "
      "'pin-never-locks': <true>, 'puk-retries-minimum': <uint32 2>, 'puk-flag-gone': <true>}",
      NULL, NULL, NULL);
  TokenctlTries pin = tokenctl_status_tries (status, TOKEND_ROLE_PIN);
  TokenctlTries puk = tokenctl_status_tries (status, TOKEND_ROLE_PUK);

  g_assert_cmpint (pin.state, ==, TOKEND_STATE_LOW);
  g_assert_true (pin.remaining_known);
  g_assert_cmpuint (pin.remaining, ==, 2);
  g_assert_cmpuint (pin.maximum, ==, 3);

  /* A state that a later service may have is not known to this one. */
  g_assert_cmpint (puk.state, ==, TOKEND_STATE_UNKNOWN);
  g_assert_false (puk.remaining_known);
  g_assert_cmpuint (puk.maximum, ==, 0);
  g_assert_true (pin.never_locks && !pin.flag_gone && pin.minimum == 0);
  g_assert_true (!puk.never_locks && puk.flag_gone && puk.minimum == 2);
}

static void
test_decide (void)
{
  static const struct {
    TokenctlTries tries;
    TokenctlDecision decision;
  } rows[] = {
    { { TOKEND_STATE_OK, TRUE, 3, 3 }, TOKENCTL_DECISION_GO },
    { { TOKEND_STATE_OK, FALSE, 0, 0, 2 }, TOKENCTL_DECISION_GO },
    { { TOKEND_STATE_OK, .never_locks = TRUE }, TOKENCTL_DECISION_GO },
    { { TOKEND_STATE_OK, FALSE, 0, 0 }, TOKENCTL_DECISION_FINAL_WORD },
    { { TOKEND_STATE_LOW, TRUE, 2, 3 }, TOKENCTL_DECISION_GO },
    { { TOKEND_STATE_LOW, FALSE, 0, 10, 2 }, TOKENCTL_DECISION_GO },
    { { TOKEND_STATE_LOW, .never_locks = TRUE }, TOKENCTL_DECISION_GO },
    { { TOKEND_STATE_LOW, FALSE, 0, 0 }, TOKENCTL_DECISION_FINAL_WORD },
    { { TOKEND_STATE_OK, TRUE, 1, 1 }, TOKENCTL_DECISION_FINAL_WORD },
    { { TOKEND_STATE_LOW, TRUE, 1, 3 }, TOKENCTL_DECISION_FINAL_WORD },
    { { TOKEND_STATE_FINAL_TRY, TRUE, 1, 3 }, TOKENCTL_DECISION_FINAL_WORD },
    { { TOKEND_STATE_FINAL_TRY, FALSE, 0, 0 }, TOKENCTL_DECISION_FINAL_WORD },
    { { TOKEND_STATE_UNKNOWN, FALSE, 0, 0 }, TOKENCTL_DECISION_FINAL_WORD },
    { { TOKEND_STATE_UNKNOWN, FALSE, 0, 3 }, TOKENCTL_DECISION_FINAL_WORD },
    { { TOKEND_STATE_LOCKED, TRUE, 0, 3 }, TOKENCTL_DECISION_LOCKED },
    { { TOKEND_STATE_LOCKED, FALSE, 0, 0 }, TOKENCTL_DECISION_LOCKED },
    { { TOKEND_STATE_UNINITIALIZED, FALSE, 0, 0 }, TOKENCTL_DECISION_NOT_SET },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokenctl_decide (&rows[i].tries), ==, rows[i].decision);
  }
}

static void
test_code_rules (void)
{
  g_autoptr (GVariant) status = g_variant_parse (
      NULL,
      "{'present-pin-minimum-length': <uint32 1>, 'present-pin-maximum-length': <uint32 2>,"
      " 'present-pin-usual-minimum-length': <uint32 3>,"
      " 'present-pin-usual-maximum-length': <uint32 4>, 'present-pin-usual-characters': <'any'>,"
      " 'puk-minimum-length': <uint32 5>, 'puk-maximum-length': <uint32 6>,"
      " 'puk-usual-minimum-length': <uint32 7>, 'puk-usual-maximum-length': <uint32 8>,"
      " 'puk-usual-characters': <'digits'>}",
      NULL, NULL, NULL);
  g_autoptr (GVariant) nothing = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  const TokendCodeRules pin = tokenctl_status_code_rules (status, TOKEND_ROLE_PIN);
  const TokendCodeRules puk = tokenctl_status_code_rules (status, TOKEND_ROLE_PUK);
  const TokendCodeRules none = tokenctl_status_code_rules (nothing, TOKEND_ROLE_PUK);

  g_assert_cmpuint (pin.length.minimum, ==, 1);
  g_assert_cmpuint (pin.length.maximum, ==, 2);
  g_assert_cmpuint (pin.usual_length.minimum, ==, 3);
  g_assert_cmpuint (pin.usual_length.maximum, ==, 4);
  g_assert_cmpint (pin.usual_characters, ==, TOKEND_CHARACTERS_ANY);
  g_assert_cmpuint (puk.length.minimum, ==, 5);
  g_assert_cmpuint (puk.length.maximum, ==, 6);
  g_assert_cmpuint (puk.usual_length.minimum, ==, 7);
  g_assert_cmpuint (puk.usual_length.maximum, ==, 8);
  g_assert_cmpint (puk.usual_characters, ==, TOKEND_CHARACTERS_DIGITS);
  g_assert_cmpuint (none.length.minimum, ==, 0);
  g_assert_cmpuint (none.usual_length.maximum, ==, 0);
  g_assert_cmpint (none.usual_characters, ==, TOKEND_CHARACTERS_ANY);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/status/tries", test_tries);
  g_test_add_func ("/status/decide", test_decide);
  g_test_add_func ("/status/code-rules", test_code_rules);
  return g_test_run ();
}
