/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows.h"

#include <glib/gi18n.h>

#include "printable.h"
#include "puk-words.h"
#include "words.h"

static void
row_free (gpointer data)
{
  TokenctlRow *row = data;

  g_ptr_array_unref (row->others);
  g_free (row);
}

static gboolean
is_by_same_module (const TokenctlToken *a, const TokenctlToken *b)
{
  return g_str_equal (tokenctl_status_string (a->status, TOKEND_STATUS_MODULE),
                      tokenctl_status_string (b->status, TOKEND_STATUS_MODULE));
}

/* Makes two rows of a card of two labels that have one PIN, for each module alike. */
static gboolean
belongs_to (const TokenctlToken *token, const TokenctlRow *row)
{
  if (!tokenctl_token_is_same (token, row->token) || is_by_same_module (token, row->token))
    return FALSE;
  for (guint i = 0; i < row->others->len; i++)
    if (is_by_same_module (token, row->others->pdata[i]))
      return FALSE;
  return TRUE;
}

static TokenctlRow *
find_row (GPtrArray *rows, const TokenctlToken *token)
{
  for (guint i = 0; i < rows->len; i++)
    if (belongs_to (token, rows->pdata[i]))
      return rows->pdata[i];
  return NULL;
}

static void
add_view (TokenctlRow *row, TokenctlToken *token)
{
  TokenctlToken *other = token;

  if (tokenctl_status_is (token->status, TOKEND_STATUS_PREFERRED, TRUE)) {
    other = row->token;
    row->token = token;
  }
  g_ptr_array_add (row->others, other);
}

static void
add_row (GPtrArray *rows, TokenctlToken *token)
{
  TokenctlRow *row = g_new0 (TokenctlRow, 1);

  row->token = token;
  row->others = g_ptr_array_new ();
  g_ptr_array_add (rows, row);
}

static gboolean
is_graver (const TokenctlToken *a, const TokenctlToken *b)
{
  for (TokendRole role = TOKEND_ROLE_PIN; role <= TOKEND_ROLE_PUK; role++) {
    const TokenctlTries a_tries = tokenctl_status_tries (a->status, role);
    const TokenctlTries b_tries = tokenctl_status_tries (b->status, role);

    if (tokenctl_emphasis_of (&a_tries) > tokenctl_emphasis_of (&b_tries))
      return TRUE;
  }
  return FALSE;
}

/* Adds a view that is graver: a module may claim that its token is another one, and all is well. */
static void
add_graver (GPtrArray *rows)
{
  const guint n_rows = rows->len;

  for (guint i = 0; i < n_rows; i++) {
    const TokenctlRow *row = rows->pdata[i];

    for (guint j = 0; j < row->others->len; j++)
      if (is_graver (row->others->pdata[j], row->token))
        add_row (rows, row->others->pdata[j]);
  }
}

/**
 * tokenctl_rows_new:
 * @tokens: (element-type TokenctlToken): what modules show
 *
 * Returns: (transfer full) (element-type TokenctlRow): each token once, in the order of their first
 *   views; and at the end, each view that is graver than the one to operate on
 */
GPtrArray *
tokenctl_rows_new (GPtrArray *tokens)
{
  GPtrArray *rows = g_ptr_array_new_with_free_func (row_free);

  for (guint i = 0; i < tokens->len; i++) {
    TokenctlRow *row = find_row (rows, tokens->pdata[i]);

    if (row != NULL)
      add_view (row, tokens->pdata[i]);
    else
      add_row (rows, tokens->pdata[i]);
  }
  add_graver (rows);
  return rows;
}

static gboolean
is_called_alike (const TokenctlToken *a, const TokenctlToken *b)
{
  static const char *const keys[] = { TOKEND_STATUS_LABEL, TOKEND_STATUS_SERIAL };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (!g_str_equal (tokenctl_status_string (a->status, keys[i]),
                      tokenctl_status_string (b->status, keys[i])))
      return FALSE;
  return TRUE;
}

static char *
words_for_role (const TokenctlToken *token, TokendRole role)
{
  const TokenctlTries tries = tokenctl_status_tries (token->status, role);

  return tokenctl_words_for_cell (&tries, role);
}

static char *
words_for_other (const TokenctlToken *token, const TokenctlToken *other)
{
  g_autofree char *module =
      tokenctl_printable (tokenctl_status_string (other->status, TOKEND_STATUS_MODULE));
  g_autofree char *name = tokenctl_token_name (other);
  g_autofree char *serial =
      tokenctl_printable (tokenctl_status_string (other->status, TOKEND_STATUS_SERIAL));
  g_autofree char *pin = words_for_role (other, TOKEND_ROLE_PIN);
  g_autofree char *puk = words_for_role (other, TOKEND_ROLE_PUK);
  g_autofree char *puk_name =
      tokenctl_name_puk (tokenctl_status_puk_words (other->status), _ ("PUK"));

  if (is_called_alike (token, other))
    return g_strdup_printf (_ ("The module “%s” shows it, too (PIN: %s, %s: %s)."), module, pin,
                            puk_name, puk);
  if (*serial == '\0')
    return g_strdup_printf (_ ("The module “%s” shows it, too, as “%s” (PIN: %s, %s: %s)."), module,
                            name, pin, puk_name, puk);
  return g_strdup_printf (
      _ ("The module “%s” shows it, too, as “%s”, serial %s (PIN: %s, %s: %s)."), module, name,
      serial, pin, puk_name, puk);
}

/**
 * tokenctl_words_for_others:
 * @row: a token
 *
 * Returns: (transfer full) (nullable): which other modules show it, with what they say of its
 *   tries, and which one operates, a line each; %NULL if one module shows it
 */
char *
tokenctl_words_for_others (const TokenctlRow *row)
{
  g_autofree char *module =
      tokenctl_printable (tokenctl_status_string (row->token->status, TOKEND_STATUS_MODULE));
  GString *words;

  if (row->others->len == 0)
    return NULL;
  words = g_string_new (NULL);
  for (guint i = 0; i < row->others->len; i++) {
    g_autofree char *line = words_for_other (row->token, row->others->pdata[i]);

    g_string_append_printf (words, "%s\n", line);
  }
  g_string_append_printf (words, _ ("It is operated on through “%s”."), module);
  return g_string_free (words, FALSE);
}
