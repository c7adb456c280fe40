/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#define POLKIT_AGENT_I_KNOW_API_IS_SUBJECT_TO_CHANGE
#include <polkitagent/polkitagent.h>

#include "terminal.h"

G_BEGIN_DECLS

/**
 * TokenctlAgentListener:
 *
 * Asks a person for polkit, on a terminal. It reads only what is there, so that a prompt can be
 * withdrawn at any time.
 */
#define TOKENCTL_TYPE_AGENT_LISTENER (tokenctl_agent_listener_get_type ())
G_DECLARE_FINAL_TYPE (TokenctlAgentListener, tokenctl_agent_listener, TOKENCTL, AGENT_LISTENER,
                      PolkitAgentListener)

PolkitAgentListener *tokenctl_agent_listener_new (TokenctlTerminal *terminal);

G_END_DECLS
