/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "profile.h"

G_BEGIN_DECLS

/**
 * TokendTokenSource:
 *
 * What shows a token, as the token and an operation on it see it. #TokendModule implements it.
 */
#define TOKEND_TYPE_TOKEN_SOURCE (tokend_token_source_get_type ())
G_DECLARE_INTERFACE (TokendTokenSource, tokend_token_source, TOKEND, TOKEN_SOURCE, GObject)

struct _TokendTokenSourceInterface {
  GTypeInterface parent;

  const char *(*get_name) (TokendTokenSource *self);
  const char *(*get_path) (TokendTokenSource *self);
  const TokendProfile *(*get_profile) (TokendTokenSource *self);
  gboolean (*is_ready) (TokendTokenSource *self);
  gboolean (*is_unchanged) (TokendTokenSource *self);
  gboolean (*has_hidden) (TokendTokenSource *self);
  void (*begin_wait) (TokendTokenSource *self);
  void (*read_async) (TokendTokenSource *self, GAsyncReadyCallback callback, gpointer user_data);
  gboolean (*read_finish) (TokendTokenSource *self, GAsyncResult *result, GError **error);
};

const char *tokend_token_source_get_name (TokendTokenSource *self);
const char *tokend_token_source_get_path (TokendTokenSource *self);
const TokendProfile *tokend_token_source_get_profile (TokendTokenSource *self);
gboolean tokend_token_source_is_ready (TokendTokenSource *self);
gboolean tokend_token_source_is_unchanged (TokendTokenSource *self);
gboolean tokend_token_source_has_hidden (TokendTokenSource *self);
void tokend_token_source_begin_wait (TokendTokenSource *self);

void tokend_token_source_read_async (TokendTokenSource *self, GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean tokend_token_source_read_finish (TokendTokenSource *self, GAsyncResult *result,
                                          GError **error);

G_END_DECLS
