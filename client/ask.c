/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ask.h"

#include <glib/gi18n.h>

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

/* What became of what a person typed. */
typedef enum {
  TYPED_TAKEN,
  TYPED_AGAIN,   /* and the person has been told why */
  TYPED_AS_SEEN, /* likewise, and what comes next must be the same code */
  TYPED_CANCELLED,
} Typed;

/* Says that the code cannot be sent, and what is wrong with it. */
static void
say_impossible (TokenctlTerminal *terminal, const TokendCodeVerdict *verdict)
{
  g_autofree char *mistake = tokenctl_check_describe (verdict);
  g_autofree char *text = NULL;

  if (verdict->answer == TOKEND_CODE_NEVER)
    text = g_strdup_printf (_ ("This cannot be the code: it %s. Nothing was sent."), mistake);
  else
    text = g_strdup_printf (_ ("This cannot be the code: it %s. Nothing was sent. If another "
                               "program has set it so: --send-unusual-code"),
                            mistake);
  tokenctl_terminal_say (terminal, text);
}

/* @is_yes: (out): whether yes was typed, in the person's language or in English; just Enter is a no. Returns: whether an
 * answer came. */
static gboolean
ask_for_yes (TokenctlTerminal *terminal, const char *prompt, gboolean *is_yes, GError **error)
{
  g_autofree char *answer = tokenctl_terminal_ask_line (terminal, prompt, error);
  g_autofree char *folded = NULL;

  if (answer == NULL)
    return FALSE;
  folded = g_utf8_casefold (g_strstrip (answer), -1);
  *is_yes = g_str_equal (folded, _ ("yes")) || g_str_equal (folded, "yes");
  return TRUE;
}

/**
 * tokenctl_ask_yes:
 * @terminal: where to ask
 * @question: a question to be answered by yes or no
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

/* Asks whether something doubtful is meant. */
static Typed
ask_whether_meant (TokenctlTerminal *terminal, const char *doubt, GError **error)
{
  g_autofree char *prompt =
      g_strdup_printf (_ ("%s Nothing was sent. If it is meant so, type yes; if not, just press "
                          "Enter: "),
                       doubt);
  gboolean is_yes = FALSE;

  if (!ask_for_yes (terminal, prompt, &is_yes, error))
    return TYPED_CANCELLED;
  return is_yes ? TYPED_TAKEN : TYPED_AGAIN;
}

/* What is doubtful in itself, whatever token it is for. */
static Typed
settle_verdict (TokenctlTerminal *terminal, const TokendCodeVerdict *verdict, TokendCodeKind kind,
                GError **error)
{
  g_autofree char *mistake = NULL;
  g_autofree char *doubt = NULL;

  if (verdict->answer == TOKEND_CODE_SEND)
    return TYPED_TAKEN;
  mistake = tokenctl_check_describe (verdict);
  doubt = g_strdup_printf (kind == TOKEND_CODE_KIND_NEW
                               ? _ ("The new PIN %s: elsewhere you may not be able to type it.")
                               : _ ("The code %s; a wrong one costs a try."),
                           mistake);
  return ask_whether_meant (terminal, doubt, error);
}

/* Whether @code is what was typed before: just the same, or without what people paste along. */
static gboolean
is_same_code (TokenctlCode *before, TokenctlCode *code)
{
  g_autoptr (TokenctlCode) seen = tokenctl_code_as_seen (before, NULL);

  return tokenctl_code_equal (before, code)
         || (seen != NULL
             && (tokenctl_code_length (seen) == 0 || tokenctl_code_equal (seen, code)));
}

static gboolean
has_blank (TokenctlCode *code)
{
  return strchr (tokenctl_code_bytes (code), ' ') != NULL;
}

/* A code with blanks is taken once it comes just the same again, if it can be sent at all. */
static gboolean
must_be_repeated (TokenctlCode *code, TokenctlCode *before, const TokendCodeVerdict *verdict,
                  gboolean is_impossible)
{
  if (is_impossible)
    return verdict->finding == TOKEND_CODE_BLANK;
  return has_blank (code) && (before == NULL || !tokenctl_code_equal (before, code));
}

/* @before: what has to come again, or %NULL. */
static Typed
settle_present_code (TokenctlTerminal *terminal, TokenctlCode *code, TokenctlCode *before,
                     gboolean send_unusual, GError **error)
{
  const TokendCodeVerdict verdict = tokenctl_code_judge (code, TOKEND_CODE_KIND_PRESENT);
  const gboolean is_impossible = verdict.answer == TOKEND_CODE_NEVER
                                 || (verdict.answer == TOKEND_CODE_REFUSE && !send_unusual);

  if (verdict.answer != TOKEND_CODE_NEVER && before != NULL && !is_same_code (before, code)) {
    tokenctl_terminal_say (terminal,
                           _ ("This is not the code that was typed before. Nothing was sent. Type "
                              "it again."));
    return TYPED_AS_SEEN;
  }
  if (must_be_repeated (code, before, &verdict, is_impossible)) {
    tokenctl_terminal_say (terminal, _ ("The code contains a blank; codes pasted from an SMS often "
                                        "do. Nothing was sent. Type it again."));
    return TYPED_AS_SEEN;
  }
  if (is_impossible) {
    say_impossible (terminal, &verdict);
    return verdict.finding == TOKEND_CODE_INVISIBLE ? TYPED_AS_SEEN : TYPED_AGAIN;
  }
  return settle_verdict (terminal, &verdict, TOKEND_CODE_KIND_PRESENT, error);
}

/* What is doubtful for this token. */
static Typed
settle_by_rules (TokenctlTerminal *terminal, TokenctlCode *code, const TokendCodeRules *rules,
                 gboolean send_unusual, GError **error)
{
  const TokendCodeVerdict verdict = tokenctl_code_judge_by_rules (code, rules);

  if (verdict.answer == TOKEND_CODE_REFUSE && !send_unusual) {
    say_impossible (terminal, &verdict);
    return TYPED_AGAIN;
  }
  return settle_verdict (terminal, &verdict, TOKEND_CODE_KIND_PRESENT, error);
}

/**
 * tokenctl_ask_present_code:
 * @terminal: where to ask
 * @role: the PUK or the present PIN
 * @rules: what is known of it on this token
 * @send_unusual: the person's word that the code may look like a mistake
 * @error: cancelled, or given up
 *
 * Asks for a code that is about to be spent. One with blanks has to be typed again: without them, or just the same.
 *
 * Returns: (transfer full): the code
 */
TokenctlCode *
tokenctl_ask_present_code (TokenctlTerminal *terminal, TokenctlRole role,
                           const TokendCodeRules *rules, gboolean send_unusual, GError **error)
{
  const char *prompt = role == TOKENCTL_ROLE_PIN ? _ ("Present PIN: ") : _ ("PUK: ");
  g_autoptr (TokenctlCode) before = NULL;

  for (guint round = 0; round < ROUNDS; round++) {
    g_autoptr (TokenctlCode) code = ask_once (terminal, prompt, error);
    Typed typed;

    if (code == NULL)
      return NULL;
    typed = settle_present_code (terminal, code, before, send_unusual, error);
    if (typed == TYPED_TAKEN)
      typed = settle_by_rules (terminal, code, rules, send_unusual, error);
    if (typed == TYPED_TAKEN)
      return g_steal_pointer (&code);
    if (typed == TYPED_CANCELLED)
      return NULL;
    g_clear_pointer (&before, tokenctl_code_free);
    if (typed == TYPED_AS_SEEN)
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

static Typed
settle_new_pin (TokenctlTerminal *terminal, TokenctlCode *pin, const TokenctlNewPin *wanted,
                GError **error)
{
  const TokendCodeVerdict verdict = tokenctl_code_judge (pin, TOKEND_CODE_KIND_NEW);
  g_autoptr (GError) problem = NULL;
  g_autofree char *text = NULL;

  if (verdict.answer == TOKEND_CODE_NEVER) {
    say_impossible (terminal, &verdict);
    return TYPED_AGAIN;
  }
  if (tokenctl_check_new_pin (pin, wanted, &problem))
    return settle_verdict (terminal, &verdict, TOKEND_CODE_KIND_NEW, error);
  text = g_strdup_printf (_ ("%s Nothing was sent; no try was spent."), problem->message);
  tokenctl_terminal_say (terminal, text);
  return TYPED_AGAIN;
}

/**
 * tokenctl_ask_new_pin:
 * @terminal: where to ask
 * @wanted: what it must keep to
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
    Typed typed;

    if (pin == NULL)
      return NULL;
    typed = settle_new_pin (terminal, pin, wanted, error);
    if (typed == TYPED_CANCELLED)
      return NULL;
    if (typed == TYPED_AGAIN)
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

  set_not_confirmed (error);
  return FALSE;
}
