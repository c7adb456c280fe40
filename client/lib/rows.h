/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "token.h"

G_BEGIN_DECLS

/**
 * TokenctlRow:
 * @token: (transfer none): the view of it that is operated on
 * @others: (element-type TokenctlToken): the views of it by other modules
 *
 * A token that may be shown by several modules, by several names.
 */
typedef struct {
  TokenctlToken *token;
  GPtrArray *others;
} TokenctlRow;

GPtrArray *tokenctl_rows_new (GPtrArray *tokens);
char *tokenctl_words_for_others (const TokenctlRow *row);

G_END_DECLS
