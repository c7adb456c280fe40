/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-client.h"

#include "tokend-error.h"
#include "tokend-module.h"

#include <gio/gunixfdlist.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* A test that fails leaves no process behind. */
static void
die_with_parent (gpointer data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

HostClient *
host_spawn (const char *const *argv)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  HostClient *host = g_new0 (HostClient, 1);
  g_autoptr (GError) error = NULL;
  int ends[2];

  (void) TOKEND_ERROR;
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
  g_subprocess_launcher_set_child_setup (launcher, die_with_parent, NULL, NULL);
  g_subprocess_launcher_take_stdin_fd (launcher, ends[1]);
  host->process = g_subprocess_launcher_spawnv (launcher, argv, &error);
  g_assert_no_error (error);
  host->socket = ends[0];
  return host;
}

HostClient *
host_start_with (const char *mode, uid_t peer, const char *option)
{
  g_autofree char *uid = g_strdup_printf ("%u", peer);

  return host_spawn ((const char *[]){ HOST_UNDER_TEST, mode, uid, option, NULL });
}

/* Does D-Bus on our end; a host that does not want us closes its own. */
void
host_connect (HostClient *host)
{
  g_autoptr (GSocket) socket = g_socket_new_from_fd (host->socket, NULL);
  g_autoptr (GSocketConnection) stream = g_socket_connection_factory_create_connection (socket);

  host->socket = -1;
  host->connection = g_dbus_connection_new_sync (
      G_IO_STREAM (stream), NULL, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT, NULL, NULL, NULL);
}

HostClient *
host_start (const char *mode)
{
  HostClient *host = host_start_with (mode, getuid (), NULL);

  host_connect (host);
  g_assert_nonnull (host->connection);
  return host;
}

static const char *
interface_of (const char *method)
{
  return g_str_equal (method, "Prepare") || g_str_equal (method, "Commit")
                 || g_str_equal (method, "Close")
             ? "org.tokend.Module1.Operation"
             : "org.tokend.Module1";
}

GVariant *
host_call (HostClient *host, const char *method, GVariant *arguments, GUnixFDList *fds,
           GError **error)
{
  GVariant *reply = g_dbus_connection_call_with_unix_fd_list_sync (
      host->connection, NULL, TOKEND_MODULE_OBJECT_PATH, interface_of (method), method, arguments,
      NULL, G_DBUS_CALL_FLAGS_NONE, HOST_PATIENCE * 1000, fds, NULL, NULL, error);

  return reply;
}

void
host_call_and_forget (HostClient *host, const char *method, GVariant *arguments)
{
  g_dbus_connection_call (host->connection, NULL, TOKEND_MODULE_OBJECT_PATH, interface_of (method),
                          method, arguments, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
  g_assert_true (g_dbus_connection_flush_sync (host->connection, NULL, NULL));
}

void
host_close (HostClient *host)
{
  g_assert_true (g_dbus_connection_close_sync (host->connection, NULL, NULL));
}

static void
on_exited (GObject *process, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;
  gboolean *exited = data;

  if (g_subprocess_wait_finish (G_SUBPROCESS (process), result, &error))
    *exited = TRUE;
}

static gboolean
on_late (gpointer data)
{
  g_cancellable_cancel (data);
  return G_SOURCE_REMOVE;
}

/* Whether the process ends by itself in time; @status gets its exit status, or -1 if a signal ended
 * it. */
gboolean
host_exits_within (HostClient *host, guint seconds, int *status)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  guint late = g_timeout_add_seconds (seconds, on_late, cancellable);
  gboolean exited = FALSE;

  g_subprocess_wait_async (host->process, cancellable, on_exited, &exited);
  while (!exited && !g_cancellable_is_cancelled (cancellable))
    g_main_context_iteration (NULL, TRUE);

  if (!exited)
    while (g_main_context_iteration (NULL, FALSE))
      ;
  else
    g_source_remove (late);
  if (exited && status != NULL)
    *status = g_subprocess_get_if_exited (host->process)
                  ? g_subprocess_get_exit_status (host->process)
                  : -1;
  return exited;
}

/* A host that serves us ends when we leave, and all is well then: so says valgrind too, whose
 * findings are a status. */
static void
leave (HostClient *host)
{
  int status;

  host_close (host);
  g_assert_true (host_exits_within (host, HOST_PATIENCE, &status));
  g_assert_cmpint (status, ==, 0);
}

void
host_free (HostClient *host)
{
  if (g_subprocess_get_identifier (host->process) != NULL && host->connection != NULL
      && !g_dbus_connection_is_closed (host->connection))
    leave (host);
  if (g_subprocess_get_identifier (host->process) != NULL)
    g_subprocess_force_exit (host->process);
  g_subprocess_wait (host->process, NULL, NULL);
  g_clear_object (&host->process);
  g_clear_object (&host->connection);
  if (host->socket >= 0)
    close (host->socket);
  g_free (host);
}
