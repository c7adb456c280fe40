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
 * tokenctl_token_has_same_pin:
 * @a: a token
 * @b: a token
 *
 * Returns: whether a code that is sent to one is sent to the other: they are views of one token, or tokens of one card that
 *   share their PIN
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

/**
 * tokenctl_tokens_name:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @token: one of them
 *
 * Returns: (transfer full): its name, see tokenctl_token_name(), with the serial number where another token has the same
 *   label; printable
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
