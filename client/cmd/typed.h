/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code.h"

G_BEGIN_DECLS

/**
 * TokenctlTypedAnswer:
 *
 * What becomes of a PUK or present PIN that a person has typed.
 */
typedef enum {
  TOKENCTL_TYPED_TAKEN,
  TOKENCTL_TYPED_DOUBTFUL,   /* taken if the person means it so */
  TOKENCTL_TYPED_IMPOSSIBLE, /* not sent; or only with --send-unusual-code */
  TOKENCTL_TYPED_BLANK,      /* has to come again: without its blanks, or just the same */
  TOKENCTL_TYPED_ANOTHER,    /* is not the one that has to come again */
} TokenctlTypedAnswer;

/**
 * TokenctlTypedNext:
 *
 * What the code that is typed next is compared with.
 */
typedef enum {
  TOKENCTL_NEXT_ANY,
  TOKENCTL_NEXT_AS_THIS,
  TOKENCTL_NEXT_AS_BEFORE, /* with whatever this one was compared with */
} TokenctlTypedNext;

typedef struct {
  TokenctlTypedAnswer answer;
  TokendCodeResult result; /* the reason, where it is doubtful or impossible */
  TokenctlTypedNext next;  /* where it is not taken */
} TokenctlTyped;

TokenctlTyped tokenctl_typed_validate (TokenctlCode *code, TokenctlCode *before,
                                       gboolean send_unusual);
TokenctlTyped tokenctl_typed_validate_by_rules (const TokenctlCode *code,
                                                const TokendCodeRules *rules,
                                                gboolean send_unusual);
gboolean tokenctl_typed_is_yes (const char *line);

G_END_DECLS
