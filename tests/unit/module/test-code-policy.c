/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-policy.h"

#include "tokend-error.h"

#include <string.h>

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN
#define LONGEST FIFTY FIFTY FIFTY FIFTY FIFTY "01234"

static const TokendLengthLimits any_length = { 0, 1000 };

/* What no code can be: the same for a PUK, a PIN and a new PIN, but not the same error. */
static const struct {
  const char *bytes;
  gsize length;
  const char *mistake; /* NULL: none */
} texts[] = {
  { "1234", 4, NULL },
  { "ğüş1", 7, NULL },
  { "a b", 3, NULL },
  { " 1234", 5, NULL },
  { LONGEST, 255, NULL },
  { "", 0, "is empty" },
  { LONGEST "x", 256, "is longer than 255 bytes" },
  { "1234\n", 5, "ends with a newline: send the code alone" },
  { "1234\r\n", 6, "ends with a newline: send the code alone" },
  { "1234\r", 5, "ends with a newline: send the code alone" },
  { "\n", 1, "ends with a newline: send the code alone" },
  { "12\n34", 5, "has control characters in it" },
  { "1234\t", 5, "has control characters in it" },
  { "1234\0", 5, "has control characters in it" },
  { "12\0\xff", 4, "has control characters in it" },
  { "\x1b[31m", 5, "has control characters in it" },
  { "1234\x7f", 5, "has control characters in it" },
  { "1234\xc2\x85", 6, "has control characters in it" },
  { "1234\xff", 5, "is not valid UTF-8" },
  { "12\xc4", 3, "is not valid UTF-8" },
  { "\xed\xa0\x80", 3, "is not valid UTF-8" },
};

static void
test_text (void)
{
  const TokendPinPolicy anything = { any_length, any_length, TOKEND_CHARACTERS_ANY };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) puk = NULL, new_pin = NULL;

    g_assert_cmpint (
        tokend_code_check (texts[i].bytes, texts[i].length, TOKEND_CODE_PUK, &any_length, &puk), ==,
        texts[i].mistake == NULL);
    g_assert_cmpint (tokend_new_pin_check (texts[i].bytes, texts[i].length, &anything, &new_pin),
                     ==, texts[i].mistake == NULL);
    if (texts[i].mistake == NULL)
      continue;

    g_assert_error (puk, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    g_assert_true (g_str_has_prefix (puk->message, "The PUK "));
    g_assert_cmpstr (puk->message + strlen ("The PUK "), ==, texts[i].mistake);
    g_assert_error (new_pin, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY);
    g_assert_true (g_str_has_prefix (new_pin->message, "The new PIN "));
    g_assert_cmpstr (new_pin->message + strlen ("The new PIN "), ==, texts[i].mistake);
  }
}

static void
test_code_length (void)
{
  const TokendLengthLimits limits = { 4, 8 };
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

    g_assert_cmpint (
        tokend_code_check (rows[i].code, strlen (rows[i].code), TOKEND_CODE_PIN, &limits, &error),
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
    TokendPinPolicy policy;
    const char *mistake; /* NULL: none */
  } rows[] = {
    { "123", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "4 to 8 characters" },
    { "1234", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, NULL },
    { "12345678", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, NULL },
    { "123456789", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "4 to 8 characters" },
    { "1234a", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "digits only" },
    { "a1234", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "digits only" },
    { "1234 ", { { 4, 8 }, { 1, 255 }, TOKEND_CHARACTERS_DIGITS }, "digits only" },
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

/* A message goes back over the bus and into journals: it may tell the mistake, but not a byte of the code. */
static void
test_messages_tell_nothing (void)
{
  const TokendPinPolicy policy = { { 4, 8 }, { 4, 8 }, TOKEND_CHARACTERS_DIGITS };
  static const char *const codes[] = { "Zq", "ZqZqZqZqZqZq", "ZqZqZq", "ZqZq\n", "Zq\x01Zq" };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_autoptr (GError) code = NULL, new_pin = NULL;

    tokend_code_check (codes[i], strlen (codes[i]), TOKEND_CODE_PIN, &policy.bytes_limits, &code);
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
  g_test_add_func ("/code-policy/text", test_text);
  g_test_add_func ("/code-policy/code-length", test_code_length);
  g_test_add_func ("/code-policy/new-pin", test_new_pin);
  g_test_add_func ("/code-policy/messages-tell-nothing", test_messages_tell_nothing);
  return g_test_run ();
}
