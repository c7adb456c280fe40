/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code.h"

G_BEGIN_DECLS

/**
 * TokenctlTypedAnswer:
 *
 * What to do with a PUK or present PIN that a person has typed.
 */
typedef enum {
  TOKENCTL_TYPED_TAKEN,
  TOKENCTL_TYPED_DOUBTFUL,   /* taken if the person confirms it */
  TOKENCTL_TYPED_IMPOSSIBLE, /* not sent, unless with --send-unusual-code */
  TOKENCTL_TYPED_BLANK,      /* has to come again, the same or without its blanks */
  TOKENCTL_TYPED_ANOTHER,    /* is not the one that has to come again */
} TokenctlTypedAnswer;

/**
 * TokenctlTypedNext:
 *
 * What the next typed code is compared with.
 */
typedef enum {
  TOKENCTL_NEXT_ANY,
  TOKENCTL_NEXT_AS_THIS,
  TOKENCTL_NEXT_AS_BEFORE, /* with what this one was compared with */
} TokenctlTypedNext;

typedef struct {
  TokenctlTypedAnswer answer;
  TokendCodeResult result; /* the reason, if it is doubtful or impossible */
  TokenctlTypedNext next;  /* if it is not taken */
} TokenctlTyped;

TokenctlTyped tokenctl_typed_validate (TokenctlCode *code, TokenctlCode *before,
                                       gboolean send_unusual);
TokenctlTyped tokenctl_typed_validate_by_rules (const TokenctlCode *code,
                                                const TokendCodeRules *rules,
                                                gboolean send_unusual);
gboolean tokenctl_typed_is_yes (const char *line);

G_END_DECLS
