/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whose a connection is, and when it is gone; how many calls it and its user may have under way;
 * who is subscribed. The bus is played here: the linker puts it in the place of GIO's, see
 * meson.build. A call is any object that bears its sender's name. */
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
static const char *answer;  /* the next one, as text; NULL: an error */
static GHashTable *watched; /* of name → Watch: whose leaving the service hears of */
static GString *sent;       /* signals */

typedef struct {
  GBusNameVanishedCallback vanished;
  gpointer user_data;
} Watch;

static guint
id_of (const char *name)
{
  return g_str_hash (name);
}

guint
__wrap_g_bus_watch_name_on_connection (GDBusConnection *connection, const char *name,
                                       GBusNameWatcherFlags flags,
                                       GBusNameAppearedCallback appeared,
                                       GBusNameVanishedCallback vanished, gpointer user_data,
                                       GDestroyNotify free_user_data)
{
  Watch *watch = g_new (Watch, 1);

  *watch = (Watch){ vanished, user_data };
  g_assert_true (g_hash_table_insert (watched, GUINT_TO_POINTER (id_of (name)), watch));
  return id_of (name);
}

void
__wrap_g_bus_unwatch_name (guint id)
{
  g_assert_true (g_hash_table_remove (watched, GUINT_TO_POINTER (id)));
}

static void
leave (const char *name)
{
  const Watch *watch = g_hash_table_lookup (watched, GUINT_TO_POINTER (id_of (name)));

  watch->vanished (NULL, name, watch->user_data);
}

gboolean
__wrap_g_dbus_connection_emit_signal (GDBusConnection *bus, const char *name, const char *path,
                                      const char *interface, const char *signal,
                                      GVariant *parameters, GError **error)
{
  g_string_append_printf (sent, "%s %s %s.%s ", name, path, interface, signal);
  return TRUE;
}

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

  g_assert_cmpstr (method, ==, "GetConnectionCredentials");
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
  if (answer != NULL)
    return g_variant_ref_sink (g_variant_new_parsed (answer));
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "the bus does not know it");
  return NULL;
}

/* Who is it? */
static guint n_look_ups;
static GAsyncReadyCallback looked_up;
static gpointer looked_up_data;

void
__wrap_tokend_identity_look_up (TokendIdentity *identity, GDBusConnection *bus,
                                TokendCaller *caller, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  g_assert_true (identity == &caller->who);
  n_look_ups++;
  looked_up = callback;
  looked_up_data = user_data;
}

/* Answers the first of the questions. */
static void
tell (const char *credentials)
{
  const GAsyncReadyCallback callback = questions[0].callback;
  const gpointer user_data = questions[0].user_data;

  g_assert_cmpuint (n_questions, >, 0);
  g_free (questions[0].name);
  memmove (&questions[0], &questions[1], --n_questions * sizeof questions[0]);
  answer = credentials;
  callback (NULL, NULL, user_data);
}

static void
tell_user (int uid)
{
  g_autofree char *credentials =
      g_strdup_printf ("({'UnixUserID': <uint32 %d>, 'ProcessID': <uint32 %d>},)", uid, 10 * uid);

  tell (credentials);
}

typedef struct {
  TokendCallers *callers;
  GObject *invocation;
  gboolean is_over;
  TokendCaller *caller; /* NULL: it was not admitted */
  GError *error;
} Call;

static void
on_admitted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Call *call = user_data;

  g_assert_false (call->is_over);
  call->is_over = TRUE;
  call->caller = tokend_callers_admit_finish (call->callers, result, &call->error);
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
  if (call->caller != NULL) {
    g_assert_no_error (call->error);
    g_assert_cmpstr (call->caller->name, ==, sender);
    g_assert_cmpuint (call->caller->uid, ==, (guint) uid);
    g_assert_cmpuint (call->caller->pid, ==, 10 * (guint) uid);
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
    g_assert_nonnull (calls[i]->caller);
  g_assert_null (try_one (callers, ":1.1", 7));
  end (calls[0]);
  calls[0] = begin (callers, ":1.1");
  g_assert_cmpuint (n_questions, ==, 0);
  g_assert_nonnull (calls[0]->caller);
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

  tell (NULL);
  settle ();
  g_assert_error (first->error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED);
  g_assert_error (second->error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED);
  third = begin (callers, ":1.1");
  tell ("({'ProcessID': <uint32 70>},)");
  settle ();
  g_assert_error (third->error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED);
  end (third);
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

static gboolean
subscribe (TokendCallers *callers, const char *name, int uid)
{
  Call *call = try_one (callers, name, uid);
  g_autoptr (GError) error = NULL;
  const gboolean is_subscribed = tokend_callers_subscribe (callers, name, &error);

  if (!is_subscribed)
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED);
  end (call);
  return is_subscribed;
}

/* Who is subscribed is sent what happens, and nobody else; until it says so or leaves. */
static void
test_subscribed (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  Call *call = try_one (callers, ":1.3", 7);
  guint n_changes = 0;

  g_assert_true (subscribe (callers, ":1.1", 7));
  g_assert_true (subscribe (callers, ":1.2", 7));
  g_signal_connect (callers, "changed", G_CALLBACK (count_changes), &n_changes);
  g_assert_true (tokend_callers_subscribe (callers, ":1.1", NULL));
  g_assert_cmpuint (n_changes, ==, 0);
  g_assert_cmpuint (tokend_callers_count_subscribers (callers), ==, 2);
  g_assert_cmpuint (tokend_callers_count (callers), ==, 1);
  tokend_callers_unsubscribe (callers, ":1.3");
  tokend_callers_unsubscribe (callers, ":1.2");
  g_assert_cmpuint (n_changes, ==, 1);
  tokend_callers_notify (callers, "/path");
  g_assert_cmpstr (sent->str, ==, ":1.1 /path org.tokend.Tokend1.Token.StatusChanged ");
  g_string_truncate (sent, 0);
  leave (":1.1");
  g_assert_cmpuint (n_changes, ==, 2);
  g_assert_cmpuint (tokend_callers_count_subscribers (callers), ==, 0);
  tokend_callers_notify (callers, "/path");
  g_assert_cmpstr (sent->str, ==, "");
  end (call);
  g_assert_cmpuint (g_hash_table_size (watched), ==, 0);
}

static void
test_subscribed_limits (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();

  for (guint i = 0; i <= TOKEND_SUBSCRIBERS_MAX; i++) {
    const guint uid = 1 + i / (TOKEND_SUBSCRIBERS_PER_USER_MAX - 1);
    g_autofree char *name = g_strdup_printf (":1.%u", i);

    g_assert_cmpint (subscribe (callers, name, (int) uid), ==, i < TOKEND_SUBSCRIBERS_MAX);
  }
  leave (":1.0");
  leave (":1.31");
  g_assert_true (subscribe (callers, ":1.1000", 2));
  g_assert_true (subscribe (callers, ":1.1001", 2));
  g_assert_false (subscribe (callers, ":1.1002", 2));
  /* Who is subscribed stays it. */
  g_assert_true (subscribe (callers, ":1.1001", 2));
  leave (":1.2");
  g_assert_false (subscribe (callers, ":1.1002", 2));
  g_assert_true (subscribe (callers, ":1.1002", 1));
}

static void
on_identified (TokendCallers *callers, TokendCaller *caller, gpointer n_identified)
{
  g_assert_cmpstr (caller->name, ==, ":1.1");
  g_assert_true (caller->is_identified);
  ++*(guint *) n_identified;
}

/* It is looked up once who that is, which keeps the caller until it is known, and told. */
static void
test_identified (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  TokendCaller *caller = tokend_callers_take (callers, ":1.1");
  guint n_identified = 0;

  g_signal_connect (callers, "identified", G_CALLBACK (on_identified), &n_identified);
  tokend_caller_identify (caller);
  tokend_caller_identify (caller);
  g_assert_cmpuint (n_look_ups, ==, 1);
  tokend_caller_release (caller);
  g_assert_cmpuint (g_hash_table_size (watched), ==, 1);
  g_assert_cmpuint (n_identified, ==, 0);
  looked_up (NULL, NULL, looked_up_data);
  g_assert_cmpuint (n_identified, ==, 1);
  g_assert_cmpuint (g_hash_table_size (watched), ==, 0);
}

static void
on_gone (GCancellable *gone, gpointer is_gone)
{
  *(gboolean *) is_gone = TRUE;
}

/* Whoever holds it hears that it is gone; then it subscribes no more. */
static void
test_gone (void)
{
  g_autoptr (TokendCallers) callers = make_callers ();
  Call *call = try_one (callers, ":1.1", 7);
  TokendCaller *caller = tokend_callers_take (callers, ":1.1");
  gboolean is_gone = FALSE;

  g_assert_true (caller == call->caller);
  g_signal_connect (caller->gone, "cancelled", G_CALLBACK (on_gone), &is_gone);
  leave (":1.1");
  g_assert_true (is_gone);
  g_assert_true (tokend_callers_subscribe (callers, ":1.1", NULL));
  g_assert_cmpuint (tokend_callers_count_subscribers (callers), ==, 0);
  end (call);
  g_assert_cmpuint (g_hash_table_size (watched), ==, 1);
  tokend_caller_release (caller);
  g_assert_cmpuint (g_hash_table_size (watched), ==, 0);

  is_gone = FALSE;
  caller = tokend_callers_take (callers, ":1.2");
  g_signal_connect (caller->gone, "cancelled", G_CALLBACK (on_gone), &is_gone);
  g_object_run_dispose (G_OBJECT (callers));
  g_assert_true (is_gone);
  tokend_caller_release (caller);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  watched = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  sent = g_string_new (NULL);
  g_test_add_func ("/callers/connection", test_connection);
  g_test_add_func ("/callers/users", test_users);
  g_test_add_func ("/callers/users/last-call", test_users_last_call);
  g_test_add_func ("/callers/refused", test_refused);
  g_test_add_func ("/callers/unknown", test_unknown);
  g_test_add_func ("/callers/changed", test_changed);
  g_test_add_func ("/callers/subscribed", test_subscribed);
  g_test_add_func ("/callers/subscribed/limits", test_subscribed_limits);
  g_test_add_func ("/callers/identified", test_identified);
  g_test_add_func ("/callers/gone", test_gone);
  return g_test_run ();
}
