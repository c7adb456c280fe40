/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome.h"

#include "tokend-error.h"

#include <string.h>

#define PUK(state, n)                                                                              \
  "{'pin-state': <'locked'>, 'can-unlock': <true>, 'puk-state': <'" state "'>, "                   \
  "'puk-retries-remaining': <uint32 " n ">, 'puk-retries-maximum': <uint32 3>}"
#define PIN(state, n, puk_state)                                                                   \
  "{'pin-state': <'" state "'>, 'can-unlock': <true>, 'puk-state': <'" puk_state "'>, "            \
  "'pin-retries-remaining': <uint32 " n ">, 'pin-retries-maximum': <uint32 3>}"
#define BY_LEDGER                                                                                  \
  "{'puk-state': <'low'>, 'puk-retries-remaining': <uint32 2>, 'puk-retries-source': <'ledger'>}"
#define NO_NUMBER "{'pin-state': <'low'>, 'puk-state': <'low'>}"
#define NOTHING_KNOWN "{'pin-state': <'unknown'>, 'puk-state': <'unknown'>}"

const TokenctlPukWords *__wrap_tokenctl_puk_words (const char *profile);

/* What the owners of such cards say, which is read from the package's files. */
const TokenctlPukWords *
__wrap_tokenctl_puk_words (const char *profile)
{
  static const TokenctlPukWords words = { .name = (char *) "Admin PIN" };

  return g_str_equal (profile, "card") ? &words : NULL;
}

static GVariant *
parse (const char *text)
{
  return text != NULL ? g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL) : NULL;
}

static void
test_outcome (void)
{
  static const struct {
    TokendError error;
    TokendRole role;
    const char *before;
    const char *after;
    const char *expected[3];
    gboolean has_other_pin;
    const char *absent; /* what must not be in it; or NULL */
  } rows[] = {
    { TOKEND_ERROR_PUK_INCORRECT,
      TOKEND_ROLE_PUK,
      PUK ("ok", "3"),
      PUK ("low", "2"),
      { "The PUK is not right.\n1 try was spent. PUK: 2 of 3 tries left.\n", "no further try" } },
    { TOKEND_ERROR_PUK_INCORRECT,
      TOKEND_ROLE_PUK,
      PUK ("final-try", "1"),
      PUK ("locked", "0"),
      { "1 try was spent. PUK: locked.\nThe certificate on the token may be destroyed;",
        "support line" } },
    { TOKEND_ERROR_PUK_INCORRECT,
      TOKEND_ROLE_PUK,
      PUK ("ok", "3"),
      NULL,
      { "The PUK is not right.\nCount one try as spent.\n", "no further try" } },
    { TOKEND_ERROR_PIN_INCORRECT,
      TOKEND_ROLE_PIN,
      NO_NUMBER,
      NO_NUMBER,
      { "The PIN is not right.\nCount one try as spent.", "low" } },
    { TOKEND_ERROR_PIN_INCORRECT,
      TOKEND_ROLE_PIN,
      NOTHING_KNOWN,
      NOTHING_KNOWN,
      { "Count one try as spent. PIN: not known.\nIf you are not sure of the PIN, do not try "
        "it." } },
    { TOKEND_ERROR_PIN_INCORRECT,
      TOKEND_ROLE_PUK,
      PUK ("ok", "3"),
      PUK ("ok", "3"),
      { "No try was spent." } },
    { TOKEND_ERROR_PUK_INCORRECT,
      TOKEND_ROLE_PUK,
      PUK ("low", "1"),
      PUK ("ok", "3"),
      { "Count one try as spent." } },
    { TOKEND_ERROR_OUTCOME_UNKNOWN,
      TOKEND_ROLE_PUK,
      PUK ("ok", "3"),
      NULL,
      { "Whether a try was spent is not known: count it as spent.\nThe PIN may be the new one",
        "Look at the status" } },
    { TOKEND_ERROR_OUTCOME_UNKNOWN,
      TOKEND_ROLE_PUK,
      PUK ("ok", "3"),
      PUK ("ok", "3"),
      { "No try was spent. PUK: 3 of 3 tries left.\nThe PIN may be the new one" } },
    { TOKEND_ERROR_TOKEN_REMOVED,
      TOKEND_ROLE_PIN,
      PIN ("ok", "3", "ok"),
      NULL,
      { "before the codes were sent.\nNo try was spent." } },
    { TOKEND_ERROR_OUTCOME_UNKNOWN,
      TOKEND_ROLE_PUK,
      PUK ("ok", "3"),
      PUK ("low", "2"),
      { "1 try was spent. PUK: 2 of 3 tries left.\nIf the token was unplugged",
        "Look at the status" } },
    { TOKEND_ERROR_ALREADY_REFUSED,
      TOKEND_ROLE_PUK,
      PUK ("low", "2"),
      PUK ("low", "2"),
      { "refused this very code", "No try was spent. PUK: 2 of 3 tries left.",
        "sure of it: --send-refused-code" } },
    { TOKEND_ERROR_ALREADY_REFUSED,
      TOKEND_ROLE_PUK,
      PUK ("low", "2"),
      PUK ("low", "2"),
      { "another PIN of this card", "--send-refused-code" },
      TRUE },
    { TOKEND_ERROR_ALREADY_REFUSED,
      TOKEND_ROLE_PIN,
      PIN ("low", "2", "ok"),
      PIN ("low", "2", "ok"),
      { "refused this very code", "sure of it: --send-refused-code" },
      TRUE },
    { TOKEND_ERROR_INVALID_ARGS,
      TOKEND_ROLE_PIN,
      NO_NUMBER,
      NO_NUMBER,
      { "(the service's words)\nNo try was spent.", "\nCheck the codes" } },
    { TOKEND_ERROR_PIN_POLICY,
      TOKEND_ROLE_PIN,
      NO_NUMBER,
      NO_NUMBER,
      { "(the service's words)", "Whether a try was spent is not known" } },
    { TOKEND_ERROR_PIN_POLICY,
      TOKEND_ROLE_PUK,
      PUK ("ok", "3"),
      PUK ("ok", "3"),
      { "(the service's words)\nNo try was spent.", "Choose another" } },
    { TOKEND_ERROR_PIN_POLICY,
      TOKEND_ROLE_PIN,
      PIN ("low", "2", "ok"),
      PIN ("ok", "3", "ok"),
      { "(the service's words)\nNo try was spent. PIN: 3 of 3 tries left." } },
    /* The PUK was right, or not sent. */
    { TOKEND_ERROR_PIN_POLICY,
      TOKEND_ROLE_PUK,
      PUK ("ok", "3"),
      NULL,
      { "(the service's words)\nNo try was spent." } },
    { TOKEND_ERROR_PIN_POLICY,
      TOKEND_ROLE_PUK,
      BY_LEDGER,
      BY_LEDGER,
      { "(the service's words)\nNo try was spent." } },
    { TOKEND_ERROR_PIN_POLICY,
      TOKEND_ROLE_PUK,
      PUK ("low", "2"),
      PUK ("ok", "3"),
      { "(the service's words)\nNo try was spent. PUK: 3 of 3 tries left." } },
    { TOKEND_ERROR_PUK_LOCKED,
      TOKEND_ROLE_PUK,
      PUK ("final-try", "1"),
      PUK ("locked", "0"),
      { "The PUK is locked.\nThe last try was spent. PUK: locked." } },
    { TOKEND_ERROR_PUK_LOCKED,
      TOKEND_ROLE_PUK,
      PUK ("locked", "0"),
      PUK ("locked", "0"),
      { "The PUK is locked.\nNo try was spent. PUK: locked." } },
    { TOKEND_ERROR_PUK_LOCKED,
      TOKEND_ROLE_PUK,
      PUK ("final-try", "1"),
      NULL,
      { "Whether a try was spent is not known: count it as spent.", "support line" } },
    { TOKEND_ERROR_PIN_LOCKED,
      TOKEND_ROLE_PIN,
      PIN ("final-try", "1", "ok"),
      PIN ("locked", "0", "ok"),
      { "The last try was spent.", "tokenctl unlock ETOKEN" } },
    /* Whoever is told to use the PUK is told how it stands. */
    { TOKEND_ERROR_PIN_INCORRECT,
      TOKEND_ROLE_PIN,
      PIN ("final-try", "1", "final-try"),
      PIN ("locked", "0", "final-try"),
      { "tokenctl unlock ETOKEN", "The PUK is on its last try", "One PUK try is left" } },
    { TOKEND_ERROR_PIN_INCORRECT,
      TOKEND_ROLE_PIN,
      PIN ("ok", "3", "low"),
      PIN ("low", "2", "low"),
      { "tokenctl unlock ETOKEN", "A wrong PUK was typed" } },
    /* What is not known is no number. */
    { TOKEND_ERROR_FAILED,
      TOKEND_ROLE_PUK,
      NO_NUMBER,
      PUK ("ok", "3"),
      { "Whether a try was spent is not known" } },
    { TOKEND_ERROR_PUK_LOCKED,
      TOKEND_ROLE_PUK,
      NO_NUMBER,
      PUK ("locked", "0"),
      { "Whether a try was spent is not known" } },
    { TOKEND_ERROR_PIN_LOCKED,
      TOKEND_ROLE_PIN,
      PIN ("ok", "3", "ok"),
      PIN ("low", "2", "ok"),
      { "1 try was spent." } },
    /* The PUK was lost before. */
    { TOKEND_ERROR_PIN_INCORRECT,
      TOKEND_ROLE_PIN,
      PIN ("ok", "3", "locked"),
      PIN ("low", "2", "locked"),
      { "1 try was spent." },
      .absent = "may be destroyed" },
    { TOKEND_ERROR_FINAL_ATTEMPT,
      TOKEND_ROLE_PUK,
      PUK ("final-try", "1"),
      PUK ("final-try", "1"),
      { "This may be the last try, so nothing was sent.", "Look at the status, then decide" },
      TRUE,
      "another PIN" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) before = parse (rows[i].before);
    g_autoptr (GVariant) after = parse (rows[i].after);
    GError error = { TOKEND_ERROR, rows[i].error, (char *) "the service's words" };
    TokenctlOutcome outcome = { .error = &error,
                                .role = rows[i].role,
                                .token_argument = "ETOKEN",
                                .before = before,
                                .after = after,
                                .has_other_pin = rows[i].has_other_pin };
    g_autofree char *words = tokenctl_words_for_outcome (&outcome);

    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].expected) && rows[i].expected[j] != NULL; j++) {
      g_test_message ("row %" G_GSIZE_FORMAT ": “%s” in “%s”", i, rows[i].expected[j], words);
      g_assert_nonnull (strstr (words, rows[i].expected[j]));
    }
    g_assert_true (rows[i].absent == NULL || strstr (words, rows[i].absent) == NULL);
  }
}

/* A service that was restarted may have given the path to another one. */
static void
test_another_token (void)
{
  g_autoptr (GVariant) before =
      parse ("{'label': <'A'>, 'puk-state': <'ok'>, 'puk-retries-remaining': <uint32 3>}");
  g_autoptr (GVariant) after =
      parse ("{'label': <'B'>, 'puk-state': <'ok'>, 'puk-retries-remaining': <uint32 3>}");
  g_autoptr (GError) error = g_error_new_literal (G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY, "");
  TokenctlOutcome outcome = {
    .error = error, .role = TOKEND_ROLE_PUK, .token_argument = "A", .before = before, .after = after
  };
  g_autofree char *words = tokenctl_words_for_outcome (&outcome);

  g_test_message ("%s", words);
  g_assert_nonnull (strstr (words, "count it as spent.\nThe PIN may be"));
}

/* tokenctl's own error says itself what it cost; what is left comes after it. */
static void
test_own_error (void)
{
  g_autoptr (GVariant) status = parse (PUK ("ok", "3"));
  GError error = { TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                   (char *) "Nothing was sent; no try was spent." };
  TokenctlOutcome outcome = { .error = &error,
                              .role = TOKEND_ROLE_PUK,
                              .token_argument = "A",
                              .before = status,
                              .after = status };
  g_autofree char *words = tokenctl_words_for_outcome (&outcome);

  g_assert_cmpstr (words, ==, "Nothing was sent; no try was spent.\nPUK: 3 of 3 tries left.");
}

static void
test_hostile_detail (void)
{
  GError error = { TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED, (char *) "a\033[2Jb" };
  g_autofree char *words = tokenctl_words_for_error (&error);

  g_assert_null (strchr (words, '\033'));
  g_assert_nonnull (strstr (words, "a\\u{1B}[2Jb"));
}

/* The service's reasons are shown as they are, the action in its place. */
static void
test_not_authorized (void)
{
  static const char *const actions[] = { TOKEND_ACTION_READ_STATUS, TOKEND_ACTION_SET_PIN,
                                         TOKEND_ACTION_UNLOCK };

  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++) {
    g_autofree char *reason = g_strdup_printf ("no to %s: 100%%s", actions[i]);
    GError error = { TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED, reason };
    g_autofree char *expected = g_strdup_printf ("You are not authorized to do this. (%s)", reason);
    g_autofree char *words = tokenctl_words_for_error (&error);

    g_assert_cmpstr (words, ==, expected);
  }
}

/* What whoever issued the certificate has to say comes with it; of the loss, in the place of our
 * own words. */
static void
test_provider (void)
{
  static const struct {
    const char *loss;
    gboolean is_ours;
  } rows[] = { { NULL, TRUE }, { "It will be revoked.", FALSE } };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    for (int is_refused = 0; is_refused < 2; is_refused++) {
      g_autoptr (GVariant) before = parse (PUK ("final-try", "1"));
      g_autoptr (GVariant) after = parse (PUK ("locked", "0"));
      TokendProvider provider = { .name = (char *) "Bureau",
                                  .support_line = (char *) "call 123",
                                  .loss = (char *) rows[i].loss };
      GError error = { TOKEND_ERROR, is_refused ? TOKEND_ERROR_FAILED : TOKEND_ERROR_PUK_INCORRECT,
                       (char *) "words" };
      TokenctlOutcome outcome = { .error = &error,
                                  .role = TOKEND_ROLE_PUK,
                                  .token_argument = "ETOKEN",
                                  .provider = &provider,
                                  .before = before,
                                  .after = after };
      g_autofree char *words = tokenctl_words_for_outcome (&outcome);

      g_test_message ("%s", words);
      g_assert_nonnull (strstr (words, "123"));
      g_assert_cmpint (strstr (words, "may be destroyed; if it is") != NULL, ==, rows[i].is_ours);
      g_assert_true (rows[i].loss == NULL || strstr (words, rows[i].loss) != NULL);
    }
}

/* Of anything but an operation: what happened, the service's words if it has any, and what to
 * do. */
static void
test_error (void)
{
  static const struct {
    const char *name, *message;
    const char *words;
  } rows[] = {
    { TOKEND_ERROR_PREFIX "Failed", "", "The operation failed." },
    { TOKEND_ERROR_PREFIX "Failed", "why", "The operation failed. (why)" },
    { TOKEND_ERROR_PREFIX "Busy", "why",
      "Another operation or another program is using the token.\n"
      "Wait until it has ended, then try again." },
    { "org.freedesktop.DBus.Error.NoReply", "why", "The tokend service cannot be reached. (why)" },
  };

  g_quark_to_string (TOKEND_ERROR);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = g_dbus_error_new_for_dbus_error (rows[i].name, rows[i].message);
    g_autofree char *words = tokenctl_words_for_error (error);

    g_assert_cmpstr (words, ==, rows[i].words);
  }
}

/* A PUK that its owners call otherwise: nobody has issued it with a certificate, nor has a support
 * line. */
static void
test_named_puk (void)
{
  static const struct {
    TokendError error;
    const char *profile;
    const char *after;                  /* or NULL: not known */
    const char *present[2], *absent[3]; /* or NULL */
  } rows[] = {
    { TOKEND_ERROR_PUK_INCORRECT,
      "card",
      "low",
      { "The Admin PIN is not right.", "Admin PIN: low" },
      { "PUK", "support line", "certificate" } },
    { TOKEND_ERROR_PUK_INCORRECT,
      "card",
      NULL,
      { "The Admin PIN is not right.",
        "Make no further try unless you are sure of the Admin PIN." },
      { "PUK", "support line", "certificate" } },
    { TOKEND_ERROR_PUK_LOCKED,
      "card",
      "locked",
      { "The Admin PIN is locked." },
      { "PUK", "support line", "certificate" } },
    { TOKEND_ERROR_PUK_LOCKED,
      "card",
      NULL,
      { "The Admin PIN is locked." },
      { "PUK", "support line", "certificate" } },
    { TOKEND_ERROR_FINAL_ATTEMPT,
      "card",
      NULL,
      { "If you are sure of the code" },
      { "no further try" } },
    { TOKEND_ERROR_PUK_INCORRECT,
      "etoken",
      NULL,
      { "The PUK is not right.", "support line" },
      { "Admin PIN" } },
    { TOKEND_ERROR_PUK_LOCKED,
      "etoken",
      NULL,
      { "The PUK is locked.", "support line" },
      { "Admin PIN" } },
    { TOKEND_ERROR_PUK_LOCKED, "etoken", "locked", { "may be destroyed" }, { "Admin PIN" } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *before =
        g_strdup_printf ("{'module-profile': <'%s'>, 'puk-state': <'ok'>}", rows[i].profile);
    g_autofree char *after = g_strdup_printf ("{'module-profile': <'%s'>, 'puk-state': <'%s'>}",
                                              rows[i].profile, rows[i].after);
    g_autoptr (GVariant) before_status = parse (before);
    g_autoptr (GVariant) after_status = rows[i].after != NULL ? parse (after) : NULL;
    g_autoptr (GError) error = g_error_new_literal (TOKEND_ERROR, (int) rows[i].error, "");
    const TokenctlOutcome outcome = { .error = error,
                                      .role = TOKEND_ROLE_PUK,
                                      .before = before_status,
                                      .after = after_status,
                                      .token_argument = "ETOKEN" };
    g_autofree char *text = tokenctl_words_for_outcome (&outcome);

    g_test_message ("row %" G_GSIZE_FORMAT ": %s", i, text);
    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].present) && rows[i].present[j] != NULL; j++)
      g_assert_nonnull (strstr (text, rows[i].present[j]));
    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].absent) && rows[i].absent[j] != NULL; j++)
      g_assert_null (strstr (text, rows[i].absent[j]));
  }
}

static void
test_success (void)
{
  g_autoptr (GVariant) after = parse (PUK ("ok", "3"));
  g_autofree char *words = tokenctl_words_for_success (after, "ETOKEN");

  g_assert_true (
      g_str_has_prefix (words, "The new PIN is set.\nPIN: locked. PUK: 3 of 3 tries left.\n"));
}

/* What became of the card is said whatever became of the code. */
static void
test_left_open (void)
{
  const char *expected = "\nIt is not certain that the card was closed: until you take it out, "
                         "others may be able to use it without a code.\n";

  for (int is_left_open = 0; is_left_open < 2; is_left_open++) {
    g_autoptr (GVariant) before = parse (PUK ("ok", "3"));
    g_autoptr (GVariant) after =
        parse (is_left_open ? "{'left-open': <true>, 'puk-state': <'low'>}" : NO_NUMBER);
    g_autoptr (GError) error = g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_PUK_INCORRECT, "");
    const TokenctlOutcome outcome = { .error = error,
                                      .role = TOKEND_ROLE_PUK,
                                      .token_argument = "ETOKEN",
                                      .before = before,
                                      .after = after };
    g_autofree char *failure = tokenctl_words_for_outcome (&outcome);
    g_autofree char *success = tokenctl_words_for_success (after, "ETOKEN");

    g_assert_cmpint (strstr (failure, expected) != NULL, ==, is_left_open);
    g_assert_cmpint (strstr (success, expected) != NULL, ==, is_left_open);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outcome/words", test_outcome);
  g_test_add_func ("/outcome/another-token", test_another_token);
  g_test_add_func ("/outcome/own-error", test_own_error);
  g_test_add_func ("/outcome/hostile-detail", test_hostile_detail);
  g_test_add_func ("/outcome/not-authorized", test_not_authorized);
  g_test_add_func ("/outcome/provider", test_provider);
  g_test_add_func ("/outcome/error", test_error);
  g_test_add_func ("/outcome/named-puk", test_named_puk);
  g_test_add_func ("/outcome/success", test_success);
  g_test_add_func ("/outcome/left-open", test_left_open);
  return g_test_run ();
}
