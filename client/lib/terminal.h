/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code.h"

G_BEGIN_DECLS

/**
 * TokenctlTerminal:
 *
 * The terminal that the person sits at, whatever stdin and stdout are. There is one at a time.
 */
typedef struct _TokenctlTerminal TokenctlTerminal;

TokenctlTerminal *tokenctl_terminal_open (void);
void tokenctl_terminal_leave (TokenctlTerminal *terminal);
void tokenctl_terminal_close (TokenctlTerminal *terminal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlTerminal, tokenctl_terminal_close)

void tokenctl_terminal_set_last_words (TokenctlTerminal *terminal, const char *words);
int tokenctl_terminal_catch_interrupt (TokenctlTerminal *terminal);
void tokenctl_terminal_release_interrupt (TokenctlTerminal *terminal);
int tokenctl_terminal_get_fd (TokenctlTerminal *terminal);
void tokenctl_terminal_hide_typing (TokenctlTerminal *terminal);
void tokenctl_terminal_show_typing (TokenctlTerminal *terminal);
void tokenctl_terminal_write (TokenctlTerminal *terminal, const char *text);
void tokenctl_terminal_say (TokenctlTerminal *terminal, const char *text);
gboolean tokenctl_terminal_ask_code (TokenctlTerminal *terminal, const char *prompt,
                                     TokenctlCode *code, GError **error);
char *tokenctl_terminal_ask_line (TokenctlTerminal *terminal, const char *prompt, GError **error);

G_END_DECLS
