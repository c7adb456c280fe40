/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"

#include <glib/gi18n.h>

#include "exit-code.h"
#include "status.h"

static const char *
translate (const char *text)
{
  return gettext (text);
}

/**
 * tokenctl_check_describe:
 * @verdict: of a code
 *
 * Returns: (transfer full): what is wrong with it, in the person's language; it follows a subject, as "the code"
 */
char *
tokenctl_check_describe (const TokendCodeVerdict *verdict)
{
  return tokend_code_verdict_describe (verdict, translate);
}

static gboolean
is_all_digits (const char *text)
{
  return text[strspn (text, G_CSET_DIGITS)] == '\0';
}

static gboolean
keeps_the_rules (const char *pin, GVariant *status, GError **error)
{
  gulong length = g_utf8_strlen (pin, -1);
  guint minimum, maximum;

  tokenctl_status_uint (status, TOKEND_STATUS_PIN_MINIMUM_LENGTH, &minimum);
  tokenctl_status_uint (status, TOKEND_STATUS_PIN_MAXIMUM_LENGTH, &maximum);

  if (g_str_equal (tokenctl_status_string (status, TOKEND_STATUS_PIN_CHARACTERS), "digits")
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
 * tokenctl_check_new_pin:
 * @pin: a new PIN that tokend_code_judge() let through
 * @wanted: what it is held against
 * @error: return location
 *
 * Whether @pin is another code than the one that it is set with, and keeps the token's rules, as far as they are known.
 */
gboolean
tokenctl_check_new_pin (TokenctlCode *pin, const TokenctlNewPin *wanted, GError **error)
{
  if (wanted->code != NULL && tokenctl_code_equal (pin, wanted->code)) {
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED, "%s.",
                 tokend_code_describe_same (wanted->role == TOKENCTL_ROLE_PUK, translate));
    return FALSE;
  }
  return keeps_the_rules (tokenctl_code_bytes (pin), wanted->status, error);
}
