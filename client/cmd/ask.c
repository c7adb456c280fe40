/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ask.h"

#include <glib/gi18n.h>

#include "exit-code.h"
#include "printable.h"
#include "typed.h"

/* How often a person may mistype. It costs nothing, since nothing is sent. */
#define ROUNDS 3

static void
give_up (GError **error)
{
  g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                       _ ("Given up. Nothing was sent; no try was spent."));
}

static void
set_not_confirmed (GError **error)
{
  g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                       _ ("Not confirmed. Nothing was sent; no try was spent."));
}

static TokenctlCode *
ask_once (TokenctlTerminal *terminal, const char *prompt, GError **error)
{
  g_autoptr (TokenctlCode) code = tokenctl_code_new (error);

  if (code == NULL || !tokenctl_terminal_ask_code (terminal, prompt, code, error))
    return NULL;
  return g_steal_pointer (&code);
}

/* What became of a code that was typed. */
typedef enum {
  ENTRY_TAKEN,
  ENTRY_AGAIN, /* the person was told why */
  ENTRY_CANCELLED,
} Entry;

/* Says that the code cannot be sent, and what is wrong with it. */
static void
say_impossible (TokenctlTerminal *terminal, const TokendCodeResult *result)
{
  g_autofree char *mistake = tokenctl_check_describe (result);
  g_autofree char *text = NULL;

  if (result->answer == TOKEND_CODE_NEVER)
    text = g_strdup_printf (_ ("This cannot be the code: it %s. Nothing was sent."), mistake);
  else
    text = g_strdup_printf (_ ("This cannot be the code: it %s. Nothing was sent. If another "
                               "program has set it so: --send-unusual-code"),
                            mistake);
  tokenctl_terminal_say (terminal, text);
}

/* @is_yes: (out): whether yes was typed; Enter alone is a no. Returns: whether an answer came. */
static gboolean
ask_for_yes (TokenctlTerminal *terminal, const char *prompt, gboolean *is_yes, GError **error)
{
  g_autofree char *answer = tokenctl_terminal_ask_line (terminal, prompt, error);

  if (answer != NULL)
    *is_yes = tokenctl_typed_is_yes (answer);
  return answer != NULL;
}

/**
 * tokenctl_ask_yes:
 * @terminal: where to ask
 * @question: a yes-or-no question
 * @error: cancelled, or not confirmed
 *
 * Returns: whether the person said yes
 */
gboolean
tokenctl_ask_yes (TokenctlTerminal *terminal, const char *question, GError **error)
{
  g_autofree char *prompt =
      g_strdup_printf (_ ("%s If so, type yes; if not, just press Enter: "), question);
  gboolean is_yes = FALSE;

  if (!ask_for_yes (terminal, prompt, &is_yes, error))
    return FALSE;
  if (!is_yes)
    set_not_confirmed (error);
  return is_yes;
}

/* Asks whether a doubtful code is meant. */
static Entry
ask_whether_meant (TokenctlTerminal *terminal, const TokendCodeResult *result, TokendCodeKind kind,
                   GError **error)
{
  g_autofree char *mistake = tokenctl_check_describe (result);
  g_autofree char *doubt = g_strdup_printf (
      kind == TOKEND_CODE_KIND_NEW ? _ ("The new PIN %s: elsewhere you may not be able to type it.")
                                   : _ ("The code %s; a wrong one costs a try."),
      mistake);
  g_autofree char *prompt =
      g_strdup_printf (_ ("%s Nothing was sent. If it is meant so, type yes; if not, just press "
                          "Enter: "),
                       doubt);
  gboolean is_yes = FALSE;

  if (!ask_for_yes (terminal, prompt, &is_yes, error))
    return ENTRY_CANCELLED;
  return is_yes ? ENTRY_TAKEN : ENTRY_AGAIN;
}

static Entry
take_present_code (TokenctlTerminal *terminal, const TokenctlTyped *typed, GError **error)
{
  switch (typed->answer) {
  case TOKENCTL_TYPED_TAKEN:
    return ENTRY_TAKEN;
  case TOKENCTL_TYPED_DOUBTFUL:
    return ask_whether_meant (terminal, &typed->result, TOKEND_CODE_KIND_PRESENT, error);
  case TOKENCTL_TYPED_BLANK:
    tokenctl_terminal_say (terminal,
                           _ ("The code contains a blank; codes pasted from an SMS often do. "
                              "Nothing was sent. Type it again: without the blank, or just the "
                              "same if the blank is part of it."));
    return ENTRY_AGAIN;
  case TOKENCTL_TYPED_ANOTHER:
    tokenctl_terminal_say (terminal,
                           _ ("This is not the code that was typed before. Nothing was sent. Type "
                              "it again."));
    return ENTRY_AGAIN;
  case TOKENCTL_TYPED_IMPOSSIBLE:
    break;
  }
  say_impossible (terminal, &typed->result);
  return ENTRY_AGAIN;
}

/* @before: (inout): what the next code is compared with; takes over @code. */
static void
remember (TokenctlCode **before, TokenctlCode **code, TokenctlTypedNext next)
{
  if (next == TOKENCTL_NEXT_AS_BEFORE)
    return;
  g_clear_pointer (before, tokenctl_code_free);
  if (next == TOKENCTL_NEXT_AS_THIS)
    *before = g_steal_pointer (code);
}

/**
 * tokenctl_ask_present_code:
 * @terminal: where to ask
 * @prompt: what to ask for it with
 * @rules: what is known of it on this token
 * @send_unusual: whether the person says that the code may look like a mistake
 * @error: cancelled, or given up
 *
 * Asks for a code that is about to be spent; see tokenctl_typed_validate().
 *
 * Returns: (transfer full): the code
 */
TokenctlCode *
tokenctl_ask_present_code (TokenctlTerminal *terminal, const char *prompt,
                           const TokendCodeRules *rules, gboolean send_unusual, GError **error)
{
  g_autoptr (TokenctlCode) before = NULL;

  for (guint round = 0; round < ROUNDS; round++) {
    g_autoptr (TokenctlCode) code = ask_once (terminal, prompt, error);
    TokenctlTyped typed;
    Entry entry;

    if (code == NULL)
      return NULL;
    typed = tokenctl_typed_validate (code, before, send_unusual);
    entry = take_present_code (terminal, &typed, error);
    if (entry == ENTRY_TAKEN) {
      typed = tokenctl_typed_validate_by_rules (code, rules, send_unusual);
      entry = take_present_code (terminal, &typed, error);
    }
    if (entry == ENTRY_TAKEN)
      return g_steal_pointer (&code);
    if (entry == ENTRY_CANCELLED)
      return NULL;
    remember (&before, &code, typed.next);
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

static Entry
take_new_pin (TokenctlTerminal *terminal, TokenctlCode *pin, const TokenctlNewPin *wanted,
              GError **error)
{
  const TokendCodeResult result = tokenctl_code_validate (pin, TOKEND_CODE_KIND_NEW);
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = NULL;

  if (result.answer == TOKEND_CODE_NEVER) {
    say_impossible (terminal, &result);
    return ENTRY_AGAIN;
  }
  if (tokenctl_check_new_pin (pin, wanted, &problem))
    return result.answer == TOKEND_CODE_SEND
               ? ENTRY_TAKEN
               : ask_whether_meant (terminal, &result, TOKEND_CODE_KIND_NEW, error);
  text = g_strdup_printf (_ ("%s Nothing was sent; no try was spent."), problem->message);
  tokenctl_terminal_say (terminal, text);
  return ENTRY_AGAIN;
}

/**
 * tokenctl_ask_new_pin:
 * @terminal: where to ask
 * @wanted: what it must be
 * @error: cancelled, or given up
 *
 * Returns: (transfer full): a PIN that keeps the rules and was typed twice
 */
TokenctlCode *
tokenctl_ask_new_pin (TokenctlTerminal *terminal, const TokenctlNewPin *wanted, GError **error)
{
  g_autofree char *prompt = new_pin_prompt (wanted->status);

  for (guint round = 0; round < ROUNDS; round++) {
    g_autoptr (TokenctlCode) pin = ask_once (terminal, prompt, error);
    g_autoptr (TokenctlCode) again = NULL;
    Entry entry;

    if (pin == NULL)
      return NULL;
    entry = take_new_pin (terminal, pin, wanted, error);
    if (entry == ENTRY_CANCELLED)
      return NULL;
    if (entry == ENTRY_AGAIN)
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

/* Compares normalised text: a keyboard may type one character where the token's label has two. */
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
 * Returns: whether the person typed the token's label, to spend what may be the last try
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

  set_not_confirmed (error);
  return FALSE;
}
