/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "token.h"

G_BEGIN_DECLS

/**
 * TokenctlRow:
 * @token: (transfer none): the view to operate on
 * @others: (element-type TokenctlToken): the views of other modules
 *
 * A token that several modules may show, by several names.
 */
typedef struct {
  TokenctlToken *token;
  GPtrArray *others;
} TokenctlRow;

GPtrArray *tokenctl_rows_new (GPtrArray *tokens);
char *tokenctl_words_for_others (const TokenctlRow *row);

G_END_DECLS
