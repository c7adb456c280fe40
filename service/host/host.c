/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"

#include "certificates.h"
#include "host-module.h"
#include "host-operation.h"
#include "process.h"
#include "tokend-error.h"
#include "tokend-module.h"

#include <sysexits.h>

/* A peer must authenticate within this time. In seconds. */
#define AUTHENTICATION_DEADLINE 10

typedef struct {
  TokendHostState host;
  uid_t peer;
  guint authentication_deadline;
  GDBusConnection *connection;
} Server;

static gboolean
on_allow_mechanism (GDBusAuthObserver *observer, const char *mechanism, gpointer data)
{
  return g_str_equal (mechanism, "EXTERNAL");
}

static gboolean
on_authorize_peer (GDBusAuthObserver *observer, GIOStream *stream, GCredentials *credentials,
                   gpointer data)
{
  const uid_t *peer = data;

  return credentials != NULL && g_credentials_get_unix_user (credentials, NULL) == *peer;
}

static gboolean
on_authentication_overdue (gpointer data)
{
  tokend_host_leave (EX_NOPERM);
}

static gboolean
on_operation_overdue (gpointer data)
{
  tokend_host_leave (EX_SOFTWARE);
}

static void
on_closed (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error, gpointer data)
{
  TokendHostState *host = data;

  host->peer_left = TRUE;
  if (!tokend_host_operation_complete (host))
    tokend_host_leave (EX_OK);
}

static void export(TokendHostState *host, GDBusConnection *connection)
{
  g_autoptr (GError) error = NULL;

  if (!g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (tokend_host_module_new (host)),
                                         connection, TOKEND_MODULE_OBJECT_PATH, &error))
    tokend_host_leave (EX_SOFTWARE);
  if (host->mode == TOKEND_HOST_OPERATE
      && !g_dbus_interface_skeleton_export (
          G_DBUS_INTERFACE_SKELETON (tokend_host_operation_new (host)), connection,
          TOKEND_MODULE_OBJECT_PATH, &error))
    tokend_host_leave (EX_SOFTWARE);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  Server *server = data;

  server->connection = g_dbus_connection_new_finish (result, NULL);
  if (server->connection == NULL)
    tokend_host_leave (EX_NOPERM);

  g_clear_handle_id (&server->authentication_deadline, g_source_remove);
  g_signal_connect (server->connection, "closed", G_CALLBACK (on_closed), &server->host);
  /* The peer may have left before anybody listened for it. */
  if (g_dbus_connection_is_closed (server->connection))
    tokend_host_leave (EX_OK);
  export(&server->host, server->connection);
  g_dbus_connection_start_message_processing (server->connection);
}

static void
serve (Server *server, GIOStream *stream)
{
  g_autofree char *guid = g_dbus_generate_guid ();
  g_autoptr (GDBusAuthObserver) observer = g_dbus_auth_observer_new ();

  g_signal_connect (observer, "allow-mechanism", G_CALLBACK (on_allow_mechanism), NULL);
  g_signal_connect (observer, "authorize-authenticated-peer", G_CALLBACK (on_authorize_peer),
                    &server->peer);
  g_dbus_connection_new (stream, guid,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                             | G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                         observer, NULL, on_connected, server);
  server->authentication_deadline =
      g_timeout_add_seconds (AUTHENTICATION_DEADLINE, on_authentication_overdue, NULL);
}

/**
 * tokend_host_run:
 * @socket: a connected unix socket, the host's only one
 * @mode: what the host is for
 * @peer: the user who may be at the other end
 *
 * Serves org.tokend.Module1 on @socket until the peer leaves, and then ends the process, whatever
 * the module does. A code that is on its way arrives first, and what it opens is closed. Prints
 * nothing; the exit status is one of sysexits.h.
 */
void
tokend_host_run (int socket, TokendHostMode mode, uid_t peer)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GSocket) gsocket = g_socket_new_from_fd (socket, NULL);
  g_autoptr (GSocketConnection) stream = NULL;
  Server server = { .host = { .mode = mode }, .peer = peer };

  if (gsocket == NULL || g_socket_get_family (gsocket) != G_SOCKET_FAMILY_UNIX)
    tokend_host_leave (EX_USAGE);

  tokend_process_keep_from_children (socket);
  (void) tokend_error_quark ();
  if (mode == TOKEND_HOST_OPERATE)
    g_timeout_add_seconds (TOKEND_HOST_OPERATION_DEADLINE, on_operation_overdue, NULL);
  server.host.worker = tokend_worker_new ();
  server.host.certificates = tokend_certificates_new ();
  server.host.slot_events = tokend_slot_events_new ();
  stream = g_socket_connection_factory_create_connection (gsocket);
  serve (&server, G_IO_STREAM (stream));

  g_main_loop_run (loop);
  tokend_host_leave (EX_OK);
}
