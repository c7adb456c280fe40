/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome.h"

#include "pkcs11-reason.h"

#define DONE TOKEND_OUTCOME_DONE
#define INCORRECT TOKEND_OUTCOME_CODE_INCORRECT
#define LOCKED TOKEND_OUTCOME_CODE_LOCKED
#define REFUSED TOKEND_OUTCOME_NEW_PIN_REFUSED
#define REMOVED TOKEND_OUTCOME_TOKEN_REMOVED
#define FAILED TOKEND_OUTCOME_FAILED

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
    g_assert_cmpint (tokend_outcome_of_login (rows[i].rv), ==, rows[i].login);
    g_assert_cmpint (tokend_outcome_of_init_pin (rows[i].rv), ==, rows[i].init_pin);
    g_assert_cmpint (tokend_outcome_of_set_pin (rows[i].rv), ==, rows[i].set_pin);
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
  g_test_add_func ("/outcome/reason", test_reason);
  return g_test_run ();
}
