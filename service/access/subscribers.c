/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "subscribers.h"

#include "tokend-error.h"

struct _TokendSubscribers {
  GObject parent_instance;

  GDBusConnection *bus;
  GHashTable *subscribers; /* of unique bus name → Subscriber */
};

G_DEFINE_FINAL_TYPE (TokendSubscribers, tokend_subscribers, G_TYPE_OBJECT)

enum {
  SIGNAL_CHANGED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

typedef struct {
  guint watch;
  guint32 uid;
} Subscriber;

static void
subscriber_free (gpointer data)
{
  Subscriber *subscriber = data;

  g_bus_unwatch_name (subscriber->watch);
  g_free (subscriber);
}

static void
tokend_subscribers_init (TokendSubscribers *self)
{
  self->subscribers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, subscriber_free);
}

static void
tokend_subscribers_finalize (GObject *object)
{
  TokendSubscribers *self = TOKEND_SUBSCRIBERS (object);

  g_hash_table_unref (self->subscribers);
  g_object_unref (self->bus);
  G_OBJECT_CLASS (tokend_subscribers_parent_class)->finalize (object);
}

static void
tokend_subscribers_class_init (TokendSubscribersClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_subscribers_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

TokendSubscribers *
tokend_subscribers_new (GDBusConnection *bus)
{
  TokendSubscribers *self = g_object_new (TOKEND_TYPE_SUBSCRIBERS, NULL);

  self->bus = g_object_ref (bus);
  return self;
}

static void
on_vanished (GDBusConnection *bus, const char *name, gpointer user_data)
{
  tokend_subscribers_remove (user_data, name);
}

static guint
count_of_user (TokendSubscribers *self, guint32 uid)
{
  GHashTableIter iter;
  gpointer subscriber;
  guint n = 0;

  g_hash_table_iter_init (&iter, self->subscribers);
  while (g_hash_table_iter_next (&iter, NULL, &subscriber))
    n += ((const Subscriber *) subscriber)->uid == uid;
  return n;
}

static gboolean
check_limits (TokendSubscribers *self, guint32 uid, GError **error)
{
  if (count_of_user (self, uid) >= TOKEND_SUBSCRIBERS_PER_USER_MAX) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
                 "More than %d subscribers of one user", TOKEND_SUBSCRIBERS_PER_USER_MAX);
    return FALSE;
  }
  if (g_hash_table_size (self->subscribers) >= TOKEND_SUBSCRIBERS_MAX) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED, "More than %d subscribers",
                 TOKEND_SUBSCRIBERS_MAX);
    return FALSE;
  }
  return TRUE;
}

/**
 * tokend_subscribers_add:
 * @name: a unique bus name; adding it again does nothing.
 * @uid: whose connection it is.
 * @error: LimitsExceeded.
 *
 * Returns: whether it is subscribed.
 */
gboolean
tokend_subscribers_add (TokendSubscribers *self, const char *name, guint32 uid, GError **error)
{
  Subscriber *subscriber;

  if (g_hash_table_contains (self->subscribers, name))
    return TRUE;
  if (!check_limits (self, uid, error))
    return FALSE;
  subscriber = g_new0 (Subscriber, 1);
  subscriber->uid = uid;
  subscriber->watch = g_bus_watch_name_on_connection (
      self->bus, name, G_BUS_NAME_WATCHER_FLAGS_NONE, NULL, on_vanished, self, NULL);
  g_hash_table_insert (self->subscribers, g_strdup (name), subscriber);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  return TRUE;
}

void
tokend_subscribers_remove (TokendSubscribers *self, const char *name)
{
  if (g_hash_table_remove (self->subscribers, name))
    g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

guint
tokend_subscribers_count (TokendSubscribers *self)
{
  return g_hash_table_size (self->subscribers);
}

/**
 * tokend_subscribers_notify:
 *
 * Sends StatusChanged of @object_path to each subscriber, and to nobody else.
 */
void
tokend_subscribers_notify (TokendSubscribers *self, const char *object_path)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->subscribers);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_dbus_connection_emit_signal (self->bus, name, object_path, "org.tokend.Tokend1.Token",
                                   "StatusChanged", NULL, NULL);
}
