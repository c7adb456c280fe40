/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "token.h"

G_BEGIN_DECLS

/**
 * TokenctlWanted:
 * @words: (array zero-terminated=1) (nullable): nothing for the only token; a label or a serial
 *   number; or a label and a serial number
 * @may_be_start: whether the start of a label or serial number will do, since a person is shown the
 *   whole name and asked
 *
 * What a person or a script calls the token.
 */
typedef struct {
  const char *const *words;
  gboolean may_be_start;
} TokenctlWanted;

/**
 * TokenctlFound:
 *
 * How many tokens are meant.
 */
typedef enum {
  TOKENCTL_FOUND_NONE,
  TOKENCTL_FOUND_ONE,      /* by its whole name, or because there is no other */
  TOKENCTL_FOUND_BY_START, /* one, by the start of its label or serial number */
  TOKENCTL_FOUND_SEVERAL,
} TokenctlFound;

/**
 * TokenctlChoice:
 * @found: whether one token is meant
 * @tokens: (element-type TokenctlToken): all views of that token and PIN; or the several tokens; or
 *   those that may be suggested
 */
typedef struct {
  TokenctlFound found;
  GPtrArray *tokens;
} TokenctlChoice;

TokenctlChoice *tokenctl_choose (GPtrArray *tokens, const TokenctlWanted *wanted);
void tokenctl_choice_free (TokenctlChoice *choice);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlChoice, tokenctl_choice_free)

gboolean tokenctl_choice_is_one (const TokenctlChoice *choice);
gboolean tokenctl_is_named (GPtrArray *tokens, const TokenctlWanted *wanted);

char **tokenctl_names_of (GPtrArray *tokens, const TokenctlToken *token);

G_END_DECLS
