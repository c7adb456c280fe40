/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "status.h"
#include "terminal.h"

G_BEGIN_DECLS

char *tokenctl_words_for_refused_code (const GError *error, TokendRole role,
                                       const TokenctlTries *tries);
gboolean tokenctl_ask_refused_code (TokenctlTerminal *terminal, const GError *refusal,
                                    TokendRole role, const TokenctlTries *tries,
                                    gboolean has_other_pin, GError **error);

G_END_DECLS
