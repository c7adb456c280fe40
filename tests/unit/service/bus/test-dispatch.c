/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The way of a call to its handler: what is asked before, and that nothing gets by. The table's
 * row, the limits and the gate are played here; see meson.build. */
#include "dispatch.h"
#include "gate.h"
#include "methods.h"
#include "opened.h"
#include "tokend-error.h"

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define ACTION "the action"
#define INVOCATION ((GDBusMethodInvocation *) "call")
#define OPERATION ((TokendOperation *) "operation")
#define OK (-1)

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
__wrap_tokend_opened_find (TokendOpened *self, const char *path, const char *caller)
{
  g_assert_cmpstr (path, ==, "/path");
  g_assert_cmpstr (caller, ==, ":1.1");
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

gboolean
__wrap_tokend_callers_admit_finish (TokendCallers *self, GAsyncResult *result, GError **error)
{
  return answer (scene.admission, error);
}

void
__wrap_tokend_gate_check_async (TokendGate *self, GDBusMethodInvocation *invocation,
                                const char *action, TokendGateMode mode, const char *label,
                                const char *serial, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_true (invocation == INVOCATION);
  g_assert_cmpint (mode, ==, TOKEND_GATE_AS_CALLER_SAYS);
  g_assert_true (label == NULL && serial == NULL);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dispatch/unknown", test_unknown);
  g_test_add_func ("/dispatch/action", test_action);
  g_test_add_func ("/dispatch/opens", test_opens);
  g_test_add_func ("/dispatch/owner", test_owner);
  return g_test_run ();
}
