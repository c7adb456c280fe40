/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "open-operation.h"

#include <gio/gunixfdlist.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "bus.h"
#include "exit-code.h"
#include "tokend-error.h"
#include "tokend-glue.h"

/* The code's and the new PIN's. */
#define N_PIPES 2

struct TokenctlOpenOperation {
  TokendDbusOperation *proxy;
  int pipes[N_PIPES]; /* -1: closed */
  gboolean is_over;   /* the service had closed them before a code came */
};

/* A Finish under way, and what the person says meanwhile. */
typedef struct {
  TokendDbusOperation *proxy;
  GVariant *status;
  GError *error;
  gboolean has_ended;
  gboolean is_cancelling;
  gboolean is_cancelled;
} Finish;

static const GDBusCallFlags interactive = G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION;
static const GDBusProxyFlags plain =
    G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS;

static void
set_restarted (GError **error)
{
  g_set_error_literal (
      error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
      _ ("The service was restarted meanwhile. Nothing was sent; no try was spent. Run "
         "the command again."));
}

static void
close_pipes (TokenctlOpenOperation *self)
{
  for (guint i = 0; i < N_PIPES; i++) {
    if (self->pipes[i] >= 0)
      close (self->pipes[i]);
    self->pipes[i] = -1;
  }
}

void
tokenctl_open_operation_free (TokenctlOpenOperation *self)
{
  close_pipes (self);
  g_clear_object (&self->proxy);
  g_free (self);
}

/* Takes the first descriptor of @fds for the first handle, and so on: the glue has no names for
 * them. */
static gboolean
take_pipes (TokenctlOpenOperation *self, GVariant *code, GVariant *new_pin, GUnixFDList *fds,
            GError **error)
{
  const int handles[N_PIPES] = { g_variant_get_handle (code), g_variant_get_handle (new_pin) };

  close_pipes (self);
  for (guint i = 0; i < N_PIPES; i++) {
    if (fds == NULL || handles[i] >= g_unix_fd_list_get_length (fds)) {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                           "The service has sent no pipes");
      return FALSE;
    }
    self->pipes[i] = g_unix_fd_list_get (fds, handles[i], error);
    if (self->pipes[i] < 0)
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_owner_gone (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

static TokenctlOpenOperation *
open_operation (TokendDbusToken *token, TokendRole role, GVariant *options, GError **error)
{
  GDBusProxy *proxy = G_DBUS_PROXY (token);
  g_autoptr (TokenctlOpenOperation) self = g_new0 (TokenctlOpenOperation, 1);
  g_autofree char *operation = NULL;
  g_autoptr (GVariant) code = NULL;
  g_autoptr (GVariant) new_pin = NULL;
  g_autoptr (GUnixFDList) fds = NULL;
  gboolean is_open;

  for (guint i = 0; i < N_PIPES; i++)
    self->pipes[i] = -1;
  is_open = role == TOKEND_ROLE_PUK
                ? tokend_dbus_token_call_unlock_sync (token, options, interactive,
                                                      TOKENCTL_NO_TIMEOUT, NULL, &operation, &code,
                                                      &new_pin, &fds, NULL, error)
                : tokend_dbus_token_call_set_pin_sync (token, options, interactive,
                                                       TOKENCTL_NO_TIMEOUT, NULL, &operation, &code,
                                                       &new_pin, &fds, NULL, error);
  if (!is_open)
    return NULL;
  self->proxy =
      tokend_dbus_operation_proxy_new_sync (g_dbus_proxy_get_connection (proxy), plain,
                                            g_dbus_proxy_get_name (proxy), operation, NULL, error);
  if (self->proxy == NULL || !take_pipes (self, code, new_pin, fds, error))
    return NULL;
  return g_steal_pointer (&self);
}

/**
 * tokenctl_open_operation_new:
 * @connection: to the bus
 * @owner: (nullable): the unique name of the service that told of the token: after its restart
 *   @path may be another token
 * @path: the token's object
 * @role: %TOKEND_ROLE_PUK to unlock, %TOKEND_ROLE_PIN to change the PIN
 * @options: (transfer none): see Token.Unlock
 * @error: nothing was sent
 *
 * Opens an operation, for which a person may be asked for a password.
 *
 * Returns: (transfer full): the operation
 */
TokenctlOpenOperation *
tokenctl_open_operation_new (GDBusConnection *connection, const char *owner, const char *path,
                             TokendRole role, GVariant *options, GError **error)
{
  g_autoptr (TokendDbusToken) token = NULL;
  g_autoptr (GError) problem = NULL;
  TokenctlOpenOperation *opened;

  if (owner == NULL) {
    set_restarted (error);
    return NULL;
  }
  token = tokend_dbus_token_proxy_new_sync (connection, plain, owner, path, NULL, error);
  if (token == NULL)
    return NULL;
  opened = open_operation (token, role, options, &problem);
  if (is_owner_gone (problem))
    set_restarted (error);
  else if (problem != NULL)
    g_propagate_error (error, g_steal_pointer (&problem));
  return opened;
}

/**
 * tokenctl_open_operation_write:
 * @code: the PUK or the present PIN
 * @new_pin: the PIN to be set
 * @error: nothing was sent
 *
 * Hands the codes over, and closes the pipes. A pipe that the service has closed is no error here:
 * Finish says why.
 *
 * Returns: whether there was no error
 */
gboolean
tokenctl_open_operation_write (TokenctlOpenOperation *self, TokenctlCode *code,
                               TokenctlCode *new_pin, GError **error)
{
  const gboolean is_written =
      tokenctl_code_write (code, self->pipes[0], &self->is_over, error)
      && tokenctl_code_write (new_pin, self->pipes[1], &self->is_over, error);

  close_pipes (self);
  return is_written;
}

/* Returns: whether nothing was sent, for a reason that is said here. */
static gboolean
set_own_error (const TokenctlOpenOperation *self, const GError *finish, GError **error)
{
  if (is_owner_gone (finish))
    set_restarted (error);
  else if (self->is_over && g_error_matches (finish, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND))
    g_set_error_literal (
        error, TOKENCTL_ERROR, TOKENCTL_EXIT_BUSY,
        _ ("The codes were not given within ten minutes, so the operation was ended. Nothing was "
           "sent; no try was spent. Run the command again."));
  else
    return FALSE;
  return TRUE;
}

static void
on_finished (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Finish *finish = user_data;

  tokend_dbus_operation_call_finish_finish (TOKEND_DBUS_OPERATION (source), &finish->status, result,
                                            &finish->error);
  finish->has_ended = TRUE;
}

static void
on_cancelled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Finish *finish = user_data;

  finish->is_cancelling = FALSE;
  finish->is_cancelled =
      tokend_dbus_operation_call_cancel_finish (TOKEND_DBUS_OPERATION (source), result, NULL);
}

/* Cancels the operation. If that is too late, Finish says what became of it. */
static gboolean
on_interrupted (int fd, GIOCondition condition, gpointer user_data)
{
  Finish *finish = user_data;

  finish->is_cancelling = TRUE;
  tokend_dbus_operation_call_cancel (finish->proxy, G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_cancelled,
                                     finish);
  return G_SOURCE_REMOVE;
}

static GSource *
watch_interrupt (TokenctlTerminal *terminal, GMainContext *context, Finish *finish)
{
  GSource *source = g_unix_fd_source_new (tokenctl_terminal_catch_interrupt (terminal), G_IO_IN);

  g_source_set_callback (source, G_SOURCE_FUNC (on_interrupted), finish, NULL);
  g_source_attach (source, context);
  return source;
}

/**
 * tokenctl_open_operation_finish:
 * @options: (transfer none): see Operation.Finish
 * @terminal: (nullable): where a person can cancel it, with Ctrl-C
 * @is_cancelled: (out): whether that was in time, so that nothing was sent
 *
 * Has the codes sent. Spends one try at most. Once a try is recorded it cannot be cancelled any
 * more, and completes.
 *
 * Returns: (transfer full): the status after it
 */
GVariant *
tokenctl_open_operation_finish (TokenctlOpenOperation *self, GVariant *options,
                                TokenctlTerminal *terminal, gboolean *is_cancelled, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) interrupted = NULL;
  Finish finish = { .proxy = self->proxy };

  g_main_context_push_thread_default (context);
  if (terminal != NULL)
    interrupted = watch_interrupt (terminal, context, &finish);
  tokend_dbus_operation_call_finish (self->proxy, options, G_DBUS_CALL_FLAGS_NONE,
                                     TOKENCTL_NO_TIMEOUT, NULL, on_finished, &finish);
  while (!finish.has_ended || finish.is_cancelling)
    g_main_context_iteration (context, TRUE);
  if (terminal != NULL) {
    g_source_destroy (interrupted);
    tokenctl_terminal_release_interrupt (terminal);
  }
  g_main_context_pop_thread_default (context);

  *is_cancelled = finish.is_cancelled;
  if (finish.error != NULL && !set_own_error (self, finish.error, error))
    g_propagate_error (error, g_steal_pointer (&finish.error));
  g_clear_error (&finish.error);
  return finish.status;
}

/**
 * tokenctl_open_operation_again:
 * @error: it is over, as it is once a code was sent
 *
 * Makes it ready for other codes under the same authorization, if none was sent.
 *
 * Returns: whether it is ready
 */
gboolean
tokenctl_open_operation_again (TokenctlOpenOperation *self, GError **error)
{
  g_autoptr (GVariant) code = NULL;
  g_autoptr (GVariant) new_pin = NULL;
  g_autoptr (GUnixFDList) fds = NULL;

  return tokend_dbus_operation_call_again_sync (self->proxy, G_DBUS_CALL_FLAGS_NONE, -1, NULL,
                                                &code, &new_pin, &fds, NULL, error)
         && take_pipes (self, code, new_pin, fds, error);
}
