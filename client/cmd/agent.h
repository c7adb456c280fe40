/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "terminal.h"

G_BEGIN_DECLS

/**
 * TokenctlAgent:
 *
 * Asks for passwords on the terminal for polkit, where no desktop does.
 */
typedef struct _TokenctlAgent TokenctlAgent;

TokenctlAgent *tokenctl_agent_start (TokenctlTerminal *terminal);
gboolean tokenctl_agent_stop (TokenctlAgent *agent);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlAgent, tokenctl_agent_stop)

G_END_DECLS
