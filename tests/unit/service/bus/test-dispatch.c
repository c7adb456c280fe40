/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way of a call to its handler: what is asked before, and that nothing gets by. The table's
 * row, the limits and the gate are played here; see meson.build. */
#include "dispatch.h"
#include "config.h"
#include "gate.h"
#include "methods.h"
#include "open-operations.h"
#include "tokend-error.h"
#include "tokend-glue.h"
#include "tokend-status.h"

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define ACTION "the action"
#define INVOCATION ((GDBusMethodInvocation *) "call")
#define OPERATION ((TokendOperation *) "operation")
#define OK (-1)

static TokendCaller caller = { .gone = (GCancellable *) "gone" };
static struct {
  TokendService service;
  GObject *object;
  GString *calls; /* what was asked and done, in order */
  const TokendMethod *method;
  int admission, gate; /* OK, or an error */
  guint n_found;       /* how often the operation is still found */
  gboolean ends_meanwhile;
} scene;

static void
handle (TokendService *service, gpointer object, GDBusMethodInvocation *invocation,
        const char *action)
{
  g_assert_true (service == &scene.service);
  g_assert_true (invocation == INVOCATION);
  g_string_append_printf (scene.calls, "handler(%s,%s)",
                          object == OPERATION      ? "operation"
                          : object == scene.object ? "object"
                                                   : "?",
                          action != NULL ? action : "-");
}

const char *
__wrap_g_dbus_method_invocation_get_interface_name (GDBusMethodInvocation *invocation)
{
  return "an.Interface";
}

const char *
__wrap_g_dbus_method_invocation_get_method_name (GDBusMethodInvocation *invocation)
{
  return "Method";
}

const char *
__wrap_g_dbus_method_invocation_get_object_path (GDBusMethodInvocation *invocation)
{
  return "/path";
}

const char *
__wrap_g_dbus_method_invocation_get_sender (GDBusMethodInvocation *invocation)
{
  return ":1.1";
}

const TokendMethod *
__wrap_tokend_methods_find (const char *interface, const char *name)
{
  g_assert_cmpstr (interface, ==, "an.Interface");
  g_assert_cmpstr (name, ==, "Method");
  return scene.method;
}

TokendOperation *
__wrap_tokend_open_operations_find (TokendOpenOperations *self, const char *path, const char *name)
{
  g_assert_cmpstr (path, ==, "/path");
  g_assert_cmpstr (name, ==, ":1.1");
  if (scene.n_found == 0)
    return NULL;
  scene.n_found--;
  return OPERATION;
}

static gboolean
answer (int code, GError **error)
{
  if (code != OK)
    g_set_error_literal (error, TOKEND_ERROR, code, "as the test was told");
  return code == OK;
}

void
__wrap_tokend_callers_admit_async (TokendCallers *self, GDBusMethodInvocation *invocation,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_true (invocation == INVOCATION);
  g_string_append (scene.calls, "admit ");
  callback (NULL, NULL, user_data);
}

TokendCaller *
__wrap_tokend_callers_admit_finish (TokendCallers *self, GAsyncResult *result, GError **error)
{
  return answer (scene.admission, error) ? &caller : NULL;
}

void
__wrap_tokend_gate_check_async (TokendGate *self, GDBusMethodInvocation *invocation,
                                const char *action, TokendGateMode mode, const char *label,
                                const char *serial, GCancellable *gone, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_true (invocation == INVOCATION);
  g_assert_cmpint (mode, ==, TOKEND_GATE_AS_CALLER_SAYS);
  g_assert_true (label == NULL && serial == NULL);
  g_assert_true (gone == caller.gone);
  g_assert_true (cancellable == scene.service.ending);
  g_string_append_printf (scene.calls, "gate(%s) ", action);
  if (scene.ends_meanwhile)
    g_cancellable_cancel (cancellable);
  callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_gate_check_finish (TokendGate *self, GAsyncResult *result, GError **error)
{
  return answer (scene.gate, error);
}

void
__wrap_tokend_call_return_error (GDBusMethodInvocation *invocation, GError *error)
{
  g_assert_true (invocation == INVOCATION);
  g_string_append_printf (scene.calls, "error(%d)", error->code);
  g_error_free (error);
}

typedef struct {
  int admission, gate;
  guint n_found;
  gboolean ends_meanwhile;
} Conditions;

static char *
call (const TokendMethod *method, Conditions conditions)
{
  const gboolean is_operations = method != NULL && method->rule == TOKEND_METHOD_OWNER;
  char *calls;

  scene.method = method;
  scene.service.ending = g_cancellable_new ();
  scene.object = g_object_new (G_TYPE_OBJECT, NULL);
  scene.calls = g_string_new (NULL);
  scene.admission = conditions.admission;
  scene.gate = conditions.gate;
  scene.n_found = conditions.n_found;
  scene.ends_meanwhile = conditions.ends_meanwhile;
  tokend_dispatch_call (&scene.service, is_operations ? NULL : scene.object, INVOCATION);
  calls = g_string_free (scene.calls, FALSE);
  g_assert_finalize_object (scene.object);
  g_clear_object (&scene.service.ending);
  return calls;
}

static void
check (const TokendMethod *method, Conditions conditions, const char *expected, int error)
{
  g_autofree char *calls = call (method, conditions);
  g_autofree char *all =
      error != OK ? g_strdup_printf ("%serror(%d)", expected, error) : g_strdup (expected);

  g_assert_cmpstr (calls, ==, all);
}

/* A method that somebody forgot to put into the table. */
static void
test_unknown (void)
{
  check (NULL, (Conditions){ OK, OK, 9 }, "", TOKEND_ERROR_NOT_AUTHORIZED);
}

static void
test_action (void)
{
  const TokendMethod method = { "", "", TOKEND_METHOD_ACTION, ACTION, handle };

  check (&method, (Conditions){ OK, OK }, "admit gate(the action) handler(object,the action)", OK);
  check (&method, (Conditions){ TOKEND_ERROR_LIMITS_EXCEEDED, OK }, "admit ",
         TOKEND_ERROR_LIMITS_EXCEEDED);
  check (&method, (Conditions){ OK, TOKEND_ERROR_NOT_AUTHORIZED }, "admit gate(the action) ",
         TOKEND_ERROR_NOT_AUTHORIZED);
  check (&method, (Conditions){ OK, OK, .ends_meanwhile = TRUE }, "admit gate(the action) ",
         TOKEND_ERROR_SERVICE_ENDING);
  check (&method, (Conditions){ OK, TOKEND_ERROR_NOT_AUTHORIZED, .ends_meanwhile = TRUE },
         "admit gate(the action) ", TOKEND_ERROR_SERVICE_ENDING);
}

/* The steps of the operation ask, with the action that the row has. */
static void
test_opens (void)
{
  const TokendMethod method = { "", "", TOKEND_METHOD_OPENS, ACTION, handle };

  check (&method, (Conditions){ OK, OK }, "handler(object,the action)", OK);
}

/* Whoever has not opened it learns the same as where none is, before anything is counted; it can
 * end meanwhile. */
static void
test_owner (void)
{
  const TokendMethod method = { "", "", TOKEND_METHOD_OWNER, NULL, handle };

  check (&method, (Conditions){ OK, OK, 2 }, "admit handler(operation,-)", OK);
  check (&method, (Conditions){ OK, OK, 0 }, "", TOKEND_ERROR_NOT_FOUND);
  check (&method, (Conditions){ OK, OK, 1 }, "admit ", TOKEND_ERROR_NOT_FOUND);
  check (&method, (Conditions){ TOKEND_ERROR_LIMITS_EXCEEDED, OK, 2 }, "admit ",
         TOKEND_ERROR_LIMITS_EXCEEDED);
}

#define REGISTERED_MAX 3

/* What is registered; its id is its index and one. */
static struct {
  const char *path;
  const GDBusInterfaceInfo *interface; /* NULL: of a subtree */
  const GDBusInterfaceVTable *object;
  const GDBusSubtreeVTable *subtree;
} registered[REGISTERED_MAX];
static guint n_registered, n_registered_max;
static GString *unregistered;

static gboolean
has_room (GError **error)
{
  if (n_registered == n_registered_max)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_EXISTS, "as the test was told");
  return n_registered < n_registered_max;
}

guint
__wrap_g_dbus_connection_register_object (GDBusConnection *bus, const char *path,
                                          GDBusInterfaceInfo *interface,
                                          const GDBusInterfaceVTable *vtable, gpointer user_data,
                                          GDestroyNotify free_func, GError **error)
{
  g_assert_true (user_data == &scene.service);
  if (!has_room (error))
    return 0;
  registered[n_registered].path = path;
  registered[n_registered].interface = interface;
  registered[n_registered].object = vtable;
  return ++n_registered;
}

guint
__wrap_g_dbus_connection_register_subtree (GDBusConnection *bus, const char *path,
                                           const GDBusSubtreeVTable *vtable,
                                           GDBusSubtreeFlags flags, gpointer user_data,
                                           GDestroyNotify free_func, GError **error)
{
  g_assert_true (user_data == &scene.service);
  g_assert_cmpint (flags, ==, G_DBUS_SUBTREE_FLAGS_DISPATCH_TO_UNENUMERATED_NODES);
  if (!has_room (error))
    return 0;
  registered[n_registered].path = path;
  registered[n_registered].subtree = vtable;
  return ++n_registered;
}

gboolean
__wrap_g_dbus_connection_unregister_object (GDBusConnection *bus, guint id)
{
  g_string_append_printf (unregistered, "object(%u) ", id);
  return TRUE;
}

gboolean
__wrap_g_dbus_connection_unregister_subtree (GDBusConnection *bus, guint id)
{
  g_string_append_printf (unregistered, "subtree(%u) ", id);
  return TRUE;
}

static TokendDispatch
register_all (guint n_max)
{
  TokendDispatch dispatch = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean is_done;

  n_registered = 0;
  n_registered_max = n_max;
  is_done = tokend_dispatch_register (&dispatch, &scene.service, &error);
  g_assert_cmpint (is_done, ==, n_max == REGISTERED_MAX);
  g_assert_cmpint (error == NULL, ==, is_done);
  return dispatch;
}

/* Where one cannot be registered, the next ones are not, and those before are taken back. */
static void
test_register (void)
{
  static const char *const all[] = { "", "object(1) ", "object(1) subtree(2) ",
                                     "object(1) subtree(2) subtree(3) " };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    TokendDispatch dispatch = register_all (i);

    g_assert_cmpuint (n_registered, ==, i);
    unregistered = g_string_new (NULL);
    tokend_dispatch_unregister (&dispatch, &scene.service);
    g_assert_cmpstr (unregistered->str, ==, all[i]);
    g_string_free (unregistered, TRUE);
  }
  g_assert_cmpstr (registered[0].path, ==, TOKEND_OBJECT_PATH);
  g_assert_cmpstr (registered[1].path, ==, TOKEND_OPERATIONS_PATH);
  g_assert_cmpstr (registered[2].path, ==, TOKEND_TOKENS_PATH);
}

static void
call_by (const GDBusInterfaceVTable *vtable, gpointer user_data, const char *expected)
{
  scene.calls = g_string_new (NULL);
  scene.method = NULL;
  vtable->method_call (NULL, ":1.1", "/path", "an.Interface", "Method", NULL, INVOCATION,
                       user_data);
  g_assert_cmpstr (scene.calls->str, ==, expected);
  g_string_free (scene.calls, TRUE);
}

static void
test_manager (void)
{
  g_autofree char *refused = g_strdup_printf ("error(%d)", TOKEND_ERROR_NOT_AUTHORIZED);
  g_autoptr (GVariant) version = NULL;

  register_all (REGISTERED_MAX);
  version = g_variant_ref_sink (registered[0].object->get_property (
      NULL, ":1.1", TOKEND_OBJECT_PATH, "an.Interface", "Version", NULL, &scene.service));
  g_assert_true (registered[0].interface == tokend_dbus_manager_interface_info ());
  g_assert_null (registered[0].object->set_property);
  g_assert_cmpstr (g_variant_get_string (version, NULL), ==, TOKEND_VERSION);
  call_by (registered[0].object, &scene.service, refused);
}

/* At each path there is the same, and no path is in a list; at that of all there is nothing. */
static void
test_paths (void)
{
  const GDBusInterfaceInfo *const infos[] = { NULL, tokend_dbus_operation_interface_info (),
                                              tokend_dbus_token_interface_info () };
  static const int errors[] = { 0, TOKEND_ERROR_NOT_AUTHORIZED, TOKEND_ERROR_NOT_FOUND };

  register_all (REGISTERED_MAX);
  for (guint i = 1; i < REGISTERED_MAX; i++) {
    const GDBusSubtreeVTable *subtree = registered[i].subtree;
    const char *path = registered[i].path;
    g_autofree char *error = g_strdup_printf ("error(%d)", errors[i]);
    g_auto (GStrv) nodes = subtree->enumerate (NULL, ":1.1", path, &scene.service);
    GDBusInterfaceInfo **root = subtree->introspect (NULL, ":1.1", path, NULL, &scene.service);
    GDBusInterfaceInfo **node = subtree->introspect (NULL, ":1.1", path, "1", &scene.service);
    gpointer data = NULL;

    g_test_message ("%s", path);
    g_assert_cmpuint (g_strv_length (nodes), ==, 0);
    g_assert_null (root[0]);
    g_assert_true (node[0] == infos[i]);
    g_assert_null (node[1]);
    call_by (subtree->dispatch (NULL, ":1.1", path, "an.Interface", "1", &data, &scene.service),
             &scene.service, error);
    g_assert_true (data == &scene.service);
    g_dbus_interface_info_unref (node[0]);
    g_free (node);
    g_free (root);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dispatch/unknown", test_unknown);
  g_test_add_func ("/dispatch/action", test_action);
  g_test_add_func ("/dispatch/opens", test_opens);
  g_test_add_func ("/dispatch/owner", test_owner);
  g_test_add_func ("/dispatch/register", test_register);
  g_test_add_func ("/dispatch/manager", test_manager);
  g_test_add_func ("/dispatch/paths", test_paths);
  return g_test_run ();
}
