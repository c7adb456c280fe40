/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include "code-check.h"
#include "tokend-status.h"

G_BEGIN_DECLS

/* Room for the longest code, a newline, and one byte more that shows a code that is too long. */
#define TOKENCTL_CODE_ROOM (TOKEND_CODE_MAX + 2)

/**
 * TokenctlCode:
 *
 * A PIN or PUK, in memory that is locked, left out of core files and forks, and wiped when freed.
 */
typedef struct _TokenctlCode TokenctlCode;

gboolean tokenctl_code_harden_process (GError **error);

TokenctlCode *tokenctl_code_new (GError **error);
void tokenctl_code_free (TokenctlCode *code);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlCode, tokenctl_code_free)

char *tokenctl_code_bytes (TokenctlCode *code);
gsize tokenctl_code_length (const TokenctlCode *code);
void tokenctl_code_set_length (TokenctlCode *code, gsize length);
gboolean tokenctl_code_equal (TokenctlCode *a, TokenctlCode *b);
TokenctlCode *tokenctl_code_as_seen (TokenctlCode *code, GError **error);
TokendCodeResult tokenctl_code_validate (const TokenctlCode *code, TokendCodeKind kind);
TokendCodeResult tokenctl_code_validate_by_rules (const TokenctlCode *code,
                                                  const TokendCodeRules *rules);
gsize tokenctl_code_without_newline (const char *bytes, gsize length);

gboolean tokenctl_code_read (TokenctlCode *code, int fd, GError **error);
gboolean tokenctl_code_write (TokenctlCode *code, int fd, gboolean *is_closed, GError **error);

G_END_DECLS
