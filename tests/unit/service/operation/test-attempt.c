/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attempt-private.h"

#include "tokend-error.h"

#define OK TOKEND_STATE_OK
#define LOW TOKEND_STATE_LOW
#define FINAL TOKEND_STATE_FINAL_TRY
#define LOCKED TOKEND_STATE_LOCKED
#define UNKNOWN TOKEND_STATE_UNKNOWN
#define UNINITIALIZED TOKEND_STATE_UNINITIALIZED

#define NOWHERE TOKEND_RETRIES_SOURCE_NONE
#define TOKEN TOKEND_RETRIES_SOURCE_TOKEN
#define FLAGS TOKEND_RETRIES_SOURCE_FLAGS
#define LEDGER TOKEND_RETRIES_SOURCE_LEDGER

#define SENT (-1)

static GVariant *
parse_options (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *options = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return options;
}

static const struct {
  const char *options;
  TokendAttempt attempt;
} good[] = {
  { "{}", { FALSE, FALSE, FALSE, 0 } },
  { "{'final-attempt': <true>}", { TRUE, FALSE, FALSE, 0 } },
  { "{'final-attempt': <false>}", { FALSE, FALSE, FALSE, 0 } },
  { "{'send-refused-code': <true>}", { FALSE, TRUE, FALSE, 0 } },
  { "{'send-refused-code': <false>}", { FALSE, FALSE, FALSE, 0 } },
  { "{'expected-retries': <uint32 3>}", { FALSE, FALSE, TRUE, 3 } },
  { "{'expected-retries': <uint32 0>}", { FALSE, FALSE, TRUE, 0 } },
  { "{'expected-retries': <uint32 4294967295>}", { FALSE, FALSE, TRUE, G_MAXUINT32 } },
  { "{'send-refused-code': <true>, 'expected-retries': <uint32 1>, 'final-attempt': <true>}",
    { TRUE, TRUE, TRUE, 1 } },
  { "{'send-unusual-code': <true>}", { .send_unusual_code = TRUE } },
  { "{'send-unusual-code': <false>}", { .send_unusual_code = FALSE } },
};

static void
test_parse_good (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    g_autoptr (GVariant) options = parse_options (good[i].options);
    g_autoptr (GError) error = NULL;
    TokendAttempt attempt = { TRUE, TRUE, TRUE, 77, TRUE };

    g_test_message ("%s", good[i].options);
    g_assert_true (tokend_attempt_parse (options, FALSE, &attempt, &error));
    g_assert_no_error (error);
    g_assert_cmpint (attempt.final_attempt, ==, good[i].attempt.final_attempt);
    g_assert_cmpint (attempt.send_refused_code, ==, good[i].attempt.send_refused_code);
    g_assert_cmpint (attempt.send_unusual_code, ==, good[i].attempt.send_unusual_code);
    g_assert_cmpint (attempt.expects_retries, ==, good[i].attempt.expects_retries);
    g_assert_cmpuint (attempt.expected_retries, ==, good[i].attempt.expected_retries);
  }
}

static const struct {
  const char *options;
  const char *named; /* in the message */
} bad[] = {
  { "{'force': <true>}", "“force”" },
  { "{'': <true>}", "“”" },
  { "{'Final-Attempt': <true>}", "“Final-Attempt”" },
  { "{'final-attempt ': <true>}", "“final-attempt ”" },
  { "{'final_attempt': <true>}", "“final_attempt”" },
  { "{'final-attempt': <true>, 'force': <true>}", "“force”" },
  { "{'force': <true>, 'final-attempt': <true>}", "“force”" },
  { "{'final-attempt': <'true'>}", "“final-attempt”" },
  { "{'final-attempt': <uint32 1>}", "“final-attempt”" },
  { "{'final-attempt': <<true>>}", "“final-attempt”" },
  { "{'send-refused-code': <1>}", "“send-refused-code”" },
  { "{'send-unusual-code': <'true'>}", "“send-unusual-code”" },
  { "{'expected-retries': <3>}", "“expected-retries”" },
  { "{'expected-retries': <-1>}", "“expected-retries”" },
  { "{'expected-retries': <uint64 3>}", "“expected-retries”" },
  { "{'expected-retries': <byte 0x03>}", "“expected-retries”" },
  { "{'expected-retries': <'3'>}", "“expected-retries”" },
  { "{'expected-retries': <true>}", "“expected-retries”" },
};

static void
test_parse_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GVariant) options = parse_options (bad[i].options);
    g_autoptr (GError) error = NULL;
    TokendAttempt attempt;

    g_test_message ("%s", bad[i].options);
    g_assert_false (tokend_attempt_parse (options, FALSE, &attempt, &error));
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    g_assert_nonnull (g_strstr_len (error->message, -1, bad[i].named));
  }
}

/* What opens an operation says nothing of the codes yet. */
static void
test_parse_opening (void)
{
  static const char *const others[] = {
    "{'final-attempt': <false>}",
    "{'send-refused-code': <true>}",
    "{'send-unusual-code': <true>}",
    "{'expected-retries': <3>}",
    "{'force': <true>}",
  };
  g_autoptr (GVariant) options = parse_options ("{'expected-retries': <uint32 3>}");
  g_autoptr (GError) error = NULL;
  TokendAttempt attempt = { TRUE, TRUE, FALSE, 77 };

  g_assert_true (tokend_attempt_parse (options, TRUE, &attempt, &error));
  g_assert_no_error (error);
  g_assert_true (!attempt.final_attempt && !attempt.send_refused_code && attempt.expects_retries);
  g_assert_cmpuint (attempt.expected_retries, ==, 3);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (GVariant) refused = parse_options (others[i]);

    g_test_message ("%s", others[i]);
    g_assert_false (tokend_attempt_parse (refused, TRUE, &attempt, &error));
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    g_clear_error (&error);
  }
}

typedef struct {
  const char *what;
  TokendAttempt attempt;
  TokendCounter counter;
  int pin_error; /* or SENT */
  int puk_error;
} Row;

#define BOTH(code) (code), (code)

static const Row rows[] = {
  { "fine", { 0 }, { OK, 3, 3, TOKEN, TRUE }, BOTH (SENT) },
  { "low", { 0 }, { LOW, 2, 3, FLAGS, TRUE }, BOTH (SENT) },
  { "low, no number", { 0 }, { LOW, -1, 10, NOWHERE, TRUE }, BOTH (SENT) },

  { "locked",
    { 0 },
    { LOCKED, 0, 3, TOKEN, FALSE },
    TOKEND_ERROR_PIN_LOCKED,
    TOKEND_ERROR_PUK_LOCKED },
  { "locked by flags",
    { 0 },
    { LOCKED, 0, 3, FLAGS, FALSE },
    TOKEND_ERROR_PIN_LOCKED,
    TOKEND_ERROR_PUK_LOCKED },
  { "locked against its number",
    { 0 },
    { LOCKED, -1, 3, NOWHERE, FALSE },
    TOKEND_ERROR_PIN_LOCKED,
    TOKEND_ERROR_PUK_LOCKED },
  { "locked, whatever is allowed",
    { .final_attempt = TRUE },
    { LOCKED, 0, 3, TOKEN, FALSE },
    TOKEND_ERROR_PIN_LOCKED,
    TOKEND_ERROR_PUK_LOCKED },
  { "locked goes before expected",
    { FALSE, FALSE, TRUE, 3 },
    { LOCKED, 0, 3, TOKEN, FALSE },
    TOKEND_ERROR_PIN_LOCKED,
    TOKEND_ERROR_PUK_LOCKED },

  { "locked by our record alone",
    { 0 },
    { LOCKED, 0, 3, LEDGER, FALSE },
    BOTH (TOKEND_ERROR_FINAL_ATTEMPT) },
  { "locked by our record, allowed",
    { .final_attempt = TRUE },
    { LOCKED, 0, 3, LEDGER, FALSE },
    BOTH (SENT) },
  { "locked by our record, expected 1",
    { TRUE, FALSE, TRUE, 1 },
    { LOCKED, 0, 3, LEDGER, FALSE },
    BOTH (TOKEND_ERROR_RETRIES_CHANGED) },

  { "not set",
    { 0 },
    { UNINITIALIZED, -1, -1, NOWHERE, FALSE },
    BOTH (TOKEND_ERROR_NOT_SUPPORTED) },
  { "not set, whatever is allowed",
    { .final_attempt = TRUE },
    { UNINITIALIZED, -1, -1, NOWHERE, FALSE },
    BOTH (TOKEND_ERROR_NOT_SUPPORTED) },
  { "not set goes before expected",
    { FALSE, FALSE, TRUE, 3 },
    { UNINITIALIZED, -1, -1, NOWHERE, FALSE },
    BOTH (TOKEND_ERROR_NOT_SUPPORTED) },

  { "expected", { FALSE, FALSE, TRUE, 3 }, { OK, 3, 3, TOKEN, TRUE }, BOTH (SENT) },
  { "expected, by flags", { FALSE, FALSE, TRUE, 2 }, { LOW, 2, 3, FLAGS, TRUE }, BOTH (SENT) },
  { "expected, by ledger", { FALSE, FALSE, TRUE, 2 }, { LOW, 2, 3, LEDGER, TRUE }, BOTH (SENT) },
  { "fewer than expected",
    { FALSE, FALSE, TRUE, 3 },
    { LOW, 2, 3, TOKEN, TRUE },
    BOTH (TOKEND_ERROR_RETRIES_CHANGED) },
  { "more than expected",
    { FALSE, FALSE, TRUE, 2 },
    { OK, 3, 3, TOKEN, TRUE },
    BOTH (TOKEND_ERROR_RETRIES_CHANGED) },
  { "expected 0",
    { FALSE, FALSE, TRUE, 0 },
    { OK, 3, 3, TOKEN, TRUE },
    BOTH (TOKEND_ERROR_RETRIES_CHANGED) },
  { "expected, but not known",
    { FALSE, FALSE, TRUE, 2 },
    { LOW, -1, 3, NOWHERE, TRUE },
    BOTH (TOKEND_ERROR_RETRIES_CHANGED) },
  { "-1 expected is not unknown",
    { FALSE, FALSE, TRUE, G_MAXUINT },
    { OK, -1, -1, NOWHERE, TRUE },
    BOTH (TOKEND_ERROR_RETRIES_CHANGED) },
  { "expected goes before final",
    { FALSE, FALSE, TRUE, 2 },
    { FINAL, 1, 3, TOKEN, FALSE },
    BOTH (TOKEND_ERROR_RETRIES_CHANGED) },
  { "expected does not allow the last",
    { FALSE, FALSE, TRUE, 1 },
    { FINAL, 1, 3, TOKEN, FALSE },
    BOTH (TOKEND_ERROR_FINAL_ATTEMPT) },
  { "allowed does not waive expected",
    { TRUE, FALSE, TRUE, 3 },
    { FINAL, 1, 3, TOKEN, FALSE },
    BOTH (TOKEND_ERROR_RETRIES_CHANGED) },

  { "the last", { 0 }, { FINAL, 1, 3, TOKEN, FALSE }, BOTH (TOKEND_ERROR_FINAL_ATTEMPT) },
  { "the last, allowed", { .final_attempt = TRUE }, { FINAL, 1, 3, TOKEN, FALSE }, BOTH (SENT) },
  { "the last, expected and allowed",
    { TRUE, FALSE, TRUE, 1 },
    { FINAL, 1, 3, TOKEN, FALSE },
    BOTH (SENT) },
  { "unknown may be the last",
    { 0 },
    { UNKNOWN, -1, -1, NOWHERE, FALSE },
    BOTH (TOKEND_ERROR_FINAL_ATTEMPT) },
  { "unknown, allowed",
    { .final_attempt = TRUE },
    { UNKNOWN, -1, -1, NOWHERE, FALSE },
    BOTH (SENT) },
  { "low, but not proven", { 0 }, { LOW, 2, 3, LEDGER, FALSE }, BOTH (TOKEND_ERROR_FINAL_ATTEMPT) },
  { "fine, but not proven",
    { 0 },
    { OK, -1, 3, NOWHERE, FALSE },
    BOTH (TOKEND_ERROR_FINAL_ATTEMPT) },
  { "a refused code", { .send_refused_code = TRUE }, { LOW, 2, 3, TOKEN, TRUE }, BOTH (SENT) },
  { "a refused code may be the last",
    { .send_refused_code = TRUE },
    { FINAL, 1, 3, TOKEN, FALSE },
    BOTH (TOKEND_ERROR_FINAL_ATTEMPT) },
};

#define REFUSED_AT (G_GINT64_CONSTANT (1767225599) * G_USEC_PER_SEC) /* 2025-12-31T23:59:59Z */

static void
check (const Row *row, TokendRole role, gboolean is_prepared, gint64 refused_at, int code)
{
  const char *named = role == TOKEND_ROLE_PUK ? "PUK" : "PIN";
  g_autoptr (GError) error = NULL;
  gboolean sent = is_prepared ? tokend_attempt_check_prepared (&row->attempt, role, &row->counter,
                                                               refused_at, &error)
                              : tokend_attempt_check (&row->attempt, role, &row->counter, &error);

  if (code == SENT) {
    g_assert_no_error (error);
    g_assert_true (sent);
  } else {
    g_assert_error (error, TOKEND_ERROR, code);
    g_assert_false (sent);
    g_assert_nonnull (g_strstr_len (error->message, -1, named));
    g_assert_nonnull (g_strstr_len (error->message, -1, "nothing was sent"));
    g_assert_cmpint (strstr (error->message, "2025-12-31T23:59:59Z") != NULL, ==,
                     code == TOKEND_ERROR_ALREADY_REFUSED);
  }
}

/* The word for a last try comes later, with the codes. */
static void
check_opening (const Row *row, TokendRole role, int code)
{
  g_autoptr (GError) error = NULL;
  gboolean may_be_opened =
      tokend_attempt_check_opening (&row->attempt, role, &row->counter, &error);

  g_assert_cmpint (may_be_opened, ==, code == SENT || code == TOKEND_ERROR_FINAL_ATTEMPT);
  if (!may_be_opened)
    g_assert_error (error, TOKEND_ERROR, code);
}

/* A code that was refused before changes nothing but what would be sent. */
static void
check_role (const Row *row, TokendRole role, int code)
{
  gboolean stays = code != SENT || row->attempt.send_refused_code;

  check (row, role, FALSE, 0, code);
  check (row, role, TRUE, 0, code);
  check_opening (row, role, code);
  check (row, role, TRUE, REFUSED_AT, stays ? code : TOKEND_ERROR_ALREADY_REFUSED);
}

static void
test_check (gconstpointer data)
{
  const Row *row = data;

  check_role (row, TOKEND_ROLE_PIN, row->pin_error);
  check_role (row, TOKEND_ROLE_PUK, row->puk_error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  g_test_add_func ("/attempt/parse/good", test_parse_good);
  g_test_add_func ("/attempt/parse/bad", test_parse_bad);
  g_test_add_func ("/attempt/parse/opening", test_parse_opening);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/attempt/check/%s", rows[i].what);
    g_test_add_data_func (path, &rows[i], test_check);
  }
  return g_test_run ();
}
