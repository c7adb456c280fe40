/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token.h"

#include <glib/gi18n.h>
#include <string.h>

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
 *
 * Returns: (transfer full): what a sentence calls the token: its label, or what else it has;
 *   printable
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

static gboolean
is_equal (const TokenctlToken *a, const TokenctlToken *b, const char *const *keys)
{
  for (gsize i = 0; keys[i] != NULL; i++)
    if (!g_str_equal (tokenctl_status_string (a->status, keys[i]),
                      tokenctl_status_string (b->status, keys[i])))
      return FALSE;
  return TRUE;
}

static gboolean
has_same_name (const TokenctlToken *a, const TokenctlToken *b)
{
  static const char *const keys[] = { TOKEND_STATUS_MANUFACTURER, TOKEND_STATUS_MODEL,
                                      TOKEND_STATUS_SERIAL, TOKEND_STATUS_LABEL, NULL };

  return is_equal (a, b, keys);
}

/**
 * tokenctl_token_has_serial:
 *
 * Returns: whether it has a serial number of more than zeros, which several tokens may have
 */
gboolean
tokenctl_token_has_serial (const TokenctlToken *token)
{
  return strspn (serial_of (token), "0 ") != strlen (serial_of (token));
}

/**
 * tokenctl_token_is_same:
 *
 * Returns: whether the service says that both are views of one PIN of one physical token; or both
 *   have one name without a serial number
 */
gboolean
tokenctl_token_is_same (const TokenctlToken *a, const TokenctlToken *b)
{
  static const char *const pin[] = { TOKEND_STATUS_PIN_ID, NULL };
  static const char *const module[] = { TOKEND_STATUS_MODULE, NULL };

  if (!is_equal (a, b, pin))
    return has_same_name (a, b) && !tokenctl_token_has_serial (a);
  return has_same_name (a, b)
         || (*tokenctl_status_string (a->status, TOKEND_STATUS_PIN_ID) != '\0'
             && !is_equal (a, b, module));
}

/**
 * tokenctl_token_is_same_view:
 *
 * Ignores their paths, which change with a restart of the service.
 *
 * Returns: whether both are the same token as the same module shows it
 */
gboolean
tokenctl_token_is_same_view (const TokenctlToken *a, const TokenctlToken *b)
{
  static const char *const module[] = { TOKEND_STATUS_MODULE, NULL };

  return has_same_name (a, b) && is_equal (a, b, module);
}

/**
 * tokenctl_token_shares_pin:
 *
 * Returns: whether the other tokens of the same card have the same PIN
 */
gboolean
tokenctl_token_shares_pin (const TokenctlToken *token)
{
  return tokenctl_status_is (token->status, TOKEND_STATUS_PIN_SHARED, TRUE);
}

static gboolean
is_of_same_card (const TokenctlToken *a, const TokenctlToken *b)
{
  static const char *const card[] = { TOKEND_STATUS_CARD_ID, NULL };
  static const char *const names[] = { TOKEND_STATUS_MANUFACTURER, TOKEND_STATUS_MODEL,
                                       TOKEND_STATUS_SERIAL, NULL };
  const gboolean is_told = *tokenctl_status_string (a->status, TOKEND_STATUS_CARD_ID) != '\0';

  return (is_told ? is_equal (a, b, card) : is_equal (a, b, names) && tokenctl_token_has_serial (a))
         && !g_str_equal (label_of (a), label_of (b)) && !tokenctl_token_is_same (a, b);
}

/**
 * tokenctl_token_has_same_pin:
 *
 * Returns: whether a code sent to one is sent to the other: they are views of one token, or tokens
 *   of one card that share their PIN
 */
gboolean
tokenctl_token_has_same_pin (const TokenctlToken *a, const TokenctlToken *b)
{
  return tokenctl_token_is_same (a, b)
         || (is_of_same_card (a, b) && tokenctl_token_shares_pin (a)
             && tokenctl_token_shares_pin (b));
}

/**
 * tokenctl_tokens_same_card:
 * @tokens: (element-type TokenctlToken): some tokens
 * @index: of one of them
 *
 * A card may show several tokens: an OpenPGP card shows one for signatures and one for all else.
 * Ask tokenctl_token_shares_pin() whether they have one PIN.
 *
 * Returns: (transfer none) (nullable): the first one before it that is another token of the same
 *   card
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

/**
 * tokenctl_tokens_name:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @token: one of them
 *
 * Returns: (transfer full): its name, see tokenctl_token_name(), with the serial number if another
 *   token has the same label; printable
 */
char *
tokenctl_tokens_name (GPtrArray *tokens, const TokenctlToken *token)
{
  g_autofree char *name = tokenctl_token_name (token);
  g_autofree char *serial = tokenctl_printable (serial_of (token));

  for (guint i = 0; i < tokens->len; i++) {
    const TokenctlToken *other = tokens->pdata[i];

    if (*serial != '\0' && g_str_equal (label_of (token), label_of (other))
        && !g_str_equal (serial_of (token), serial_of (other)))
      return g_strdup_printf (_ ("%s, serial %s"), name, serial);
  }
  return g_steal_pointer (&name);
}

/* Returns: (nullable): the one of @tokens that can do what @key says, and is another view of @named
 *   if that is given. */
static TokenctlToken *
find_able (GPtrArray *tokens, const TokenctlToken *named, const char *key)
{
  TokenctlToken *found = NULL;

  for (guint i = 0; i < tokens->len; i++) {
    TokenctlToken *token = tokens->pdata[i];

    if (!tokenctl_status_is (token->status, key, TRUE)
        || (named != NULL && !tokenctl_token_is_same (token, named)))
      continue;
    if (tokenctl_status_is (token->status, TOKEND_STATUS_PREFERRED, TRUE))
      return token;
    if (found == NULL)
      found = token;
  }
  return found;
}

/**
 * tokenctl_tokens_pick:
 * @views: (element-type TokenctlToken): the views of the one token that is meant, by the name that
 *   was given; at least one
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @role: whose code is to be sent
 *
 * Picks the module that shows the token by the name that the person gave, if that module can
 * operate: which views are one token is only what modules say. Of several picks the one that the
 * service prefers.
 *
 * Returns: (transfer none): the view to operate on; if it is none of @views, a person must confirm
 *   it
 */
TokenctlToken *
tokenctl_tokens_pick (GPtrArray *views, GPtrArray *tokens, TokendRole role)
{
  const char *key = role == TOKEND_ROLE_PUK ? TOKEND_STATUS_CAN_UNLOCK : TOKEND_STATUS_CAN_SET_PIN;
  TokenctlToken *picked = find_able (views, NULL, key);

  if (picked == NULL)
    picked = find_able (tokens, views->pdata[0], key);
  return picked != NULL ? picked : views->pdata[0];
}
