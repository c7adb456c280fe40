/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent.h"

#include <unistd.h>

#include "agent-listener.h"

/* Unregistering takes milliseconds unless polkitd hangs. */
#define STOP_PATIENCE G_USEC_PER_SEC

struct _TokenctlAgent {
  PolkitAgentListener *listener;
  gpointer registration;
  GAsyncQueue *stopped; /* gets the agent once it has stopped */
};

/* Registers as a fallback, so that a session's own agent, with its windows, goes first. Outside a
 * session polkit never uses a fallback. */
static GVariant *
registration_options (void)
{
  g_autoptr (PolkitSubject) session =
      polkit_unix_session_new_for_process_sync (getpid (), NULL, NULL);
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  if (session != NULL)
    g_variant_dict_insert (&options, "fallback", "b", TRUE);
  return g_variant_ref_sink (g_variant_dict_end (&options));
}

/**
 * tokenctl_agent_start:
 * @terminal: (transfer none): where to ask
 *
 * Registers a text agent for this process, which polkit uses only if its session has none. The
 * agent has a thread of its own, so that a call may wait while the agent asks.
 *
 * Returns: (transfer full) (nullable): the agent; %NULL if polkit does not accept one, and so
 *   answers without asking
 */
TokenctlAgent *
tokenctl_agent_start (TokenctlTerminal *terminal)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PolkitSubject) subject =
      polkit_unix_process_new_for_owner (getpid (), 0, (int) getuid ());
  g_autoptr (GVariant) options = registration_options ();
  g_autoptr (PolkitAgentListener) listener = tokenctl_agent_listener_new (terminal);
  TokenctlAgent *agent;
  gpointer registration;

  registration = polkit_agent_listener_register_with_options (
      listener, POLKIT_AGENT_REGISTER_FLAGS_RUN_IN_THREAD, subject, NULL, options, NULL, &error);
  if (registration == NULL) {
    g_debug ("No text agent: %s", error->message);
    return NULL;
  }

  agent = g_new0 (TokenctlAgent, 1);
  agent->listener = g_steal_pointer (&listener);
  agent->registration = registration;
  agent->stopped = g_async_queue_new ();
  return agent;
}

static gpointer
unregister (gpointer data)
{
  TokenctlAgent *agent = data;

  polkit_agent_listener_unregister (agent->registration);
  g_object_run_dispose (G_OBJECT (agent->listener));
  g_object_unref (agent->listener);
  g_async_queue_push (agent->stopped, agent);
  return NULL;
}

/**
 * tokenctl_agent_stop:
 * @agent: (transfer full): the agent
 *
 * Does not wait for a polkitd that hangs: the agent then stays until the program ends, which is
 * soon.
 *
 * Returns: whether it has stopped; else it may go on using the terminal
 */
gboolean
tokenctl_agent_stop (TokenctlAgent *agent)
{
  GThread *thread = g_thread_new ("agent-stop", unregister, agent);

  if (g_async_queue_timeout_pop (agent->stopped, STOP_PATIENCE) == NULL) {
    g_thread_unref (thread);
    return FALSE;
  }
  g_thread_join (thread);
  g_async_queue_unref (agent->stopped);
  g_free (agent);
  return TRUE;
}
