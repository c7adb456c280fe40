/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-token.h"
#include "code-private.h"
#include "code-table.h"
#include "operation.h"
#include "tokend-error.h"

#include <string.h>
#include <fcntl.h>
#include <unistd.h>

#define NEVER (CKR_VENDOR_DEFINED | 1)

#define LOGIN "login(87654321) "
#define SET_PIN "set-pin(87654321,4711) "
#define MUST_CHANGE CKF_USER_PIN_TO_BE_CHANGED

/* A module that says nothing of its slots. */
static TokendReadFunctions read_functions;

/* Whether the next change is one in which the PIN is to be proven first. */
static gboolean logs_in_first;

static TokendOperationRequest
request_for (gboolean unlock)
{
  TokendOperationRequest request = {
    .unlock = unlock,
    .method = unlock ? TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN : TOKEND_UNLOCK_METHOD_NONE,
    .login_first = logs_in_first,
    .code_limits = { 4, 255 },
    .new_pin_limits = { 4, 8 },
    .new_pin_characters = TOKEND_CHARACTERS_DIGITS,
  };
  TokendHostReading reading;

  g_assert_true (tokend_host_reading_init (&reading, &fake.info[0]));
  request.identity = reading.identity;
  return request;
}

static int
pipe_of (const char *bytes, gsize length)
{
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (ends[1], bytes, length), ==, (gssize) length);
  close (ends[1]);
  return ends[0];
}

static int
pipe_with (const char *text)
{
  return pipe_of (text, strlen (text));
}

static TokendPkcs11Operation *
open_operation (gboolean unlock, GError **error)
{
  TokendOperationRequest request = request_for (unlock);

  return tokend_pkcs11_operation_open (&read_functions, &fake_operation_functions, &request, error);
}

static gboolean
read_codes (TokendPkcs11Operation *operation, const char *code, const char *new_pin, GError **error)
{
  int code_fd = pipe_with (code);
  int new_pin_fd = pipe_with (new_pin);
  gboolean done = tokend_pkcs11_operation_read_codes (operation, code_fd, new_pin_fd, error);

  close (code_fd);
  close (new_pin_fd);
  return done;
}

static TokendPkcs11Operation *
prepared (gboolean unlock)
{
  g_autoptr (GError) error = NULL;
  TokendPkcs11Operation *operation = open_operation (unlock, &error);

  g_assert_no_error (error);
  g_assert_true (read_codes (operation, "87654321", "4711", &error));
  g_assert_no_error (error);
  return operation;
}

static void
test_open (void)
{
  static const struct {
    guint n_slots;
    const char *second; /* label of the second token */
    CK_RV open_session_rv, info_rv;
    CK_FLAGS flags;
    int expected; /* TokendError, or -1 */
  } rows[] = {
    { 1, "", CKR_OK, CKR_OK, 0, -1 },
    { 2, "OTHER", CKR_OK, CKR_OK, 0, -1 },
    { 2, "LABEL", CKR_OK, CKR_OK, 0, TOKEND_ERROR_NOT_SUPPORTED },
    { 0, "", CKR_OK, CKR_OK, 0, TOKEND_ERROR_NOT_FOUND },
    { 1, "", CKR_OK, CKR_TOKEN_NOT_PRESENT, 0, TOKEND_ERROR_NOT_FOUND },
    { 1, "", CKR_TOKEN_NOT_PRESENT, CKR_OK, 0, TOKEND_ERROR_NOT_FOUND },
    { 1, "", CKR_DEVICE_ERROR, CKR_OK, 0, TOKEND_ERROR_MODULE_FAILED },
    { 1, "", CKR_OK, CKR_DEVICE_ERROR, 0, TOKEND_ERROR_NOT_FOUND },
    { 1, "", CKR_OK, CKR_OK, CKF_PROTECTED_AUTHENTICATION_PATH, TOKEND_ERROR_NOT_SUPPORTED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (TokendPkcs11Operation) operation = NULL;

    fake_reset ();
    fake.n_slots = rows[i].n_slots;
    fake_fill (&fake.info[1], "Maker", "Model", "0001", rows[i].second);
    fake.info[0].flags |= rows[i].flags;
    fake.info_rv[0] = rows[i].info_rv;
    fake.open_session_rv = rows[i].open_session_rv;
    operation = open_operation (TRUE, &error);
    g_assert_cmpint (operation != NULL, ==, rows[i].expected < 0);
    if (operation != NULL)
      g_assert_cmpuint (fake.session_flags, ==, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    else
      g_assert_error (error, TOKEND_ERROR, rows[i].expected);
    g_assert_cmpstr (fake.calls->str, ==, "");
  }
}

static void
test_no_slots (void)
{
  g_autoptr (GError) error = NULL;

  fake_reset ();
  fake.slot_list_rv = CKR_DEVICE_ERROR;
  g_assert_null (open_operation (TRUE, &error));
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
}

/* Each of the four texts counts. */
static void
test_identity (void)
{
  for (int i = 0; i < 4; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    TokendOperationRequest request;

    fake_reset ();
    request = request_for (TRUE);
    fake_fill (&fake.info[0], i == 0 ? "Maker2" : "Maker", i == 1 ? "Model2" : "Model",
               i == 2 ? "00012" : "0001", i == 3 ? "LABEL2" : "LABEL");
    operation =
        tokend_pkcs11_operation_open (&read_functions, &fake_operation_functions, &request, &error);
    g_assert_null (operation);
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND);
  }
}

static void
test_codes (void)
{
  static const struct {
    gboolean unlock;
    const char *code, *new_pin;
    int expected; /* TokendError, or -1 */
    const char *words;
  } rows[] = {
    { TRUE, "87654321", "4711", -1, NULL },
    { TRUE, "8765432187654321", "4711", -1, NULL },
    { TRUE, "", "4711", TOKEND_ERROR_INVALID_ARGS, "The PUK is empty" },
    { FALSE, "", "4711", TOKEND_ERROR_INVALID_ARGS, "The PIN is empty" },
    { TRUE, "87654321\n", "4711", TOKEND_ERROR_INVALID_ARGS, "newline" },
    { TRUE, "876", "4711", TOKEND_ERROR_INVALID_ARGS, "too short" },
    { TRUE, "87654321", "", TOKEND_ERROR_PIN_POLICY, "The new PIN is empty" },
    { TRUE, "87654321", "471", TOKEND_ERROR_PIN_POLICY, "too short" },
    { TRUE, "87654321", "471a", TOKEND_ERROR_PIN_POLICY, "digits" },
    { FALSE, "4711", "4711", TOKEND_ERROR_PIN_POLICY, "same as the present one" },
    { TRUE, "4711", "4711", TOKEND_ERROR_PIN_POLICY, "same as the PUK" },
    { FALSE, "47111", "4711", -1, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (TokendPkcs11Operation) operation = NULL;

    fake_reset ();
    operation = open_operation (rows[i].unlock, NULL);
    g_assert_cmpint (read_codes (operation, rows[i].code, rows[i].new_pin, &error), ==,
                     rows[i].expected < 0);
    if (rows[i].expected >= 0) {
      g_assert_error (error, TOKEND_ERROR, rows[i].expected);
      g_assert_nonnull (strstr (error->message, rows[i].words));
    }
    g_assert_cmpstr (fake.calls->str, ==, "");
  }
}

static void
check_row (const CodeRow *row, gboolean unlock, gboolean send_unusual)
{
  const gboolean is_new = row->kind == TOKEND_CODE_KIND_NEW;
  const TokendCodeAnswer allowed = send_unusual && !is_new ? TOKEND_CODE_REFUSE : TOKEND_CODE_ASK;
  TokendOperationRequest request;
  g_autoptr (TokendPkcs11Operation) operation = NULL;
  g_autoptr (GError) error = NULL;
  int row_fd = pipe_of (row->bytes, row->length);
  int other_fd = pipe_with ("471147");

  fake_reset ();
  fake.info[0].ulMaxPinLen = 255;
  request = request_for (unlock);
  request.code_limits = request.new_pin_limits = (TokendCodeLimits){ 1, 255 };
  request.new_pin_characters = TOKEND_CHARACTERS_ANY;
  request.send_unusual_code = send_unusual;
  operation = tokend_pkcs11_operation_open (&fake_read_functions, &fake_operation_functions,
                                            &request, NULL);
  g_assert_cmpint (tokend_pkcs11_operation_read_codes (operation, is_new ? other_fd : row_fd,
                                                       is_new ? row_fd : other_fd, &error),
                   ==, row->answer <= allowed);
  if (row->answer > allowed) {
    const int wanted = is_new ? TOKEND_ERROR_PIN_POLICY : TOKEND_ERROR_INVALID_ARGS;

    g_assert_error (error, TOKEND_ERROR, wanted);
    g_assert_nonnull (strstr (error->message, row->words));
  }
  g_assert_cmpstr (fake.calls->str, ==, "");
  close (row_fd);
  close (other_fd);
}

static void
test_table_of_codes (void)
{
  g_autoptr (GPtrArray) rows = code_table_load ();

  for (guint i = 0; i < rows->len; i++) {
    const CodeRow *row = rows->pdata[i];

    g_test_message ("%s", row->what);
    for (guint j = 0; j < 4; j++)
      check_row (row, j % 2 == 0, j / 2 == 0);
  }
}

/* The policy may allow more than the token that is in the slot can take. */
static void
test_new_pin_that_the_token_cannot_take (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendPkcs11Operation) operation = NULL;

  fake_reset ();
  fake.info[0].ulMaxPinLen = 6;
  operation = open_operation (TRUE, NULL);
  g_assert_false (read_codes (operation, "87654321", "4711471", &error));
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY);
}

static void
test_commit (void)
{
  static const struct {
    gboolean unlock;
    CK_RV login_rv, init_pin_rv, set_pin_rv;
    TokendOutcome expected;
    const char *calls, *reason;
  } rows[] = {
    { TRUE, CKR_OK, CKR_OK, NEVER, TOKEND_OUTCOME_DONE, "login(87654321) init-pin(4711) ",
      "C_InitPIN: CKR_OK" },
    { TRUE, CKR_PIN_INCORRECT, NEVER, NEVER, TOKEND_OUTCOME_CODE_INCORRECT, "login(87654321) ",
      "C_Login: CKR_PIN_INCORRECT" },
    { TRUE, CKR_PIN_LOCKED, NEVER, NEVER, TOKEND_OUTCOME_CODE_LOCKED, "login(87654321) ",
      "C_Login: CKR_PIN_LOCKED" },
    { TRUE, CKR_DEVICE_ERROR, NEVER, NEVER, TOKEND_OUTCOME_FAILED, "login(87654321) ",
      "C_Login: CKR_DEVICE_ERROR" },
    { TRUE, CKR_DEVICE_REMOVED, NEVER, NEVER, TOKEND_OUTCOME_TOKEN_REMOVED, "login(87654321) ",
      "C_Login: CKR_DEVICE_REMOVED" },
    { TRUE, CKR_OK, CKR_PIN_LEN_RANGE, NEVER, TOKEND_OUTCOME_NEW_PIN_REFUSED,
      "login(87654321) init-pin(4711) ", "C_InitPIN: CKR_PIN_LEN_RANGE" },
    { TRUE, CKR_OK, CKR_DEVICE_ERROR, NEVER, TOKEND_OUTCOME_FAILED,
      "login(87654321) init-pin(4711) ", "C_InitPIN: CKR_DEVICE_ERROR" },
    { FALSE, NEVER, NEVER, CKR_OK, TOKEND_OUTCOME_DONE, SET_PIN, "C_SetPIN: CKR_OK" },
    { FALSE, NEVER, NEVER, CKR_PIN_INCORRECT, TOKEND_OUTCOME_CODE_INCORRECT, SET_PIN,
      "C_SetPIN: CKR_PIN_INCORRECT" },
    { FALSE, NEVER, NEVER, CKR_PIN_INVALID, TOKEND_OUTCOME_NEW_PIN_REFUSED, SET_PIN,
      "C_SetPIN: CKR_PIN_INVALID" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    g_autofree char *reason = NULL;
    TokendOperationResult result;

    fake_reset ();
    fake.login_rv = rows[i].login_rv;
    fake.init_pin_rv = rows[i].init_pin_rv;
    fake.set_pin_rv = rows[i].set_pin_rv;
    operation = prepared (rows[i].unlock);
    tokend_pkcs11_operation_commit (operation, &result);
    reason = result.reason;
    g_assert_cmpint (result.outcome, ==, rows[i].expected);
    g_assert_true (result.sent);
    g_assert_false (result.accepted);
    if (rows[i].unlock)
      g_assert_cmpuint (fake.user, ==, CKU_SO);
    g_assert_cmpstr (fake.calls->str, ==, rows[i].calls);
    g_assert_cmpstr (reason, ==, rows[i].reason);
  }
}

/* The change of a PIN that C_Login is to prove before. */
static void
test_login_first (void)
{
  static const struct {
    CK_RV login_rv, set_pin_rv;
    TokendOutcome expected;
    gboolean is_accepted;
    const char *calls, *reason;
  } rows[] = {
    { CKR_OK, CKR_OK, TOKEND_OUTCOME_DONE, TRUE, LOGIN SET_PIN, "C_SetPIN: CKR_OK" },
    { CKR_PIN_EXPIRED, NEVER, TOKEND_OUTCOME_FAILED, FALSE, LOGIN, "C_Login: CKR_PIN_EXPIRED" },
    { CKR_OK, CKR_PIN_INVALID, TOKEND_OUTCOME_NEW_PIN_REFUSED, TRUE, LOGIN SET_PIN,
      "C_SetPIN: CKR_PIN_INVALID" },
    { CKR_OK, CKR_DEVICE_ERROR, TOKEND_OUTCOME_FAILED, TRUE, LOGIN SET_PIN,
      "C_SetPIN: CKR_DEVICE_ERROR" },
    { CKR_PIN_INCORRECT, NEVER, TOKEND_OUTCOME_CODE_INCORRECT, FALSE, LOGIN,
      "C_Login: CKR_PIN_INCORRECT" },
    { CKR_PIN_LEN_RANGE, NEVER, TOKEND_OUTCOME_CODE_INCORRECT, FALSE, LOGIN,
      "C_Login: CKR_PIN_LEN_RANGE" },
    { CKR_PIN_LOCKED, NEVER, TOKEND_OUTCOME_CODE_LOCKED, FALSE, LOGIN, "C_Login: CKR_PIN_LOCKED" },
    { CKR_DEVICE_REMOVED, NEVER, TOKEND_OUTCOME_TOKEN_REMOVED, FALSE, LOGIN,
      "C_Login: CKR_DEVICE_REMOVED" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    g_autofree char *reason = NULL;
    TokendOperationResult result;

    fake_reset ();
    fake.login_rv = rows[i].login_rv;
    fake.set_pin_rv = rows[i].set_pin_rv;
    logs_in_first = TRUE;
    operation = prepared (FALSE);
    logs_in_first = FALSE;
    tokend_pkcs11_operation_commit (operation, &result);
    reason = result.reason;
    g_assert_cmpint (result.outcome, ==, rows[i].expected);
    g_assert_true (result.sent);
    g_assert_cmpint (result.accepted, ==, rows[i].is_accepted);
    g_assert_cmpuint (fake.user, ==, CKU_USER);
    g_assert_cmpstr (fake.calls->str, ==, rows[i].calls);
    g_assert_cmpstr (reason, ==, rows[i].reason);
  }
}

static void
show_nothing (void)
{
}

/* An eToken whose PUK has 3 of 3 tries. */
static void
show_puk_number (void)
{
  fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0001", "LABEL");
  fake_add_attribute (0x80005002, 0x80001111, 3, 1);
  fake_add_attribute (0x80005002, 0x80001113, 3, 1);
}

/* An eToken whose PIN has 2 of 3 tries. */
static void
show_pin_number (void)
{
  fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0001", "LABEL");
  fake_add_attribute (0x80005002, 0x80001110, 2, 1);
  fake_add_attribute (0x80005002, 0x80001112, 3, 1);
}

static void
show_numbers (void)
{
  show_puk_number ();
  show_pin_number ();
}

static void
fall_after_login (void)
{
  if (fake.calls->len > 0)
    fake.attributes[2].value = 1;
}

static void
warn_after_login (void)
{
  if (fake.calls->len > 0)
    fake.info[0].flags |= CKF_USER_PIN_COUNT_LOW;
}

static void
rise_after_login (void)
{
  if (fake.calls->len > 0)
    fake.attributes[2].value = 3;
}

static void
hide_after_login (void)
{
  if (fake.calls->len > 0)
    fake.n_attributes = 0;
}

static void
break_after_login (void)
{
  if (fake.calls->len > 0)
    fake.info_rv[0] = CKR_DEVICE_ERROR;
}

static void
vanish_after_login (void)
{
  if (fake.calls->len > 0)
    fake.info_rv[0] = CKR_DEVICE_REMOVED;
}

/* A login that says that no code was compared. It is not sent once more. */
static void
test_code_unread (void)
{
  static const struct {
    gboolean unlock;
    CK_RV rv;
    void (*before_info) (void);
    TokendOutcome expected;
    gboolean is_sent;
    void (*show) (void); /* NULL: both numbers */
  } rows[] = {
    /* No number proves it, nor does the other code's. */
    { FALSE, CKR_USER_ALREADY_LOGGED_IN, NULL, TOKEND_OUTCOME_FAILED, TRUE, show_nothing },
    { TRUE, CKR_USER_ALREADY_LOGGED_IN, NULL, TOKEND_OUTCOME_FAILED, TRUE, show_nothing },
    { FALSE, CKR_USER_ALREADY_LOGGED_IN, NULL, TOKEND_OUTCOME_FAILED, TRUE, show_puk_number },
    { TRUE, CKR_USER_ALREADY_LOGGED_IN, NULL, TOKEND_OUTCOME_FAILED, TRUE, show_pin_number },
    { FALSE, CKR_USER_ALREADY_LOGGED_IN, NULL, TOKEND_OUTCOME_FAILED, FALSE, show_pin_number },
    { TRUE, CKR_USER_ALREADY_LOGGED_IN, NULL, TOKEND_OUTCOME_FAILED, FALSE, show_puk_number },
    { FALSE, CKR_USER_ALREADY_LOGGED_IN, NULL, TOKEND_OUTCOME_FAILED, FALSE },
    { TRUE, CKR_USER_ALREADY_LOGGED_IN, NULL, TOKEND_OUTCOME_FAILED, FALSE },
    { FALSE, CKR_USER_PIN_NOT_INITIALIZED, NULL, TOKEND_OUTCOME_FAILED, FALSE },
    { TRUE, CKR_USER_PIN_NOT_INITIALIZED, NULL, TOKEND_OUTCOME_FAILED, TRUE },
    { FALSE, CKR_USER_ALREADY_LOGGED_IN, fall_after_login, TOKEND_OUTCOME_CODE_INCORRECT, TRUE },
    { FALSE, CKR_USER_ALREADY_LOGGED_IN, warn_after_login, TOKEND_OUTCOME_CODE_INCORRECT, TRUE },
    { FALSE, CKR_USER_ALREADY_LOGGED_IN, hide_after_login, TOKEND_OUTCOME_FAILED, TRUE },
    { FALSE, CKR_USER_ALREADY_LOGGED_IN, break_after_login, TOKEND_OUTCOME_FAILED, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    TokendOperationResult result;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    (rows[i].show != NULL ? rows[i].show : show_numbers) ();
    fake.login_rv = rows[i].rv;
    logs_in_first = TRUE;
    operation = prepared (rows[i].unlock);
    logs_in_first = FALSE;
    fake.before_info = rows[i].before_info;
    tokend_pkcs11_operation_commit (operation, &result);
    g_assert_cmpint (result.outcome, ==, rows[i].expected);
    g_assert_cmpint (result.sent, ==, rows[i].is_sent);
    g_assert_cmpint (result.may_be_open, ==,
                     rows[i].is_sent && rows[i].expected == TOKEND_OUTCOME_FAILED);
    g_assert_cmpstr (fake.calls->str, ==, LOGIN);
    g_free (result.reason);
  }
}

/* What the token shows between C_Login and C_SetPIN. */
static void
test_token_after_login (void)
{
  static const struct {
    CK_FLAGS flags;
    CK_RV login_rv;
    void (*happens) (void);
    TokendOutcome expected;
    gboolean is_accepted, is_sent_again;
  } rows[] = {
    { 0, CKR_OK, rise_after_login, TOKEND_OUTCOME_DONE, TRUE, TRUE },
    { 0, CKR_OK, fall_after_login, TOKEND_OUTCOME_CODE_INCORRECT, FALSE, FALSE },
    { 0, CKR_OK, warn_after_login, TOKEND_OUTCOME_CODE_INCORRECT, FALSE, FALSE },
    { 0, CKR_OK, hide_after_login, TOKEND_OUTCOME_DONE, TRUE, TRUE },
    { 0, CKR_OK, break_after_login, TOKEND_OUTCOME_FAILED, TRUE, FALSE },
    { 0, CKR_OK, vanish_after_login, TOKEND_OUTCOME_TOKEN_REMOVED, TRUE, FALSE },
    { 0, CKR_PIN_EXPIRED, NULL, TOKEND_OUTCOME_FAILED, FALSE, FALSE },
    { MUST_CHANGE, CKR_PIN_EXPIRED, NULL, TOKEND_OUTCOME_DONE, FALSE, TRUE },
    { MUST_CHANGE, CKR_PIN_EXPIRED, fall_after_login, TOKEND_OUTCOME_CODE_INCORRECT, FALSE, FALSE },
    { MUST_CHANGE, CKR_PIN_EXPIRED, warn_after_login, TOKEND_OUTCOME_CODE_INCORRECT, FALSE, FALSE },
    { MUST_CHANGE, CKR_PIN_EXPIRED, hide_after_login, TOKEND_OUTCOME_FAILED, FALSE, FALSE },
    { MUST_CHANGE, CKR_PIN_EXPIRED, break_after_login, TOKEND_OUTCOME_FAILED, FALSE, FALSE },
    { MUST_CHANGE, CKR_PIN_INCORRECT, NULL, TOKEND_OUTCOME_CODE_INCORRECT, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    TokendOperationResult result;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    show_numbers ();
    fake.info[0].flags |= rows[i].flags;
    fake.login_rv = rows[i].login_rv;
    fake.before_info = rows[i].happens;
    logs_in_first = TRUE;
    operation = prepared (FALSE);
    logs_in_first = FALSE;
    tokend_pkcs11_operation_commit (operation, &result);
    g_assert_nonnull (result.reason);
    g_free (result.reason);
    g_assert_cmpint (result.outcome, ==, rows[i].expected);
    g_assert_true (result.sent);
    g_assert_cmpint (result.accepted, ==, rows[i].is_accepted);
    /* An answer that says "removed" is believed where the slot is empty. */
    g_assert_cmpint (result.may_be_open, ==, rows[i].login_rv != CKR_PIN_INCORRECT);
    g_assert_cmpint (strstr (fake.calls->str, "set-pin") != NULL, ==, rows[i].is_sent_again);
  }
}

static void
spend_puk_flag (void)
{
  fake.info[0].flags |= CKF_SO_PIN_COUNT_LOW;
}

static void
spend_pin_flag (void)
{
  fake.info[0].flags |= CKF_USER_PIN_FINAL_TRY;
}

static void
spend_puk_number (void)
{
  fake.attributes[0].value = 1;
}

static void
lose_numbers (void)
{
  fake.n_attributes = 0;
}

static void
swap_token (void)
{
  fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0002", "LABEL");
}

static void
wipe_token (void)
{
  fake.info[0].flags &= ~CKF_TOKEN_INITIALIZED;
}

static void
remove_token (void)
{
  fake.info_rv[0] = CKR_DEVICE_REMOVED;
}

static void
break_token (void)
{
  fake.info_rv[0] = CKR_DEVICE_ERROR;
}

/* What happens between Prepare and Commit; only the tries of the code that is to be sent matter. */
static void
test_commit_after_change (void)
{
  static const struct {
    gboolean unlock;
    void (*happens) (void);
    TokendOutcome expected;
  } rows[] = {
    { TRUE, spend_puk_flag, TOKEND_OUTCOME_CHANGED },
    { FALSE, spend_puk_flag, TOKEND_OUTCOME_DONE },
    { TRUE, spend_pin_flag, TOKEND_OUTCOME_DONE },
    { FALSE, spend_pin_flag, TOKEND_OUTCOME_CHANGED },
    { TRUE, spend_puk_number, TOKEND_OUTCOME_CHANGED },
    { FALSE, spend_puk_number, TOKEND_OUTCOME_DONE },
    { TRUE, lose_numbers, TOKEND_OUTCOME_FAILED },
    { FALSE, lose_numbers, TOKEND_OUTCOME_FAILED },
    { TRUE, swap_token, TOKEND_OUTCOME_TOKEN_REMOVED },
    { TRUE, wipe_token, TOKEND_OUTCOME_TOKEN_REMOVED },
    { TRUE, remove_token, TOKEND_OUTCOME_TOKEN_REMOVED },
    { TRUE, break_token, TOKEND_OUTCOME_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    g_autofree char *reason = NULL;
    TokendOperationResult result;

    fake_reset ();
    show_numbers ();
    operation = prepared (rows[i].unlock);
    rows[i].happens ();
    tokend_pkcs11_operation_commit (operation, &result);
    reason = result.reason;

    g_assert_cmpint (result.outcome, ==, rows[i].expected);
    g_assert_cmpint (result.sent, ==, rows[i].expected == TOKEND_OUTCOME_DONE);
    if (rows[i].expected != TOKEND_OUTCOME_DONE) {
      g_assert_cmpstr (fake.calls->str, ==, "");
      g_assert_true (g_str_has_prefix (reason, "C_GetTokenInfo: "));
    }
    if (rows[i].happens == spend_puk_number && rows[i].unlock)
      g_assert_cmpint (result.changed.puk.remaining, ==, 1);
  }
}

/* The codes are gone when Commit is over, whatever its end: an empty one's digest is known. */
static void
test_codes_are_wiped (void)
{
  static const CK_RV login_rvs[] = { CKR_OK, CKR_PIN_INCORRECT };

  for (gsize i = 0; i < G_N_ELEMENTS (login_rvs) + 1; i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    g_autoptr (GVariant) digest = NULL;
    g_autoptr (TokendCode) empty = tokend_code_new (NULL);
    g_autoptr (GVariant) expected =
        g_variant_ref_sink (tokend_code_digest (empty, (const guint8[32]){ 0 }));
    TokendOperationResult result;

    fake_reset ();
    operation = prepared (TRUE);
    if (i < G_N_ELEMENTS (login_rvs))
      fake.login_rv = login_rvs[i];
    else
      remove_token ();
    tokend_pkcs11_operation_commit (operation, &result);
    g_free (result.reason);
    digest = g_variant_ref_sink (tokend_pkcs11_operation_digest (operation));
    g_assert_true (g_variant_equal (digest, expected));
  }
}

/* Of a change, both are gone from where the module got them. */
static void
test_codes_of_a_change_are_wiped (void)
{
  g_autoptr (TokendPkcs11Operation) operation = NULL;
  TokendOperationResult result;

  fake_reset ();
  operation = prepared (FALSE);
  tokend_pkcs11_operation_commit (operation, &result);
  g_free (result.reason);
  for (gsize i = 0; i < G_N_ELEMENTS (fake.set_pin_codes); i++)
    g_assert_cmpmem (fake.set_pin_codes[i], 4, "\0\0\0\0", 4);
}

static void
test_read (void)
{
  static const struct {
    void (*happens) (void);
    int expected;
  } rows[] = {
    { spend_pin_flag, -1 },
    { swap_token, TOKEND_ERROR_TOKEN_REMOVED },
    { remove_token, TOKEND_ERROR_TOKEN_REMOVED },
    { break_token, TOKEND_ERROR_MODULE_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    g_autoptr (GVariant) reading = NULL;
    g_autoptr (GError) error = NULL;
    guint flags;

    fake_reset ();
    operation = prepared (TRUE);
    rows[i].happens ();
    reading = tokend_pkcs11_operation_read (operation, &error);
    if (rows[i].expected >= 0) {
      g_assert_null (reading);
      g_assert_error (error, TOKEND_ERROR, rows[i].expected);
      continue;
    }
    g_variant_ref_sink (reading);
    g_assert_true (g_variant_lookup (reading, "flags", "u", &flags));
    g_assert_cmpuint (flags, ==, TOKEND_TOKEN_PIN_INITIALIZED | TOKEND_TOKEN_PIN_FINAL_TRY);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  read_functions = fake_read_functions;
  read_functions.get_slot_info = NULL;
  g_test_add_func ("/operation/open", test_open);
  g_test_add_func ("/operation/no-slots", test_no_slots);
  g_test_add_func ("/operation/identity", test_identity);
  g_test_add_func ("/operation/codes", test_codes);
  g_test_add_func ("/operation/table-of-codes", test_table_of_codes);
  g_test_add_func ("/operation/new-pin-that-the-token-cannot-take",
                   test_new_pin_that_the_token_cannot_take);
  g_test_add_func ("/operation/commit", test_commit);
  g_test_add_func ("/operation/commit/login-first", test_login_first);
  g_test_add_func ("/operation/code-unread", test_code_unread);
  g_test_add_func ("/operation/commit/token-after-login", test_token_after_login);
  g_test_add_func ("/operation/commit-after-change", test_commit_after_change);
  g_test_add_func ("/operation/codes-are-wiped", test_codes_are_wiped);
  g_test_add_func ("/operation/codes-are-wiped/change", test_codes_of_a_change_are_wiped);
  g_test_add_func ("/operation/read", test_read);
  return g_test_run ();
}
