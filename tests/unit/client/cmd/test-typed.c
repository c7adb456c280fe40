/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "typed.h"

#include <string.h>

static TokenctlCode *
code_of (const char *bytes)
{
  TokenctlCode *code = tokenctl_code_new (NULL);

  g_assert_nonnull (code);
  memcpy (tokenctl_code_bytes (code), bytes, strlen (bytes));
  tokenctl_code_set_length (code, strlen (bytes));
  return code;
}

#define TAKEN TOKENCTL_TYPED_TAKEN
#define DOUBTFUL TOKENCTL_TYPED_DOUBTFUL
#define IMPOSSIBLE TOKENCTL_TYPED_IMPOSSIBLE
#define BLANK TOKENCTL_TYPED_BLANK
#define ANOTHER TOKENCTL_TYPED_ANOTHER
#define LINES 4

/* Types the lines one after the other, and sees what becomes of each. */
static void
check_lines (const char *const *lines, const TokenctlTypedAnswer *answers, gboolean send_unusual)
{
  g_autoptr (TokenctlCode) before = NULL;

  for (gsize i = 0; i < LINES && lines[i] != NULL; i++) {
    g_autoptr (TokenctlCode) code = code_of (lines[i]);
    const TokenctlTyped typed = tokenctl_typed_validate (code, before, send_unusual);

    g_test_message ("line %" G_GSIZE_FORMAT "%s", i, send_unusual ? ", with the word" : "");
    g_assert_cmpint (typed.answer, ==, answers[i]);
    if (typed.next == TOKENCTL_NEXT_AS_BEFORE)
      continue;
    g_clear_pointer (&before, tokenctl_code_free);
    if (typed.next == TOKENCTL_NEXT_AS_THIS)
      before = g_steal_pointer (&code);
  }
}

static void
test_typed (void)
{
  static const struct {
    const char *lines[LINES];
    TokenctlTypedAnswer answers[LINES];
    TokenctlTypedAnswer with_the_word[LINES];
  } rows[] = {
    { { "12345678" }, { TAKEN }, { TAKEN } },
    { { "", "12345678" }, { IMPOSSIBLE, TAKEN }, { IMPOSSIBLE, TAKEN } },
    { { "1234\a", "12345678" }, { IMPOSSIBLE, TAKEN }, { IMPOSSIBLE, TAKEN } },
    { { "\360", "12345678" }, { IMPOSSIBLE, TAKEN }, { IMPOSSIBLE, TAKEN } },
    { { "şifre", "12345678" }, { DOUBTFUL, TAKEN }, { DOUBTFUL, TAKEN } },
    /* A blank inside: without it, or just the same. */
    { { "1234 5678", "12345678" }, { BLANK, TAKEN }, { BLANK, TAKEN } },
    { { "1234 5678", "1234 5678" }, { BLANK, TAKEN }, { BLANK, TAKEN } },
    { { "1 2 3", "123" }, { BLANK, TAKEN }, { BLANK, TAKEN } },
    { { "1 2 3", "12 3", "12 3" }, { BLANK, ANOTHER, TAKEN }, { BLANK, ANOTHER, TAKEN } },
    { { "1234 5678", "99999999", "12345678", "12345678" },
      { BLANK, ANOTHER, ANOTHER, TAKEN },
      { BLANK, ANOTHER, ANOTHER, TAKEN } },
    { { "1234 5678", "şifre", "şifre" },
      { BLANK, ANOTHER, DOUBTFUL },
      { BLANK, ANOTHER, DOUBTFUL } },
    /* What cannot be a code in between does not make it forgotten. */
    { { "1234 5678", "", "99999999", "99999999" },
      { BLANK, IMPOSSIBLE, ANOTHER, TAKEN },
      { BLANK, IMPOSSIBLE, ANOTHER, TAKEN } },
    { { "1234 5678", "\033[A", "99999999" },
      { BLANK, IMPOSSIBLE, ANOTHER },
      { BLANK, IMPOSSIBLE, ANOTHER } },
    { { "1234 5678", "\360", "99999999" },
      { BLANK, IMPOSSIBLE, ANOTHER },
      { BLANK, IMPOSSIBLE, ANOTHER } },
    { { "1234 5678", "", "", "12345678" },
      { BLANK, IMPOSSIBLE, IMPOSSIBLE, TAKEN },
      { BLANK, IMPOSSIBLE, IMPOSSIBLE, TAKEN } },
    { { "1234\342\200\213", "", "9999" },
      { IMPOSSIBLE, IMPOSSIBLE, ANOTHER },
      { DOUBTFUL, IMPOSSIBLE, TAKEN } },
    /* A blank where none can be: the person is told once that it can be left out, then of the
     * option. */
    { { "1234 ", "1234" }, { BLANK, TAKEN }, { BLANK, TAKEN } },
    { { "1234 ", "1234 ", "1234 ", "1234" },
      { BLANK, IMPOSSIBLE, IMPOSSIBLE, TAKEN },
      { BLANK, DOUBTFUL, BLANK, TAKEN } },
    { { "1234 ", "1234 ", "9999" }, { BLANK, IMPOSSIBLE, ANOTHER }, { BLANK, DOUBTFUL, TAKEN } },
    { { " 1234", "1234 ", "1234 " }, { BLANK, ANOTHER, IMPOSSIBLE }, { BLANK, ANOTHER, DOUBTFUL } },
    { { "12  34", "12  34" }, { BLANK, IMPOSSIBLE }, { BLANK, DOUBTFUL } },
    { { "1234\302\2405678", "1234\302\2405678" }, { BLANK, IMPOSSIBLE }, { DOUBTFUL, DOUBTFUL } },
    /* Blanks alone are no code that could come again. */
    { { "    ", "1234" }, { BLANK, TAKEN }, { BLANK, TAKEN } },
    { { "    ", "12 34", "1234" }, { BLANK, BLANK, TAKEN }, { BLANK, BLANK, TAKEN } },
    /* What nobody sees. */
    { { "\342\200\2161234", "1234" }, { IMPOSSIBLE, TAKEN }, { DOUBTFUL, TAKEN } },
    { { "\342\200\2161234", "1235", "1235" },
      { IMPOSSIBLE, ANOTHER, TAKEN },
      { DOUBTFUL, TAKEN, TAKEN } },
    { { "\342\200\2161234", "\342\200\2161234", "1235" },
      { IMPOSSIBLE, IMPOSSIBLE, ANOTHER },
      { DOUBTFUL, DOUBTFUL, TAKEN } },
    /* A character without a meaning. */
    { { "1234\356\200\200", "1234" }, { IMPOSSIBLE, TAKEN }, { DOUBTFUL, TAKEN } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    check_lines (rows[i].lines, rows[i].answers, FALSE);
    check_lines (rows[i].lines, rows[i].with_the_word, TRUE);
  }
}

/* The words come from the result. */
static void
test_reason (void)
{
  g_autoptr (TokenctlCode) code = code_of ("1234 ");
  const TokenctlTyped typed = tokenctl_typed_validate (code, code, FALSE);

  g_assert_cmpint (typed.answer, ==, IMPOSSIBLE);
  g_assert_cmpint (typed.result.answer, ==, TOKEND_CODE_REFUSE);
  g_assert_cmpint (typed.result.finding, ==, TOKEND_CODE_BLANK);
  g_assert_cmpuint (typed.result.position, ==, 4);
}

static void
test_by_rules (void)
{
  static const TokendCodeRules rules = { .length = { 4, 8 },
                                         .usual_length = { 6, 8 },
                                         .usual_characters = TOKEND_CHARACTERS_DIGITS };
  static const struct {
    const char *code;
    TokenctlTypedAnswer answer, with_the_word;
  } rows[] = {
    { "123", IMPOSSIBLE, DOUBTFUL },
    { "1234", DOUBTFUL, DOUBTFUL },
    { "123456", TAKEN, TAKEN },
    { "12345a", DOUBTFUL, DOUBTFUL },
    { "123456789", IMPOSSIBLE, DOUBTFUL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokenctlCode) code = code_of (rows[i].code);
    const TokenctlTyped typed = tokenctl_typed_validate_by_rules (code, &rules, FALSE);

    g_test_message ("%s", rows[i].code);
    g_assert_cmpint (typed.answer, ==, rows[i].answer);
    g_assert_cmpint (typed.next, ==, TOKENCTL_NEXT_ANY);
    g_assert_cmpint (tokenctl_typed_validate_by_rules (code, &rules, TRUE).answer, ==,
                     rows[i].with_the_word);
  }
}

/* A line that ends within a character must not be read beyond its end: what stands there is no part
 * of it. */
static void
test_yes (void)
{
  static const struct {
    const char *line;
    gboolean is_yes;
  } rows[] = {
    { "yes", TRUE },      { " YES\t", TRUE },  { "", FALSE },     { "y", FALSE },
    { "no", FALSE },      { "yes!", FALSE },   { "\360", FALSE }, { "yes\360", FALSE },
    { "\377yes", FALSE }, { "ye\305", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokenctl_typed_is_yes (rows[i].line), ==, rows[i].is_yes);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/typed/lines", test_typed);
  g_test_add_func ("/typed/reason", test_reason);
  g_test_add_func ("/typed/rules", test_by_rules);
  g_test_add_func ("/typed/yes", test_yes);
  return g_test_run ();
}
