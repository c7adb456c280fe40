/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How many calls a connection and a user may have under way. The bus is played here: the linker
 * puts it in the place of GIO's, see meson.build. A call is any object that bears its sender's
 * name. */
#include "callers.h"
#include "call-quota-private.h"
#include "tokend-error.h"

#include <string.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define QUESTIONS_MAX 8

/* Whose connection is it? What the bus is asked, and has not answered. */
static struct {
  char *name;
  GAsyncReadyCallback callback;
  gpointer user_data;
} questions[QUESTIONS_MAX];
static guint n_questions;
static int answer; /* the user of the next answer; -1: an error */

const char *
__wrap_g_dbus_method_invocation_get_sender (GDBusMethodInvocation *invocation)
{
  return g_object_get_data (G_OBJECT (invocation), "sender");
}

void
__wrap_g_dbus_connection_call (GDBusConnection *bus, const char *name, const char *path,
                               const char *interface, const char *method, GVariant *arguments,
                               const GVariantType *type, GDBusCallFlags flags, int timeout,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (arguments);

  g_assert_cmpstr (method, ==, "GetConnectionUnixUser");
  g_assert_cmpint (timeout, ==, -1);
  g_assert_cmpuint (n_questions, <, QUESTIONS_MAX);
  g_variant_get (owned, "(s)", &questions[n_questions].name);
  questions[n_questions].callback = callback;
  questions[n_questions].user_data = user_data;
  n_questions++;
}

GVariant *
__wrap_g_dbus_connection_call_finish (GDBusConnection *bus, GAsyncResult *result, GError **error)
{
  if (answer >= 0)
    return g_variant_ref_sink (g_variant_new ("(u)", (guint32) answer));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the bus does not know it");
  return NULL;
}

/* Answers the first of the questions. */
static void
tell_user (int uid)
{
  const GAsyncReadyCallback callback = questions[0].callback;
  const gpointer user_data = questions[0].user_data;

  g_assert_cmpuint (n_questions, >, 0);
  g_free (questions[0].name);
  memmove (&questions[0], &questions[1], --n_questions * sizeof questions[0]);
  answer = uid;
  callback (NULL, NULL, user_data);
}

typedef struct {
  TokendCallers *callers;
  GObject *invocation;
  gboolean is_over;
  gboolean is_admitted;
  GError *error;
} Call;

static void
on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;

  g_assert_false (call->is_over);
  call->is_over = TRUE;
  call->is_admitted = tokend_callers_admit_finish (call->callers, result, &call->error);
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static Call *
begin (TokendCallers *callers, const char *sender)
{
  Call *call = g_new0 (Call, 1);

  call->callers = callers;
  call->invocation = g_object_new (G_TYPE_OBJECT, NULL);
  g_object_set_data_full (call->invocation, "sender", g_strdup (sender), g_free);
  tokend_callers_admit_async (callers, (GDBusMethodInvocation *) call->invocation, on_admitted,
                              call);
  settle ();
  return call;
}

/* The reply is out: the call does not count any more. */
static void
end (Call *call)
{
  settle ();
  g_assert_true (call->is_over);
  g_assert_finalize_object (call->invocation);
  g_clear_error (&call->error);
  g_free (call);
}

/* As begin(), of a connection whose user is known by then. Returns: NULL if it is not admitted. */
static Call *
try_one (TokendCallers *callers, const char *sender, int uid)
{
  Call *call = begin (callers, sender);

  if (n_questions > 0)
    tell_user (uid);
  settle ();
  g_assert_true (call->is_over);
  if (call->is_admitted) {
    g_assert_no_error (call->error);
    g_assert_cmpuint (tokend_callers_get_user (callers, (GDBusMethodInvocation *) call->invocation),
                      ==, (guint) uid);
    return call;
  }
  g_assert_error (call->error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED);
  end (call);
  return NULL;
}

static TokendCallers *
make_callers (void)
{
  g_autoptr (GObject) bus = g_object_new (G_TYPE_OBJECT, NULL);

  return tokend_callers_new ((GDBusConnection *) bus);
}

static void
count_changes (TokendCallers *callers, gpointer n_changes)
{
  ++*(guint *) n_changes;
}

/* So many of one connection, whether its user is known or not; and the next as soon as one has
 * ended. */
static void
test_connection (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  Call *calls[TOKEND_CALLS_PER_CALLER_MAX], *more;

  for (guint i = 0; i < G_N_ELEMENTS (calls); i++) {
    calls[i] = begin (callers, ":1.1");
    g_assert_false (calls[i]->is_over);
  }
  /* The bus is asked once for all of them. */
  g_assert_cmpuint (n_questions, ==, 1);
  g_assert_cmpstr (questions[0].name, ==, ":1.1");
  more = begin (callers, ":1.1");
  g_assert_error (more->error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED);
  g_assert_nonnull (strstr (more->error->message, "16"));
  end (more);
  g_assert_cmpuint (tokend_callers_count (callers), ==, 1);

  tell_user (7);
  settle ();
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    g_assert_true (calls[i]->is_admitted);
  g_assert_null (try_one (callers, ":1.1", 7));
  end (calls[0]);
  calls[0] = begin (callers, ":1.1");
  g_assert_cmpuint (n_questions, ==, 0);
  g_assert_true (calls[0]->is_admitted);
  end (calls[0]);
  calls[0] = try_one (callers, ":1.1", 7);
  g_assert_nonnull (calls[0]);
  g_assert_cmpuint (n_questions, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (calls); i++)
    end (calls[i]);
  g_assert_cmpuint (tokend_callers_count (callers), ==, 0);
}

/* A user has a share of all, by whatever connections; another one has its own. What has ended is
 * given back. */
static void
test_users (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  g_autoptr (GPtrArray) calls = g_ptr_array_new ();
  Call *call;
  guint n_first, n_second;

  for (guint round = 0; round < 2; round++) {
    for (n_first = 0;; n_first++) {
      g_autofree char *sender = g_strdup_printf (":1.%u", n_first / 8);

      if ((call = try_one (callers, sender, 7)) == NULL)
        break;
      g_ptr_array_add (calls, call);
    }
    g_assert_cmpuint (n_first, ==, TOKEND_CALLS_MAX / 2);
    for (n_second = 0; (call = try_one (callers, ":1.99", 8)) != NULL; n_second++)
      g_ptr_array_add (calls, call);
    g_assert_cmpuint (n_second, ==, TOKEND_CALLS_MAX / 4);
    for (guint i = 0; i < calls->len; i++)
      end (calls->pdata[i]);
    g_ptr_array_set_size (calls, 0);
    g_assert_cmpuint (tokend_callers_count (callers), ==, 0);
  }
}

/* Of a user whose last call has ended none is left to count, which half a share tells. */
static void
test_users_last_call (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  g_autoptr (GPtrArray) calls = g_ptr_array_new ();
  Call *call;

  end (try_one (callers, ":1.0", 7));
  g_ptr_array_add (calls, try_one (callers, ":1.99", 8));
  for (guint i = 0;; i++) {
    g_autofree char *sender = g_strdup_printf (":1.%u", i / 8);

    if ((call = try_one (callers, sender, 7)) == NULL)
      break;
    g_ptr_array_add (calls, call);
  }
  g_assert_cmpuint (calls->len, ==, 1 + TOKEND_CALLS_MAX / 2);
  for (guint i = 0; i < calls->len; i++)
    end (calls->pdata[i]);
}

/* What is refused for its user does not count for it; and a connection is forgotten with its last
 * call. */
static void
test_refused (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  g_autoptr (GPtrArray) calls = g_ptr_array_new ();
  Call *call;

  for (guint i = 0; i < TOKEND_CALLS_MAX / 2; i++) {
    g_autofree char *sender = g_strdup_printf (":1.%u", i / 8);

    g_ptr_array_add (calls, try_one (callers, sender, 7));
  }
  for (guint i = 0; i < 3; i++)
    g_assert_null (try_one (callers, ":1.50", 7));
  g_assert_cmpuint (tokend_callers_count (callers), ==, 4);
  end (g_ptr_array_steal_index (calls, 0));
  call = try_one (callers, ":1.50", 7);
  g_assert_nonnull (call);
  end (call);
  for (guint i = 0; i < calls->len; i++)
    end (calls->pdata[i]);
}

/* Whom the bus does not know has no calls; the next call asks again. */
static void
test_unknown (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  Call *first = begin (callers, ":1.1"), *second = begin (callers, ":1.1"), *third;

  tell_user (-1);
  settle ();
  g_assert_error (first->error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED);
  g_assert_error (second->error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED);
  third = try_one (callers, ":1.1", 7);
  g_assert_nonnull (third);
  end (first);
  end (second);
  end (third);
  g_assert_cmpuint (tokend_callers_count (callers), ==, 0);
}

/* Whoever waits for the service to have nothing to do hears of each call's begin and end. */
static void
test_changed (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  guint n_changes = 0;
  Call *first, *second;

  g_signal_connect (callers, "changed", G_CALLBACK (count_changes), &n_changes);
  first = try_one (callers, ":1.1", 7);
  g_assert_cmpuint (n_changes, ==, 1);
  second = try_one (callers, ":1.2", 8);
  g_assert_cmpuint (n_changes, ==, 2);
  g_assert_cmpuint (tokend_callers_count (callers), ==, 2);
  end (first);
  g_assert_cmpuint (n_changes, ==, 3);
  g_assert_cmpuint (tokend_callers_count (callers), ==, 1);
  end (second);
  g_assert_cmpuint (n_changes, ==, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/callers/connection", test_connection);
  g_test_add_func ("/callers/users", test_users);
  g_test_add_func ("/callers/users/last-call", test_users_last_call);
  g_test_add_func ("/callers/refused", test_refused);
  g_test_add_func ("/callers/unknown", test_unknown);
  g_test_add_func ("/callers/changed", test_changed);
  return g_test_run ();
}
