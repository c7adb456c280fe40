/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <unistd.h>

#include "code-fd.h"
#include "code-table.h"
#include "exit-code.h"

static const TokendCodeRules no_rules = { .usual_characters = TOKEND_CHARACTERS_ANY };

/* A code from a descriptor is let through as the table has it, and refused in words that do not
 * repeat it. */
static void
check_row (const CodeRow *row, TokendCodeAnswer allowed)
{
  g_autoptr (TokenctlCode) code = NULL;
  g_autoptr (GError) error = NULL;
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_cmpint (write (ends[1], row->bytes, row->length), ==, (gssize) row->length);
  close (ends[1]);
  code = tokenctl_code_from_fd (
      "--puk-fd", ends[0], row->kind == TOKEND_CODE_KIND_NEW ? NULL : &no_rules, allowed, &error);
  close (ends[0]);

  g_assert_cmpint (code != NULL, ==, row->answer <= allowed);
  if (code != NULL) {
    g_assert_cmpmem (tokenctl_code_bytes (code), tokenctl_code_length (code), row->bytes,
                     row->length);
    return;
  }
  g_assert_true (error->code == TOKENCTL_EXIT_USAGE || error->code == TOKENCTL_EXIT_REFUSED);
  g_assert_nonnull (strstr (error->message, ". Nothing was sent; no try was spent."));
  g_assert_nonnull (strstr (error->message, row->words));
  g_assert_cmpint (strstr (error->message, "--send-unusual-code") != NULL, ==,
                   row->answer < TOKEND_CODE_NEVER);
  if (row->answer < TOKEND_CODE_NEVER)
    g_assert_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED);
}

/* tokenctl takes one newline off. */
static gboolean
has_newline (const CodeRow *row)
{
  return row->length > 0 && row->bytes[row->length - 1] == '\n';
}

static void
test_table (void)
{
  g_autoptr (GPtrArray) rows = code_table_load ();

  for (guint i = 0; i < rows->len; i++) {
    const CodeRow *row = rows->pdata[i];

    g_test_message ("%s", row->what);
    for (TokendCodeAnswer allowed = TOKEND_CODE_SEND;
         !has_newline (row) && allowed < TOKEND_CODE_NEVER; allowed++)
      check_row (row, allowed);
  }
}

static TokenctlCode *
code_of (const char *text)
{
  TokenctlCode *code = tokenctl_code_new (NULL);

  strcpy (tokenctl_code_bytes (code), text);
  tokenctl_code_set_length (code, strlen (text));
  return code;
}

/* Somebody who types one code thrice, or changes a PIN into itself. */
static void
test_new_pin_that_is_the_same (void)
{
  g_autoptr (GVariant) status = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  g_autoptr (TokenctlCode) present = code_of ("123456");
  g_autoptr (TokenctlCode) same = code_of ("123456");
  g_autoptr (TokenctlCode) longer = code_of ("1234567");
  const TokenctlNewPin by_puk = { status, TOKEND_ROLE_PUK, present };
  const TokenctlNewPin by_pin = { status, TOKEND_ROLE_PIN, present };
  g_autoptr (GError) puk_error = NULL, pin_error = NULL;

  g_assert_false (tokenctl_check_new_pin (same, &by_puk, &puk_error));
  g_assert_error (puk_error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED);
  g_assert_cmpstr (puk_error->message, ==, "The new PIN is the same as the PUK.");
  g_assert_false (tokenctl_check_new_pin (same, &by_pin, &pin_error));
  g_assert_error (pin_error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED);
  g_assert_cmpstr (pin_error->message, ==, "The new PIN is the same as the present one.");
  g_assert_true (tokenctl_check_new_pin (longer, &by_puk, NULL));
}

static void
test_new_pin (void)
{
  static const struct {
    const char *rules;
    const char *pin;
    const char *words; /* or NULL: it is good */
  } rows[] = {
    { "@a{sv} {}", "x", NULL },
    { "@a{sv} {}", "12 34", NULL },
    { "{'pin-minimum-length': <uint32 4>}", "123",
      "too short: it must have at least 4 characters." },
    { "{'pin-minimum-length': <uint32 4>}", "1234", NULL },
    { "{'pin-minimum-length': <uint32 4>}", "şşş",
      "too short: it must have at least 4 characters." },
    { "{'pin-minimum-length': <uint32 4>}", "şşşş", NULL },
    { "{'pin-maximum-length': <uint32 8>}", "12345678", NULL },
    { "{'pin-maximum-length': <uint32 8>}", "123456789",
      "too long: it must have at most 8 characters." },
    { "{'pin-maximum-length': <uint32 8>}", "şşşşşşşş", NULL },
    { "{'pin-minimum-length': <uint32 4>, 'pin-maximum-length': <uint32 8>}", "123",
      "too short: it must have at least 4 characters." },
    { "{'pin-minimum-length': <uint32 4>, 'pin-maximum-length': <uint32 8>}", "123456789",
      "too long: it must have at most 8 characters." },
    { "{'pin-maximum-length': <uint32 8>, 'present-pin-maximum-length': <uint32 8>}", "şşşş",
      NULL },
    { "{'pin-maximum-length': <uint32 8>, 'present-pin-maximum-length': <uint32 8>}", "şşşş1",
      "takes two bytes, and the token takes 8." },
    { "{'pin-characters': <'digits'>}", "1234", NULL },
    { "{'pin-characters': <'digits'>}", "12a4", "digits only" },
    { "{'pin-characters': <'digits'>}", "１２３４", "digits only" },
    { "{'pin-characters': <'any'>}", "12a4", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) status = g_variant_parse (NULL, rows[i].rules, NULL, NULL, NULL);
    g_autoptr (TokenctlCode) present = code_of ("another");
    g_autoptr (TokenctlCode) pin = code_of (rows[i].pin);
    const TokenctlNewPin wanted = { status, TOKEND_ROLE_PUK, present };
    const TokenctlNewPin without_code = { status, TOKEND_ROLE_PUK, NULL };
    g_autoptr (GError) error = NULL;

    g_test_message ("%s %s", rows[i].rules, rows[i].pin);
    g_assert_cmpint (tokenctl_check_new_pin (pin, &wanted, &error), ==, rows[i].words == NULL);
    g_assert_cmpint (tokenctl_check_new_pin (pin, &without_code, NULL), ==, rows[i].words == NULL);
    if (rows[i].words == NULL)
      continue;
    g_assert_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED);
    g_assert_nonnull (strstr (error->message, rows[i].words));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/check/table", test_table);
  g_test_add_func ("/check/new-pin", test_new_pin);
  g_test_add_func ("/check/new-pin-that-is-the-same", test_new_pin_that_is_the_same);
  return g_test_run ();
}
