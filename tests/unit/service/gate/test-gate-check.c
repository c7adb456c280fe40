/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the gate says to its callers and to polkitd, which is not there or is a stand-in of the
 * test. */
#include "gate.h"
#include "tokend-error.h"
#include "tokend-glue.h"
#include "tokend-status.h"

#define POLKIT_NAME "org.freedesktop.PolicyKit1"
#define POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"

static const char polkit_xml[] =
    "<node><interface name='org.freedesktop.PolicyKit1.Authority'>"
    "  <method name='CheckAuthorization'>"
    "    <arg type='(sa{sv})' direction='in'/><arg type='s' direction='in'/>"
    "    <arg type='a{ss}' direction='in'/><arg type='u' direction='in'/>"
    "    <arg type='s' direction='in'/><arg type='(bba{ss})' direction='out'/>"
    "  </method>"
    "  <method name='CancelCheckAuthorization'><arg type='s' direction='in'/></method>"
    "</interface></node>";

typedef struct {
  GTestDBus *test_bus;
  GDBusConnection *shared; /* libpolkit's */
  gint is_shared_gone;     /* atomic: its last reference may be a thread's */
  GDBusConnection *service;
  GDBusConnection *client;
  GDBusConnection *polkitd;
  TokendGate *gate;
  GCancellable *cancellable;
  gboolean is_cancelling;
  gboolean is_answered;
  GDBusMethodInvocation *asked; /* of polkitd */
  guint n_cancelled;            /* likewise */
} Scene;

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Scene *scene = user_data;
  g_autoptr (GError) error = NULL;

  g_assert_false (scene->is_cancelling);
  g_assert_false (tokend_gate_check_finish (scene->gate, result, &error));
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED);
  scene->is_answered = TRUE;
}

static void
on_call (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
         const char *method, GVariant *arguments, GDBusMethodInvocation *invocation,
         gpointer user_data)
{
  Scene *scene = user_data;

  tokend_gate_check_async (scene->gate, invocation, TOKEND_ACTION_READ_STATUS, TOKEND_GATE_SILENT,
                           NULL, NULL, scene->cancellable, scene->cancellable, on_answered, scene);
  g_object_unref (invocation);
}

static void
on_asked (GDBusConnection *bus, const char *sender, const char *path, const char *interface,
          const char *method, GVariant *arguments, GDBusMethodInvocation *invocation,
          gpointer user_data)
{
  Scene *scene = user_data;

  if (g_str_equal (method, "CheckAuthorization")) {
    scene->asked = invocation;
    return;
  }
  scene->n_cancelled++;
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static GDBusConnection *
connect_to (const char *address)
{
  g_autoptr (GError) error = NULL;
  GDBusConnection *bus =
      g_dbus_connection_new_for_address_sync (address,
                                              G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                                                  | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                                              NULL, NULL, &error);

  g_assert_no_error (error);
  return bus;
}

static void
on_shared_gone (gpointer is_gone, GObject *shared)
{
  g_atomic_int_set ((gint *) is_gone, TRUE);
  g_main_context_wakeup (NULL);
}

static void
set_up (Scene *scene, gconstpointer user_data)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_call };
  const char *address;

  scene->test_bus = g_test_dbus_new (G_TEST_DBUS_NONE);
  g_test_dbus_up (scene->test_bus);
  address = g_test_dbus_get_bus_address (scene->test_bus);
  g_setenv ("DBUS_SYSTEM_BUS_ADDRESS", address, TRUE);
  scene->shared = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, NULL);
  g_dbus_connection_set_exit_on_close (scene->shared, FALSE);
  g_object_weak_ref (G_OBJECT (scene->shared), on_shared_gone, &scene->is_shared_gone);
  scene->service = connect_to (address);
  scene->client = connect_to (address);
  scene->polkitd = connect_to (address);
  scene->gate = tokend_gate_new ();
  scene->cancellable = g_cancellable_new ();
  g_dbus_connection_register_object (scene->service, "/", tokend_dbus_token_interface_info (),
                                     &vtable, scene, NULL, NULL);
}

static void
tear_down (Scene *scene, gconstpointer user_data)
{
  /* libpolkit looks for polkitd in a thread of its own, and would go on on a bus that is closed. */
  g_object_add_weak_pointer (G_OBJECT (scene->gate), (gpointer *) &scene->gate);
  g_object_unref (scene->gate);
  while (scene->gate != NULL)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (scene->cancellable);
  g_object_unref (scene->client);
  g_object_unref (scene->service);
  g_object_unref (scene->polkitd);
  /* libpolkit's thread may not have let go of it yet: the next test would get it, closed. */
  g_object_unref (scene->shared);
  while (!g_atomic_int_get (&scene->is_shared_gone))
    g_main_context_iteration (NULL, TRUE);
  g_test_dbus_stop (scene->test_bus);
  g_object_unref (scene->test_bus);
}

static void
call (Scene *scene)
{
  g_dbus_connection_call (scene->client, g_dbus_connection_get_unique_name (scene->service), "/",
                          "org.tokend.Tokend1.Token", "GetStatus", NULL, NULL,
                          G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

static gboolean
withdraw (gpointer user_data)
{
  Scene *scene = user_data;

  scene->is_cancelling = TRUE;
  g_cancellable_cancel (scene->cancellable);
  scene->is_cancelling = FALSE;
  return G_SOURCE_REMOVE;
}

static void
start_polkitd (Scene *scene)
{
  static const GDBusInterfaceVTable vtable = { .method_call = on_asked };
  g_autoptr (GDBusNodeInfo) node = g_dbus_node_info_new_for_xml (polkit_xml, NULL);
  g_autoptr (GVariant) reply = NULL;

  g_dbus_connection_register_object (scene->polkitd, POLKIT_PATH, node->interfaces[0], &vtable,
                                     scene, NULL, NULL);
  reply = g_dbus_connection_call_sync (scene->polkitd, "org.freedesktop.DBus",
                                       "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                       "RequestName", g_variant_new ("(su)", POLKIT_NAME, 0), NULL,
                                       G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
  g_assert_nonnull (reply);
}

/* GDBus's thread waits for the end of a cancellation with its lock held: who answers in it, and
 * sends, waits for ever. */
static void
test_no_answer_inside_a_cancellation (Scene *scene, gconstpointer user_data)
{
  call (scene);
  g_idle_add (withdraw, scene);
  while (!scene->is_answered)
    g_main_context_iteration (NULL, TRUE);
}

static void
on_pong (GObject *source, GAsyncResult *result, gpointer is_there)
{
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);

  g_assert_nonnull (reply);
  *(gboolean *) is_there = TRUE;
}

/* All that libpolkit has sent to polkitd is there when this returns. */
static void
wait_for_polkitd (Scene *scene)
{
  gboolean is_there = FALSE;

  g_dbus_connection_call (scene->shared, POLKIT_NAME, "/", "org.freedesktop.DBus.Peer", "Ping",
                          NULL, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_pong, &is_there);
  while (!is_there)
    g_main_context_iteration (NULL, TRUE);
}

/* A check without a prompt is over before polkitd hears that it is not needed, which it would call
 * an error: libpolkit warns of that, and here that is fatal. */
static void
test_polkitd_is_not_told_who_left (Scene *scene, gconstpointer user_data)
{
  start_polkitd (scene);
  call (scene);
  while (scene->asked == NULL)
    g_main_context_iteration (NULL, TRUE);
  withdraw (scene);
  while (!scene->is_answered)
    g_main_context_iteration (NULL, TRUE);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  wait_for_polkitd (scene);
  g_assert_cmpuint (scene->n_cancelled, ==, 0);
  g_dbus_method_invocation_return_value (scene->asked,
                                         g_variant_new_parsed ("((true, false, @a{ss} {}),)"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/gate/no-answer-inside-a-cancellation", Scene, NULL, set_up,
              test_no_answer_inside_a_cancellation, tear_down);
  g_test_add ("/gate/polkitd-is-not-told-who-left", Scene, NULL, set_up,
              test_polkitd_is_not_told_who_left, tear_down);
  return g_test_run ();
}
