/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "identity.h"

G_BEGIN_DECLS

/* The most calls of one connection under way at a time; org.tokend.Tokend1.xml and tokend(8) state
 * it. call-quota-private.h has the limits of users. */
#define TOKEND_CALLS_PER_CALLER_MAX 16
/* A large machine has fewer desktop sessions, and a person fewer connections. */
#define TOKEND_SUBSCRIBERS_MAX 256
#define TOKEND_SUBSCRIBERS_PER_USER_MAX 32

/**
 * TokendCallers:
 *
 * The connections that use the service: whose each is, when it leaves, the calls that it has under
 * way, and whether it is sent StatusChanged.
 *
 * Signal `changed`: a call or a subscription began or ended.
 * Signal `identified`: see tokend_caller_identify(); its argument is the #TokendCaller.
 */
#define TOKEND_TYPE_CALLERS (tokend_callers_get_type ())
G_DECLARE_FINAL_TYPE (TokendCallers, tokend_callers, TOKEND, CALLERS, GObject)

/**
 * TokendCaller:
 *
 * One of these connections. It lives until the last tokend_caller_release().
 */
struct _TokendCaller {
  char *name;         /* its unique bus name */
  GCancellable *gone; /* cancelled when it leaves the bus */
  gboolean is_known;  /* whose connection it is */
  guint32 uid;
  guint32 pid;            /* 0: not known */
  gboolean is_identified; /* @who is complete */
  TokendIdentity who;

  /* For callers.c alone */
  TokendCallers *callers;
  guint watch;
  guint n_uses;
  guint n_calls;    /* under way */
  guint n_admitted; /* of these */
  gboolean is_subscribed;
  gboolean is_being_identified;
  GArray *waiting; /* of Waiting: until it is known */
};

typedef void (*TokendCallerFunc) (TokendCaller *caller, gpointer user_data);

TokendCallers *tokend_callers_new (GDBusConnection *bus);
TokendCaller *tokend_callers_take (TokendCallers *self, const char *name);
TokendCaller *tokend_caller_hold (TokendCaller *caller);
void tokend_caller_release (TokendCaller *caller);
void tokend_caller_ask_credentials (TokendCaller *caller, TokendCallerFunc func,
                                    gpointer user_data);
void tokend_caller_identify (TokendCaller *caller);

void tokend_callers_admit_async (TokendCallers *self, GDBusMethodInvocation *invocation,
                                 GAsyncReadyCallback callback, gpointer user_data);
TokendCaller *tokend_callers_admit_finish (TokendCallers *self, GAsyncResult *result,
                                           GError **error);
guint tokend_callers_count (TokendCallers *self);

gboolean tokend_callers_subscribe (TokendCallers *self, const char *name, GError **error);
void tokend_callers_unsubscribe (TokendCallers *self, const char *name);
guint tokend_callers_count_subscribers (TokendCallers *self);
void tokend_callers_notify (TokendCallers *self, const char *object_path);

G_END_DECLS
