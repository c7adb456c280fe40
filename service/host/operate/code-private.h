/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tokend-status.h"

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendCode:
 *
 * A PIN or PUK, in memory that is never swapped out, dumped or passed to a child. It has room for
 * one byte more than the longest code, so that a longer one shows.
 */
typedef struct {
  gsize length;
  char bytes[TOKEND_CODE_MAX + 1];
} TokendCode;

TokendCode *tokend_code_new (GError **error);
void tokend_code_wipe (TokendCode *code);
void tokend_code_free (TokendCode *code);

gboolean tokend_code_equal (const TokendCode *a, const TokendCode *b);
GVariant *tokend_code_digest (const TokendCode *code, const guint8 key[32]);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendCode, tokend_code_free)

G_END_DECLS
