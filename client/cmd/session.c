/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session.h"

#include "agent.h"

typedef struct {
  TokenctlSession session;
  TokenctlAgent *agent;
} Private;

/**
 * tokenctl_session_open:
 *
 * Connects to the service. Lets polkit ask for a password on the terminal, if there is one.
 *
 * Returns: (transfer full): the session
 */
TokenctlSession *
tokenctl_session_open (GError **error)
{
  Private *self = g_new0 (Private, 1);
  g_autoptr (TokenctlSession) session = &self->session;

  session->terminal = tokenctl_terminal_open ();
  session->bus = tokenctl_bus_open (error);
  if (session->bus == NULL)
    return NULL;
  if (session->terminal != NULL)
    self->agent = tokenctl_agent_start (session->terminal);
  return g_steal_pointer (&session);
}

void
tokenctl_session_close (TokenctlSession *session)
{
  Private *self = (Private *) session;

  const gboolean is_agent_gone = self->agent == NULL || tokenctl_agent_stop (self->agent);

  g_clear_pointer (&session->bus, tokenctl_bus_close);
  g_clear_pointer (&session->terminal,
                   is_agent_gone ? tokenctl_terminal_close : tokenctl_terminal_leave);
  g_free (self);
}
