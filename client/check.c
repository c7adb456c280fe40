/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <glib/gi18n.h>

#include "exit-code.h"
#include "status.h"

static gboolean
has_control_character (const char *text)
{
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p)) {
    if (g_unichar_iscntrl (g_utf8_get_char (p)))
      return TRUE;
  }
  return FALSE;
}

/**
 * tokenctl_check_code:
 * @bytes: a code, followed by a NUL
 * @length: its length in bytes
 * @error: return location; its message follows a colon
 *
 * Whether this can be a code at all.
 */
gboolean
tokenctl_check_code (const char *bytes, gsize length, GError **error)
{
  const char *problem = NULL;

  if (length == 0)
    problem = _ ("it is empty");
  else if (length > TOKEND_CODE_MAX)
    problem = _ ("it is too long for a PIN or PUK");
  else if (!g_utf8_validate (bytes, length, NULL))
    problem = _ ("it is not UTF-8 text");
  else if (has_control_character (bytes))
    problem = _ ("it contains a control character, such as a line end");

  if (problem == NULL)
    return TRUE;
  g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE, problem);
  return FALSE;
}

static gboolean
is_all_digits (const char *text)
{
  return text[strspn (text, G_CSET_DIGITS)] == '\0';
}

/**
 * tokenctl_check_new_pin:
 * @pin: a new PIN
 * @status: an a{sv} as Token.GetStatus gives it
 * @error: return location
 *
 * Whether @pin keeps the token's rules, as far as they are known, and can be given as the present one later.
 */
gboolean
tokenctl_check_new_pin (const char *pin, GVariant *status, GError **error)
{
  gulong length = g_utf8_strlen (pin, -1);
  guint minimum, maximum;

  tokenctl_status_uint (status, TOKEND_STATUS_PIN_MINIMUM_LENGTH, &minimum);
  tokenctl_status_uint (status, TOKEND_STATUS_PIN_MAXIMUM_LENGTH, &maximum);

  if (tokenctl_check_blanks (pin) == TOKENCTL_BLANKS_AT_ENDS)
    g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                         _ ("The new PIN begins or ends with a blank, which is almost surely a "
                            "mistake."));
  else if (g_str_equal (tokenctl_status_string (status, TOKEND_STATUS_PIN_CHARACTERS), "digits")
           && !is_all_digits (pin))
    g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                         _ ("The new PIN may consist of digits only."));
  else if (length < minimum)
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                 ngettext ("The new PIN is too short: it must have at least %u character.",
                           "The new PIN is too short: it must have at least %u characters.",
                           minimum),
                 minimum);
  else if (maximum > 0 && length > maximum)
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                 ngettext ("The new PIN is too long: it must have at most %u character.",
                           "The new PIN is too long: it must have at most %u characters.", maximum),
                 maximum);
  else
    return TRUE;

  return FALSE;
}

/**
 * tokenctl_check_blanks:
 * @code: a code that tokenctl_check_code() let through
 *
 * Returns: where @code has blanks
 */
TokenctlBlanks
tokenctl_check_blanks (const char *code)
{
  const char *last = g_utf8_find_prev_char (code, code + strlen (code));
  TokenctlBlanks blanks = TOKENCTL_BLANKS_NONE;

  for (const char *p = code; *p != '\0'; p = g_utf8_next_char (p)) {
    if (!g_unichar_isspace (g_utf8_get_char (p)))
      continue;
    if (p == code || p == last)
      return TOKENCTL_BLANKS_AT_ENDS;
    blanks = TOKENCTL_BLANKS_INSIDE;
  }
  return blanks;
}
