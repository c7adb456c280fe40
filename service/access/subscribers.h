/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A large machine has fewer desktop sessions, and a person fewer connections. */
#define TOKEND_SUBSCRIBERS_MAX 256
#define TOKEND_SUBSCRIBERS_PER_USER_MAX 32

/**
 * TokendSubscribers:
 *
 * The connections that are sent StatusChanged.
 *
 * Signal `changed`: a connection subscribed or left.
 */
#define TOKEND_TYPE_SUBSCRIBERS (tokend_subscribers_get_type ())
G_DECLARE_FINAL_TYPE (TokendSubscribers, tokend_subscribers, TOKEND, SUBSCRIBERS, GObject)

TokendSubscribers *tokend_subscribers_new (GDBusConnection *bus);
gboolean tokend_subscribers_add (TokendSubscribers *self, const char *name, guint32 uid,
                                 GError **error);
void tokend_subscribers_remove (TokendSubscribers *self, const char *name);
guint tokend_subscribers_count (TokendSubscribers *self);
void tokend_subscribers_notify (TokendSubscribers *self, const char *object_path);

G_END_DECLS
