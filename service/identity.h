/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/** TokendIdentity: who is behind a connection to the bus, as far as is known. */
typedef struct {
  gboolean known; /* the user and the process; else all is empty */
  guint uid;
  guint pid;
  char *session; /* logind's name for it; NULL: none, or not known */
} TokendIdentity;

void tokend_identity_look_up (TokendIdentity *identity, GDBusConnection *bus, const char *name,
                              GAsyncReadyCallback callback, gpointer user_data);

G_END_DECLS
