/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "large-messages.h"

#include <malloc.h>

/* In bytes; no message for the service is as large. */
#define LARGE 65536
/* Handles messages that follow each other together. */
#define DELAY_MS 1000

static gint is_scheduled; /* atomic */

static gboolean
on_delay (gpointer data)
{
  g_atomic_int_set (&is_scheduled, FALSE);
  malloc_trim (0);
  return G_SOURCE_REMOVE;
}

/* Runs in the thread that has freed the message. */
static void
on_freed (gpointer data)
{
  if (g_atomic_int_compare_and_exchange (&is_scheduled, FALSE, TRUE))
    g_timeout_add (DELAY_MS, on_delay, NULL);
}

/* Runs in GDBus's worker thread. A message frees this data after its body. */
static GDBusMessage *
on_message (GDBusConnection *bus, GDBusMessage *message, gboolean incoming, gpointer data)
{
  GVariant *body = g_dbus_message_get_body (message);

  if (incoming && body != NULL && g_variant_get_size (body) >= LARGE)
    g_object_set_data_full (G_OBJECT (message), "tokend-large", message, on_freed);
  return message;
}

/**
 * tokend_large_messages_watch:
 * @bus: lives as long as the process
 *
 * Gives back to the system what large messages took. GLib makes some hundred bytes of each value of
 * a message, and malloc() keeps small pieces that are freed. GLib's own allocator does too, which
 * the unit turns off (G_SLICE=always-malloc) and GLib 2.76 has removed.
 */
void
tokend_large_messages_watch (GDBusConnection *bus)
{
  g_dbus_connection_add_filter (bus, on_message, NULL, NULL);
}
