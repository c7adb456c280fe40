/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-check.h"

#include "fuzz.h"
#include "tokend-status.h"

#include <string.h>

static const char *
in_english (const char *text)
{
  return text;
}

/* What goes to a token without a word: every character can be seen, or is one blank between two
 * others. */
static void
check_sent (const char *bytes, gsize length)
{
  g_assert_true (length > 0 && length <= TOKEND_CODE_MAX);
  g_assert_true (g_utf8_validate_len (bytes, length, NULL));
  for (const char *p = bytes; p < bytes + length; p = g_utf8_next_char (p)) {
    const gunichar c = g_utf8_get_char (p);

    g_assert_false (g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT);
    if (tokend_code_is_seen (c))
      continue;
    g_assert_cmpuint (c, ==, ' ');
    g_assert_true (p > bytes && p[-1] != ' ' && p + 1 < bytes + length && p[1] != ' ');
  }
}

/* The words say something, and nothing of the code: they are ASCII, and no longer than a line. */
static void
check_words (const TokendCodeResult *result, gsize length)
{
  g_autofree char *words = tokend_code_result_describe (result, in_english);

  g_assert_true (g_str_is_ascii (words) && strlen (words) < 80);
  g_assert_cmpint (*words == '\0', ==, result->answer == TOKEND_CODE_SEND);
  g_assert_cmpuint (result->position, <=, length);
}

/* By one code the rules, which may contradict each other: none makes a code one that can never be
 * sent. */
static void
check_rules (const char *bytes, gsize length)
{
  const TokendCodeRules rules = { .length = { (guint8) bytes[0] % 9,
                                              (guint8) bytes[length - 1] % 9 },
                                  .usual_length = { length % 9, length % 7 },
                                  .usual_characters = length % 2 };
  const TokendCodeResult result = tokend_code_validate_by_rules (bytes, length, &rules);

  g_assert_cmpint (result.answer, <, TOKEND_CODE_NEVER);
  check_words (&result, length);
  if (result.answer == TOKEND_CODE_SEND)
    g_assert_true (length >= rules.length.minimum
                   && (rules.length.maximum == 0 || length <= rules.length.maximum));
}

/* Any bytes, as a present code and as a new one. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *bytes = (const char *) data;
  const TokendCodeResult present = tokend_code_validate (bytes, size, TOKEND_CODE_KIND_PRESENT);
  const TokendCodeResult new_pin = tokend_code_validate (bytes, size, TOKEND_CODE_KIND_NEW);

  check_words (&present, size);
  check_words (&new_pin, size);
  if (present.answer <= TOKEND_CODE_ASK)
    check_sent (bytes, size);
  if (present.answer < TOKEND_CODE_NEVER)
    check_rules (bytes, size);
  if (present.answer == TOKEND_CODE_REFUSE)
    g_assert_true (g_utf8_validate_len (bytes, size, NULL));
  g_assert_cmpint (new_pin.answer, ==,
                   present.answer == TOKEND_CODE_REFUSE ? TOKEND_CODE_NEVER : present.answer);
  return 0;
}
