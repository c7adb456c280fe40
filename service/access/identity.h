/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendPresence:
 *
 * Whether a session is in front of the machine's screen.
 */
typedef enum {
  TOKEND_PRESENCE_UNKNOWN, /* logind did not say */
  TOKEND_PRESENCE_NONE,    /* it is not, there is no session, or no logind */
  TOKEND_PRESENCE_ACTIVE,
} TokendPresence;

typedef struct _TokendCaller TokendCaller;

/**
 * TokendIdentity:
 *
 * Who is behind a connection to the bus, as far as is known.
 */
typedef struct {
  gboolean known; /* the user and the process are known; else all is empty */
  guint uid;
  guint pid;
  char *session; /* the process's, as logind names it; NULL: none, or not known */
  char *desktop; /* the same; of a process in none, the session that shows the user's desktop */
  TokendPresence presence; /* of @desktop */
} TokendIdentity;

void tokend_identity_look_up (TokendIdentity *identity, GDBusConnection *bus, TokendCaller *caller,
                              GAsyncReadyCallback callback, gpointer user_data);
void tokend_identity_clear (TokendIdentity *identity);
void tokend_identity_look_again (TokendIdentity *self, const TokendIdentity *later);
gboolean tokend_identity_has_lapsed (const TokendIdentity *then, const TokendIdentity *now);

G_END_DECLS
