/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bus.h"
#include "terminal.h"

G_BEGIN_DECLS

/**
 * TokenctlSession:
 * @terminal: (nullable): the person
 * @bus: the service
 *
 * What a subcommand works with.
 */
typedef struct {
  TokenctlTerminal *terminal;
  TokenctlBus *bus;
} TokenctlSession;

TokenctlSession *tokenctl_session_open (GError **error);
void tokenctl_session_close (TokenctlSession *session);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokenctlSession, tokenctl_session_close)

G_END_DECLS
