/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an operation does otherwise where the module is OpenSC, and how one ends when its token is
 * pulled out meanwhile. */
#include "code-private.h"
#include "fake-token.h"
#include "opensc-configuration.h"
#include "operation.h"
#include "tokend-error.h"

#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#define SET_PIN "set-pin(87654321,4711) "
#define SO_LOGIN "login(87654321) "
#define SO_LOGIN_INIT_PIN "login(87654321) init-pin(4711) "

static TokendPkcs11Operation *current;
static gboolean is_puk_wiped;

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

int __real_access (const char *path, int mode);

/* The configuration files are installed only where the service is. What counts the lines that are
 * run has paths of its own. */
int
__wrap_access (const char *path, int mode)
{
  return g_strcmp0 (path, g_getenv ("OPENSC_CONF")) == 0 ? 0 : __real_access (path, mode);
}

/* Where a card is, as pcscd has it, and whether it can be reset there. */
static struct {
  const char *reader;
  gboolean is_other_possible, cannot_be_reset;
} pcsc;
static const TokendReadFunctions *read_functions = &fake_read_functions;

void
__wrap_tokend_slot_readers_look_up (const TokendReadFunctions *functions, const GArray *last,
                                    GArray *readings)
{
  TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, 0);

  reading->reader = pcsc.reader;
  reading->is_other_possible = pcsc.is_other_possible;
}

gboolean
__wrap_tokend_card_reset (const char *reader)
{
  g_string_append_printf (fake.calls, "reset(%s) ", reader);
  return !pcsc.cannot_be_reset;
}

static CK_RV
finalize (void *reserved)
{
  g_string_append (fake.calls, "finalize() ");
  return CKR_OK;
}

static int
pipe_with (const char *text)
{
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (ends[1], text, strlen (text)), ==, (gssize) strlen (text));
  close (ends[1]);
  return ends[0];
}

/* Of the next request. */
static gboolean logout_closes;

static TokendPkcs11Operation *
open_operation (gboolean is_opensc, gboolean unlock, TokendUnlockMethod method, GError **error)
{
  TokendOperationRequest request = {
    .unlock = unlock,
    .method = method,
    .logout_closes = logout_closes,
    .code_limits = { 4, 255 },
    .new_pin_limits = { 4, 8 },
    .new_pin_characters = TOKEND_CHARACTERS_DIGITS,
  };
  TokendHostReading reading;

  fake.manufacturer = is_opensc ? "OpenSC Project" : "Somebody";
  g_setenv ("OPENSC_CONF", tokend_opensc_configuration (method), TRUE);
  g_assert_true (tokend_host_reading_init (&reading, &fake.info[0]));
  request.identity = reading.identity;
  return tokend_pkcs11_operation_open (read_functions, &fake_operation_functions, &request, error);
}

static TokendPkcs11Operation *
prepare (gboolean is_opensc, gboolean unlock, TokendUnlockMethod method)
{
  g_autoptr (GError) error = NULL;
  TokendPkcs11Operation *operation = open_operation (is_opensc, unlock, method, &error);
  int code = pipe_with ("87654321"), new_pin = pipe_with ("4711");

  g_assert_no_error (error);
  g_assert_true (tokend_pkcs11_operation_read_codes (operation, code, new_pin, &error));
  close (code);
  close (new_pin);
  return operation;
}

/* Each way has calls of its own, and OpenSC words of its own for what became of the code. */
static void
test_ways (void)
{
  static const struct {
    gboolean is_opensc, unlock;
    TokendUnlockMethod method;
    CK_RV rv; /* of all that a code is handed to */
    const char *calls;
    TokendOutcome outcome;
  } rows[] = {
    { TRUE, TRUE, TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN, CKR_OK, SO_LOGIN_INIT_PIN,
      TOKEND_OUTCOME_DONE },
    { TRUE, TRUE, TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN, CKR_OK, SET_PIN, TOKEND_OUTCOME_DONE },
    { TRUE, FALSE, TOKEND_UNLOCK_METHOD_NONE, CKR_OK, SET_PIN, TOKEND_OUTCOME_DONE },
    { FALSE, TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, CKR_OK, SO_LOGIN_INIT_PIN,
      TOKEND_OUTCOME_DONE },

    /* OpenSC refuses a length before the card sees the code; elsewhere the answer may be the card's
     * own. */
    { TRUE, TRUE, TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN, CKR_PIN_LEN_RANGE, SO_LOGIN,
      TOKEND_OUTCOME_LENGTH_REFUSED },
    { TRUE, TRUE, TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN, CKR_PIN_LEN_RANGE, SET_PIN,
      TOKEND_OUTCOME_LENGTH_REFUSED },
    { TRUE, FALSE, TOKEND_UNLOCK_METHOD_NONE, CKR_PIN_LEN_RANGE, SET_PIN,
      TOKEND_OUTCOME_LENGTH_REFUSED },
    { FALSE, TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, CKR_PIN_LEN_RANGE, SO_LOGIN,
      TOKEND_OUTCOME_CODE_INCORRECT },
    { FALSE, FALSE, TOKEND_UNLOCK_METHOD_NONE, CKR_PIN_LEN_RANGE, SET_PIN,
      TOKEND_OUTCOME_NEW_PIN_REFUSED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    TokendOperationResult result;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    fake.login_rv = fake.init_pin_rv = fake.set_pin_rv = rows[i].rv;
    operation = prepare (rows[i].is_opensc, rows[i].unlock, rows[i].method);
    tokend_pkcs11_operation_commit (operation, &result);
    g_assert_cmpstr (fake.calls->str, ==, rows[i].calls);
    g_assert_cmpint (result.outcome, ==, rows[i].outcome);
    g_assert_true (result.sent);
    g_free (result.reason);
  }
}

/* A way that is another library's is refused before anything is asked of the token. */
static void
test_ways_of_others (void)
{
  static const struct {
    gboolean is_opensc;
    TokendUnlockMethod method;
  } rows[] = {
    { TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN },
    { FALSE, TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN },
    { FALSE, TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    fake_reset ();
    g_assert_null (open_operation (rows[i].is_opensc, TRUE, rows[i].method, &error));
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED);
    g_assert_cmpuint (fake.n_info, ==, 0);
  }
}

static void
spend_at_last_look (void)
{
  /* Opening it has looked twice: for the slot, and in its session. */
  if (fake.n_info == 4)
    fake.info[0].flags |= CKF_SO_PIN_COUNT_LOW;
}

/* Of OpenSC's word that the tries are as they were, a second one is wanted: the first may be an old
 * one. */
static void
test_second_look (void)
{
  static const struct {
    gboolean is_opensc;
    TokendUnlockMethod method;
    TokendOutcome outcome;
    guint looks;
  } rows[] = {
    { TRUE, TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN, TOKEND_OUTCOME_CHANGED, 4 },
    { FALSE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, TOKEND_OUTCOME_DONE, 3 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    TokendOperationResult result;

    fake_reset ();
    fake.before_info = spend_at_last_look;
    operation = prepare (rows[i].is_opensc, TRUE, rows[i].method);
    tokend_pkcs11_operation_commit (operation, &result);
    g_assert_cmpint (result.outcome, ==, rows[i].outcome);
    g_assert_cmpint (result.sent, ==, rows[i].outcome == TOKEND_OUTCOME_DONE);
    g_assert_cmpuint (fake.n_info, ==, rows[i].looks);
    g_assert_true ((fake.calls->len > 0) == result.sent);
    g_free (result.reason);
  }
}

/* An error that a code was answered with is that of a token pulled out, where its slot is empty. */
static void
test_pulled_out (void)
{
  static const struct {
    CK_RV login_rv, init_pin_rv;
    CK_FLAGS slot_flags;
    CK_RV slot_rv;
    TokendOutcome outcome;
    gboolean looks; /* into the slot */
  } rows[] = {
    { CKR_DEVICE_ERROR, CKR_OK, 0, CKR_OK, TOKEND_OUTCOME_TOKEN_REMOVED, TRUE },
    { CKR_DEVICE_ERROR, CKR_OK, CKF_REMOVABLE_DEVICE, CKR_OK, TOKEND_OUTCOME_TOKEN_REMOVED, TRUE },
    { CKR_DEVICE_ERROR, CKR_OK, CKF_TOKEN_PRESENT, CKR_TOKEN_NOT_PRESENT,
      TOKEND_OUTCOME_TOKEN_REMOVED, TRUE },
    { CKR_DEVICE_ERROR, CKR_OK, CKF_TOKEN_PRESENT, CKR_OK, TOKEND_OUTCOME_FAILED, TRUE },
    { CKR_PIN_INCORRECT, CKR_OK, 0, CKR_OK, TOKEND_OUTCOME_CODE_INCORRECT, FALSE },
    { CKR_OK, CKR_OK, 0, CKR_OK, TOKEND_OUTCOME_DONE, FALSE },
    { CKR_OK, CKR_DEVICE_ERROR, 0, CKR_OK, TOKEND_OUTCOME_TOKEN_REMOVED, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    TokendOperationResult result;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    operation = prepare (FALSE, TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN);
    fake.login_rv = rows[i].login_rv;
    fake.init_pin_rv = rows[i].init_pin_rv;
    fake.slot_flags = rows[i].slot_flags;
    fake.slot_rv = rows[i].slot_rv;
    tokend_pkcs11_operation_commit (operation, &result);
    g_assert_cmpint (result.outcome, ==, rows[i].outcome);
    g_assert_cmpint (fake.n_slot_info > 0, ==, rows[i].looks);
    g_assert_true (result.sent);
    /* Where it was pulled out, it has lost its power; a login whose answer was lost may be one. */
    g_assert_cmpint (result.may_be_open, ==,
                     rows[i].outcome == TOKEND_OUTCOME_DONE
                         || rows[i].outcome == TOKEND_OUTCOME_FAILED);
    g_free (result.reason);
  }
}

/* Returns: whether it is left open, once what may be was closed. */
static gboolean
close_card (TokendPkcs11Operation *operation, const TokendOperationResult *result)
{
  return result->may_be_open && !tokend_pkcs11_operation_close (operation);
}

/* Once logged in, what C_Logout answers says whether the card is closed; OpenSC's answer does not,
 * nor where no login was answered. Where the card's reader is not known, it cannot be reset. A card
 * that has left is closed, where its slot is empty, too. */
static void
test_left_open (void)
{
  static const struct {
    gboolean is_opensc, logout_closes;
    CK_RV login_rv, logout_rv;
    gboolean is_left_open;
    gboolean is_out;
  } rows[] = {
    { FALSE, FALSE, CKR_OK, CKR_TOKEN_NOT_PRESENT, FALSE, TRUE },
    { TRUE, FALSE, CKR_OK, CKR_DEVICE_REMOVED, FALSE, TRUE },
    { FALSE, FALSE, CKR_OK, CKR_SESSION_HANDLE_INVALID, TRUE },
    { TRUE, FALSE, CKR_OK, CKR_DEVICE_REMOVED, TRUE },
    { FALSE, FALSE, CKR_OK, CKR_OK, FALSE },
    { FALSE, FALSE, CKR_OK, CKR_DEVICE_ERROR, TRUE },
    { FALSE, FALSE, CKR_OK, CKR_USER_NOT_LOGGED_IN, FALSE },
    { FALSE, FALSE, CKR_PIN_INCORRECT, CKR_DEVICE_ERROR, FALSE },
    { FALSE, FALSE, CKR_FUNCTION_FAILED, CKR_OK, FALSE },
    { FALSE, FALSE, CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR, TRUE },
    { TRUE, FALSE, CKR_OK, CKR_OK, TRUE },
    { TRUE, TRUE, CKR_OK, CKR_OK, FALSE },
    { TRUE, TRUE, CKR_OK, CKR_DEVICE_ERROR, TRUE },
    { TRUE, TRUE, CKR_OK, CKR_USER_NOT_LOGGED_IN, TRUE },
    { TRUE, FALSE, CKR_FUNCTION_FAILED, CKR_OK, TRUE },
    { TRUE, TRUE, CKR_FUNCTION_FAILED, CKR_OK, TRUE },
    { TRUE, FALSE, CKR_PIN_INCORRECT, CKR_OK, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    TokendOperationResult result;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    fake.login_rv = rows[i].login_rv;
    fake.logout_rv = rows[i].logout_rv;
    logout_closes = rows[i].logout_closes;
    operation = prepare (rows[i].is_opensc, TRUE,
                         rows[i].is_opensc ? TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN
                                           : TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN);
    logout_closes = FALSE;
    tokend_pkcs11_operation_commit (operation, &result);
    g_assert_null (strstr (fake.calls->str, "logout"));
    fake.slot_flags = rows[i].is_out ? 0 : CKF_TOKEN_PRESENT;
    g_assert_cmpint (close_card (operation, &result), ==, rows[i].is_left_open);
    g_assert_cmpint (strstr (fake.calls->str, "logout") != NULL, ==,
                     rows[i].login_rv == CKR_OK
                         || (!rows[i].is_opensc && rows[i].login_rv == CKR_FUNCTION_FAILED));
    g_free (result.reason);
  }
}

/* C_SetPIN verifies a code without a login. */
static void
test_left_open_by_set_pin (void)
{
  static const struct {
    gboolean is_opensc;
    CK_RV rv;
    gboolean is_left_open;
  } rows[] = {
    { TRUE, CKR_OK, TRUE },
    { TRUE, CKR_FUNCTION_FAILED, TRUE },
    { TRUE, CKR_PIN_INCORRECT, FALSE },
    { TRUE, CKR_PIN_LOCKED, FALSE },
    { TRUE, CKR_PIN_LEN_RANGE, FALSE },
    { FALSE, CKR_OK, FALSE },
    { FALSE, CKR_FUNCTION_FAILED, FALSE },
  };

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    TokendOperationResult result;

    g_test_message ("row %" G_GSIZE_FORMAT, i / 2);
    fake_reset ();
    fake.set_pin_rv = rows[i / 2].rv;
    logout_closes = i % 2;
    operation = prepare (rows[i / 2].is_opensc, FALSE, TOKEND_UNLOCK_METHOD_NONE);
    logout_closes = FALSE;
    tokend_pkcs11_operation_commit (operation, &result);
    g_assert_cmpint (close_card (operation, &result), ==, rows[i / 2].is_left_open);
    g_free (result.reason);
  }
}

/* OpenSC's card is reset once OpenSC has let go of it, if it is certain which one that is. */
static void
test_reset (void)
{
  static const struct {
    gboolean is_opensc;
    const char *reader;
    gboolean is_other_possible, cannot_be_finalized, cannot_be_reset;
    const char *calls; /* after those that send the code */
  } rows[] = {
    { TRUE, "R 00", FALSE, FALSE, FALSE, "finalize() reset(R 00) " },
    { TRUE, "R 00", FALSE, FALSE, TRUE, "finalize() reset(R 00) " },
    { TRUE, "R 00", TRUE, FALSE, FALSE, "" },
    { TRUE, NULL, FALSE, FALSE, FALSE, "" },
    { TRUE, "R 00", FALSE, TRUE, FALSE, "" },
    { FALSE, "R 00", FALSE, FALSE, FALSE, "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const gboolean is_reset = *rows[i].calls != '\0' && !rows[i].cannot_be_reset;
    TokendReadFunctions functions = fake_read_functions;
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    g_autofree char *calls = g_strconcat (SO_LOGIN_INIT_PIN "logout() ", rows[i].calls, NULL);
    TokendOperationResult result;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    fake.logout_rv = CKR_DEVICE_ERROR;
    functions.finalize = rows[i].cannot_be_finalized ? NULL : finalize;
    read_functions = &functions;
    pcsc.reader = rows[i].reader;
    pcsc.is_other_possible = rows[i].is_other_possible;
    pcsc.cannot_be_reset = rows[i].cannot_be_reset;
    operation = prepare (rows[i].is_opensc, TRUE,
                         rows[i].is_opensc ? TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN
                                           : TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN);
    tokend_pkcs11_operation_commit (operation, &result);
    g_assert_cmpint (close_card (operation, &result), ==, !is_reset);
    g_assert_cmpstr (fake.calls->str, ==, calls);
    g_free (result.reason);
    g_clear_pointer (&operation, tokend_pkcs11_operation_free);
    read_functions = &fake_read_functions;
    pcsc.reader = NULL;
  }
}

/* What was not sent opens nothing. */
static void
test_nothing_sent_opens_nothing (void)
{
  g_autoptr (TokendPkcs11Operation) operation = NULL;
  TokendOperationResult result;

  fake_reset ();
  operation = prepare (TRUE, FALSE, TOKEND_UNLOCK_METHOD_NONE);
  fake.info_rv[0] = CKR_DEVICE_ERROR;
  tokend_pkcs11_operation_commit (operation, &result);
  g_assert_cmpint (result.outcome, ==, TOKEND_OUTCOME_FAILED);
  g_assert_false (result.may_be_open);
  g_free (result.reason);
}

static void
empty_at_third_look (void)
{
  if (fake.n_slot_info == 3)
    fake.slot_flags = 0;
}

/* The module hears of it later than of the error that comes of it. */
static void
test_pulled_out_a_moment_ago (void)
{
  g_autoptr (TokendPkcs11Operation) operation = NULL;
  TokendOperationResult result;

  fake_reset ();
  operation = prepare (FALSE, FALSE, TOKEND_UNLOCK_METHOD_NONE);
  fake.set_pin_rv = CKR_DEVICE_ERROR;
  fake.before_slot_info = empty_at_third_look;
  tokend_pkcs11_operation_commit (operation, &result);
  g_assert_cmpint (result.outcome, ==, TOKEND_OUTCOME_TOKEN_REMOVED);
  /* Looks once more to tell whether the card may be open. */
  g_assert_cmpuint (fake.n_slot_info, ==, 4);
  g_free (result.reason);
}

/* What was not sent has failed as it has: nobody waits for the token to leave. */
static void
test_nothing_sent (void)
{
  g_autoptr (TokendPkcs11Operation) operation = NULL;
  TokendOperationResult result;

  fake_reset ();
  operation = prepare (FALSE, FALSE, TOKEND_UNLOCK_METHOD_NONE);
  fake.info_rv[0] = CKR_DEVICE_ERROR;
  tokend_pkcs11_operation_commit (operation, &result);
  g_assert_cmpint (result.outcome, ==, TOKEND_OUTCOME_FAILED);
  g_assert_false (result.sent);
  g_assert_cmpuint (fake.n_slot_info, ==, 0);
  g_free (result.reason);
}

static void
look_at_puk (void)
{
  g_autoptr (GVariant) digest = g_variant_ref_sink (tokend_pkcs11_operation_digest (current));
  g_autoptr (TokendCode) empty = tokend_code_new (NULL);
  g_autoptr (GVariant) wiped =
      g_variant_ref_sink (tokend_code_digest (empty, (const guint8[32]){ 0 }));

  is_puk_wiped = g_variant_equal (digest, wiped);
}

/* It is not there any more when the new PIN goes, which may take long. */
static void
test_puk_is_wiped_first (void)
{
  g_autoptr (TokendPkcs11Operation) operation = NULL;
  TokendOperationResult result;

  fake_reset ();
  operation = prepare (FALSE, TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN);
  current = operation;
  is_puk_wiped = FALSE;
  fake.before_init_pin = look_at_puk;
  tokend_pkcs11_operation_commit (operation, &result);
  g_assert_true (is_puk_wiped);
  g_free (result.reason);
}

/* The policy may allow what the token that is in the slot does not: by its own least and longest,
 * or by its vendor's. */
static void
test_lengths_of_the_token (void)
{
  static const struct {
    CK_ULONG minimum, maximum;
    guint64 vendor_minimum, vendor_maximum; /* 0: it has none */
    const char *words;                      /* NULL: a PIN of six is taken */
  } rows[] = {
    { 6, 6, 0, 0, NULL },        { 7, 8, 0, 0, "too short" }, { 4, 5, 0, 0, "too long" },
    { 0, 0, 0, 0, NULL },        { 4, 8, 7, 8, "too short" }, { 4, 8, 4, 5, "too long" },
    { 0, 0, 7, 8, "too short" }, { 0, 0, 4, 5, "too long" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    int code = pipe_with ("87654321"), new_pin = pipe_with ("471147");
    gboolean is_taken;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0001", "LABEL");
    fake.info[0].ulMinPinLen = rows[i].minimum;
    fake.info[0].ulMaxPinLen = rows[i].maximum;
    if (rows[i].vendor_minimum > 0) {
      fake_add_attribute (0x80005003, 0x80001202, rows[i].vendor_minimum, 1);
      fake_add_attribute (0x80005003, 0x8000120f, rows[i].vendor_maximum, 1);
    }
    operation = open_operation (FALSE, TRUE, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN, &error);
    g_assert_no_error (error);
    is_taken = tokend_pkcs11_operation_read_codes (operation, code, new_pin, &error);
    g_assert_cmpint (is_taken, ==, rows[i].words == NULL);
    if (rows[i].words != NULL) {
      g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY);
      g_assert_nonnull (strstr (error->message, rows[i].words));
    }
    close (code);
    close (new_pin);
  }
}

/* A descriptor that cannot be read, of either code, ends it. */
static void
test_unreadable_codes (void)
{
  for (int which = 0; which < 2; which++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    int code = pipe_with ("87654321");

    fake_reset ();
    operation = open_operation (FALSE, FALSE, TOKEND_UNLOCK_METHOD_NONE, &error);
    g_assert_false (tokend_pkcs11_operation_read_codes (operation, which == 0 ? -1 : code,
                                                        which == 0 ? code : -1, &error));
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    g_assert_nonnull (strstr (error->message, which == 0 ? "of the PIN" : "of the new PIN"));
    close (code);
  }
}

/* The message names the call that failed. */
static void
test_call_that_fails (void)
{
  g_autoptr (GError) session_error = NULL, info_error = NULL;

  fake_reset ();
  fake.open_session_rv = CKR_DEVICE_ERROR;
  g_assert_null (open_operation (FALSE, FALSE, TOKEND_UNLOCK_METHOD_NONE, &session_error));
  g_assert_nonnull (strstr (session_error->message, "C_OpenSession"));

  fake_reset ();
  fake.fail_info_at = 2;
  g_assert_null (open_operation (FALSE, FALSE, TOKEND_UNLOCK_METHOD_NONE, &info_error));
  g_assert_error (info_error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
  g_assert_nonnull (strstr (info_error->message, "C_GetTokenInfo"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operation/opensc/ways", test_ways);
  g_test_add_func ("/operation/opensc/ways-of-others", test_ways_of_others);
  g_test_add_func ("/operation/opensc/second-look", test_second_look);
  g_test_add_func ("/operation/pulled-out", test_pulled_out);
  g_test_add_func ("/operation/pulled-out/a-moment-ago", test_pulled_out_a_moment_ago);
  g_test_add_func ("/operation/nothing-sent", test_nothing_sent);
  g_test_add_func ("/operation/puk-is-wiped-first", test_puk_is_wiped_first);
  g_test_add_func ("/operation/lengths-of-the-token", test_lengths_of_the_token);
  g_test_add_func ("/operation/unreadable-codes", test_unreadable_codes);
  g_test_add_func ("/operation/call-that-fails", test_call_that_fails);
  g_test_add_func ("/operation/left-open", test_left_open);
  g_test_add_func ("/operation/left-open/reset", test_reset);
  g_test_add_func ("/operation/left-open/set-pin", test_left_open_by_set_pin);
  g_test_add_func ("/operation/left-open/nothing-sent", test_nothing_sent_opens_nothing);
  return g_test_run ();
}
