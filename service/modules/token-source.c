/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-source.h"

G_DEFINE_INTERFACE (TokendTokenSource, tokend_token_source, G_TYPE_OBJECT)

static void
tokend_token_source_default_init (TokendTokenSourceInterface *iface)
{
}

const char *
tokend_token_source_get_name (TokendTokenSource *self)
{
  return TOKEND_TOKEN_SOURCE_GET_IFACE (self)->get_name (self);
}

/**
 * tokend_token_source_get_path:
 *
 * Returns: (transfer none): the library.
 */
const char *
tokend_token_source_get_path (TokendTokenSource *self)
{
  return TOKEND_TOKEN_SOURCE_GET_IFACE (self)->get_path (self);
}

/**
 * tokend_token_source_get_profile:
 *
 * Returns: (transfer none) (nullable): the profile that its file name selects.
 */
const TokendProfile *
tokend_token_source_get_profile (TokendTokenSource *self)
{
  return TOKEND_TOKEN_SOURCE_GET_IFACE (self)->get_profile (self);
}

gboolean
tokend_token_source_is_ready (TokendTokenSource *self)
{
  return TOKEND_TOKEN_SOURCE_GET_IFACE (self)->is_ready (self);
}

/**
 * tokend_token_source_is_unchanged:
 *
 * Returns: whether its tokens are known not to have changed since they were read.
 */
gboolean
tokend_token_source_is_unchanged (TokendTokenSource *self)
{
  return TOKEND_TOKEN_SOURCE_GET_IFACE (self)->is_unchanged (self);
}

/**
 * tokend_token_source_has_hidden:
 *
 * Returns: whether there is a card that no read has reached yet: it may be any token.
 */
gboolean
tokend_token_source_has_hidden (TokendTokenSource *self)
{
  return TOKEND_TOKEN_SOURCE_GET_IFACE (self)->has_hidden (self);
}

/**
 * tokend_token_source_begin_wait:
 *
 * Must be called before a read if nothing after it may be missed: if it is watched, it tells of
 * changes from now on.
 */
void
tokend_token_source_begin_wait (TokendTokenSource *self)
{
  TOKEND_TOKEN_SOURCE_GET_IFACE (self)->begin_wait (self);
}

/**
 * tokend_token_source_read_async:
 *
 * Reads its tokens now. Callers at the same time share one read.
 */
void
tokend_token_source_read_async (TokendTokenSource *self, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  TOKEND_TOKEN_SOURCE_GET_IFACE (self)->read_async (self, callback, user_data);
}

/**
 * tokend_token_source_read_finish:
 * @error: ModuleFailed, TimedOut or Busy.
 *
 * Returns: whether the tokens were read.
 */
gboolean
tokend_token_source_read_finish (TokendTokenSource *self, GAsyncResult *result, GError **error)
{
  return TOKEND_TOKEN_SOURCE_GET_IFACE (self)->read_finish (self, result, error);
}
