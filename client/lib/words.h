/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "status.h"

G_BEGIN_DECLS

/**
 * TokenctlEmphasis:
 *
 * How much text must stand out.
 */
typedef enum {
  TOKENCTL_EMPHASIS_NONE,
  TOKENCTL_EMPHASIS_LOW,
  TOKENCTL_EMPHASIS_FINAL,
  TOKENCTL_EMPHASIS_LOCKED,
} TokenctlEmphasis;

char *tokenctl_words_for_tries (const TokenctlTries *tries, TokendRole role);
char *tokenctl_words_for_cell (const TokenctlTries *tries, TokendRole role);
TokenctlEmphasis tokenctl_emphasis_of (const TokenctlTries *tries);
char *tokenctl_words_for_code (const TokenctlTries *tries, TokendRole role);

gboolean tokenctl_puk_can_help (GVariant *status);
const char *tokenctl_words_for_left_open (GVariant *status);
const char *tokenctl_words_for_unsupported (GVariant *status);
char *tokenctl_next_step (GVariant *status, TokendRole role, const char *token_argument);
char *tokenctl_words_for_pin_loss (GVariant *status);
const char *tokenctl_words_for_gone_certificate (void);
char *tokenctl_words_for_loss (const TokenctlTries *tries);

G_END_DECLS
