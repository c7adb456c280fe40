/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation.h"

#include "card-numbers.h"
#include "card-reset.h"
#include "code-reader-private.h"
#include "opensc-private.h"
#include "outcome-private.h"
#include "pkcs11-reason.h"
#include "slot-reader.h"
#include "slots.h"
#include "vendor-counters.h"

/* How long a module may take to notice that a card was pulled out, after the error that this
 * causes. In microseconds. */
#define LEAVE_TIME (1500 * G_TIME_SPAN_MILLISECOND)
#define LEAVE_INTERVAL (100 * G_TIME_SPAN_MILLISECOND)

struct _TokendPkcs11Operation {
  const TokendReadFunctions *read;
  const TokendOperationFunctions *functions;
  TokendOperationRequest request;
  TokendDialect dialect;
  CK_SLOT_ID slot;
  CK_SESSION_HANDLE session;
  const char *reader; /* where the card is, as pcscd calls it; NULL: not known */
  gboolean may_be_logged_in;
  TokendHostReading prepared;
  TokendCode *code;
  TokendCode *new_pin;
};

/* Finds the one token that matches; of two that cannot be told apart, none does. */
static gboolean
find_slot (TokendPkcs11Operation *operation, GError **error)
{
  g_autoptr (GArray) readings = tokend_slots_read (operation->read, NULL, error);
  guint matches = 0;

  if (readings == NULL)
    return FALSE;

  if (operation->dialect.is_opensc || tokend_card_numbers_are_wanted ())
    tokend_slot_readers_look_up (operation->read, NULL, readings);
  for (guint i = 0; i < readings->len; i++) {
    const TokendSlotReading *candidate = &g_array_index (readings, TokendSlotReading, i);

    if (tokend_token_identity_equal (&candidate->reading.identity, &operation->request.identity)) {
      operation->slot = candidate->slot;
      operation->reader = candidate->is_other_possible ? NULL : candidate->reader;
      matches++;
    }
  }

  if (matches == 0)
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                         "The module does not show the token any more");
  if (matches > 1)
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
                         "The module shows more than one token with this label and serial number");
  return matches == 1;
}

/* Reads the token in the operation's slot, with its own numbers, and checks that it is still the
 * same. Returns what C_GetTokenInfo returned, or CKR_TOKEN_NOT_PRESENT for another token. */
static CK_RV
read_token (const TokendPkcs11Operation *operation, TokendHostReading *reading)
{
  CK_TOKEN_INFO info = { 0 };
  CK_RV rv = operation->read->get_token_info (operation->slot, &info);

  if (rv != CKR_OK)
    return rv;
  if (!tokend_host_reading_init (reading, &info)
      || !tokend_token_identity_equal (&reading->identity, &operation->request.identity))
    return CKR_TOKEN_NOT_PRESENT;

  tokend_vendor_counters_read (operation->read, operation->session, reading);
  if (operation->reader != NULL)
    tokend_card_numbers_read (operation->read, operation->reader, reading);
  return CKR_OK;
}

static gboolean
open_session (TokendPkcs11Operation *operation, GError **error)
{
  const char *function = "C_OpenSession";
  CK_RV rv = operation->read->open_session (operation->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION,
                                            NULL, NULL, &operation->session);

  if (rv == CKR_OK) {
    function = "C_GetTokenInfo";
    rv = read_token (operation, &operation->prepared);
  }
  if (rv == CKR_OK)
    return TRUE;

  return tokend_pkcs11_set_error (
      error, tokend_pkcs11_token_is_gone (rv) ? TOKEND_ERROR_NOT_FOUND : TOKEND_ERROR_MODULE_FAILED,
      function, rv);
}

/**
 * tokend_pkcs11_operation_open:
 * @read: must outlive the operation
 * @functions: must outlive the operation
 * @error: NotFound, NotSupported, ModuleFailed
 *
 * Finds the one token that the request means and opens the operation's only session on it. Sends no
 * code, costs no try.
 *
 * Returns: (transfer full) (nullable): the operation
 */
TokendPkcs11Operation *
tokend_pkcs11_operation_open (const TokendReadFunctions *read,
                              const TokendOperationFunctions *functions,
                              const TokendOperationRequest *request, GError **error)
{
  g_autoptr (TokendPkcs11Operation) operation = g_new0 (TokendPkcs11Operation, 1);

  operation->read = read;
  operation->functions = functions;
  operation->request = *request;
  operation->dialect = (TokendDialect){ tokend_opensc_is_module (read), request->wrong_code };
  if (!tokend_opensc_check (operation->dialect.is_opensc, request->method, error)
      || !find_slot (operation, error) || !open_session (operation, error))
    return NULL;

  if (operation->prepared.flags & TOKEND_TOKEN_PIN_PAD) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED,
                         "The token takes its codes from a PIN pad");
    return NULL;
  }

  return g_steal_pointer (&operation);
}

/**
 * tokend_pkcs11_operation_free:
 *
 * Wipes and frees the operation. The session ends with the process.
 */
void
tokend_pkcs11_operation_free (TokendPkcs11Operation *operation)
{
  g_clear_pointer (&operation->code, tokend_code_free);
  g_clear_pointer (&operation->new_pin, tokend_code_free);
  explicit_bzero (&operation->request, sizeof operation->request);
  g_free (operation);
}

static TokendNewPinRules
new_pin_policy (const TokendPkcs11Operation *operation)
{
  const TokendHostReading *token = &operation->prepared;

  return (TokendNewPinRules) {
    .characters_limits = operation->request.new_pin_limits,
    .bytes_limits = {
      .minimum = (guint) MAX (token->new_pin_minimum_length, 1),
      .maximum = token->new_pin_maximum_length == TOKEND_NUMBER_UNKNOWN
                     ? TOKEND_CODE_MAX
                     : (guint) token->new_pin_maximum_length,
    },
    .characters = operation->request.new_pin_characters,
  };
}

/**
 * tokend_pkcs11_operation_read_codes:
 * @code: the pipe of the PUK or the present PIN, see tokend_code_read()
 * @new_pin: the pipe of the new PIN
 * @error: InvalidArgs, PinPolicy, Failed
 *
 * Reads both codes, once, and checks them. The pipes stay open. Sends no code, costs no try.
 *
 * Returns: whether they may be sent
 */
gboolean
tokend_pkcs11_operation_read_codes (TokendPkcs11Operation *operation, int code, int new_pin,
                                    GError **error)
{
  TokendCodeName name = operation->request.unlock ? TOKEND_CODE_PUK : TOKEND_CODE_PIN;
  TokendNewPinRules policy = new_pin_policy (operation);

  operation->code = tokend_code_read (code, name, error);
  if (operation->code == NULL)
    return FALSE;
  operation->new_pin = tokend_code_read (new_pin, TOKEND_CODE_NEW_PIN, error);
  if (operation->new_pin == NULL)
    return FALSE;

  return tokend_code_check (operation->code->bytes, operation->code->length, name,
                            &operation->request.code_limits, operation->request.send_unusual_code,
                            error)
         && tokend_new_pin_check (operation->new_pin->bytes, operation->new_pin->length, &policy,
                                  error)
         && tokend_new_pin_check_differs (tokend_code_equal (operation->code, operation->new_pin),
                                          name, error);
}

/**
 * tokend_pkcs11_operation_digest:
 *
 * Returns: (transfer floating): HMAC-SHA-256 of the code under the request's key, of type ay
 */
GVariant *
tokend_pkcs11_operation_digest (const TokendPkcs11Operation *operation)
{
  return tokend_code_digest (operation->code, operation->request.digest_key);
}

/**
 * tokend_pkcs11_operation_prepared_reading:
 *
 * Returns: (transfer floating): the token's reading when the session was opened, of type a{sv}
 */
GVariant *
tokend_pkcs11_operation_prepared_reading (const TokendPkcs11Operation *operation)
{
  return tokend_host_reading_to_variant (&operation->prepared, NULL, NULL);
}

/**
 * tokend_pkcs11_operation_read:
 * @error: TokenRemoved, ModuleFailed
 *
 * Reads the operation's token now. Costs no try.
 *
 * Returns: (transfer floating): its reading, of type a{sv}
 */
GVariant *
tokend_pkcs11_operation_read (const TokendPkcs11Operation *operation, GError **error)
{
  TokendHostReading reading = { 0 };
  const CK_RV rv = read_token (operation, &reading);

  if (rv == CKR_OK)
    return tokend_host_reading_to_variant (&reading, NULL, NULL);

  tokend_pkcs11_set_error (error,
                           tokend_pkcs11_token_is_gone (rv) ? TOKEND_ERROR_TOKEN_REMOVED
                                                            : TOKEND_ERROR_MODULE_FAILED,
                           "C_GetTokenInfo", rv);
  return NULL;
}

static void
conclude (TokendOperationResult *result, TokendOutcome outcome, const char *function, CK_RV rv)
{
  result->outcome = outcome;
  result->reason = tokend_pkcs11_reason (function, rv);
}

static void
conclude_unread (TokendOperationResult *result, CK_RV rv)
{
  conclude (result,
            tokend_pkcs11_token_is_gone (rv) ? TOKEND_OUTCOME_TOKEN_REMOVED : TOKEND_OUTCOME_FAILED,
            "C_GetTokenInfo", rv);
}

static gboolean
is_empty (const TokendPkcs11Operation *operation)
{
  CK_SLOT_INFO info = { 0 };
  CK_RV rv;

  if (operation->read->get_slot_info == NULL)
    return FALSE;
  rv = operation->read->get_slot_info (operation->slot, &info);
  return rv == CKR_OK ? (info.flags & CKF_TOKEN_PRESENT) == 0 : tokend_pkcs11_token_is_gone (rv);
}

/* Tells whether the token was pulled out in the middle, for which modules have any error. */
static gboolean
has_left (const TokendPkcs11Operation *operation)
{
  const gint64 deadline = g_get_monotonic_time () + LEAVE_TIME;

  while (!is_empty (operation)) {
    if (g_get_monotonic_time () > deadline)
      return FALSE;
    g_usleep (LEAVE_INTERVAL);
  }
  return TRUE;
}

/* Tells whether everything is still as it was when the caller decided to send the code. */
static gboolean
is_as_prepared (TokendPkcs11Operation *operation, TokendOperationResult *result)
{
  const TokendRole role = tokend_operation_request_role (&operation->request);
  CK_RV rv = read_token (operation, &result->changed);

  if (rv != CKR_OK) {
    conclude_unread (result, rv);
    return FALSE;
  }
  if (result->changed.flags & TOKEND_TOKEN_CODES_HASHED) {
    result->reason = g_strdup ("KDF-DO: the card wants its codes hashed");
    return FALSE;
  }
  /* It may have left, or a login by another program hides the number. */
  if (tokend_host_reading_tells_less (&operation->prepared, &result->changed, role)) {
    result->outcome = has_left (operation) ? TOKEND_OUTCOME_TOKEN_REMOVED : TOKEND_OUTCOME_FAILED;
    result->reason = g_strdup ("C_GetTokenInfo: the tries are not told any more");
    return FALSE;
  }
  if (!tokend_host_reading_same_tries (&operation->prepared, &result->changed, role)) {
    conclude (result, TOKEND_OUTCOME_CHANGED, "C_GetTokenInfo", rv);
    return FALSE;
  }

  return TRUE;
}

/* Checks twice. If OpenSC could not ask the card for its tries, it repeats what the card said
 * before; what disturbed it for a moment does not do so a second time. */
static gboolean
may_send (TokendPkcs11Operation *operation, TokendOperationResult *result)
{
  return is_as_prepared (operation, result)
         && (!operation->dialect.is_opensc || is_as_prepared (operation, result));
}

static CK_BYTE *
code_bytes (TokendCode *code)
{
  return (CK_BYTE *) code->bytes;
}

/* Tells whether the card may take a code of ours for verified. Where no login was answered, a card
 * of OpenSC's may do so after C_SetPIN, or after a code whose answer was lost; a code that it has
 * refused opens nothing. */
static gboolean
may_be_open (const TokendPkcs11Operation *operation, const TokendOperationResult *result)
{
  if (result->outcome == TOKEND_OUTCOME_TOKEN_REMOVED && is_empty (operation))
    return FALSE;
  return operation->may_be_logged_in
         || (operation->dialect.is_opensc && result->sent
             && (result->outcome == TOKEND_OUTCOME_DONE || result->outcome == TOKEND_OUTCOME_FAILED
                 || result->outcome == TOKEND_OUTCOME_TOKEN_REMOVED));
}

/* Tells whether the token itself shows that no try of @role was lost. */
static gboolean
keeps_its_tries (const TokendHostReading *before, const TokendHostReading *after, TokendRole role)
{
  const TokendRetries *retries = role == TOKEND_ROLE_PIN ? &before->pin : &before->puk;

  return retries->remaining != TOKEND_NUMBER_UNKNOWN
         && tokend_host_reading_same_tries (before, after, role);
}

/* Concludes a login that failed. What the module says that it has not compared costs nothing, and
 * counts as not sent, where the token's number proves that. */
static void
conclude_login (TokendPkcs11Operation *operation, CK_RV rv, TokendOperationResult *result)
{
  const TokendRole role = tokend_operation_request_role (&operation->request);
  TokendHostReading now = { 0 };

  conclude (result, tokend_outcome_of_login (rv, &operation->dialect), "C_Login", rv);
  if (tokend_outcome_is_code_unread (rv, role) && read_token (operation, &now) == CKR_OK) {
    if (tokend_host_reading_lost_tries (&operation->prepared, &now, role))
      result->outcome = TOKEND_OUTCOME_CODE_INCORRECT;
    else
      result->sent = !keeps_its_tries (&operation->prepared, &now, role);
  }
  /* OpenSC's C_Logout does nothing then. */
  operation->may_be_logged_in =
      !operation->dialect.is_opensc && result->sent && result->outcome == TOKEND_OUTCOME_FAILED;
}

static void
unlock_by_so_login (TokendPkcs11Operation *operation, TokendOperationResult *result)
{
  const TokendOperationFunctions *functions = operation->functions;
  TokendCode *puk = operation->code;
  TokendCode *new_pin = operation->new_pin;
  CK_RV rv;

  result->sent = TRUE;
  rv = functions->login (operation->session, CKU_SO, code_bytes (puk), puk->length);
  tokend_code_wipe (puk);
  if (rv != CKR_OK) {
    conclude_login (operation, rv, result);
    return;
  }

  operation->may_be_logged_in = TRUE;
  rv = functions->init_pin (operation->session, code_bytes (new_pin), new_pin->length);
  tokend_code_wipe (new_pin);
  conclude (result, tokend_outcome_of_init_pin (rv, &operation->dialect), "C_InitPIN", rv);
}

/* Changes the PIN; or unlocks by the PUK, if the method and its configuration say so. */
static void
set_pin (TokendPkcs11Operation *operation, TokendOperationResult *result)
{
  TokendCode *code = operation->code;
  TokendCode *new_pin = operation->new_pin;
  CK_RV rv;

  result->sent = TRUE;
  rv = operation->functions->set_pin (operation->session, code_bytes (code), code->length,
                                      code_bytes (new_pin), new_pin->length);
  conclude (result, tokend_outcome_of_set_pin (rv, &operation->dialect), "C_SetPIN", rv);
}

/* Tells whether C_Login took the PIN, so that it may be sent once more. CKR_PIN_EXPIRED is the
 * standard's word for a right one that must be changed first; it is believed where the token itself
 * says that this one must. A try that the login has cost disproves either answer. */
static gboolean
is_proven (TokendPkcs11Operation *operation, CK_RV login_rv, TokendOperationResult *result)
{
  const TokendHostReading *before = &operation->prepared;
  TokendHostReading now = { 0 };
  CK_RV rv;

  if (login_rv != CKR_OK
      && !(login_rv == CKR_PIN_EXPIRED && (before->flags & TOKEND_TOKEN_PIN_MUST_CHANGE))) {
    conclude_login (operation, login_rv, result);
    return FALSE;
  }

  rv = read_token (operation, &now);
  if (rv == CKR_OK && tokend_host_reading_lost_tries (before, &now, TOKEND_ROLE_PIN)) {
    conclude (result, TOKEND_OUTCOME_CODE_INCORRECT, "C_Login", login_rv);
    return FALSE;
  }
  result->accepted = login_rv == CKR_OK;
  if (rv != CKR_OK) {
    conclude_unread (result, rv);
    return FALSE;
  }
  if (!result->accepted && now.pin.remaining < before->pin.remaining) { /* not shown any more */
    conclude (result, TOKEND_OUTCOME_FAILED, "C_Login", login_rv);
    return FALSE;
  }
  return TRUE;
}

/* There are modules whose C_SetPIN answers CKR_OK to a wrong PIN that the token has refused, and
 * counted. Their C_Login is honest, and costs the one try. */
static void
set_proven_pin (TokendPkcs11Operation *operation, TokendOperationResult *result)
{
  TokendCode *pin = operation->code;
  const CK_RV rv =
      operation->functions->login (operation->session, CKU_USER, code_bytes (pin), pin->length);

  result->sent = TRUE;
  operation->may_be_logged_in = rv == CKR_OK || rv == CKR_PIN_EXPIRED;
  if (is_proven (operation, rv, result))
    set_pin (operation, result);
}

static void
unlock (TokendPkcs11Operation *operation, TokendOperationResult *result)
{
  switch (operation->request.method) {
  case TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN:
  case TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN:
    unlock_by_so_login (operation, result);
    break;
  case TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN:
    set_pin (operation, result);
    break;
  case TOKEND_UNLOCK_METHOD_NONE:
    g_assert_not_reached ();
  }
}

/**
 * tokend_pkcs11_operation_commit:
 * @result: (out): the outcome
 *
 * Reads the token again, and sends the code unless its tries have changed. Wipes both codes. May be
 * called once, after tokend_pkcs11_operation_read_codes(). Costs one try at most, and none unless
 * @result says `sent`.
 */
void
tokend_pkcs11_operation_commit (TokendPkcs11Operation *operation, TokendOperationResult *result)
{
  *result = (TokendOperationResult){ .outcome = TOKEND_OUTCOME_FAILED };

  if (may_send (operation, result)) {
    if (operation->request.unlock)
      unlock (operation, result);
    else if (operation->request.login_first)
      set_proven_pin (operation, result);
    else
      set_pin (operation, result);
  }

  tokend_code_wipe (operation->code);
  tokend_code_wipe (operation->new_pin);
  if (result->sent && result->outcome == TOKEND_OUTCOME_FAILED && has_left (operation))
    result->outcome = TOKEND_OUTCOME_TOKEN_REMOVED;
  result->may_be_open = may_be_open (operation, result);
}

/* Tells whether C_Logout has closed the card. OpenSC answers CKR_OK also where it has sent nothing
 * to it. A card that was pulled out has lost its power. */
static gboolean
is_closed (const TokendPkcs11Operation *operation, CK_RV rv)
{
  if (tokend_pkcs11_token_is_gone (rv) && is_empty (operation))
    return TRUE;
  if (operation->dialect.is_opensc)
    return rv == CKR_OK && operation->request.logout_closes;
  return rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN;
}

/**
 * tokend_pkcs11_operation_close:
 *
 * Closes what the code has opened on the card, after a commit that says `may_be_open`: logs out,
 * and where that does not do, finalizes the module and resets the card. May be called once, and
 * nothing after it. Costs no try.
 *
 * Returns: whether the card takes the code for verified no more.
 */
gboolean
tokend_pkcs11_operation_close (TokendPkcs11Operation *operation)
{
  if (operation->may_be_logged_in
      && is_closed (operation, operation->functions->logout (operation->session)))
    return TRUE;
  if (operation->reader == NULL || operation->read->finalize == NULL)
    return FALSE;
  operation->read->finalize (NULL);
  return tokend_card_reset (operation->reader);
}
