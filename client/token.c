/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token.h"

#include <glib/gi18n.h>
#include <string.h>

#include "exit-code.h"
#include "printable.h"
#include "status.h"

/**
 * tokenctl_token_new:
 * @path: its object on the bus
 * @status: its status; a floating reference is sunk
 *
 * Returns: (transfer full): a token
 */
TokenctlToken *
tokenctl_token_new (const char *path, GVariant *status)
{
  TokenctlToken *token = g_new0 (TokenctlToken, 1);

  token->path = g_strdup (path);
  token->status = g_variant_ref_sink (status);
  return token;
}

void
tokenctl_token_free (TokenctlToken *token)
{
  g_free (token->path);
  g_variant_unref (token->status);
  g_free (token);
}

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

/**
 * tokenctl_token_name:
 * @token: a token
 *
 * Returns: (transfer full): how a sentence calls the token: its label, or what else it has;
 * printable
 */
char *
tokenctl_token_name (const TokenctlToken *token)
{
  if (*label_of (token) != '\0')
    return tokenctl_printable (label_of (token));
  if (*serial_of (token) != '\0')
    return tokenctl_printable (serial_of (token));
  return g_strdup (_ ("a token without a label"));
}

/**
 * tokenctl_token_is_same:
 * @a: a token
 * @b: a token
 *
 * Returns: whether both are views of one physical token and label
 */
gboolean
tokenctl_token_is_same (const TokenctlToken *a, const TokenctlToken *b)
{
  static const char *const keys[] = { TOKEND_STATUS_MANUFACTURER, TOKEND_STATUS_MODEL,
                                      TOKEND_STATUS_SERIAL, TOKEND_STATUS_LABEL };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    if (!g_str_equal (tokenctl_status_string (a->status, keys[i]),
                      tokenctl_status_string (b->status, keys[i])))
      return FALSE;
  }
  return TRUE;
}

/**
 * tokenctl_token_is_same_view:
 * @a: a token
 * @b: a token
 *
 * Their paths do not matter: the service gives another one after its restart.
 *
 * Returns: whether both are the same token as the same module shows it
 */
gboolean
tokenctl_token_is_same_view (const TokenctlToken *a, const TokenctlToken *b)
{
  return tokenctl_token_is_same (a, b)
         && g_str_equal (tokenctl_status_string (a->status, TOKEND_STATUS_MODULE),
                         tokenctl_status_string (b->status, TOKEND_STATUS_MODULE));
}

/**
 * tokenctl_token_shares_pin:
 * @token: a token
 *
 * Returns: whether its PIN is that of the other tokens of the same card, if there are any
 */
gboolean
tokenctl_token_shares_pin (const TokenctlToken *token)
{
  return tokenctl_status_is (token->status, TOKEND_STATUS_PIN_SHARED, TRUE);
}

/* Not a serial that is empty, or nothing but zeros: several tokens may have such a one. */
static gboolean
is_of_same_card (const TokenctlToken *a, const TokenctlToken *b)
{
  static const char *const keys[] = { TOKEND_STATUS_MANUFACTURER, TOKEND_STATUS_MODEL,
                                      TOKEND_STATUS_SERIAL };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    if (!g_str_equal (tokenctl_status_string (a->status, keys[i]),
                      tokenctl_status_string (b->status, keys[i])))
      return FALSE;
  }
  return strspn (serial_of (a), "0 ") != strlen (serial_of (a))
         && !g_str_equal (label_of (a), label_of (b));
}

/**
 * tokenctl_tokens_same_card:
 * @tokens: (element-type TokenctlToken): some tokens
 * @index: of one of them
 *
 * A card may show several tokens, an OpenPGP card two: one for signatures, one for all else. Whether they have one PIN,
 * tokenctl_token_shares_pin() tells.
 *
 * Returns: (transfer none) (nullable): the first one before it that is another token of the same card
 */
TokenctlToken *
tokenctl_tokens_same_card (GPtrArray *tokens, guint index)
{
  for (guint i = 0; i < index; i++) {
    if (is_of_same_card (tokens->pdata[i], tokens->pdata[index]))
      return tokens->pdata[i];
  }
  return NULL;
}

/**
 * tokenctl_tokens_have_other_pin:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @token: one of them
 *
 * Returns: whether the same card has a PIN besides that of @token
 */
gboolean
tokenctl_tokens_have_other_pin (GPtrArray *tokens, const TokenctlToken *token)
{
  for (guint i = 0; i < tokens->len; i++) {
    if (is_of_same_card (tokens->pdata[i], token))
      return !tokenctl_token_shares_pin (token);
  }
  return FALSE;
}

static gboolean
answers_exactly (const TokenctlToken *token, const char *wanted)
{
  return g_str_equal (label_of (token), wanted) || g_str_equal (serial_of (token), wanted);
}

static gboolean
answers_by_prefix (const TokenctlToken *token, const char *wanted)
{
  return g_str_has_prefix (label_of (token), wanted)
         || g_str_has_prefix (serial_of (token), wanted);
}

static gboolean
answers_always (const TokenctlToken *token, const char *wanted)
{
  return TRUE;
}

static GPtrArray *
filter (GPtrArray *tokens, const char *wanted,
        gboolean (*answers) (const TokenctlToken *token, const char *wanted))
{
  GPtrArray *found = g_ptr_array_new ();

  for (guint i = 0; i < tokens->len; i++) {
    if (answers (tokens->pdata[i], wanted))
      g_ptr_array_add (found, tokens->pdata[i]);
  }
  return found;
}

static gboolean
is_one_token (GPtrArray *views)
{
  for (guint i = 1; i < views->len; i++) {
    if (!tokenctl_token_is_same (views->pdata[0], views->pdata[i]))
      return FALSE;
  }
  return views->len > 0;
}

static gboolean
was_listed (GPtrArray *tokens, guint index)
{
  for (guint i = 0; i < index; i++) {
    if (tokenctl_token_is_same (tokens->pdata[i], tokens->pdata[index]))
      return TRUE;
  }
  return FALSE;
}

static void
set_ambiguous (GPtrArray *found, const char *wanted, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  g_autofree char *called = wanted != NULL ? tokenctl_printable (wanted) : NULL;

  for (guint i = 0; i < found->len; i++) {
    g_autofree char *label = tokenctl_printable (label_of (found->pdata[i]));
    g_autofree char *serial = tokenctl_printable (serial_of (found->pdata[i]));

    if (was_listed (found, i))
      continue;
    g_string_append (list, "\n  ");
    g_string_append_printf (list, _ ("label “%s”, serial “%s”"), label, serial);
    if (tokenctl_tokens_same_card (found, i) != NULL)
      g_string_append (list, tokenctl_token_shares_pin (found->pdata[i])
                                 ? _ (" (the same card)")
                                 : _ (" (the same card, with a PIN of its own)"));
  }

  if (called == NULL)
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE,
                 _ ("There are several tokens. Say which one, by label or serial:%s"), list->str);
  else
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE,
                 _ ("Several tokens answer to “%s”. Say which one, by label or serial:%s"), called,
                 list->str);
}

static void
set_none (GPtrArray *tokens, const char *wanted, GError **error)
{
  g_autofree char *called = wanted != NULL ? tokenctl_printable (wanted) : NULL;

  if (tokens->len == 0)
    g_set_error_literal (
        error, TOKENCTL_ERROR, TOKENCTL_EXIT_NO_SUCH_TOKEN,
        _ ("No token is plugged in. Plug it in; if it is, “tokenctl modules” shows "
           "whether its PKCS#11 module is ready."));
  else
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_NO_SUCH_TOKEN,
                 _ ("No token has the label or serial “%s”. “tokenctl status” shows those that are "
                    "plugged in; “tokenctl modules” whether each PKCS#11 module is ready."),
                 called);
}

/**
 * tokenctl_tokens_have_exactly:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @wanted: (nullable): a label, a serial, or the start of one
 *
 * Returns: whether @wanted is all of a token's label or serial, so that no other token that may
 * still come can be meant by it
 */
gboolean
tokenctl_tokens_have_exactly (GPtrArray *tokens, const char *wanted)
{
  g_autoptr (GPtrArray) found = NULL;

  if (wanted == NULL || *wanted == '\0')
    return FALSE;
  found = filter (tokens, wanted, answers_exactly);
  return found->len > 0;
}

/**
 * tokenctl_tokens_match:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @wanted: (nullable): a label, a serial, or the start of one; %NULL for the only token there is
 * @error: no such token, or (usage) several
 *
 * An exact label or serial goes before a prefix.
 *
 * Returns: (transfer container) (element-type TokenctlToken): all views of the one token that is
 * meant, or %NULL
 */
GPtrArray *
tokenctl_tokens_match (GPtrArray *tokens, const char *wanted, GError **error)
{
  g_autoptr (GPtrArray) found = NULL;

  if (wanted == NULL) {
    found = filter (tokens, NULL, answers_always);
  } else if (*wanted == '\0') {
    found = g_ptr_array_new ();
  } else {
    found = filter (tokens, wanted, answers_exactly);
    if (found->len == 0) {
      g_ptr_array_unref (found);
      found = filter (tokens, wanted, answers_by_prefix);
    }
  }

  if (is_one_token (found))
    return g_steal_pointer (&found);

  if (found->len == 0)
    set_none (tokens, wanted, error);
  else
    set_ambiguous (found, wanted, error);
  return NULL;
}

/**
 * tokenctl_tokens_pick:
 * @views: (element-type TokenctlToken): all views of one token, at least one
 *
 * Returns: (transfer none): the view to work through: one that can be unlocked, because more is known of its module; else one
 *   whose PIN can be changed
 */
TokenctlToken *
tokenctl_tokens_pick (GPtrArray *views)
{
  static const char *const wanted[] = { TOKEND_STATUS_CAN_UNLOCK, TOKEND_STATUS_CAN_SET_PIN };

  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    for (guint j = 0; j < views->len; j++) {
      TokenctlToken *token = views->pdata[j];

      if (tokenctl_status_is (token->status, wanted[i], TRUE))
        return token;
    }
  return views->pdata[0];
}

/**
 * tokenctl_tokens_argument:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @token: one of them
 *
 * Returns: (transfer full): the argument that means @token, quoted for the shell where it must be;
 * after "-- " if it begins with "-"
 */
char *
tokenctl_tokens_argument (GPtrArray *tokens, const TokenctlToken *token)
{
  g_autoptr (GPtrArray) views = tokenctl_tokens_match (tokens, label_of (token), NULL);
  const char *argument = views != NULL ? label_of (token) : serial_of (token);
  g_autofree char *printable = tokenctl_printable (argument);
  g_autofree char *quoted = NULL;

  if (strspn (printable, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.,:+@") == strlen (printable)
      && *printable != '\0')
    quoted = g_steal_pointer (&printable);
  else
    quoted = g_shell_quote (printable);
  /* Else it would be taken for an option. */
  return *argument == '-' ? g_strconcat ("-- ", quoted, NULL) : g_steal_pointer (&quoted);
}
