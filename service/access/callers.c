/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callers.h"

#include "call-quota-private.h"
#include "tokend-error.h"

struct _TokendCallers {
  GObject parent_instance;

  GDBusConnection *bus;
  GHashTable *callers; /* of unique bus name → Caller */
  GHashTable *users;   /* of uid → number of admitted calls */
  guint n_admitted;
};

G_DEFINE_FINAL_TYPE (TokendCallers, tokend_callers, G_TYPE_OBJECT)

enum {
  SIGNAL_CHANGED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

/* A connection with calls under way. */
typedef struct {
  char *name;
  guint n_calls;
  gboolean is_known; /* whose connection it is */
  guint32 uid;
  GPtrArray *waiting; /* of GTask: calls, until it is known */
} Caller;

/* One call. */
typedef struct {
  TokendCallers *callers;
  Caller *caller;
  gboolean is_admitted; /* it counts for its user; it does not while its user is not known */
} Admission;

static void
caller_free (gpointer data)
{
  Caller *caller = data;

  g_free (caller->name);
  g_ptr_array_unref (caller->waiting);
  g_free (caller);
}

static void
tokend_callers_init (TokendCallers *self)
{
  self->callers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, caller_free);
  self->users = g_hash_table_new (NULL, NULL);
}

static void
tokend_callers_finalize (GObject *object)
{
  TokendCallers *self = TOKEND_CALLERS (object);

  g_hash_table_unref (self->callers);
  g_hash_table_unref (self->users);
  g_object_unref (self->bus);
  G_OBJECT_CLASS (tokend_callers_parent_class)->finalize (object);
}

static void
tokend_callers_class_init (TokendCallersClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_callers_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

TokendCallers *
tokend_callers_new (GDBusConnection *bus)
{
  TokendCallers *self = g_object_new (TOKEND_TYPE_CALLERS, NULL);

  self->bus = g_object_ref (bus);
  return self;
}

static guint
get_user_calls (TokendCallers *self, guint32 uid)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->users, GUINT_TO_POINTER (uid)));
}

static void
set_user_calls (TokendCallers *self, guint32 uid, guint n_calls)
{
  if (n_calls == 0)
    g_hash_table_remove (self->users, GUINT_TO_POINTER (uid));
  else
    g_hash_table_insert (self->users, GUINT_TO_POINTER (uid), GUINT_TO_POINTER (n_calls));
}

static void
leave (gpointer data)
{
  Admission *admission = data;
  TokendCallers *self = admission->callers;
  Caller *caller = admission->caller;

  if (admission->is_admitted) {
    set_user_calls (self, caller->uid, get_user_calls (self, caller->uid) - 1);
    self->n_admitted--;
  }
  if (--caller->n_calls == 0)
    g_hash_table_remove (self->callers, caller->name);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  g_object_unref (self);
  g_free (admission);
}

static void
admit_user (GTask *task)
{
  TokendCallers *self = g_task_get_source_object (task);
  Admission *admission = g_task_get_task_data (task);
  const guint32 uid = admission->caller->uid;
  const guint n_calls = get_user_calls (self, uid);

  if (!tokend_call_quota_has_room (n_calls, self->n_admitted - n_calls)) {
    g_task_return_new_error (
        task, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
        "More calls at a time than half of what other users leave of the %d in all",
        TOKEND_CALLS_MAX);
    return;
  }
  set_user_calls (self, uid, n_calls + 1);
  self->n_admitted++;
  admission->is_admitted = TRUE;
  g_task_return_boolean (task, TRUE);
}

/* The calls that wait for this keep @caller alive. */
static void
on_user (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Caller *caller = user_data;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GPtrArray) waiting = g_steal_pointer (&caller->waiting);

  caller->waiting = g_ptr_array_new_with_free_func (g_object_unref);
  caller->is_known = reply != NULL;
  if (reply != NULL)
    g_variant_get (reply, "(u)", &caller->uid);
  for (guint i = 0; i < waiting->len; i++) {
    if (reply != NULL)
      admit_user (waiting->pdata[i]);
    else
      g_task_return_new_error (waiting->pdata[i], TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED,
                               "The bus does not tell whose connection this is: call again");
  }
}

static void
wait_for_user (TokendCallers *self, Caller *caller, GTask *task)
{
  g_ptr_array_add (caller->waiting, g_object_ref (task));
  if (caller->waiting->len == 1)
    g_dbus_connection_call (self->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                            "org.freedesktop.DBus", "GetConnectionUnixUser",
                            g_variant_new ("(s)", caller->name), G_VARIANT_TYPE ("(u)"),
                            G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_user, caller);
}

static Caller *
meet (TokendCallers *self, const char *name)
{
  Caller *caller = g_hash_table_lookup (self->callers, name);

  if (caller == NULL) {
    caller = g_new0 (Caller, 1);
    caller->name = g_strdup (name);
    caller->waiting = g_ptr_array_new_with_free_func (g_object_unref);
    g_hash_table_insert (self->callers, caller->name, caller);
  }
  return caller;
}

static Admission *
count (TokendCallers *self, GDBusMethodInvocation *invocation)
{
  Admission *admission = g_new0 (Admission, 1);

  admission->callers = g_object_ref (self);
  admission->caller = meet (self, g_dbus_method_invocation_get_sender (invocation));
  admission->caller->n_calls++;
  g_object_set_data_full (G_OBJECT (invocation), "tokend-admission", admission, leave);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  return admission;
}

/**
 * tokend_callers_admit_async:
 * @invocation: a call; it counts until it is finalized, which is after its reply. It must not be
 *   replied to before @callback is called.
 *
 * Asks the bus whose connection it is, and counts the call if the user may have one more.
 */
void
tokend_callers_admit_async (TokendCallers *self, GDBusMethodInvocation *invocation,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  const Caller *known =
      g_hash_table_lookup (self->callers, g_dbus_method_invocation_get_sender (invocation));
  Admission *admission;

  if (known != NULL && known->n_calls >= TOKEND_CALLS_PER_CALLER_MAX) {
    g_task_return_new_error (task, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
                             "More than %d calls at a time on one connection",
                             TOKEND_CALLS_PER_CALLER_MAX);
    return;
  }
  admission = count (self, invocation);
  g_task_set_task_data (task, admission, NULL);
  if (admission->caller->is_known)
    admit_user (task);
  else
    wait_for_user (self, admission->caller, task);
}

/**
 * tokend_callers_admit_finish:
 * @error: LimitsExceeded.
 *
 * Returns: whether the call is admitted.
 */
gboolean
tokend_callers_admit_finish (TokendCallers *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tokend_callers_get_user:
 * @invocation: an admitted call.
 *
 * Returns: the uid of its caller.
 */
guint32
tokend_callers_get_user (TokendCallers *self, GDBusMethodInvocation *invocation)
{
  const Admission *admission = g_object_get_data (G_OBJECT (invocation), "tokend-admission");

  return admission->caller->uid;
}

/**
 * tokend_callers_count:
 *
 * Returns: how many connections have calls under way.
 */
guint
tokend_callers_count (TokendCallers *self)
{
  return g_hash_table_size (self->callers);
}
