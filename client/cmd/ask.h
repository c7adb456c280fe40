/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "check.h"
#include "terminal.h"

G_BEGIN_DECLS

TokenctlCode *tokenctl_ask_present_code (TokenctlTerminal *terminal, const char *prompt,
                                         const TokendCodeRules *rules, gboolean send_unusual,
                                         GError **error);
TokenctlCode *tokenctl_ask_new_pin (TokenctlTerminal *terminal, const TokenctlNewPin *wanted,
                                    GError **error);
gboolean tokenctl_ask_yes (TokenctlTerminal *terminal, const char *question, GError **error);
gboolean tokenctl_ask_final_word (TokenctlTerminal *terminal, GVariant *status, GError **error);

G_END_DECLS
