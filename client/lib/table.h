/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "words.h"

G_BEGIN_DECLS

/**
 * TokenctlTable:
 *
 * Rows of cells under headers, aligned for people.
 */
typedef struct _TokenctlTable TokenctlTable;

TokenctlTable *tokenctl_table_new (const char *const *headers);
void tokenctl_table_free (TokenctlTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlTable, tokenctl_table_free)

void tokenctl_table_add (TokenctlTable *table, const char *text, TokenctlEmphasis emphasis);
char *tokenctl_table_to_text (TokenctlTable *table, gboolean colour);

char *tokenctl_emphasised (const char *text, TokenctlEmphasis emphasis, gboolean colour);
gboolean tokenctl_colour_wanted (int fd);

G_END_DECLS
