/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Where tokend is, and what can be done to it over the system bus. */
#include "attacks.h"

#include <gio/gio.h>
#include <sys/socket.h>

#define BUS_ADDRESS "unix:path=/run/dbus/system_bus_socket"
#define SERVICE_NAME "org.tokend.Tokend1"
/* More descriptors than a module host has. */
#define DESCRIPTORS_MAX 64

/**
 * hostile_find_service:
 *
 * The process at the other end of the connection that the host serves; the kernel tells it even
 * where /proc does not.
 *
 * Returns: tokend's process, or 0
 */
pid_t
hostile_find_service (void)
{
  for (int fd = 0; fd < DESCRIPTORS_MAX; fd++) {
    struct ucred peer;
    socklen_t size = sizeof peer;

    if (getsockopt (fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid > 0
        && peer.pid != getpid ())
      return peer.pid;
  }
  return 0;
}

static const char *
call (const char *name, const char *path, const char *interface, const char *method,
      GVariant *arguments)
{
  g_autoptr (GVariant) sunk = arguments != NULL ? g_variant_ref_sink (arguments) : NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GDBusConnection) bus =
      g_dbus_connection_new_for_address_sync (BUS_ADDRESS,
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                  | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, &error);

  if (bus != NULL)
    reply = g_dbus_connection_call_sync (bus, name, path, interface, method, sunk, NULL,
                                         G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
  if (reply == NULL) {
    g_autofree char *remote = g_dbus_error_get_remote_error (error);

    return g_intern_string (remote != NULL ? remote : g_quark_to_string (error->domain));
  }
  return NULL;
}

/* Whatever the bus answers but an error: one that waits for the name in its queue owns it when the
 * service leaves. */
static const char *
own (const char *name)
{
  return call ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
               "RequestName", g_variant_new ("(su)", name, 0));
}

const char *
hostile_own_service_name (pid_t service)
{
  return own (SERVICE_NAME);
}

const char *
hostile_own_other_name (pid_t service)
{
  return own ("org.tokend.Hostile");
}

const char *
hostile_read_modules (pid_t service)
{
  return call (SERVICE_NAME, "/org/tokend/Tokend1", SERVICE_NAME ".Manager", "GetModules", NULL);
}

const char *
hostile_stop_service (pid_t service)
{
  return call ("org.freedesktop.systemd1", "/org/freedesktop/systemd1",
               "org.freedesktop.systemd1.Manager", "StopUnit",
               g_variant_new ("(ss)", "tokend.service", "replace"));
}
