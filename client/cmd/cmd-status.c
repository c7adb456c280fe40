/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choice-words.h"
#include "command.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "json.h"
#include "module-words.h"
#include "printable.h"
#include "profile-words.h"
#include "provider-words.h"
#include "report.h"
#include "rows.h"
#include "session.h"
#include "table.h"
#include "validity.h"

static void
add_tries (TokenctlTable *table, GVariant *status, TokendRole role)
{
  TokenctlTries tries = tokenctl_status_tries (status, role);
  g_autofree char *words = tokenctl_words_for_cell (&tries, role);

  tokenctl_table_add (table, words, tokenctl_emphasis_of (&tries));
}

/* Returns: (transfer full): what all owners of the tokens call the PUK. */
static char *
header_for_puk (GPtrArray *tokens)
{
  const TokenctlPukWords *words = NULL;

  for (guint i = 0; i < tokens->len; i++) {
    const TokenctlToken *token = tokens->pdata[i];
    const TokenctlPukWords *other = tokenctl_status_puk_words (token->status);

    if (other == NULL || (words != NULL && !g_str_equal (words->name, other->name)))
      return g_strdup (_ ("PUK"));
    words = other;
  }
  return tokenctl_name_puk (words, _ ("PUK"));
}

static void
print_table (GPtrArray *tokens)
{
  g_autofree char *puk = header_for_puk (tokens);
  const char *const headers[] = { _ ("LABEL"), _ ("SERIAL"), _ ("PIN"), puk, _ ("MODULE"), NULL };
  g_autoptr (TokenctlTable) table = tokenctl_table_new (headers);
  g_autofree char *text = NULL;

  for (guint i = 0; i < tokens->len; i++) {
    GVariant *status = ((TokenctlToken *) tokens->pdata[i])->status;

    tokenctl_table_add (table, tokenctl_status_string (status, TOKEND_STATUS_LABEL),
                        TOKENCTL_EMPHASIS_NONE);
    tokenctl_table_add (table, tokenctl_status_string (status, TOKEND_STATUS_SERIAL),
                        TOKENCTL_EMPHASIS_NONE);
    add_tries (table, status, TOKEND_ROLE_PIN);
    add_tries (table, status, TOKEND_ROLE_PUK);
    tokenctl_table_add (table, tokenctl_status_string (status, TOKEND_STATUS_MODULE),
                        TOKENCTL_EMPHASIS_NONE);
  }

  text = tokenctl_table_to_text (table, tokenctl_colour_wanted (STDOUT_FILENO));
  g_print ("%s", text);
}

/* Tells whether an earlier view of the same token has told its validity. */
static gboolean
is_told_before (GPtrArray *tokens, guint i, GDateTime *not_after)
{
  for (guint j = 0; j < i; j++) {
    g_autoptr (GDateTime) told =
        tokenctl_status_not_after (((TokenctlToken *) tokens->pdata[j])->status);

    if (told != NULL && g_date_time_equal (told, not_after)
        && tokenctl_token_is_same (tokens->pdata[j], tokens->pdata[i]))
      return TRUE;
  }
  return FALSE;
}

/* Returns: whether there was something to print. */
static gboolean
print_validity (GPtrArray *tokens, guint i, const char *gap)
{
  TokenctlToken *token = tokens->pdata[i];
  g_autoptr (GDateTime) not_after = tokenctl_status_not_after (token->status);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *name = tokenctl_tokens_name (tokens, token);
  g_autofree char *words = NULL;
  g_autofree char *shown = NULL;
  TokenctlValidity validity;

  if (not_after == NULL || is_told_before (tokens, i, not_after))
    return FALSE;
  validity = tokenctl_validity (not_after, now);
  words = tokenctl_words_for_validity (not_after, now);
  shown = tokenctl_emphasised (words, tokenctl_emphasis_of_validity (&validity),
                               tokenctl_colour_wanted (STDOUT_FILENO));
  g_print ("%s%s: %s\n", gap, name, shown);
  return TRUE;
}

/* Returns: whether there was something to say. */
static gboolean
print_steps_of (TokenctlToken *token, GPtrArray *all, const char *gap)
{
  g_autofree char *name = tokenctl_tokens_name (all, token);
  g_auto (GStrv) names = tokenctl_names_of (all, token);
  g_autofree char *argument = tokenctl_argument_of (all, token);
  g_autoptr (TokendProvider) provider =
      tokenctl_provider (tokenctl_status_string (token->status, TOKEND_STATUS_PROVIDER));
  g_autofree char *told = NULL;

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autofree char *step = tokenctl_next_step (token->status, role, argument);
    g_autofree char *more = tokenctl_words_for_provider (provider, token->status, role);

    /* If both are locked, one step says it. */
    if (step != NULL && g_strcmp0 (step, told) != 0)
      g_print ("%s%s: %s\n", told == NULL ? gap : "", name, step);
    if (more != NULL)
      g_print ("%s\n", more);
    if (step == NULL)
      continue;
    g_free (told);
    told = g_steal_pointer (&step);
  }
  if (told != NULL && names == NULL)
    g_print ("%s\n",
             _ ("Another token has the same label and serial number. Take that one out first."));
  return told != NULL;
}

static gboolean
has_same_states (const TokenctlToken *a, const TokenctlToken *b)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    const char *key = tokend_status_keys[role].state;

    if (!g_str_equal (tokenctl_status_string (a->status, key),
                      tokenctl_status_string (b->status, key)))
      return FALSE;
  }
  return TRUE;
}

/* Returns: whether the steps for @token are those for @other, which is another token of its card,
 *   or none. */
static gboolean
is_done_with (const TokenctlToken *token, const TokenctlToken *other)
{
  return other != NULL && tokenctl_token_shares_pin (token) && has_same_states (token, other);
}

static gboolean
is_among (GPtrArray *tokens, const TokenctlRow *row)
{
  if (g_ptr_array_find (tokens, row->token, NULL))
    return TRUE;
  for (guint i = 0; i < row->others->len; i++)
    if (g_ptr_array_find (tokens, row->others->pdata[i], NULL))
      return TRUE;
  return FALSE;
}

/* Returns: (transfer full): the rows of @all that have one of @wanted, by whatever name. */
static GPtrArray *
list_rows (GPtrArray *wanted, GPtrArray *all)
{
  GPtrArray *rows = tokenctl_rows_new (all);

  for (guint i = rows->len; i > 0; i--)
    if (!is_among (wanted, rows->pdata[i - 1]))
      g_ptr_array_remove_index (rows, i - 1);
  return rows;
}

/* Returns: (transfer container): the token to operate on of each row. */
static GPtrArray *
list_tokens (GPtrArray *rows)
{
  GPtrArray *tokens = g_ptr_array_new ();

  for (guint i = 0; i < rows->len; i++)
    g_ptr_array_add (tokens, ((TokenctlRow *) rows->pdata[i])->token);
  return tokens;
}

static void
print_others (GPtrArray *rows)
{
  const char *gap = "\n";

  for (guint i = 0; i < rows->len; i++) {
    const TokenctlRow *row = rows->pdata[i];
    g_autofree char *name = tokenctl_token_name (row->token);
    g_autofree char *words = tokenctl_words_for_others (row);
    g_auto (GStrv) lines = words != NULL ? g_strsplit (words, "\n", -1) : NULL;

    for (guint j = 0; lines != NULL && lines[j] != NULL; j++) {
      g_print ("%s%s: %s\n", gap, name, lines[j]);
      gap = "";
    }
  }
}

/* Returns: whether there was something to say. */
static gboolean
print_left_open (TokenctlToken *token, GPtrArray *all, const char *gap)
{
  const char *words = tokenctl_words_for_left_open (token->status);
  g_autofree char *name = tokenctl_tokens_name (all, token);

  if (words != NULL)
    g_print ("%s%s: %s\n", gap, name, words);
  return words != NULL;
}

static void
print_next_steps (GPtrArray *tokens, GPtrArray *all)
{
  const char *gap = "\n";

  for (guint i = 0; i < tokens->len; i++) {
    TokenctlToken *token = tokens->pdata[i];
    TokenctlToken *other = tokenctl_tokens_same_card (tokens, i);

    if (other != NULL) {
      g_autofree char *name = tokenctl_tokens_name (all, token);
      g_autofree char *other_name = tokenctl_tokens_name (all, other);

      g_print ("%s%s: ", gap, name);
      g_print (tokenctl_token_shares_pin (token)
                   ? _ ("the same card as %s\n")
                   : _ ("the same card as %s, with a PIN of its own\n"),
               other_name);
      gap = "";
    }
    if (other == NULL && print_left_open (token, all, gap))
      gap = "";
    if (!is_done_with (token, other) && print_steps_of (token, all, gap))
      gap = "";
    if (print_validity (tokens, i, gap))
      gap = "";
  }
}

static void
print_profiles (GPtrArray *tokens)
{
  for (guint i = 0; i < tokens->len; i++) {
    TokenctlToken *token = tokens->pdata[i];
    g_autofree char *name = tokenctl_token_name (token);
    g_autofree char *profiles = tokenctl_words_for_profiles (token->status);

    g_print ("\n%s:\n%s", name, profiles);
  }
}

/* Tells of modules that could not be read, whose tokens nobody would miss beside the others. Where
 * no token is shown, those that are ready are a problem, which is told anyway.
 *
 * Returns: whether there was anything to say. */
static gboolean
tell_of_unread_modules (TokenctlBus *bus, gboolean is_any_shown)
{
  g_autoptr (GVariant) modules = tokenctl_bus_modules_if_allowed (bus);
  gboolean is_told = FALSE;

  for (gsize i = 0; modules != NULL && i < g_variant_n_children (modules); i++) {
    g_autoptr (GVariant) module = g_variant_get_child_value (modules, i);
    g_autofree char *words = NULL;

    if (*tokenctl_status_string (module, "reason") == '\0'
        || (!is_any_shown && g_str_equal (tokenctl_status_string (module, "state"), "ready")
            && tokenctl_module_is_unread (module)))
      continue;
    words = tokenctl_words_for_unread_module (module);
    g_printerr ("%s\n", words);
    is_told = TRUE;
  }
  return is_told;
}

static void
print_json (GPtrArray *tokens)
{
  g_autoptr (GVariant) array = NULL;
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < tokens->len; i++)
    g_variant_builder_add_value (&builder, ((TokenctlToken *) tokens->pdata[i])->status);
  array = g_variant_ref_sink (g_variant_builder_end (&builder));
  tokenctl_json_print (array, TRUE);
}

static TokenctlExit
report_problems (GPtrArray *problems)
{
  TokenctlExit first = TOKENCTL_EXIT_DONE;

  for (guint i = 0; i < problems->len; i++) {
    TokenctlExit exit = tokenctl_report_error (problems->pdata[i]);

    if (first == TOKENCTL_EXIT_DONE)
      first = exit;
  }
  return first;
}

static TokenctlExit
show (TokenctlBus *bus, const TokenctlWanted *wanted, gboolean json, gboolean verbose)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) all = tokenctl_bus_tokens (bus, wanted, problems, &error);
  g_autoptr (GPtrArray) shown = NULL;
  const gboolean is_for_all = wanted->words[0] == NULL;
  gboolean is_any_missing = FALSE;
  TokenctlExit status;

  if (all == NULL)
    return tokenctl_report_error (error);

  if (is_for_all) {
    shown = g_ptr_array_ref (all);
  } else {
    g_autoptr (TokenctlChoice) choice = tokenctl_match (all, wanted, problems, &error);

    if (choice == NULL)
      return tokenctl_report_error (error);
    shown = g_ptr_array_ref (choice->tokens);
  }

  if (json) {
    print_json (shown);
  } else if (shown->len > 0) {
    g_autoptr (GPtrArray) rows = list_rows (shown, all);
    g_autoptr (GPtrArray) tokens = list_tokens (rows);

    print_table (tokens);
    print_others (rows);
    print_next_steps (tokens, all);
    if (verbose)
      print_profiles (shown);
  }
  if (is_for_all && (!json || shown->len == 0))
    is_any_missing = tell_of_unread_modules (bus, shown->len > 0);
  if (!json && shown->len == 0 && problems->len == 0 && !is_any_missing)
    g_printerr ("%s\n",
                _ ("No token is plugged in. If one is, “tokenctl modules” shows whether its "
                   "PKCS#11 module is ready."));
  status = report_problems (problems);
  return status == TOKENCTL_EXIT_DONE && shown->len == 0 && is_any_missing ? TOKENCTL_EXIT_FAILED
                                                                           : status;
}

static TokenctlExit
run (const TokenctlCommand *command, int argc, char **argv)
{
  g_autoptr (TokenctlSession) session = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) words = NULL;
  TokenctlWanted wanted = { .may_be_start = TRUE };
  gboolean json = FALSE;
  gboolean verbose = FALSE;
  TokenctlExit status;
  const GOptionEntry options[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print a JSON array"), NULL },
    { "verbose", 0, 0, G_OPTION_ARG_NONE, &verbose,
      N_ ("Show which profiles were selected, and why"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  if (!tokenctl_command_parse (command, options, argc, argv, &words, &status))
    return status;
  session = tokenctl_session_open (&error);
  if (session == NULL)
    return tokenctl_report_error (error);
  wanted.words = (const char *const *) words;
  return show (session->bus, &wanted, json, verbose);
}

const TokenctlCommand tokenctl_command_status = {
  "status",
  N_ ("[TOKEN…]"),
  N_ ("Show how many tries the PIN and PUK have left"),
  run,
};
