/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "choice.h"

G_BEGIN_DECLS

char *tokenctl_argument_of (GPtrArray *tokens, const TokenctlToken *token);
char *tokenctl_quote_names (const char *const *names);
char *tokenctl_words_for_another (const TokenctlToken *picked, const TokenctlWanted *wanted);

TokenctlChoice *tokenctl_match (GPtrArray *tokens, const TokenctlWanted *wanted,
                                GPtrArray *problems, GError **error);

G_END_DECLS
