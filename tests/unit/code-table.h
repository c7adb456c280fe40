/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code-check.h"

/**
 * CodeRow:
 *
 * A row of tests/codes.tsv.
 */
typedef struct {
  char *bytes; /* followed by a NUL */
  gsize length;
  TokendCodeKind kind;
  TokendCodeAnswer answer;
  char *what;
  char *words;
} CodeRow;

GPtrArray *code_table_load (void);
