/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome-private.h"

#include "pkcs11-reason.h"

/* Interprets what means the same for each function that takes a code. */
static TokendOutcome
outcome_of_any (CK_RV rv)
{
  if (rv == CKR_OK)
    return TOKEND_OUTCOME_DONE;
  if (rv == CKR_PIN_INCORRECT)
    return TOKEND_OUTCOME_CODE_INCORRECT;
  if (rv == CKR_PIN_LOCKED)
    return TOKEND_OUTCOME_CODE_LOCKED;
  if (tokend_pkcs11_token_is_gone (rv))
    return TOKEND_OUTCOME_TOKEN_REMOVED;
  return TOKEND_OUTCOME_FAILED;
}

/* Tells whether a code's form was refused. OpenSC checks lengths before it asks the card, and
 * nothing else. */
static gboolean
is_complaint_about_form (CK_RV rv, const TokendDialect *dialect)
{
  return rv == CKR_PIN_LEN_RANGE
         || (!dialect->is_opensc && (rv == CKR_PIN_INVALID || rv == CKR_PIN_TOO_WEAK));
}

/* Tells whether the code was wrong. Some modules turn a card's "security status not satisfied" into
 * this. */
static gboolean
is_wrong_code (CK_RV rv, const TokendDialect *dialect)
{
  return rv == CKR_USER_NOT_LOGGED_IN
         && dialect->wrong_code == TOKEND_WRONG_CODE_USER_NOT_LOGGED_IN;
}

/**
 * tokend_outcome_of_login:
 *
 * Returns: what became of the PUK, or the present PIN, when C_Login returned @rv. A code of a wrong
 *   form is a wrong code, since some tokens count it.
 */
TokendOutcome
tokend_outcome_of_login (CK_RV rv, const TokendDialect *dialect)
{
  if (is_complaint_about_form (rv, dialect))
    return dialect->is_opensc ? TOKEND_OUTCOME_LENGTH_REFUSED : TOKEND_OUTCOME_CODE_INCORRECT;
  return is_wrong_code (rv, dialect) ? TOKEND_OUTCOME_CODE_INCORRECT : outcome_of_any (rv);
}

/**
 * tokend_outcome_is_code_unread:
 * @role: whose code.
 *
 * Interprets @rv by the standard, which gives the reason for which C_Login fails: its user is
 * logged in already, or the normal user's PIN was not set yet. A code that was compared and is
 * wrong has another answer.
 *
 * Returns: whether C_Login that returned @rv has not compared the code.
 */
gboolean
tokend_outcome_is_code_unread (CK_RV rv, TokendRole role)
{
  return rv == CKR_USER_ALREADY_LOGGED_IN
         || (rv == CKR_USER_PIN_NOT_INITIALIZED && role == TOKEND_ROLE_PIN);
}

/**
 * tokend_outcome_of_init_pin:
 *
 * Interprets @rv for the PUK too: some modules accept any PUK at login and try it only here. With
 * OpenSC a refused length may be either code's. "Not logged in" says nothing of a code, since
 * another program may have ended the login.
 *
 * Returns: what became of PUK and new PIN when C_InitPIN returned @rv.
 */
TokendOutcome
tokend_outcome_of_init_pin (CK_RV rv, const TokendDialect *dialect)
{
  if (is_complaint_about_form (rv, dialect))
    return dialect->is_opensc ? TOKEND_OUTCOME_LENGTH_REFUSED : TOKEND_OUTCOME_NEW_PIN_REFUSED;
  return outcome_of_any (rv);
}

/**
 * tokend_outcome_of_set_pin:
 *
 * Returns: what became of both codes when C_SetPIN returned @rv. If the new PIN is refused, the
 *   present one may have been wrong, and counted.
 */
TokendOutcome
tokend_outcome_of_set_pin (CK_RV rv, const TokendDialect *dialect)
{
  if (is_complaint_about_form (rv, dialect))
    return dialect->is_opensc ? TOKEND_OUTCOME_LENGTH_REFUSED : TOKEND_OUTCOME_NEW_PIN_REFUSED;
  return is_wrong_code (rv, dialect) ? TOKEND_OUTCOME_CODE_INCORRECT : outcome_of_any (rv);
}
