/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choice-words.h"

#include <glib/gi18n.h>
#include <string.h>

#include "exit-code.h"
#include "outcome.h"
#include "printable.h"
#include "tokend-error.h"

static char *
quote (const char *name)
{
  g_autofree char *printable = tokenctl_printable (name);

  if (strspn (printable, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.,:+@") == strlen (printable)
      && *printable != '\0')
    return g_steal_pointer (&printable);
  return g_shell_quote (printable);
}

/**
 * tokenctl_quote_names:
 * @names: (array zero-terminated=1): the words that mean a token
 *
 * Returns: (transfer full): the words for a command line, quoted for the shell if need be; after
 *   "-- " if one begins with "-", which would be taken for an option
 */
char *
tokenctl_quote_names (const char *const *names)
{
  GString *line = g_string_new (NULL);
  gboolean has_dash = FALSE;

  for (guint i = 0; names[i] != NULL; i++) {
    g_autofree char *quoted = quote (names[i]);

    has_dash = has_dash || *names[i] == '-';
    g_string_append_printf (line, "%s%s", i > 0 ? " " : "", quoted);
  }
  if (has_dash)
    g_string_prepend (line, "-- ");
  return g_string_free (line, FALSE);
}

/**
 * tokenctl_argument_of:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @token: one of them
 *
 * Returns: (transfer full): what means @token on tokenctl's command line. If another token has the
 *   same label and serial number, it does so once that one is taken out
 */
char *
tokenctl_argument_of (GPtrArray *tokens, const TokenctlToken *token)
{
  g_auto (GStrv) names = tokenctl_names_of (tokens, token);
  g_autoptr (GPtrArray) alone = NULL;

  if (names == NULL) {
    alone = g_ptr_array_new ();
    g_ptr_array_add (alone, (gpointer) token);
    names = tokenctl_names_of (alone, token);
  }
  return names != NULL ? tokenctl_quote_names ((const char *const *) names) : g_strdup ("");
}

static gboolean
came_before (GPtrArray *tokens, guint index,
             gboolean (*is_same) (const TokenctlToken *a, const TokenctlToken *b))
{
  for (guint i = 0; i < index; i++) {
    if (is_same (tokens->pdata[i], tokens->pdata[index]))
      return TRUE;
  }
  return FALSE;
}

/* Begins each line with the end of the line before. */
static char *
list_tokens (GPtrArray *tokens)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < tokens->len; i++) {
    const TokenctlToken *token = tokens->pdata[i];
    g_autofree char *label =
        tokenctl_printable (tokenctl_status_string (token->status, TOKEND_STATUS_LABEL));
    g_autofree char *serial =
        tokenctl_printable (tokenctl_status_string (token->status, TOKEND_STATUS_SERIAL));

    if (came_before (tokens, i, tokenctl_token_is_same))
      continue;
    g_string_append (list, "\n  ");
    g_string_append_printf (list, _ ("label “%s”, serial “%s”"), label, serial);
    if (tokenctl_tokens_same_card (tokens, i) != NULL)
      g_string_append (list, tokenctl_token_shares_pin (token)
                                 ? _ (" (the same card)")
                                 : _ (" (the same card, with a PIN of its own)"));
  }
  return g_string_free (list, FALSE);
}

static char *
call_it (const TokenctlWanted *wanted)
{
  g_autofree char *first = tokenctl_printable (wanted->words[0]);
  g_autofree char *second = NULL;

  if (wanted->words[1] == NULL)
    return g_strdup_printf (_ ("the label or serial “%s”"), first);
  second = tokenctl_printable (wanted->words[1]);
  return g_strdup_printf (_ ("the label “%s” and the serial “%s”"), first, second);
}

/**
 * tokenctl_words_for_another:
 * @picked: the view to operate on, which has another name
 * @wanted: what the token is called, by at least one word
 *
 * Explains why a person must confirm the view: which views are one token is only what modules say.
 *
 * Returns: (transfer full): why the code would go to @picked
 */
char *
tokenctl_words_for_another (const TokenctlToken *picked, const TokenctlWanted *wanted)
{
  g_autofree char *given = tokenctl_printable (wanted->words[0]);
  g_autofree char *name = tokenctl_token_name (picked);
  g_autofree char *module =
      tokenctl_printable (tokenctl_status_string (picked->status, TOKEND_STATUS_MODULE));

  return g_strdup_printf (_ ("The module that shows “%s” cannot do this. The module “%s” can; it "
                             "shows what is said to be the same token as “%s”."),
                          given, module, name);
}

static gboolean
is_any (const TokenctlWanted *wanted)
{
  return wanted->words == NULL || wanted->words[0] == NULL;
}

static void
set_several (const TokenctlChoice *choice, const TokenctlWanted *wanted, GError **error)
{
  g_autofree char *list = list_tokens (choice->tokens);
  g_autofree char *called = NULL;

  if (is_any (wanted)) {
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE,
                 _ ("There are several tokens. Say which one, by label, by serial, or by both one "
                    "after the other:%s"),
                 list);
  } else if (wanted->words[1] != NULL) {
    called = call_it (wanted);
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE,
                 _ ("Several tokens have %s. Take the others out."), called);
  } else {
    called = tokenctl_printable (wanted->words[0]);
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE,
                 _ ("Several tokens answer to “%s”. Say which one, by label, by serial, or by both "
                    "one after the other:%s"),
                 called, list);
  }
}

/* Returns: what may have been meant, as it is to be typed; "" if nothing is like it. */
static char *
suggest (GPtrArray *tokens, const TokenctlChoice *choice)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < choice->tokens->len; i++) {
    g_autofree char *argument = tokenctl_argument_of (tokens, choice->tokens->pdata[i]);

    if (!came_before (choice->tokens, i, tokenctl_token_has_same_pin))
      g_string_append_printf (text, "%s%s", text->len > 0 ? ", " : "", argument);
  }
  if (text->len > 0) {
    g_autofree char *names = g_strdup (text->str);

    g_string_printf (text, _ ("\nDid you mean %s?"), names);
  }
  return g_string_free (text, FALSE);
}

static void
set_none (GPtrArray *tokens, const TokenctlChoice *choice, const TokenctlWanted *wanted,
          GError **error)
{
  g_autofree char *called = NULL;
  g_autofree char *list = NULL;
  g_autofree char *suggestion = NULL;

  if (tokens->len == 0) {
    g_set_error_literal (
        error, TOKENCTL_ERROR, TOKENCTL_EXIT_NO_SUCH_TOKEN,
        _ ("No token is plugged in. Plug it in; if it is, “tokenctl modules” shows "
           "whether its PKCS#11 module is ready."));
    return;
  }
  called = call_it (wanted);
  list = list_tokens (tokens);
  suggestion = suggest (tokens, choice);
  g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_NO_SUCH_TOKEN,
               _ ("No token has %s. Those that are plugged in:%s%s\n“tokenctl modules” shows "
                  "whether each PKCS#11 module is ready."),
               called, list, suggestion);
}

/* Prefers a token that another program is using, since a person can wait for it. */
static const GError *
pick_problem (GPtrArray *problems)
{
  for (guint i = 0; i < problems->len; i++) {
    if (g_error_matches (problems->pdata[i], TOKEND_ERROR, TOKEND_ERROR_BUSY))
      return problems->pdata[i];
  }
  return problems->pdata[0];
}

/* Tells that what is meant may be what could not be read. */
static void
set_unread (const TokenctlWanted *wanted, const GError *problem, GError **error)
{
  g_autofree char *words = tokenctl_words_for_error (problem);
  g_autofree char *called = NULL;

  if (is_any (wanted)) {
    g_propagate_error (error, g_error_copy (problem));
    return;
  }
  called = call_it (wanted);
  g_set_error (error, TOKENCTL_ERROR, (int) tokenctl_explain_error (problem, FALSE).exit,
               _ ("None of the tokens that can be read now has %s. Another one cannot be read, and "
                  "may be the one that is meant:\n%s"),
               called, words);
}

/**
 * tokenctl_match:
 * @tokens: (element-type TokenctlToken): what is plugged in, and could be read
 * @wanted: what the token is called
 * @problems: (element-type GError): why others could not be read
 * @error: no such token; (usage) several; or one of @problems, if none of @tokens is meant
 *
 * Returns: (transfer full): the one token that is meant, see tokenctl_choose()
 */
TokenctlChoice *
tokenctl_match (GPtrArray *tokens, const TokenctlWanted *wanted, GPtrArray *problems,
                GError **error)
{
  g_autoptr (TokenctlChoice) choice = tokenctl_choose (tokens, wanted);

  if (tokenctl_choice_is_one (choice))
    return g_steal_pointer (&choice);

  if (choice->found == TOKENCTL_FOUND_SEVERAL)
    set_several (choice, wanted, error);
  else if (problems->len > 0)
    set_unread (wanted, pick_problem (problems), error);
  else
    set_none (tokens, choice, wanted, error);
  return NULL;
}
