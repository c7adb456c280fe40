/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include "exit-code.h"
#include "tokend-status.h"

static void
test_code (void)
{
  static const struct {
    const char *bytes;
    gsize length;
    gboolean good;
  } rows[] = {
    { "1234", 4, TRUE },      { "", 0, FALSE },         { "ş i", 4, TRUE },
    { " 1234 ", 6, TRUE },    { "12\n34", 5, FALSE },   { "1234\r", 5, FALSE },
    { "12\00034", 5, FALSE }, { "\xff\xfe", 2, FALSE }, { "\x7f", 1, FALSE },
    { "\xc2\x85", 2, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokenctl_check_code (rows[i].bytes, rows[i].length, &error), ==, rows[i].good);
    if (!rows[i].good)
      g_assert_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE);
  }
}

static void
test_code_length (void)
{
  g_autofree char *longest = g_strnfill (TOKEND_CODE_MAX, '1');
  g_autofree char *longer = g_strnfill (TOKEND_CODE_MAX + 1, '1');

  g_assert_true (tokenctl_check_code (longest, TOKEND_CODE_MAX, NULL));
  g_assert_false (tokenctl_check_code (longer, TOKEND_CODE_MAX + 1, NULL));
}

static void
test_new_pin (void)
{
  static const struct {
    const char *rules;
    const char *pin;
    gboolean good;
  } rows[] = {
    { "@a{sv} {}", "x", TRUE },
    /* As the present one it would not be taken. */
    { "@a{sv} {}", "1234 ", FALSE },
    { "@a{sv} {}", " 1234", FALSE },
    { "@a{sv} {}", "    ", FALSE },
    { "@a{sv} {}", "12 34", TRUE },
    { "{'pin-minimum-length': <uint32 4>}", "123", FALSE },
    { "{'pin-minimum-length': <uint32 4>}", "1234", TRUE },
    { "{'pin-minimum-length': <uint32 4>}", "şşş", FALSE },
    { "{'pin-minimum-length': <uint32 4>}", "şşşş", TRUE },
    { "{'pin-maximum-length': <uint32 8>}", "12345678", TRUE },
    { "{'pin-maximum-length': <uint32 8>}", "123456789", FALSE },
    { "{'pin-maximum-length': <uint32 8>}", "şşşşşşşş", TRUE },
    { "{'pin-characters': <'digits'>}", "1234", TRUE },
    { "{'pin-characters': <'digits'>}", "12a4", FALSE },
    { "{'pin-characters': <'digits'>}", "１２３４", FALSE },
    { "{'pin-characters': <'any'>}", "12a4", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) status = g_variant_parse (NULL, rows[i].rules, NULL, NULL, NULL);
    g_autoptr (GError) error = NULL;

    g_test_message ("%s %s", rows[i].rules, rows[i].pin);
    g_assert_cmpint (tokenctl_check_new_pin (rows[i].pin, status, &error), ==, rows[i].good);
    if (!rows[i].good)
      g_assert_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED);
  }
}

static void
test_blanks (void)
{
  static const struct {
    const char *code;
    TokenctlBlanks blanks;
  } rows[] = {
    { "12345678", TOKENCTL_BLANKS_NONE },         { "1234 5678", TOKENCTL_BLANKS_INSIDE },
    { " 12345678", TOKENCTL_BLANKS_AT_ENDS },     { "12345678 ", TOKENCTL_BLANKS_AT_ENDS },
    { "1234 5678 ", TOKENCTL_BLANKS_AT_ENDS },    { " ", TOKENCTL_BLANKS_AT_ENDS },
    { "1234\u00a05678", TOKENCTL_BLANKS_INSIDE }, { "12345678\u00a0", TOKENCTL_BLANKS_AT_ENDS },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpint (tokenctl_check_blanks (rows[i].code), ==, rows[i].blanks);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/check/code", test_code);
  g_test_add_func ("/check/code-length", test_code_length);
  g_test_add_func ("/check/new-pin", test_new_pin);
  g_test_add_func ("/check/blanks", test_blanks);
  return g_test_run ();
}
