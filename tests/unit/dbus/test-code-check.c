/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-check.h"
#include "code-table.h"
#include "tokend-status.h"

static const char *
in_english (const char *text)
{
  return text;
}

static void
test_table (void)
{
  g_autoptr (GPtrArray) rows = code_table_load ();

  for (guint i = 0; i < rows->len; i++) {
    const CodeRow *row = rows->pdata[i];
    const TokendCodeResult result = tokend_code_validate (row->bytes, row->length, row->kind);
    g_autofree char *words = tokend_code_result_describe (&result, in_english);

    g_test_message ("%s", row->what);
    g_assert_cmpint (result.answer, ==, row->answer);
    g_assert_cmpstr (words, ==, row->words);
    /* What is no single character's stands nowhere. */
    if (result.finding < TOKEND_CODE_NOT_UTF8)
      g_assert_cmpuint (result.position, ==, 0);
  }
}

/* A new PIN is never sent where a present code wants a word; else it makes no difference what the
 * code is for. */
static void
test_kinds (void)
{
  g_autoptr (GPtrArray) rows = code_table_load ();

  for (guint i = 0; i < rows->len; i++) {
    const CodeRow *row = rows->pdata[i];
    const TokendCodeResult present =
        tokend_code_validate (row->bytes, row->length, TOKEND_CODE_KIND_PRESENT);
    const TokendCodeResult new_pin =
        tokend_code_validate (row->bytes, row->length, TOKEND_CODE_KIND_NEW);

    g_test_message ("%s", row->what);
    g_assert_cmpint (new_pin.answer, !=, TOKEND_CODE_REFUSE);
    if (present.answer == TOKEND_CODE_REFUSE)
      g_assert_cmpint (new_pin.answer, ==, TOKEND_CODE_NEVER);
    else
      g_assert_cmpint (new_pin.answer, ==, present.answer);
    if (new_pin.finding == present.finding)
      g_assert_cmpuint (new_pin.position, ==, present.position);
  }
}

static TokendCodeAnswer
answer_for (gunichar c)
{
  char text[16] = "12";
  const int size = g_unichar_to_utf8 (c, text + 2);

  text[2 + size] = '3';
  return tokend_code_validate (text, (gsize) size + 3, TOKEND_CODE_KIND_PRESENT).answer;
}

/* Of every character that there is: what its general category demands. */
static void
test_all_characters (void)
{
  for (gunichar c = 0; c <= 0x10ffff; c++) {
    TokendCodeAnswer answer;

    if (c >= 0xd800 && c <= 0xdfff)
      continue;
    answer = answer_for (c);
    switch (g_unichar_type (c)) {
    case G_UNICODE_CONTROL:
      g_assert_cmpint (answer, ==, TOKEND_CODE_NEVER);
      break;
    case G_UNICODE_FORMAT:
    case G_UNICODE_UNASSIGNED:
    case G_UNICODE_PRIVATE_USE:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SPACE_SEPARATOR:
      g_assert_cmpint (answer, ==, c == ' ' ? TOKEND_CODE_SEND : TOKEND_CODE_REFUSE);
      break;
    default:
      if (c < 0x80)
        g_assert_cmpint (answer, ==, TOKEND_CODE_SEND);
      else
        g_assert_cmpint (answer, >=, TOKEND_CODE_ASK);
      g_assert_cmpint (answer, <=, TOKEND_CODE_REFUSE);
    }
  }
}

/* What a code may be on one token: bytes by a document, characters by custom. */
static void
test_rules (void)
{
  static const struct {
    const char *code;
    TokendCodeRules rules;
    TokendCodeAnswer answer;
    const char *words;
  } rows[] = {
    { "1", { { 0, 0 }, { 0, 0 }, TOKEND_CHARACTERS_ANY }, TOKEND_CODE_SEND, "" },
    { "12345678", { { 8, 8 }, { 8, 8 }, TOKEND_CHARACTERS_DIGITS }, TOKEND_CODE_SEND, "" },
    { "12345",
      { { 6, 8 }, { 8, 8 }, TOKEND_CHARACTERS_DIGITS },
      TOKEND_CODE_REFUSE,
      "is too short: it takes 6 to 8 bytes" },
    { "123456789",
      { { 6, 8 }, { 8, 8 }, TOKEND_CHARACTERS_DIGITS },
      TOKEND_CODE_REFUSE,
      "is too long: it takes 6 to 8 bytes" },
    { "123456", { { 6, 8 }, { 0, 0 }, TOKEND_CHARACTERS_ANY }, TOKEND_CODE_SEND, "" },
    { "12345678", { { 6, 8 }, { 0, 0 }, TOKEND_CHARACTERS_ANY }, TOKEND_CODE_SEND, "" },
    { "1234567",
      { { 8, 0 }, { 0, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_REFUSE,
      "is too short: it takes at least 8 bytes" },
    { "1234567",
      { { 8, 255 }, { 0, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_REFUSE,
      "is too short: it takes at least 8 bytes" },
    { "1234567",
      { { 0, 6 }, { 0, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_REFUSE,
      "is too long: it takes at most 6 bytes" },
    { "1234567",
      { { 8, 8 }, { 0, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_REFUSE,
      "is too short: it takes 8 bytes" },
    /* Seven characters of a byte or two are eight bytes, and not eight characters. */
    { "123456ş",
      { { 8, 8 }, { 8, 8 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has 8 characters" },
    { "1234567",
      { { 6, 8 }, { 8, 8 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has 8 characters" },
    { "123",
      { { 0, 0 }, { 4, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has at least 4 characters" },
    { "12345",
      { { 0, 0 }, { 0, 4 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has at most 4 characters" },
    { "123",
      { { 0, 0 }, { 4, 6 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has 4 to 6 characters" },
    { "1234a",
      { { 0, 0 }, { 0, 0 }, TOKEND_CHARACTERS_DIGITS },
      TOKEND_CODE_ASK,
      "has other characters than digits, which is not usual" },
    { "a1234",
      { { 0, 0 }, { 0, 0 }, TOKEND_CHARACTERS_DIGITS },
      TOKEND_CODE_ASK,
      "has other characters than digits, which is not usual" },
    { "1234a", { { 0, 0 }, { 0, 0 }, TOKEND_CHARACTERS_ANY }, TOKEND_CODE_SEND, "" },
    /* Ends that say nothing are not told. */
    { "1234567",
      { { 1, 6 }, { 0, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_REFUSE,
      "is too long: it takes at most 6 bytes" },
    { "1234567",
      { { 2, 6 }, { 0, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_REFUSE,
      "is too long: it takes 2 to 6 bytes" },
    { "1234567",
      { { 8, 254 }, { 0, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_REFUSE,
      "is too short: it takes 8 to 254 bytes" },
    { "1234567",
      { { 0, 0 }, { 1, 6 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has at most 6 characters" },
    { "1234567",
      { { 0, 0 }, { 2, 6 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has 2 to 6 characters" },
    { "1234567",
      { { 0, 0 }, { 8, 255 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has at least 8 characters" },
    { "1234567",
      { { 0, 0 }, { 8, 254 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_ASK,
      "is not as long as usual: mostly it has 8 to 254 characters" },
    /* Rules that contradict each other: nothing can be right. */
    { "12345678",
      { { 8, 6 }, { 0, 0 }, TOKEND_CHARACTERS_ANY },
      TOKEND_CODE_REFUSE,
      "is too long: it takes 8 to 6 bytes" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const TokendCodeResult result =
        tokend_code_validate_by_rules (rows[i].code, strlen (rows[i].code), &rows[i].rules);
    g_autofree char *words = tokend_code_result_describe (&result, in_english);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (result.answer, ==, rows[i].answer);
    g_assert_cmpstr (words, ==, rows[i].words);
    g_assert_cmpuint (result.position, ==, 0);
  }
}

static void
test_seen (void)
{
  g_assert_true (tokend_code_is_seen ('1'));
  g_assert_true (tokend_code_is_seen (0x15f));
  g_assert_true (tokend_code_is_seen (0xe000));
  g_assert_false (tokend_code_is_seen (' '));
  g_assert_false (tokend_code_is_seen (0xa0));
  g_assert_false (tokend_code_is_seen (0x200b));
  g_assert_false (tokend_code_is_seen (0x3164));
}

/* The text of every finding goes through the translation, and the place with it. */
static const char *
in_nobodys_language (const char *text)
{
  if (g_str_equal (text, "after the %uth"))
    return "<%u>";
  if (g_str_equal (text, "has a blank %s"))
    return "blank %s";
  return "?";
}

static void
test_same (void)
{
  g_assert_cmpstr (tokend_code_describe_same (TRUE, in_english), ==,
                   "The new PIN is the same as the PUK");
  g_assert_cmpstr (tokend_code_describe_same (FALSE, in_english), ==,
                   "The new PIN is the same as the present one");
}

static void
test_translated (void)
{
  const TokendCodeResult result = { .finding = TOKEND_CODE_BLANK, .position = 8 };
  g_autofree char *words = tokend_code_result_describe (&result, in_nobodys_language);

  g_assert_cmpstr (words, ==, "blank <8>");
}

/* As English counts, up to the longest code. */
static void
test_targets (void)
{
  static const char *const ends[] = { "th", "st", "nd", "rd", "th", "th", "th", "th", "th", "th" };

  for (guint position = 1; position <= TOKEND_CODE_MAX; position++) {
    const gboolean is_teen = position % 100 >= 11 && position % 100 <= 13;
    const TokendCodeResult result = { .finding = TOKEND_CODE_BLANK, .position = position };
    g_autofree char *words = tokend_code_result_describe (&result, in_english);
    g_autofree char *expected = g_strdup_printf ("has a blank after the %u%s", position,
                                                 is_teen ? "th" : ends[position % 10]);

    g_assert_cmpstr (words, ==, expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/code-check/table", test_table);
  g_test_add_func ("/code-check/kinds", test_kinds);
  g_test_add_func ("/code-check/all-characters", test_all_characters);
  g_test_add_func ("/code-check/rules", test_rules);
  g_test_add_func ("/code-check/seen", test_seen);
  g_test_add_func ("/code-check/places", test_targets);
  g_test_add_func ("/code-check/same", test_same);
  g_test_add_func ("/code-check/translated", test_translated);
  return g_test_run ();
}
