/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "idle.h"

#include "deadline.h"
#include "open-operations.h"

#define IDLE_SECONDS 30

struct _TokendIdle {
  GObject parent_instance;

  TokendService *service;
  guint filter;
  /* When the last call came, in seconds. Owned by the filter, and atomic, as GDBus's thread sets
   * it. */
  gint *last_call;
  guint timer;
};

G_DEFINE_FINAL_TYPE (TokendIdle, tokend_idle, G_TYPE_OBJECT)

enum {
  SIGNAL_IDLE,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void
tokend_idle_init (TokendIdle *self)
{
}

static void
tokend_idle_finalize (GObject *object)
{
  TokendIdle *self = TOKEND_IDLE (object);

  g_dbus_connection_remove_filter (self->service->bus, self->filter);
  g_clear_handle_id (&self->timer, g_source_remove);
  G_OBJECT_CLASS (tokend_idle_parent_class)->finalize (object);
}

static void
tokend_idle_class_init (TokendIdleClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_idle_finalize;
  signals[SIGNAL_IDLE] = g_signal_new ("idle", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                       NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static gboolean
is_busy (TokendIdle *self)
{
  return tokend_callers_count_subscribers (self->service->callers) > 0
         || tokend_callers_count (self->service->callers) > 0
         || tokend_open_operations_count_needs (self->service->operations) > 0;
}

static gint
get_seconds (void)
{
  return (gint) (g_get_monotonic_time () / G_USEC_PER_SEC);
}

static void set_timer (TokendIdle *self, gint seconds);

/* Does not wait for a refused code that is kept without a deadline: it is forgotten during a call,
 * or while somebody is subscribed. */
static void
leave_unless_needed (TokendIdle *self)
{
  const gint64 needed_until = tokend_refused_get_needed_until (self->service->refused);

  if (tokend_deadline_is_over (needed_until))
    g_signal_emit (self, signals[SIGNAL_IDLE], 0);
  else if (needed_until != G_MAXINT64)
    set_timer (self, (gint) tokend_deadline_get_seconds (needed_until));
}

static gboolean
on_timer (gpointer user_data)
{
  TokendIdle *self = user_data;
  const gint unused = get_seconds () - g_atomic_int_get (self->last_call);

  self->timer = 0;
  if (tokend_claims_count (self->service->claims) > 0)
    set_timer (self, IDLE_SECONDS);
  else if (unused < IDLE_SECONDS)
    set_timer (self, IDLE_SECONDS - unused);
  else
    leave_unless_needed (self);
  return G_SOURCE_REMOVE;
}

static void
set_timer (TokendIdle *self, gint seconds)
{
  self->timer = g_timeout_add_seconds ((guint) seconds, on_timer, self);
}

/* Runs no timer while somebody needs the service. */
static void
on_changed (GObject *object, gpointer user_data)
{
  TokendIdle *self = user_data;

  g_clear_handle_id (&self->timer, g_source_remove);
  if (!is_busy (self))
    set_timer (self, IDLE_SECONDS);
}

/* Counts every call as a use. A client that asks what is there (GetManagedObjects, Introspect) goes
 * on with what it learned. */
static GDBusMessage *
on_message (GDBusConnection *bus, GDBusMessage *message, gboolean is_incoming, gpointer last_call)
{
  if (is_incoming && g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    g_atomic_int_set ((gint *) last_call, get_seconds ());
  return message;
}

/**
 * tokend_idle_new:
 * @service: outlives it.
 *
 * Returns: (transfer full): a watch over it.
 */
TokendIdle *
tokend_idle_new (TokendService *service)
{
  TokendIdle *self = g_object_new (TOKEND_TYPE_IDLE, NULL);

  self->service = service;
  self->last_call = g_new (gint, 1);
  *self->last_call = get_seconds ();
  self->filter = g_dbus_connection_add_filter (service->bus, on_message, self->last_call, g_free);
  g_signal_connect_object (service->operations, "changed", G_CALLBACK (on_changed), self, 0);
  g_signal_connect_object (service->callers, "changed", G_CALLBACK (on_changed), self, 0);
  on_changed (NULL, self);
  return self;
}
