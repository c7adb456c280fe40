/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "agent-listener.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "code.h"
#include "printable.h"

/* How many wrong passwords a person may give, as with sudo. */
#define ATTEMPTS 3
/* The longest line that a terminal gives. */
#define LINE_ROOM 4096

typedef struct Prompt Prompt;

/* Takes a line that was typed. */
typedef void (*TakeLine) (Prompt *prompt, const char *line);

/* A request of polkit's. */
struct Prompt {
  TokenctlAgentListener *listener;
  GTask *task;
  GPtrArray *identities;
  PolkitIdentity *identity; /* the one of them that was chosen */
  char *cookie;
  PolkitAgentSession *session; /* the helper that checks the password; or NULL */
  guint attempts;
  gboolean was_asked; /* for anything, in the present attempt */
  TakeLine take_line;
  GSource *input; /* NULL: nothing is asked for */
  GSource *withdrawn;
};

struct _TokenctlAgentListener {
  PolkitAgentListener parent_instance;

  TokenctlTerminal *terminal;
  Prompt *prompt; /* or NULL */
};

G_DEFINE_FINAL_TYPE (TokenctlAgentListener, tokenctl_agent_listener, POLKIT_AGENT_TYPE_LISTENER)

static void
clear_source (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
drop_session (Prompt *prompt)
{
  if (prompt->session == NULL)
    return;
  g_signal_handlers_disconnect_by_data (prompt->session, prompt);
  polkit_agent_session_cancel (prompt->session);
  g_clear_object (&prompt->session);
}

static void
prompt_free (Prompt *prompt)
{
  clear_source (&prompt->input);
  clear_source (&prompt->withdrawn);
  drop_session (prompt);
  g_ptr_array_unref (prompt->identities);
  g_clear_object (&prompt->identity);
  g_free (prompt->cookie);
  g_object_unref (prompt->task);
  g_free (prompt);
}

/* Ends the request. polkit learns from its helper whether the password was right. */
static void
finish (Prompt *prompt, gboolean is_dismissed)
{
  TokenctlAgentListener *self = prompt->listener;

  tokenctl_terminal_show_typing (self->terminal);
  if (is_dismissed)
    g_task_return_new_error (prompt->task, POLKIT_ERROR, POLKIT_ERROR_CANCELLED, "Dismissed");
  else
    g_task_return_boolean (prompt->task, TRUE);
  self->prompt = NULL;
  prompt_free (prompt);
}

static void
dismiss (Prompt *prompt)
{
  tokenctl_terminal_say (prompt->listener->terminal, "");
  finish (prompt, TRUE);
}

static gboolean
on_withdrawn (GCancellable *cancellable, gpointer prompt)
{
  dismiss (prompt);
  return G_SOURCE_REMOVE;
}

/* Takes an end of input without a line (Ctrl-D) for a dismissal. */
static gboolean
on_input (int fd, GIOCondition condition, gpointer user_data)
{
  Prompt *prompt = user_data;
  char line[LINE_ROOM];
  gssize n = read (fd, line, sizeof line - 1);

  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;
  if (n <= 0) {
    dismiss (prompt);
    return G_SOURCE_REMOVE;
  }

  line[tokenctl_code_without_newline (line, (gsize) n)] = '\0';
  clear_source (&prompt->input);
  prompt->take_line (prompt, line);
  explicit_bzero (line, sizeof line);
  return G_SOURCE_REMOVE;
}

static void
ask (Prompt *prompt, const char *question, TakeLine take_line)
{
  int fd = tokenctl_terminal_get_fd (prompt->listener->terminal);
  g_autofree char *printable = tokenctl_printable (question);

  tokenctl_terminal_write (prompt->listener->terminal, printable);
  prompt->take_line = take_line;
  clear_source (&prompt->input);
  prompt->input = g_unix_fd_source_new (fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
  g_source_set_callback (prompt->input, G_SOURCE_FUNC (on_input), prompt, NULL);
  g_source_attach (prompt->input, g_main_context_get_thread_default ());
}

static void
take_answer (Prompt *prompt, const char *line)
{
  tokenctl_terminal_say (prompt->listener->terminal, "");
  polkit_agent_session_response (prompt->session, line);
}

static void
take_shown_answer (Prompt *prompt, const char *line)
{
  tokenctl_terminal_hide_typing (prompt->listener->terminal);
  polkit_agent_session_response (prompt->session, line);
}

/* Translates PAM's usual question, which polkit's helper asks in English. */
static const char *
translate_question (const char *question)
{
  static const char *const password = N_ ("Password: ");

  return g_str_equal (question, password) ? _ (password) : question;
}

static void
on_request (PolkitAgentSession *session, const char *question, gboolean is_shown, Prompt *prompt)
{
  prompt->was_asked = TRUE;
  if (is_shown)
    tokenctl_terminal_show_typing (prompt->listener->terminal);
  else
    tokenctl_terminal_hide_typing (prompt->listener->terminal);
  ask (prompt, translate_question (question), is_shown ? take_shown_answer : take_answer);
}

static void
on_show (PolkitAgentSession *session, const char *text, Prompt *prompt)
{
  g_autofree char *printable = tokenctl_printable (text);

  tokenctl_terminal_say (prompt->listener->terminal, printable);
}

static void begin_attempt (Prompt *prompt);

static void
on_completed (PolkitAgentSession *session, gboolean is_authorized, Prompt *prompt)
{
  clear_source (&prompt->input);
  g_signal_handlers_disconnect_by_data (session, prompt);
  g_clear_object (&prompt->session);
  if (!is_authorized && !prompt->was_asked)
    tokenctl_terminal_say (prompt->listener->terminal,
                           _ ("polkit's helper failed, so nothing could be asked. The "
                              "system's journal may say why."));
  if (is_authorized || !prompt->was_asked || prompt->attempts == ATTEMPTS) {
    finish (prompt, FALSE);
    return;
  }
  tokenctl_terminal_say (
      prompt->listener->terminal,
      _ ("Authentication failed. Try again, or dismiss the request with Ctrl-D."));
  begin_attempt (prompt);
}

/* Silences the helper, which tells of each wrong password on standard error, in English. */
static void
initiate_quietly (PolkitAgentSession *session)
{
  const int flags = fcntl (STDERR_FILENO, F_GETFD);

  fcntl (STDERR_FILENO, F_SETFD, flags | FD_CLOEXEC);
  polkit_agent_session_initiate (session);
  fcntl (STDERR_FILENO, F_SETFD, flags);
}

/* Hides what is typed from here to the end, also while the helper thinks. */
static void
begin_attempt (Prompt *prompt)
{
  prompt->attempts++;
  prompt->was_asked = FALSE;
  prompt->session = polkit_agent_session_new (prompt->identity, prompt->cookie);
  g_signal_connect (prompt->session, "request", G_CALLBACK (on_request), prompt);
  g_signal_connect (prompt->session, "show-info", G_CALLBACK (on_show), prompt);
  g_signal_connect (prompt->session, "show-error", G_CALLBACK (on_show), prompt);
  g_signal_connect (prompt->session, "completed", G_CALLBACK (on_completed), prompt);
  tokenctl_terminal_hide_typing (prompt->listener->terminal);
  initiate_quietly (prompt->session);
}

static char *
name_of (PolkitIdentity *identity)
{
  const char *name = POLKIT_IS_UNIX_USER (identity)
                         ? polkit_unix_user_get_name (POLKIT_UNIX_USER (identity))
                         : NULL;

  return name != NULL ? tokenctl_printable (name) : polkit_identity_to_string (identity);
}

static void
choose (Prompt *prompt, PolkitIdentity *identity)
{
  g_autofree char *name = name_of (identity);
  g_autofree char *text = g_strdup_printf (_ ("Authenticating as: %s"), name);

  prompt->identity = g_object_ref (identity);
  tokenctl_terminal_say (prompt->listener->terminal, text);
  begin_attempt (prompt);
}

static void ask_who (Prompt *prompt);

static void
take_number (Prompt *prompt, const char *line)
{
  guint64 number;

  if (g_ascii_string_to_unsigned (line, 10, 1, prompt->identities->len, &number, NULL))
    choose (prompt, prompt->identities->pdata[number - 1]);
  else
    ask_who (prompt);
}

static void
ask_who (Prompt *prompt)
{
  g_autofree char *question = NULL;

  for (guint i = 0; i < prompt->identities->len; i++) {
    g_autofree char *name = name_of (prompt->identities->pdata[i]);
    g_autofree char *row = g_strdup_printf ("  %u. %s", i + 1, name);

    tokenctl_terminal_say (prompt->listener->terminal, row);
  }
  question = g_strdup_printf (_ ("Who authenticates (1 to %u)? "), prompt->identities->len);
  tokenctl_terminal_show_typing (prompt->listener->terminal);
  ask (prompt, question, take_number);
}

static void
initiate_authentication (PolkitAgentListener *listener, const char *action, const char *message,
                         const char *icon, PolkitDetails *details, const char *cookie,
                         GList *identities, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  TokenctlAgentListener *self = TOKENCTL_AGENT_LISTENER (listener);
  g_autoptr (GTask) task = g_task_new (listener, NULL, callback, user_data);
  g_autofree char *printable = tokenctl_printable (message);
  Prompt *prompt;

  if (self->prompt != NULL || identities == NULL) {
    g_task_return_new_error (task, POLKIT_ERROR, POLKIT_ERROR_FAILED, "Nobody can be asked now");
    return;
  }
  prompt = g_new0 (Prompt, 1);
  self->prompt = prompt;
  prompt->listener = self;
  prompt->task = g_steal_pointer (&task);
  prompt->cookie = g_strdup (cookie);
  prompt->identities = g_ptr_array_new_with_free_func (g_object_unref);
  for (GList *l = identities; l != NULL; l = l->next)
    g_ptr_array_add (prompt->identities, g_object_ref (l->data));
  prompt->withdrawn = g_cancellable_source_new (cancellable);
  g_source_set_callback (prompt->withdrawn, G_SOURCE_FUNC (on_withdrawn), prompt, NULL);
  g_source_attach (prompt->withdrawn, g_main_context_get_thread_default ());

  tokenctl_terminal_say (self->terminal, printable);
  if (prompt->identities->len == 1)
    choose (prompt, prompt->identities->pdata[0]);
  else
    ask_who (prompt);
}

static gboolean
initiate_authentication_finish (PolkitAgentListener *listener, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* The prompt ends with the program that caused it. */
static void
tokenctl_agent_listener_dispose (GObject *object)
{
  TokenctlAgentListener *self = TOKENCTL_AGENT_LISTENER (object);

  if (self->prompt != NULL)
    finish (self->prompt, TRUE);
  G_OBJECT_CLASS (tokenctl_agent_listener_parent_class)->dispose (object);
}

static void
tokenctl_agent_listener_class_init (TokenctlAgentListenerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tokenctl_agent_listener_dispose;
  POLKIT_AGENT_LISTENER_CLASS (klass)->initiate_authentication = initiate_authentication;
  POLKIT_AGENT_LISTENER_CLASS (klass)->initiate_authentication_finish =
      initiate_authentication_finish;
}

static void
tokenctl_agent_listener_init (TokenctlAgentListener *self)
{
}

/**
 * tokenctl_agent_listener_new:
 * @terminal: (transfer none): where to ask; must outlive the listener
 *
 * Returns: (transfer full): a listener that is not registered
 */
PolkitAgentListener *
tokenctl_agent_listener_new (TokenctlTerminal *terminal)
{
  TokenctlAgentListener *self = g_object_new (TOKENCTL_TYPE_AGENT_LISTENER, NULL);

  self->terminal = terminal;
  return POLKIT_AGENT_LISTENER (self);
}
