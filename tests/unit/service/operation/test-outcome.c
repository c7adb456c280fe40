/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome-private.h"

#include "tokend-error.h"

#include <string.h>

#define DONE (-1)

#define NOT_SPENT TOKEND_TRY_NOT_SPENT
#define SPENT TOKEND_TRY_SPENT
#define SUCCEEDED TOKEND_TRY_SUCCEEDED
#define LOCKED TOKEND_TRY_LOCKED
#define IN_DOUBT TOKEND_TRY_UNKNOWN

typedef struct {
  const char *outcome; /* as the host answers it */
  int pin_error;
  TokendTryResult pin_try_result;
  int puk_error;
  TokendTryResult puk_try_result;
  gboolean refused;
} Row;

#define BOTH(code, try_result) (code), (try_result), (code), (try_result)
#define NONSENSE BOTH (TOKEND_ERROR_OUTCOME_UNKNOWN, IN_DOUBT), FALSE

static const Row rows[] = {
  { "{'result': <'done'>, 'sent': <true>, 'reason': <''>}", BOTH (DONE, SUCCEEDED), FALSE },
  { "{'result': <'code-incorrect'>, 'sent': <true>}", TOKEND_ERROR_PIN_INCORRECT, SPENT,
    TOKEND_ERROR_PUK_INCORRECT, SPENT, TRUE },
  { "{'result': <'code-locked'>, 'sent': <true>}", TOKEND_ERROR_PIN_LOCKED, LOCKED,
    TOKEND_ERROR_PUK_LOCKED, LOCKED, FALSE },
  { "{'result': <'changed'>, 'sent': <false>}", BOTH (TOKEND_ERROR_RETRIES_CHANGED, NOT_SPENT),
    FALSE },
  { "{'result': <'token-removed'>, 'sent': <true>}", BOTH (TOKEND_ERROR_OUTCOME_UNKNOWN, IN_DOUBT),
    FALSE },
  { "{'result': <'token-removed'>, 'sent': <false>}", BOTH (TOKEND_ERROR_TOKEN_REMOVED, NOT_SPENT),
    FALSE },
  /* C_Login took it before, as it takes each PIN that is changed. */
  { "{'result': <'done'>, 'sent': <true>, 'accepted': <true>}", BOTH (DONE, SUCCEEDED), FALSE },
  { "{'result': <'failed'>, 'sent': <false>, 'accepted': <true>}",
    BOTH (TOKEND_ERROR_MODULE_FAILED, NOT_SPENT), FALSE },
  { "{'result': <'failed'>, 'sent': <true>}", BOTH (TOKEND_ERROR_FAILED, IN_DOUBT), FALSE },
  { "{'result': <'failed'>, 'sent': <false>}", BOTH (TOKEND_ERROR_MODULE_FAILED, NOT_SPENT),
    FALSE },
  { "{'result': <'failed'>, 'sent': <true>, 'reason': <77>}", BOTH (TOKEND_ERROR_FAILED, IN_DOUBT),
    FALSE },

  /* What makes no sense may have spent the try. */
  { "{}", NONSENSE },
  { "{'result': <'done'>}", NONSENSE },
  { "{'sent': <true>}", NONSENSE },
  { "{'sent': <false>}", NONSENSE },
  { "{'result': <'changed'>}", NONSENSE },
  { "{'result': <''>, 'sent': <false>}", NONSENSE },
  { "{'result': <'Done'>, 'sent': <true>}", NONSENSE },
  { "{'result': <'TOKEND_OUTCOME_DONE'>, 'sent': <true>}", NONSENSE },
  { "{'result': <'done '>, 'sent': <true>}", NONSENSE },
  { "{'result': <uint32 0>, 'sent': <true>}", NONSENSE },
  { "{'result': <b'done'>, 'sent': <true>}", NONSENSE },
  { "{'result': <<'done'>>, 'sent': <true>}", NONSENSE },
  { "{'result': <'done'>, 'sent': <'true'>}", NONSENSE },
  { "{'result': <'changed'>, 'sent': <uint32 0>}", NONSENSE },

  /* So does a result that a code's having been sent, or not, contradicts. */
  { "{'result': <'done'>, 'sent': <false>}", NONSENSE },
  { "{'result': <'code-incorrect'>, 'sent': <false>}", NONSENSE },
  { "{'result': <'code-locked'>, 'sent': <false>}", NONSENSE },
  { "{'result': <'new-pin-refused'>, 'sent': <false>}", NONSENSE },
  { "{'result': <'changed'>, 'sent': <true>}", NONSENSE },
};

static GVariant *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  GVariant *outcome = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, &error);

  g_assert_no_error (error);
  return outcome;
}

/* The message says whose code it is about, and nothing of the other. */
static void
check_code_is_named (const GError *error, TokendRole role)
{
  g_assert_nonnull (strstr (error->message, role == TOKEND_ROLE_PUK ? "PUK" : "PIN"));
  g_assert_null (strstr (error->message, role == TOKEND_ROLE_PUK ? "PIN" : "PUK"));
}

static void
check (const Row *row, TokendRole role, int code, TokendTryResult try_result)
{
  g_autoptr (GVariant) outcome = parse (row->outcome);
  g_autoptr (GError) error = NULL;
  TokendTryEffect effect = tokend_outcome_interpret (outcome, role, TRUE, &error);

  if (code == DONE)
    g_assert_no_error (error);
  else
    g_assert_error (error, TOKEND_ERROR, code);
  if (code != DONE && row->pin_error != row->puk_error)
    check_code_is_named (error, role);
  g_assert_cmpint (effect.try_result, ==, try_result);
  g_assert_cmpint (effect.sent, ==, try_result != NOT_SPENT);
  g_assert_cmpint (effect.refused, ==, row->refused);
  if (try_result == NOT_SPENT)
    g_assert_true (error != NULL && strstr (error->message, "nothing was sent") != NULL);
}

static void
test_row (gconstpointer data)
{
  const Row *row = data;

  check (row, TOKEND_ROLE_PIN, row->pin_error, row->pin_try_result);
  check (row, TOKEND_ROLE_PUK, row->puk_error, row->puk_try_result);
}

/* Both codes went at once: nothing says that the present one was right, or not counted. */
static void
test_new_pin_refused_on_change (void)
{
  for (guint counts = 0; counts < 2; counts++) {
    g_autoptr (GVariant) outcome =
        parse ("{'result': <'new-pin-refused'>, 'sent': <true>, 'accepted': <false>}");
    g_autoptr (GError) error = NULL;
    TokendTryEffect effect =
        tokend_outcome_interpret (outcome, TOKEND_ROLE_PIN, counts > 0, &error);

    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY);
    g_assert_cmpint (effect.try_result, ==, counts > 0 ? IN_DOUBT : NOT_SPENT);
    g_assert_true (effect.sent);
    g_assert_false (effect.refused);
    g_assert_nonnull (strstr (error->message, "not known"));
    g_assert_null (strstr (error->message, "no try was spent"));
  }
}

/* The PIN was accepted before, by C_Login: whatever comes of C_SetPIN then, and of the tries. */
static void
test_after_login (void)
{
  static const struct {
    const char *result, *message;
    int error;
  } cases[] = {
    { "new-pin-refused", "refused the new PIN; no try was spent", TOKEND_ERROR_PIN_POLICY },
    { "code-incorrect", "did not set the new one (C_SetPIN: CKR_X)", TOKEND_ERROR_FAILED },
    { "code-locked", "did not set the new one (C_SetPIN: CKR_X)", TOKEND_ERROR_FAILED },
    { "length-refused", "did not set the new one (C_SetPIN: CKR_X)", TOKEND_ERROR_FAILED },
    { "failed", "did not complete the change (C_SetPIN: CKR_X)", TOKEND_ERROR_FAILED },
    { "token-removed", "did not complete the change (C_SetPIN: CKR_X)",
      TOKEND_ERROR_OUTCOME_UNKNOWN },
  };
  const TokendCounter before = { .remaining = 3,
                                 .maximum = 3,
                                 .source = TOKEND_RETRIES_SOURCE_TOKEN };
  const TokendCounter after = { .remaining = 2,
                                .maximum = 3,
                                .source = TOKEND_RETRIES_SOURCE_TOKEN };

  for (gsize i = 0; i < 2 * G_N_ELEMENTS (cases); i++) {
    const char *result = cases[i / 2].result;
    g_autoptr (GVariant) outcome = g_variant_ref_sink (g_variant_new_parsed (
        "{'result': <%s>, 'sent': <true>, 'accepted': <true>, 'reason': <'C_SetPIN: CKR_X'>}",
        result));
    g_autoptr (GError) error = NULL;
    TokendTryEffect effect = tokend_outcome_interpret (outcome, TOKEND_ROLE_PIN, i % 2, &error);

    g_test_message ("%s", result);
    tokend_outcome_review (&effect, TOKEND_ROLE_PIN, &before, &after, &error);
    g_assert_error (error, TOKEND_ERROR, cases[i / 2].error);
    g_assert_nonnull (strstr (error->message, "The PIN is right, but the token "));
    g_assert_nonnull (strstr (error->message, cases[i / 2].message));
    g_assert_cmpint (effect.try_result, ==, TOKEND_TRY_ACCEPTED);
    g_assert_true (effect.sent);
    g_assert_false (effect.refused);
  }
}

/* What says nothing of C_Login and the PIN proves nothing. */
static void
test_not_after_login (void)
{
  static const struct {
    const char *outcome;
    TokendRole role;
  } cases[] = {
    { "{'result': <'code-incorrect'>, 'sent': <true>, 'accepted': <false>}", TOKEND_ROLE_PIN },
    { "{'result': <'code-incorrect'>, 'sent': <true>, 'accepted': <'true'>}", TOKEND_ROLE_PIN },
    { "{'result': <'code-incorrect'>, 'sent': <true>, 'accepted': <true>}", TOKEND_ROLE_PUK },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GVariant) outcome = parse (cases[i].outcome);
    g_autoptr (GError) error = NULL;
    TokendTryEffect effect = tokend_outcome_interpret (outcome, cases[i].role, TRUE, &error);

    g_assert_cmpint (effect.try_result, ==, SPENT);
    g_assert_true (effect.refused);
  }
}

/* The PUK was accepted. */
static void
test_new_pin_refused_on_unlock (void)
{
  g_autoptr (GVariant) outcome = parse ("{'result': <'new-pin-refused'>, 'sent': <true>}");
  g_autoptr (GError) error = NULL;
  TokendTryEffect effect = tokend_outcome_interpret (outcome, TOKEND_ROLE_PUK, TRUE, &error);

  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY);
  g_assert_cmpint (effect.try_result, !=, SPENT);
  g_assert_cmpint (effect.try_result, !=, IN_DOUBT);
  g_assert_true (effect.sent);
  g_assert_false (effect.refused);
}

/* A token that does not count a wrong PIN in a change has refused it all the same. */
static void
test_not_counted (void)
{
  g_autoptr (GVariant) outcome = parse ("{'result': <'code-incorrect'>, 'sent': <true>}");
  g_autoptr (GError) error = NULL;
  TokendTryEffect effect = tokend_outcome_interpret (outcome, TOKEND_ROLE_PIN, FALSE, &error);

  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_PIN_INCORRECT);
  g_assert_cmpint (effect.try_result, ==, NOT_SPENT);
  g_assert_true (effect.sent);
  g_assert_true (effect.refused);
}

/* A token that was pulled out is told from one that did not do it. */
static void
test_removed (void)
{
  g_autoptr (GVariant) outcome = parse ("{'result': <'token-removed'>, 'sent': <true>}");
  g_autoptr (GError) error = NULL;

  tokend_outcome_interpret (outcome, TOKEND_ROLE_PUK, TRUE, &error);
  g_assert_nonnull (strstr (error->message, "was removed before it answered"));
}

static void
test_reason (void)
{
  g_autoptr (GVariant) outcome =
      parse ("{'result': <'failed'>, 'sent': <true>, 'reason': <'C_Login: CKR_DEVICE_ERROR'>}");
  g_autoptr (GError) error = NULL;

  tokend_outcome_interpret (outcome, TOKEND_ROLE_PUK, TRUE, &error);
  g_assert_nonnull (strstr (error->message, "did not complete it (C_Login: CKR_DEVICE_ERROR)"));
}

/* Of a reason, so many bytes are shown. */
static void
test_longest_reason (void)
{
  static const char begin[] = "The token did not complete it (";
  g_autofree char *reason = g_strnfill (97, 'x');
  g_autoptr (GVariant) outcome = g_variant_ref_sink (
      g_variant_new_parsed ("{'result': <'failed'>, 'sent': <true>, 'reason': <%s>}", reason));
  g_autoptr (GError) error = NULL;

  tokend_outcome_interpret (outcome, TOKEND_ROLE_PUK, TRUE, &error);
  g_assert_true (g_str_has_prefix (error->message, begin));
  g_assert_cmpuint (strspn (error->message + strlen (begin), "x"), ==, 96);
}

/* The reason is the host's text, and the message reaches the caller's terminal. */
static void
test_hostile_reason (void)
{
  g_autofree char *long_text = g_strnfill (10 * 1024 * 1024, 'x');
  const char *reasons[] = { "\033[2Jall is well", "one\ntwo\r", "\342\200\256 nip", long_text };

  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++) {
    g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
    g_autoptr (GVariant) outcome = NULL;
    g_autoptr (GError) error = NULL;

    g_variant_dict_insert (&dict, "result", "s", "failed");
    g_variant_dict_insert (&dict, "sent", "b", TRUE);
    g_variant_dict_insert (&dict, "reason", "s", reasons[i]);
    outcome = g_variant_ref_sink (g_variant_dict_end (&dict));
    tokend_outcome_interpret (outcome, TOKEND_ROLE_PUK, TRUE, &error);

    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED);
    g_assert_cmpuint (strlen (error->message), <, 1024);
    for (const char *p = error->message; *p != '\0'; p = g_utf8_next_char (p)) {
      GUnicodeType type = g_unichar_type (g_utf8_get_char (p));
      g_assert_cmpint (type, !=, G_UNICODE_CONTROL);
      g_assert_cmpint (type, !=, G_UNICODE_FORMAT);
    }
  }
}

/* No try, and nothing is known of the code: what the module was handed, the token may have seen in
 * part. */
static void
test_length_refused (void)
{
  g_autoptr (GVariant) outcome = parse ("{'result': <'length-refused'>, 'sent': <true>}");

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autoptr (GError) error = NULL;
    TokendTryEffect effect = tokend_outcome_interpret (outcome, role, TRUE, &error);

    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    g_assert_cmpint (effect.try_result, ==, NOT_SPENT);
    g_assert_true (effect.sent);
    g_assert_false (effect.refused);
  }
}

/* A code was answered as a wrong one. What the host saw before and after tells whether it was
 * refused for what it is. */
static const struct {
  const char *what;
  TokendState before;
  TokendRetriesSource source_before;
  gboolean another_remained;
  TokendState after;
  TokendRetriesSource source_after;
  gboolean is_refused;
} reviews[] = {
#define FLAGS TOKEND_RETRIES_SOURCE_FLAGS
#define LEDGER TOKEND_RETRIES_SOURCE_LEDGER
#define NOWHERE TOKEND_RETRIES_SOURCE_NONE
#define NUMBER TOKEND_RETRIES_SOURCE_TOKEN
  /* PKCS#15: a fresh process sees nothing, and a locked card answers any PIN as a wrong one. */
  { "pkcs15, tries left", TOKEND_STATE_UNKNOWN, NOWHERE, FALSE, TOKEND_STATE_UNKNOWN, NOWHERE,
    TRUE },
  { "pkcs15, one left", TOKEND_STATE_UNKNOWN, NOWHERE, FALSE, TOKEND_STATE_FINAL_TRY, FLAGS, TRUE },
  { "pkcs15, a lock that nobody saw", TOKEND_STATE_UNKNOWN, NOWHERE, FALSE, TOKEND_STATE_LOCKED,
    FLAGS, FALSE },
  { "pkcs15, by our record the last", TOKEND_STATE_FINAL_TRY, LEDGER, FALSE, TOKEND_STATE_LOCKED,
    FLAGS, FALSE },
  { "pkcs15, by our record locked", TOKEND_STATE_LOCKED, LEDGER, FALSE, TOKEND_STATE_LOCKED, FLAGS,
    FALSE },
  { "pkcs15, the last was shown", TOKEND_STATE_FINAL_TRY, FLAGS, FALSE, TOKEND_STATE_LOCKED, FLAGS,
    TRUE },
  { "our record alone says locked", TOKEND_STATE_UNKNOWN, NOWHERE, FALSE, TOKEND_STATE_LOCKED,
    LEDGER, TRUE },

  /* PIV, OpenPGP: a fresh process sees the last try and the lock. */
  { "last-only, more left", TOKEND_STATE_OK, NOWHERE, TRUE, TOKEND_STATE_OK, NOWHERE, TRUE },
  { "last-only, one left", TOKEND_STATE_OK, NOWHERE, TRUE, TOKEND_STATE_FINAL_TRY, FLAGS, TRUE },
  { "last-only, the last", TOKEND_STATE_FINAL_TRY, FLAGS, FALSE, TOKEND_STATE_LOCKED, FLAGS, TRUE },

  /* Numbers */
  { "the last of three", TOKEND_STATE_FINAL_TRY, NUMBER, FALSE, TOKEND_STATE_LOCKED, NUMBER, TRUE },
  { "the first of three, and others meanwhile", TOKEND_STATE_OK, NUMBER, TRUE, TOKEND_STATE_LOCKED,
    NUMBER, TRUE },
  { "the first of three", TOKEND_STATE_OK, NUMBER, TRUE, TOKEND_STATE_LOW, NUMBER, TRUE },

  /* A PUK, of which nothing is ever shown */
  { "a PUK", TOKEND_STATE_UNKNOWN, NOWHERE, FALSE, TOKEND_STATE_UNKNOWN, NOWHERE, TRUE },
};

static void
test_review_of (TokendRole role, int incorrect, int locked)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reviews); i++) {
    const TokendCounter before = { .state = reviews[i].before,
                                   .source = reviews[i].source_before,
                                   .another_remains = reviews[i].another_remained };
    const TokendCounter after = { .state = reviews[i].after, .source = reviews[i].source_after };
    const int wanted = reviews[i].is_refused ? incorrect : locked;
    TokendTryEffect effect = { SPENT, TRUE, TRUE };
    GError *error = g_error_new_literal (TOKEND_ERROR, incorrect, "");

    g_test_message ("%s", reviews[i].what);
    tokend_outcome_review (&effect, role, &before, &after, &error);
    g_assert_cmpint (effect.refused, ==, reviews[i].is_refused);
    g_assert_cmpint (effect.try_result, ==, reviews[i].is_refused ? SPENT : LOCKED);
    g_assert_error (error, TOKEND_ERROR, wanted);
    if (!reviews[i].is_refused)
      check_code_is_named (error, role);
    g_error_free (error);
  }
}

static void
test_review (void)
{
  test_review_of (TOKEND_ROLE_PIN, TOKEND_ERROR_PIN_INCORRECT, TOKEND_ERROR_PIN_LOCKED);
  test_review_of (TOKEND_ROLE_PUK, TOKEND_ERROR_PUK_INCORRECT, TOKEND_ERROR_PUK_LOCKED);
}

/* A new PIN was refused. What the host saw before and after tells whether it was the present code
 * that was wrong. */
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK
#define ACCEPTED TOKEND_TRY_ACCEPTED
#define UNSEEN TOKEND_RETRIES_UNKNOWN
static const struct {
  const char *what;
  TokendRole role;
  int before;
  TokendRetriesSource source_before;
  int after;
  TokendRetriesSource source_after;
  TokendTryResult try_result;
} new_pin_reviews[] = {
  { "a number falls", PIN, 3, NUMBER, 2, NUMBER, SPENT },
  { "to the last", PIN, 2, NUMBER, 1, NUMBER, SPENT },
  { "to none", PIN, 1, NUMBER, 0, NUMBER, SPENT },
  { "it stays", PIN, 3, NUMBER, 3, NUMBER, NOT_SPENT },
  { "it stays at the last", PIN, 1, NUMBER, 1, NUMBER, NOT_SPENT },
  { "it rises", PIN, 1, NUMBER, 3, NUMBER, NOT_SPENT },
  { "it falls by more than one try can", PIN, 3, NUMBER, 1, NUMBER, IN_DOUBT },
  { "it is not shown any more", PIN, 3, NUMBER, UNSEEN, NOWHERE, IN_DOUBT },
  { "only our record tells of it then", PIN, 3, NUMBER, 2, LEDGER, IN_DOUBT },

  { "flags fall", PIN, 3, FLAGS, 2, FLAGS, SPENT },
  { "flags fall to the last", PIN, 2, FLAGS, 1, FLAGS, SPENT },
  { "flags that showed a loss stay", PIN, 2, FLAGS, 2, FLAGS, NOT_SPENT },
  { "flags that showed a loss rise", PIN, 1, FLAGS, 3, FLAGS, NOT_SPENT },
  { "flags that may be none", PIN, 3, FLAGS, 3, FLAGS, IN_DOUBT },
  { "flags that do not follow", PIN, 3, FLAGS, 2, LEDGER, IN_DOUBT },
  { "flags below which our record was", PIN, 1, LEDGER, 1, FLAGS, IN_DOUBT },

  { "nothing is shown", PIN, UNSEEN, NOWHERE, UNSEEN, NOWHERE, IN_DOUBT },
  { "nothing but the last try", PIN, UNSEEN, NOWHERE, 1, FLAGS, IN_DOUBT },

  /* The answer to a PUK comes before the new PIN goes, but the counter has the last word. */
  { "a PUK's number rises", PUK, 2, NUMBER, 3, NUMBER, ACCEPTED },
  { "a PUK's number stays", PUK, 3, NUMBER, 3, NUMBER, ACCEPTED },
  { "a PUK's number falls", PUK, 3, NUMBER, 2, NUMBER, SPENT },
  { "a PUK of which nothing is shown", PUK, UNSEEN, NOWHERE, UNSEEN, NOWHERE, ACCEPTED },
};

static void
test_review_of_new_pin (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (new_pin_reviews); i++) {
    const TokendRole role = new_pin_reviews[i].role;
    const TokendTryResult wanted = new_pin_reviews[i].try_result;
    const TokendCounter before = { .remaining = new_pin_reviews[i].before,
                                   .maximum = 3,
                                   .source = new_pin_reviews[i].source_before };
    const TokendCounter after = { .remaining = new_pin_reviews[i].after,
                                  .maximum = 3,
                                  .source = new_pin_reviews[i].source_after };
    const int incorrect = role == PUK ? TOKEND_ERROR_PUK_INCORRECT : TOKEND_ERROR_PIN_INCORRECT;
    const int code = wanted == SPENT ? incorrect : TOKEND_ERROR_PIN_POLICY;
    g_autoptr (GVariant) outcome = parse ("{'result': <'new-pin-refused'>, 'sent': <true>}");
    g_autoptr (GError) error = NULL;
    TokendTryEffect effect = tokend_outcome_interpret (outcome, role, TRUE, &error);

    g_test_message ("%s", new_pin_reviews[i].what);
    tokend_outcome_review (&effect, role, &before, &after, &error);
    g_assert_cmpint (effect.try_result, ==, wanted);
    g_assert_true (effect.sent);
    g_assert_cmpint (effect.refused, ==, wanted == SPENT);
    g_assert_error (error, TOKEND_ERROR, code);
    g_assert_cmpint (strstr (error->message, "no try was spent") != NULL, ==,
                     wanted == NOT_SPENT || wanted == ACCEPTED);
  }
}

/* What was not refused as a wrong code is left as it is. */
static void
test_review_of_another_outcome (void)
{
  const TokendCounter before = tokend_counter_unknown;
  const TokendCounter after = { .state = TOKEND_STATE_LOCKED, .source = FLAGS };
  TokendTryEffect effect = { SUCCEEDED, TRUE, FALSE };
  GError *error = NULL;

  tokend_outcome_review (&effect, TOKEND_ROLE_PUK, &before, &after, &error);
  g_assert_no_error (error);
  g_assert_cmpint (effect.try_result, ==, SUCCEEDED);
}

/* A counter that stays as it was, or falls, says nothing where the device failed: a try may be
 * lost, and not be shown yet. */
static void
test_review_of_device_error (void)
{
  const TokendCounter before = { .remaining = 3, .maximum = 3, .source = NUMBER };

  for (int remaining = 2; remaining <= 3; remaining++) {
    const TokendCounter after = { .remaining = remaining, .maximum = 3, .source = NUMBER };
    TokendTryEffect effect = { IN_DOUBT, TRUE, FALSE };
    GError *error = g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_FAILED, "");

    tokend_outcome_review (&effect, TOKEND_ROLE_PIN, &before, &after, &error);
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED);
    g_assert_cmpint (effect.try_result, ==, IN_DOUBT);
    g_assert_false (effect.refused);
    g_error_free (error);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/outcome/table/%s", rows[i].outcome);
    g_test_add_data_func (path, &rows[i], test_row);
  }
  g_test_add_func ("/outcome/new-pin-refused/set-pin", test_new_pin_refused_on_change);
  g_test_add_func ("/outcome/after-login", test_after_login);
  g_test_add_func ("/outcome/not-after-login", test_not_after_login);
  g_test_add_func ("/outcome/new-pin-refused/unlock", test_new_pin_refused_on_unlock);
  g_test_add_func ("/outcome/not-counted", test_not_counted);
  g_test_add_func ("/outcome/length-refused", test_length_refused);
  g_test_add_func ("/outcome/review", test_review);
  g_test_add_func ("/outcome/review/new-pin-refused", test_review_of_new_pin);
  g_test_add_func ("/outcome/review/another-outcome", test_review_of_another_outcome);
  g_test_add_func ("/outcome/review/device-error", test_review_of_device_error);
  g_test_add_func ("/outcome/removed", test_removed);
  g_test_add_func ("/outcome/reason", test_reason);
  g_test_add_func ("/outcome/reason/longest", test_longest_reason);
  g_test_add_func ("/outcome/reason/hostile", test_hostile_reason);
  return g_test_run ();
}
