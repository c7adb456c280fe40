/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "status.h"

G_BEGIN_DECLS

/**
 * TokenctlToken:
 * @path: its object on the bus
 * @status: an a{sv} as Token.GetStatus gives it
 *
 * A token as one module shows it. Two modules may show the same physical one.
 */
typedef struct {
  char *path;
  GVariant *status;
} TokenctlToken;

TokenctlToken *tokenctl_token_new (const char *path, GVariant *status);
void tokenctl_token_free (TokenctlToken *token);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlToken, tokenctl_token_free)

char *tokenctl_token_name (const TokenctlToken *token);
gboolean tokenctl_token_has_serial (const TokenctlToken *token);
gboolean tokenctl_token_is_same (const TokenctlToken *a, const TokenctlToken *b);
gboolean tokenctl_token_is_same_view (const TokenctlToken *a, const TokenctlToken *b);

gboolean tokenctl_token_shares_pin (const TokenctlToken *token);
gboolean tokenctl_token_has_same_pin (const TokenctlToken *a, const TokenctlToken *b);

gboolean tokenctl_tokens_have_other_pin (GPtrArray *tokens, const TokenctlToken *token);
TokenctlToken *tokenctl_tokens_same_card (GPtrArray *tokens, guint index);
TokenctlToken *tokenctl_tokens_pick (GPtrArray *views, GPtrArray *tokens, TokendRole role);
char *tokenctl_tokens_name (GPtrArray *tokens, const TokenctlToken *token);

G_END_DECLS
