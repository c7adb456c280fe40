/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-check.h"

#include "ignorable-characters.h"
#include "tokend-status.h"

#include <glib/gi18n.h>

/* Tells whether Unicode gives @c the property Default_Ignorable_Code_Point. */
static gboolean
is_ignorable (gunichar c)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ignorable_characters); i++) {
    if (c >= ignorable_characters[i].first && c <= ignorable_characters[i].last)
      return TRUE;
  }
  return FALSE;
}

static TokendCodeFinding
find_in_character (gunichar c)
{
  switch (g_unichar_type (c)) {
  case G_UNICODE_CONTROL:
    return TOKEND_CODE_CONTROL;
  case G_UNICODE_FORMAT:
    return TOKEND_CODE_INVISIBLE;
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
  case G_UNICODE_SPACE_SEPARATOR:
    return TOKEND_CODE_BLANK;
  case G_UNICODE_UNASSIGNED:
  case G_UNICODE_PRIVATE_USE:
  case G_UNICODE_SURROGATE:
    return is_ignorable (c) ? TOKEND_CODE_INVISIBLE : TOKEND_CODE_UNDEFINED;
  default:
    if (is_ignorable (c))
      return TOKEND_CODE_INVISIBLE;
    return c < 0x7f ? TOKEND_CODE_NOTHING : TOKEND_CODE_NOT_ASCII;
  }
}

/**
 * tokend_code_is_seen:
 * @c: a character of a code
 *
 * Returns: whether a person sees it: it is neither a blank nor invisible
 */
gboolean
tokend_code_is_seen (gunichar c)
{
  const TokendCodeFinding finding = find_in_character (c);

  return finding != TOKEND_CODE_BLANK && finding != TOKEND_CODE_INVISIBLE;
}

static TokendCodeAnswer
answer_of (TokendCodeFinding finding, TokendCodeKind kind)
{
  switch (finding) {
  case TOKEND_CODE_NOTHING:
    return TOKEND_CODE_SEND;
  case TOKEND_CODE_NOT_ASCII:
  case TOKEND_CODE_UNUSUAL_LENGTH:
  case TOKEND_CODE_UNUSUAL_CHARACTERS:
    return TOKEND_CODE_ASK;
  case TOKEND_CODE_BLANK:
  case TOKEND_CODE_INVISIBLE:
  case TOKEND_CODE_UNDEFINED:
  case TOKEND_CODE_TOO_SHORT:
  case TOKEND_CODE_TOO_LONG_HERE:
    return kind == TOKEND_CODE_KIND_NEW ? TOKEND_CODE_NEVER : TOKEND_CODE_REFUSE;
  case TOKEND_CODE_EMPTY:
  case TOKEND_CODE_TOO_LONG:
  case TOKEND_CODE_ENDS_WITH_NEWLINE:
  case TOKEND_CODE_ENDS_WITH_RETURN:
  case TOKEND_CODE_NOT_UTF8:
  case TOKEND_CODE_CONTROL:
    return TOKEND_CODE_NEVER;
  }
  g_return_val_if_reached (TOKEND_CODE_NEVER);
}

static TokendCodeResult
result_of (TokendCodeFinding finding, gsize position, TokendCodeKind kind)
{
  return (TokendCodeResult){ .answer = answer_of (finding, kind),
                             .finding = finding,
                             .position = (guint) position };
}

/* Finds one blank between two other characters, as people write codes. The first of several in a
 * row is none. */
static gboolean
is_inner_blank (const char *p, const char *begin, const char *end)
{
  return *p == ' ' && p > begin && p + 1 < end && p[1] != ' ';
}

/* Returns the first of the findings with the strictest answer. @bytes is UTF-8 without a NUL. */
static TokendCodeResult
validate_characters (const char *bytes, gsize length, TokendCodeKind kind)
{
  TokendCodeResult strictest = { .answer = TOKEND_CODE_SEND };
  const char *end = bytes + length;
  gsize position = 0;

  for (const char *p = bytes; p < end; p = g_utf8_next_char (p), position++) {
    TokendCodeResult result;

    if (is_inner_blank (p, bytes, end))
      continue;
    result = result_of (find_in_character (g_utf8_get_char (p)), position, kind);
    if (result.answer > strictest.answer)
      strictest = result;
  }
  return strictest;
}

/**
 * tokend_code_validate:
 * @bytes: (array length=length): a code
 * @kind: what it is for
 *
 * Tells whether @bytes can be a code at all, and if not, why. The hosts and the clients validate
 * codes here alone.
 *
 * Returns: the result; of several findings the first with the strictest answer
 */
TokendCodeResult
tokend_code_validate (const char *bytes, gsize length, TokendCodeKind kind)
{
  const char *valid_end;

  if (length == 0)
    return result_of (TOKEND_CODE_EMPTY, 0, kind);
  if (length > TOKEND_CODE_MAX)
    return result_of (TOKEND_CODE_TOO_LONG, 0, kind);
  if (bytes[length - 1] == '\n')
    return result_of (TOKEND_CODE_ENDS_WITH_NEWLINE, 0, kind);
  if (bytes[length - 1] == '\r')
    return result_of (TOKEND_CODE_ENDS_WITH_RETURN, 0, kind);
  if (!g_utf8_validate_len (bytes, length, &valid_end)) {
    const gsize position = (gsize) g_utf8_strlen (bytes, valid_end - bytes);

    return result_of (*valid_end == '\0' ? TOKEND_CODE_CONTROL : TOKEND_CODE_NOT_UTF8, position,
                      kind);
  }
  return validate_characters (bytes, length, kind);
}

static gboolean
is_within (gsize length, const TokendCodeLimits *limits)
{
  return length >= limits->minimum && (limits->maximum == 0 || length <= limits->maximum);
}

static gboolean
is_digits (const char *bytes, gsize length)
{
  for (gsize i = 0; i < length; i++) {
    if (!g_ascii_isdigit (bytes[i]))
      return FALSE;
  }
  return TRUE;
}

static TokendCodeFinding
find_by_rules (const char *bytes, gsize length, const TokendCodeRules *rules)
{
  if (!is_within (length, &rules->length))
    return length < rules->length.minimum ? TOKEND_CODE_TOO_SHORT : TOKEND_CODE_TOO_LONG_HERE;
  if (!is_within ((gsize) g_utf8_strlen (bytes, (gssize) length), &rules->usual_length))
    return TOKEND_CODE_UNUSUAL_LENGTH;
  if (rules->usual_characters == TOKEND_CHARACTERS_DIGITS && !is_digits (bytes, length))
    return TOKEND_CODE_UNUSUAL_CHARACTERS;
  return TOKEND_CODE_NOTHING;
}

/**
 * tokend_code_validate_by_rules:
 * @bytes: (array length=length): a PUK or present PIN whose tokend_code_validate() is not
 *   %TOKEND_CODE_NEVER
 * @rules: of the token that it is for
 *
 * Returns: the result; of several findings the first with the strictest answer
 */
TokendCodeResult
tokend_code_validate_by_rules (const char *bytes, gsize length, const TokendCodeRules *rules)
{
  TokendCodeResult result =
      result_of (find_by_rules (bytes, length, rules), 0, TOKEND_CODE_KIND_PRESENT);

  result.limits =
      result.finding == TOKEND_CODE_UNUSUAL_LENGTH ? rules->usual_length : rules->length;
  return result;
}

/**
 * tokend_new_pin_validate:
 * @bytes: (array length=length): a new PIN that tokend_code_validate() accepts
 * @rules: of the token that it is for
 *
 * Returns: the first rule that it breaks
 */
TokendNewPinFinding
tokend_new_pin_validate (const char *bytes, gsize length, const TokendNewPinRules *rules)
{
  if (rules->characters == TOKEND_CHARACTERS_DIGITS && !is_digits (bytes, length))
    return TOKEND_NEW_PIN_NOT_DIGITS;
  if (!is_within ((gsize) g_utf8_strlen (bytes, (gssize) length), &rules->characters_limits))
    return TOKEND_NEW_PIN_LENGTH_IN_CHARACTERS;
  if (!is_within (length, &rules->bytes_limits))
    return TOKEND_NEW_PIN_LENGTH_IN_BYTES;
  return TOKEND_NEW_PIN_KEEPS_ALL;
}

/**
 * tokend_code_describe_same:
 * @is_puk: whether it is the PUK, else the present PIN
 * @translate: into which language
 *
 * Returns: (transfer none): what is wrong with a new PIN that is the code it is set with
 */
const char *
tokend_code_describe_same (gboolean is_puk, TokendTranslate translate)
{
  return is_puk ? translate (N_ ("The new PIN is the same as the PUK"))
                : translate (N_ ("The new PIN is the same as the present one"));
}

static char *
describe_bytes (const TokendCodeLimits *limits, TokendTranslate translate)
{
  if (limits->minimum == limits->maximum)
    return g_strdup_printf (translate (N_ ("%u bytes")), limits->minimum);
  if (limits->minimum <= 1)
    return g_strdup_printf (translate (N_ ("at most %u bytes")), limits->maximum);
  if (limits->maximum == 0 || limits->maximum >= TOKEND_CODE_MAX)
    return g_strdup_printf (translate (N_ ("at least %u bytes")), limits->minimum);
  return g_strdup_printf (translate (N_ ("%u to %u bytes")), limits->minimum, limits->maximum);
}

static char *
describe_characters (const TokendCodeLimits *limits, TokendTranslate translate)
{
  if (limits->minimum == limits->maximum)
    return g_strdup_printf (translate (N_ ("%u characters")), limits->minimum);
  if (limits->minimum <= 1)
    return g_strdup_printf (translate (N_ ("at most %u characters")), limits->maximum);
  if (limits->maximum == 0 || limits->maximum >= TOKEND_CODE_MAX)
    return g_strdup_printf (translate (N_ ("at least %u characters")), limits->minimum);
  return g_strdup_printf (translate (N_ ("%u to %u characters")), limits->minimum, limits->maximum);
}

static char *
describe_position (guint position, TokendTranslate translate)
{
  const guint last = position % 100 / 10 == 1 ? 0 : position % 10;

  if (position == 0)
    return g_strdup (translate (N_ ("at the beginning")));
  if (last == 1)
    return g_strdup_printf (translate (N_ ("after the %ust")), position);
  if (last == 2)
    return g_strdup_printf (translate (N_ ("after the %und")), position);
  if (last == 3)
    return g_strdup_printf (translate (N_ ("after the %urd")), position);
  return g_strdup_printf (translate (N_ ("after the %uth")), position);
}

/**
 * tokend_code_result_describe:
 * @translate: into which language
 *
 * Returns: (transfer full): what is wrong with the code and where, without anything of the code. It
 *   follows a subject, as in "The PUK has an invisible character after the 8th". Empty if nothing
 *   is wrong.
 */
char *
tokend_code_result_describe (const TokendCodeResult *result, TokendTranslate translate)
{
  g_autofree char *place = describe_position (result->position, translate);
  g_autofree char *bytes = describe_bytes (&result->limits, translate);
  g_autofree char *characters = describe_characters (&result->limits, translate);

  switch (result->finding) {
  case TOKEND_CODE_NOTHING:
    return g_strdup ("");
  case TOKEND_CODE_EMPTY:
    return g_strdup (translate (N_ ("is empty")));
  case TOKEND_CODE_TOO_LONG:
    return g_strdup_printf (translate (N_ ("is longer than %u bytes")), TOKEND_CODE_MAX);
  case TOKEND_CODE_ENDS_WITH_NEWLINE:
    return g_strdup (translate (N_ ("ends with a newline: send the code alone")));
  case TOKEND_CODE_ENDS_WITH_RETURN:
    return g_strdup (translate (N_ ("ends with a carriage return: send the code alone")));
  case TOKEND_CODE_NOT_UTF8:
    return g_strdup_printf (translate (N_ ("is not valid UTF-8 %s")), place);
  case TOKEND_CODE_CONTROL:
    return g_strdup_printf (translate (N_ ("has a control character %s")), place);
  case TOKEND_CODE_BLANK:
    return g_strdup_printf (translate (N_ ("has a blank %s")), place);
  case TOKEND_CODE_INVISIBLE:
    return g_strdup_printf (translate (N_ ("has an invisible character %s")), place);
  case TOKEND_CODE_UNDEFINED:
    return g_strdup_printf (translate (N_ ("has a character without a meaning %s")), place);
  case TOKEND_CODE_NOT_ASCII:
    return g_strdup_printf (translate (N_ ("has a character that not every keyboard has %s")),
                            place);
  case TOKEND_CODE_TOO_SHORT:
    return g_strdup_printf (translate (N_ ("is too short: it takes %s")), bytes);
  case TOKEND_CODE_TOO_LONG_HERE:
    return g_strdup_printf (translate (N_ ("is too long: it takes %s")), bytes);
  case TOKEND_CODE_UNUSUAL_LENGTH:
    return g_strdup_printf (translate (N_ ("is not as long as usual: mostly it has %s")),
                            characters);
  case TOKEND_CODE_UNUSUAL_CHARACTERS:
    return g_strdup (translate (N_ ("has other characters than digits, which is not usual")));
  }
  g_return_val_if_reached (g_strdup (""));
}
