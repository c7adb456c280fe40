/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-policy.h"

#include "code-table.h"
#include "tokend-error.h"

#include <string.h>

static const TokendCodeLimits any_length = { 0, 1000 };

static void
assert_refused (const CodeRow *row, const GError *error, TokendError code, const char *subject)
{
  g_assert_error (error, TOKEND_ERROR, (int) code);
  g_assert_true (g_str_has_prefix (error->message, subject));
  g_assert_true (g_str_has_prefix (error->message + strlen (subject), row->words));
  g_assert_cmpint (strstr (error->message, TOKEND_OPTION_SEND_UNUSUAL_CODE) != NULL, ==,
                   row->answer == TOKEND_CODE_REFUSE);
}

static void
check_present (const CodeRow *row)
{
  g_autoptr (GError) puk = NULL, pin = NULL, unusual = NULL;

  g_assert_cmpint (
      tokend_code_check (row->bytes, row->length, TOKEND_CODE_PUK, &any_length, FALSE, &puk), ==,
      row->answer < TOKEND_CODE_REFUSE);
  g_assert_cmpint (
      tokend_code_check (row->bytes, row->length, TOKEND_CODE_PIN, &any_length, FALSE, &pin), ==,
      row->answer < TOKEND_CODE_REFUSE);
  g_assert_cmpint (
      tokend_code_check (row->bytes, row->length, TOKEND_CODE_PUK, &any_length, TRUE, &unusual), ==,
      row->answer < TOKEND_CODE_NEVER);
  if (row->answer >= TOKEND_CODE_REFUSE) {
    assert_refused (row, puk, TOKEND_ERROR_INVALID_ARGS, "The PUK ");
    assert_refused (row, pin, TOKEND_ERROR_INVALID_ARGS, "The PIN ");
  }
  if (row->answer == TOKEND_CODE_NEVER)
    assert_refused (row, unusual, TOKEND_ERROR_INVALID_ARGS, "The PUK ");
}

static void
check_new (const CodeRow *row)
{
  const TokendNewPinRules anything = { any_length, any_length, TOKEND_CHARACTERS_ANY };
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (tokend_new_pin_check (row->bytes, row->length, &anything, &error), ==,
                   row->answer < TOKEND_CODE_REFUSE);
  if (row->answer >= TOKEND_CODE_REFUSE)
    assert_refused (row, error, TOKEND_ERROR_PIN_POLICY, "The new PIN ");
}

static void
test_table (void)
{
  g_autoptr (GPtrArray) rows = code_table_load ();

  for (guint i = 0; i < rows->len; i++) {
    const CodeRow *row = rows->pdata[i];

    g_test_message ("%s", row->what);
    if (row->kind == TOKEND_CODE_KIND_NEW)
      check_new (row);
    else
      check_present (row);
  }
}

static void
test_code_length (void)
{
  const TokendCodeLimits limits = { 4, 8 };
  static const struct {
    const char *code;
    gboolean fits;
  } rows[] = {
    { "123", FALSE },       { "1234", TRUE }, { "12345678", TRUE },
    { "123456789", FALSE }, { "ğğğğ", TRUE }, /* 8 bytes */
    { "ğğğğ1", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (tokend_code_check (rows[i].code, strlen (rows[i].code), TOKEND_CODE_PIN,
                                        &limits, FALSE, &error),
                     ==, rows[i].fits);
    if (!rows[i].fits) {
      g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
      g_assert_nonnull (strstr (error->message, "4 to 8 bytes"));
      g_assert_nonnull (strstr (error->message, i == 0 ? "short" : "long"));
    }
  }
}

static void
test_new_pin (void)
{
  static const struct {
    const char *pin;
    TokendNewPinRules policy;
    const char *mistake; /* NULL: none */
  } rows[] = {
    { "123", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "4 to 8 characters" },
    { "1234", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, NULL },
    { "12345678", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, NULL },
    { "123456789", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "4 to 8 characters" },
    { "1234a", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "digits only" },
    { "a1234", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "digits only" },
    { "12 34", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "digits only" },
    /* Arabic-Indic digits are not what a PIN pad has. */
    { "\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4",
      { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS },
      "digits only" },
    { "1234a", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_ANY }, NULL },
    /* Characters are counted for the policy, bytes for what the token can take. */
    { "ğüşi", { { 4, 4 }, { 1, 255 }, TOKEND_CHARACTERS_ANY }, NULL },
    { "ğüşi", { { 4, 8 }, { 4, 6 }, TOKEND_CHARACTERS_ANY }, "4 to 6 bytes" },
    { "1234", { { 4, 8 }, { 6, 8 }, TOKEND_CHARACTERS_ANY }, "6 to 8 bytes" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_cmpint (
        tokend_new_pin_check (rows[i].pin, strlen (rows[i].pin), &rows[i].policy, &error), ==,
        rows[i].mistake == NULL);
    if (rows[i].mistake != NULL) {
      g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY);
      g_assert_nonnull (strstr (error->message, rows[i].mistake));
    }
  }
}

/* A message goes back over the bus and into journals: it may tell the mistake, but not a byte of
 * the code. */
static void
test_messages_tell_nothing (void)
{
  const TokendNewPinRules policy = { { 4, 8 }, { 4, 8 }, TOKEND_CHARACTERS_DIGITS };
  static const char *const codes[] = { "Zq", "ZqZqZqZqZqZq", "ZqZqZq", "ZqZq\n", "Zq\x01Zq" };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_autoptr (GError) code = NULL, new_pin = NULL;

    tokend_code_check (codes[i], strlen (codes[i]), TOKEND_CODE_PIN, &policy.bytes_limits, FALSE,
                       &code);
    tokend_new_pin_check (codes[i], strlen (codes[i]), &policy, &new_pin);
    g_assert_true (code == NULL || strstr (code->message, "Zq") == NULL);
    g_assert_nonnull (new_pin);
    g_assert_null (strstr (new_pin->message, "Zq"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/code-policy/table", test_table);
  g_test_add_func ("/code-policy/code-length", test_code_length);
  g_test_add_func ("/code-policy/new-pin", test_new_pin);
  g_test_add_func ("/code-policy/messages-tell-nothing", test_messages_tell_nothing);
  return g_test_run ();
}
