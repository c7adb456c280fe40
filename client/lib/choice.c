/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choice.h"

#include "status.h"

typedef gboolean (*Answers) (const TokenctlToken *token, const char *const *words);

static const char *
label_of (const TokenctlToken *token)
{
  return tokenctl_status_string (token->status, TOKEND_STATUS_LABEL);
}

static const char *
serial_of (const TokenctlToken *token)
{
  return tokenctl_status_string (token->status, TOKEND_STATUS_SERIAL);
}

static gboolean
answers_always (const TokenctlToken *token, const char *const *words)
{
  return TRUE;
}

static gboolean
answers_to_both (const TokenctlToken *token, const char *const *words)
{
  return g_str_equal (label_of (token), words[0]) && g_str_equal (serial_of (token), words[1]);
}

static gboolean
answers_exactly (const TokenctlToken *token, const char *const *words)
{
  return *words[0] != '\0'
         && (g_str_equal (label_of (token), words[0]) || g_str_equal (serial_of (token), words[0]));
}

/* Accepts a token for a script by its serial number alone: a token that is not seen may have the
 * same label. */
static gboolean
answers_by_serial (const TokenctlToken *token, const char *const *words)
{
  const char *serial = words[1] != NULL ? words[1] : words[0];

  return tokenctl_token_has_serial (token) && g_str_equal (serial_of (token), serial)
         && (words[1] == NULL || g_str_equal (label_of (token), words[0]));
}

static gboolean
answers_by_start (const TokenctlToken *token, const char *const *words)
{
  return *words[0] != '\0'
         && (g_str_has_prefix (label_of (token), words[0])
             || g_str_has_prefix (serial_of (token), words[0]));
}

/* Tells whether one may have been typed for the other. @typed need not be valid UTF-8. */
static gboolean
is_like (const char *name, const char *typed)
{
  return *name != '\0' && *typed != '\0' && g_utf8_validate (typed, -1, NULL)
         && (g_str_match_string (typed, name, TRUE) || g_str_match_string (name, typed, TRUE));
}

/* Joins two words: a label with a blank comes as two if nobody has quoted it. */
static gboolean
is_like_it (const TokenctlToken *token, const char *const *words)
{
  g_autofree char *typed = g_strjoinv (" ", (char **) words);

  return is_like (label_of (token), typed) || is_like (serial_of (token), typed)
         || (words[1] != NULL && is_like (serial_of (token), words[1]));
}

static GPtrArray *
filter (GPtrArray *tokens, const char *const *words, Answers answers)
{
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; i < tokens->len; i++) {
    if (answers (tokens->pdata[i], words))
      g_ptr_array_add (found, tokens->pdata[i]);
  }
  return found;
}

static gboolean
have_one_pin (GPtrArray *tokens)
{
  for (guint i = 1; i < tokens->len; i++) {
    if (!tokenctl_token_has_same_pin (tokens->pdata[0], tokens->pdata[i]))
      return FALSE;
  }
  return tokens->len > 0;
}

static TokenctlChoice *
choose_by (GPtrArray *tokens, const char *const *words, Answers answers)
{
  TokenctlChoice *choice = g_new0 (TokenctlChoice, 1);

  choice->tokens = filter (tokens, words, answers);
  if (have_one_pin (choice->tokens))
    choice->found = answers == answers_by_start ? TOKENCTL_FOUND_BY_START : TOKENCTL_FOUND_ONE;
  else if (choice->tokens->len > 0)
    choice->found = TOKENCTL_FOUND_SEVERAL;
  return choice;
}

static Answers
how_to_answer (const char *const *words)
{
  if (words == NULL || words[0] == NULL)
    return answers_always;
  return words[1] != NULL ? answers_to_both : answers_exactly;
}

/**
 * tokenctl_choose:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @wanted: what the token is called
 *
 * Decides which token is meant. A whole label or serial number goes before the start of one. The
 * tokens of a card that share one PIN are one.
 *
 * Returns: (transfer full): the choice; it refers to @tokens
 */
TokenctlChoice *
tokenctl_choose (GPtrArray *tokens, const TokenctlWanted *wanted)
{
  const Answers answers = how_to_answer (wanted->words);
  g_autoptr (TokenctlChoice) choice = choose_by (tokens, wanted->words, answers);

  if (choice->found == TOKENCTL_FOUND_NONE && answers == answers_exactly && wanted->may_be_start) {
    tokenctl_choice_free (choice);
    choice = choose_by (tokens, wanted->words, answers_by_start);
  }
  if (choice->found == TOKENCTL_FOUND_NONE && answers != answers_always) {
    g_ptr_array_unref (choice->tokens);
    choice->tokens = filter (tokens, wanted->words, is_like_it);
  }
  return g_steal_pointer (&choice);
}

void
tokenctl_choice_free (TokenctlChoice *choice)
{
  g_ptr_array_unref (choice->tokens);
  g_free (choice);
}

/**
 * tokenctl_choice_is_one:
 *
 * Returns: whether one token is meant, even if only by the start of its name.
 */
gboolean
tokenctl_choice_is_one (const TokenctlChoice *choice)
{
  return choice->found == TOKENCTL_FOUND_ONE || choice->found == TOKENCTL_FOUND_BY_START;
}

/**
 * tokenctl_is_named:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @wanted: what the token is called
 *
 * Returns: whether @wanted cannot mean a token that is not seen now. A serial number cannot; a
 *   whole label cannot where the start of one would do, since a person is then shown the token.
 */
gboolean
tokenctl_is_named (GPtrArray *tokens, const TokenctlWanted *wanted)
{
  const Answers answers = how_to_answer (wanted->words);
  g_autoptr (GPtrArray) found = NULL;

  if (answers == answers_always)
    return FALSE;
  found = filter (tokens, wanted->words, wanted->may_be_start ? answers : answers_by_serial);
  return found->len > 0;
}

static gboolean
means (GPtrArray *tokens, const char *const *words, const TokenctlToken *token)
{
  const TokenctlWanted wanted = { words, FALSE };
  g_autoptr (TokenctlChoice) choice = tokenctl_choose (tokens, &wanted);

  return choice->found == TOKENCTL_FOUND_ONE
         && tokenctl_token_has_same_pin (choice->tokens->pdata[0], token);
}

/**
 * tokenctl_names_of:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @token: one of them
 *
 * Returns: (transfer full) (nullable): the fewest words that mean @token alone: its label, its
 *   serial number, or both; %NULL if another token has both
 */
char **
tokenctl_names_of (GPtrArray *tokens, const TokenctlToken *token)
{
  const char *const candidates[][3] = {
    { label_of (token), NULL },
    { serial_of (token), NULL },
    { label_of (token), serial_of (token), NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++) {
    if (means (tokens, candidates[i], token))
      return g_strdupv ((char **) candidates[i]);
  }
  return NULL;
}
