/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome-private.h"

#include "pkcs11-reason.h"

#define DONE TOKEND_OUTCOME_DONE
#define INCORRECT TOKEND_OUTCOME_CODE_INCORRECT
#define LOCKED TOKEND_OUTCOME_CODE_LOCKED
#define REFUSED TOKEND_OUTCOME_NEW_PIN_REFUSED
#define REMOVED TOKEND_OUTCOME_TOKEN_REMOVED
#define FAILED TOKEND_OUTCOME_FAILED
#define LENGTH TOKEND_OUTCOME_LENGTH_REFUSED

/* Of what is no OpenSC, and of OpenSC's cards by kind: as the profile of each has it. */
static const TokendDialect plain = { FALSE, TOKEND_WRONG_CODE_PIN_INCORRECT };
static const TokendDialect pkcs15 = { TRUE, TOKEND_WRONG_CODE_PIN_INCORRECT };
static const TokendDialect piv = { TRUE, TOKEND_WRONG_CODE_PIN_INCORRECT };
static const TokendDialect openpgp = { TRUE, TOKEND_WRONG_CODE_USER_NOT_LOGGED_IN };

static const struct {
  CK_RV rv;
  TokendOutcome login, init_pin, set_pin;
} rows[] = {
  { CKR_OK, DONE, DONE, DONE },
  { CKR_PIN_INCORRECT, INCORRECT, INCORRECT, INCORRECT },
  { CKR_PIN_LOCKED, LOCKED, LOCKED, LOCKED },
  { CKR_PIN_INVALID, INCORRECT, REFUSED, REFUSED },
  { CKR_PIN_LEN_RANGE, INCORRECT, REFUSED, REFUSED },
  { CKR_PIN_TOO_WEAK, INCORRECT, REFUSED, REFUSED },
  { CKR_DEVICE_REMOVED, REMOVED, REMOVED, REMOVED },
  { CKR_TOKEN_NOT_PRESENT, REMOVED, REMOVED, REMOVED },
  { CKR_TOKEN_NOT_RECOGNIZED, REMOVED, REMOVED, REMOVED },
  { CKR_SESSION_HANDLE_INVALID, REMOVED, REMOVED, REMOVED },
  { CKR_SESSION_CLOSED, REMOVED, REMOVED, REMOVED },
  { CKR_SLOT_ID_INVALID, REMOVED, REMOVED, REMOVED },
  { CKR_DEVICE_ERROR, FAILED, FAILED, FAILED },
  { CKR_GENERAL_ERROR, FAILED, FAILED, FAILED },
  { CKR_FUNCTION_FAILED, FAILED, FAILED, FAILED },
  { CKR_FUNCTION_NOT_SUPPORTED, FAILED, FAILED, FAILED },
  { CKR_USER_NOT_LOGGED_IN, FAILED, FAILED, FAILED },
  { CKR_USER_ALREADY_LOGGED_IN, FAILED, FAILED, FAILED },
  { CKR_USER_PIN_NOT_INITIALIZED, FAILED, FAILED, FAILED },
  { CKR_SESSION_READ_ONLY_EXISTS, FAILED, FAILED, FAILED },
  { CKR_PIN_EXPIRED, FAILED, FAILED, FAILED },
  { CKR_VENDOR_DEFINED | 7, FAILED, FAILED, FAILED },
};

static void
test_table (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpint (tokend_outcome_of_login (rows[i].rv, &plain), ==, rows[i].login);
    g_assert_cmpint (tokend_outcome_of_init_pin (rows[i].rv, &plain), ==, rows[i].init_pin);
    g_assert_cmpint (tokend_outcome_of_set_pin (rows[i].rv, &plain), ==, rows[i].set_pin);
  }
}

/* What was seen of OpenSC 0.23, call by call. What an answer does not prove is not said. */
static const struct {
  const char *what;
  const TokendDialect *kind;
  TokendOutcome (*judge) (CK_RV rv, const TokendDialect *dialect);
  CK_RV rv;
  TokendOutcome outcome;
} cards[] = {
  { "a wrong PIN", &pkcs15, tokend_outcome_of_set_pin, CKR_PIN_INCORRECT, INCORRECT },
  { "a PIN once locked: see /outcome/review", &pkcs15, tokend_outcome_of_set_pin, CKR_PIN_INCORRECT,
    INCORRECT },
  { "any PUK", &pkcs15, tokend_outcome_of_login, CKR_OK, DONE },
  { "a wrong PUK", &pkcs15, tokend_outcome_of_init_pin, CKR_PIN_INCORRECT, INCORRECT },
  { "a locked PUK", &pkcs15, tokend_outcome_of_init_pin, CKR_PIN_LOCKED, LOCKED },
  { "a PUK or PIN too short", &pkcs15, tokend_outcome_of_init_pin, CKR_PIN_LEN_RANGE, LENGTH },
  { "not satisfied", &pkcs15, tokend_outcome_of_init_pin, CKR_USER_NOT_LOGGED_IN, FAILED },
  { "not satisfied", &pkcs15, tokend_outcome_of_set_pin, CKR_USER_NOT_LOGGED_IN, FAILED },

  { "a wrong PIN", &piv, tokend_outcome_of_set_pin, CKR_PIN_INCORRECT, INCORRECT },
  { "a PIN once locked", &piv, tokend_outcome_of_set_pin, CKR_PIN_LOCKED, LOCKED },
  { "login of the SO", &piv, tokend_outcome_of_login, CKR_GENERAL_ERROR, FAILED },
  { "a wrong PUK", &piv, tokend_outcome_of_set_pin, CKR_PIN_INCORRECT, INCORRECT },
  { "a locked PUK", &piv, tokend_outcome_of_set_pin, CKR_PIN_LOCKED, LOCKED },
  { "a new PIN that is none", &piv, tokend_outcome_of_set_pin, CKR_DATA_INVALID, FAILED },
  { "a code too short", &piv, tokend_outcome_of_set_pin, CKR_PIN_LEN_RANGE, LENGTH },

  { "a wrong PIN", &openpgp, tokend_outcome_of_set_pin, CKR_USER_NOT_LOGGED_IN, INCORRECT },
  { "a wrong PIN, told as 63Cx", &openpgp, tokend_outcome_of_set_pin, CKR_PIN_INCORRECT,
    INCORRECT },
  { "a PIN once locked", &openpgp, tokend_outcome_of_set_pin, CKR_PIN_LOCKED, LOCKED },
  { "a wrong PUK", &openpgp, tokend_outcome_of_login, CKR_USER_NOT_LOGGED_IN, INCORRECT },
  { "a locked PUK", &openpgp, tokend_outcome_of_login, CKR_PIN_LOCKED, LOCKED },
  { "a PUK too short", &openpgp, tokend_outcome_of_login, CKR_PIN_LEN_RANGE, LENGTH },
  { "a login that ended", &openpgp, tokend_outcome_of_init_pin, CKR_USER_NOT_LOGGED_IN, FAILED },
  { "a new PIN that is none", &openpgp, tokend_outcome_of_init_pin, CKR_DATA_INVALID, FAILED },

  { "never seen", &pkcs15, tokend_outcome_of_login, CKR_PIN_INVALID, FAILED },
  { "never seen", &piv, tokend_outcome_of_set_pin, CKR_PIN_TOO_WEAK, FAILED },
};

static void
test_cards (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cards); i++) {
    g_test_message ("%s", cards[i].what);
    g_assert_cmpint (cards[i].judge (cards[i].rv, cards[i].kind), ==, cards[i].outcome);
  }
}

/* By the standard. Of an SO's PIN that is not set it says nothing. */
static void
test_code_unread (void)
{
  static const struct {
    CK_RV rv;
    gboolean is_pin_unread, is_puk_unread;
  } answers[] = {
    { CKR_USER_ALREADY_LOGGED_IN, TRUE, TRUE },
    { CKR_USER_PIN_NOT_INITIALIZED, TRUE, FALSE },
    { CKR_USER_ANOTHER_ALREADY_LOGGED_IN, FALSE, FALSE },
    { CKR_SESSION_READ_ONLY_EXISTS, FALSE, FALSE },
    { CKR_OK, FALSE, FALSE },
    { CKR_PIN_INCORRECT, FALSE, FALSE },
    { CKR_PIN_LOCKED, FALSE, FALSE },
    { CKR_USER_NOT_LOGGED_IN, FALSE, FALSE },
    { CKR_DEVICE_ERROR, FALSE, FALSE },
    { CKR_VENDOR_DEFINED | 7, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_outcome_is_code_unread (answers[i].rv, TOKEND_ROLE_PIN), ==,
                     answers[i].is_pin_unread);
    g_assert_cmpint (tokend_outcome_is_code_unread (answers[i].rv, TOKEND_ROLE_PUK), ==,
                     answers[i].is_puk_unread);
  }
}

static void
test_reason (void)
{
  g_autofree char *known = tokend_pkcs11_reason ("C_Login", CKR_DEVICE_ERROR);
  g_autofree char *unknown = tokend_pkcs11_reason ("C_SetPIN", CKR_VENDOR_DEFINED | 7);

  g_assert_cmpstr (known, ==, "C_Login: CKR_DEVICE_ERROR");
  g_assert_cmpstr (unknown, ==, "C_SetPIN: 0x80000007");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outcome/table", test_table);
  g_test_add_func ("/outcome/cards", test_cards);
  g_test_add_func ("/outcome/code-unread", test_code_unread);
  g_test_add_func ("/outcome/reason", test_reason);
  return g_test_run ();
}
