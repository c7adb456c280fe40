/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

/* A module host as a process, and the other end of its connection. */
typedef struct {
  GSubprocess *process;
  GDBusConnection *connection; /* NULL if the host would not have us */
  int socket;                  /* our end, where there is no D-Bus on it yet; else -1 */
} HostClient;

#define HOST_PATIENCE 20 /* seconds */

HostClient *host_spawn (const char *const *argv);
HostClient *host_start (const char *mode);
HostClient *host_start_with (const char *mode, uid_t peer, const char *option);
void host_connect (HostClient *host);

GVariant *host_call (HostClient *host, const char *method, GVariant *arguments, GUnixFDList *fds,
                     GError **error);
void host_call_and_forget (HostClient *host, const char *method, GVariant *arguments);
void host_close (HostClient *host);

gboolean host_exits_within (HostClient *host, guint seconds, int *status);
void host_free (HostClient *host);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (HostClient, host_free)
