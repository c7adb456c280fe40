/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ask.h"

#include <glib/gi18n.h>

#include "check.h"
#include "exit-code.h"
#include "printable.h"

/* How often a person may mistype before tokenctl gives up. It costs nothing: nothing is sent
 * meanwhile. */
#define ROUNDS 3

static void
give_up (GError **error)
{
  g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                       _ ("Given up. Nothing was sent; no try was spent."));
}

static TokenctlCode *
ask_once (TokenctlTerminal *terminal, const char *prompt, GError **error)
{
  g_autoptr (TokenctlCode) code = tokenctl_code_new (error);

  if (code == NULL || !tokenctl_terminal_ask_code (terminal, prompt, code, error))
    return NULL;
  return g_steal_pointer (&code);
}

static gboolean
is_plausible (TokenctlTerminal *terminal, TokenctlCode *code)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = NULL;

  if (tokenctl_check_code (tokenctl_code_bytes (code), tokenctl_code_length (code), &problem))
    return TRUE;
  text = g_strdup_printf (_ ("This cannot be the code: %s. Nothing was sent."), problem->message);
  tokenctl_terminal_say (terminal, text);
  return FALSE;
}

/**
 * tokenctl_ask_present_code:
 * @terminal: where to ask
 * @role: the PUK or the present PIN
 * @error: cancelled, or given up
 *
 * Asks for a code that is about to be spent. One with a blank inside is taken if it is typed again
 * just the same.
 *
 * Returns: (transfer full): the code
 */
TokenctlCode *
tokenctl_ask_present_code (TokenctlTerminal *terminal, TokenctlRole role, GError **error)
{
  const char *prompt = role == TOKENCTL_ROLE_PIN ? _ ("Present PIN: ") : _ ("PUK: ");
  g_autoptr (TokenctlCode) before = NULL;

  for (guint round = 0; round < ROUNDS; round++) {
    g_autoptr (TokenctlCode) code = ask_once (terminal, prompt, error);
    TokenctlBlanks blanks;

    if (code == NULL)
      return NULL;
    if (!is_plausible (terminal, code))
      continue;

    blanks = tokenctl_check_blanks (tokenctl_code_bytes (code));
    if (blanks == TOKENCTL_BLANKS_NONE)
      return g_steal_pointer (&code);
    if (blanks == TOKENCTL_BLANKS_INSIDE && before != NULL && tokenctl_code_equal (before, code))
      return g_steal_pointer (&code);

    tokenctl_terminal_say (terminal, _ ("The code contains a blank; codes pasted from an SMS often "
                                        "do. Nothing was sent. Type it again."));
    g_clear_pointer (&before, tokenctl_code_free);
    before = g_steal_pointer (&code);
  }

  give_up (error);
  return NULL;
}

static char *
new_pin_prompt (GVariant *status)
{
  gboolean digits =
      g_str_equal (tokenctl_status_string (status, TOKEND_STATUS_PIN_CHARACTERS), "digits");
  guint minimum, maximum;

  tokenctl_status_uint (status, TOKEND_STATUS_PIN_MINIMUM_LENGTH, &minimum);
  tokenctl_status_uint (status, TOKEND_STATUS_PIN_MAXIMUM_LENGTH, &maximum);

  if (minimum > 0 && maximum > 0)
    return digits ? g_strdup_printf (_ ("New PIN (%u to %u digits): "), minimum, maximum)
                  : g_strdup_printf (_ ("New PIN (%u to %u characters): "), minimum, maximum);
  if (minimum > 0)
    return digits ? g_strdup_printf (_ ("New PIN (at least %u digits): "), minimum)
                  : g_strdup_printf (_ ("New PIN (at least %u characters): "), minimum);
  return g_strdup (digits ? _ ("New PIN (digits): ") : _ ("New PIN: "));
}

static gboolean
keeps_the_rules (TokenctlTerminal *terminal, TokenctlCode *pin, GVariant *status)
{
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = NULL;

  if (!is_plausible (terminal, pin))
    return FALSE;
  if (tokenctl_check_new_pin (tokenctl_code_bytes (pin), status, &problem))
    return TRUE;
  text = g_strdup_printf (_ ("%s Nothing was sent; no try was spent."), problem->message);
  tokenctl_terminal_say (terminal, text);
  return FALSE;
}

/**
 * tokenctl_ask_new_pin:
 * @terminal: where to ask
 * @status: the token's status, with its rules for a PIN
 * @error: cancelled, or given up
 *
 * Returns: (transfer full): a PIN that keeps the rules and was typed twice
 */
TokenctlCode *
tokenctl_ask_new_pin (TokenctlTerminal *terminal, GVariant *status, GError **error)
{
  g_autofree char *prompt = new_pin_prompt (status);

  for (guint round = 0; round < ROUNDS; round++) {
    g_autoptr (TokenctlCode) pin = ask_once (terminal, prompt, error);
    g_autoptr (TokenctlCode) again = NULL;

    if (pin == NULL)
      return NULL;
    if (!keeps_the_rules (terminal, pin, status))
      continue;

    again = ask_once (terminal, _ ("New PIN once more: "), error);
    if (again == NULL)
      return NULL;
    if (tokenctl_code_equal (pin, again))
      return g_steal_pointer (&pin);
    tokenctl_terminal_say (terminal, _ ("The two are not the same. Nothing was sent."));
  }

  give_up (error);
  return NULL;
}

/* A keyboard may make one character of what the token's label has as two. */
static gboolean
is_same_text (const char *a, const char *b)
{
  g_autofree char *composed_a = g_utf8_normalize (a, -1, G_NORMALIZE_DEFAULT_COMPOSE);
  g_autofree char *composed_b = g_utf8_normalize (b, -1, G_NORMALIZE_DEFAULT_COMPOSE);

  return composed_a != NULL && g_strcmp0 (composed_a, composed_b) == 0;
}

/**
 * tokenctl_ask_final_word:
 * @terminal: where to ask
 * @status: the token's status
 * @error: cancelled, or not confirmed
 *
 * Returns: whether the person typed the token's label, and so wants to spend what may be the last
 * try
 */
gboolean
tokenctl_ask_final_word (TokenctlTerminal *terminal, GVariant *status, GError **error)
{
  const char *word = tokenctl_status_string (status, TOKEND_STATUS_LABEL);
  g_autofree char *prompt = NULL;
  g_autofree char *printable = NULL;
  g_autofree char *answer = NULL;

  if (*word == '\0')
    word = tokenctl_status_string (status, TOKEND_STATUS_SERIAL);
  printable = tokenctl_printable (word);
  prompt = g_strdup_printf (
      _ ("This may be the last try. If you are sure of the code, type the token's label (%s); if "
         "not, just press Enter: "),
      printable);

  answer = tokenctl_terminal_ask_line (terminal, prompt, error);
  if (answer == NULL)
    return FALSE;
  if (*word != '\0' && is_same_text (answer, word))
    return TRUE;

  g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                       _ ("Not confirmed. Nothing was sent; no try was spent."));
  return FALSE;
}
