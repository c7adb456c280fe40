/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "callers.h"

#include "call-quota-private.h"
#include "tokend-error.h"

struct _TokendCallers {
  GObject parent_instance;

  GDBusConnection *bus;
  GHashTable *callers; /* of unique bus name → TokendCaller */
  guint n_calling;     /* of @callers, those that have a call under way */
  guint n_subscribers;
};

G_DEFINE_FINAL_TYPE (TokendCallers, tokend_callers, G_TYPE_OBJECT)

enum {
  SIGNAL_CHANGED,
  SIGNAL_IDENTIFIED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

typedef struct {
  TokendCallerFunc func;
  gpointer user_data;
} Waiting;

/* One call. */
typedef struct {
  TokendCallers *callers;
  TokendCaller *caller;
  gboolean is_admitted; /* it counts for its user; it does not while its user is not known */
} Admission;

static void
caller_free (gpointer data)
{
  TokendCaller *caller = data;

  g_bus_unwatch_name (caller->watch);
  g_free (caller->name);
  g_object_unref (caller->gone);
  tokend_identity_clear (&caller->who);
  g_array_unref (caller->waiting);
  g_free (caller);
}

void
tokend_caller_release (TokendCaller *caller)
{
  if (--caller->n_uses == 0)
    g_hash_table_remove (caller->callers->callers, caller->name);
}

/* The caller is there until each hold is released. */
TokendCaller *
tokend_caller_hold (TokendCaller *caller)
{
  caller->n_uses++;
  return caller;
}

static void
set_subscribed (TokendCaller *caller, gboolean is_subscribed)
{
  TokendCallers *self = caller->callers;

  if (caller->is_subscribed == is_subscribed)
    return;
  caller->is_subscribed = is_subscribed;
  if (is_subscribed) {
    tokend_caller_hold (caller);
    self->n_subscribers++;
  } else {
    self->n_subscribers--;
    tokend_caller_release (caller);
  }
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
on_vanished (GDBusConnection *bus, const char *name, gpointer user_data)
{
  TokendCaller *caller = tokend_caller_hold (user_data);

  set_subscribed (caller, FALSE);
  g_cancellable_cancel (caller->gone);
  tokend_caller_release (caller);
}

static void
tokend_callers_init (TokendCallers *self)
{
  self->callers = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, caller_free);
}

/* Everybody has left: the main loop has ended. */
static void
tokend_callers_dispose (GObject *object)
{
  g_autoptr (GList) callers = g_hash_table_get_values (TOKEND_CALLERS (object)->callers);

  for (GList *l = callers; l != NULL; l = l->next)
    on_vanished (NULL, NULL, l->data);
  G_OBJECT_CLASS (tokend_callers_parent_class)->dispose (object);
}

static void
tokend_callers_finalize (GObject *object)
{
  TokendCallers *self = TOKEND_CALLERS (object);

  g_hash_table_unref (self->callers);
  g_object_unref (self->bus);
  G_OBJECT_CLASS (tokend_callers_parent_class)->finalize (object);
}

static void
tokend_callers_class_init (TokendCallersClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tokend_callers_dispose;
  G_OBJECT_CLASS (klass)->finalize = tokend_callers_finalize;
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_IDENTIFIED] =
      g_signal_new ("identified", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 1, G_TYPE_POINTER);
}

TokendCallers *
tokend_callers_new (GDBusConnection *bus)
{
  TokendCallers *self = g_object_new (TOKEND_TYPE_CALLERS, NULL);

  self->bus = g_object_ref (bus);
  return self;
}

/**
 * tokend_callers_take:
 * @name: a unique bus name.
 *
 * Returns: (transfer none): the connection, until tokend_caller_release(). Whether it has left is
 *   watched until then.
 */
TokendCaller *
tokend_callers_take (TokendCallers *self, const char *name)
{
  TokendCaller *caller = g_hash_table_lookup (self->callers, name);

  if (caller == NULL) {
    caller = g_new0 (TokendCaller, 1);
    caller->name = g_strdup (name);
    caller->gone = g_cancellable_new ();
    caller->callers = self;
    caller->waiting = g_array_new (FALSE, FALSE, sizeof (Waiting));
    caller->watch = g_bus_watch_name_on_connection (self->bus, name, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                    NULL, on_vanished, caller, NULL);
    g_hash_table_insert (self->callers, caller->name, caller);
  }
  return tokend_caller_hold (caller);
}

static void
on_credentials (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TokendCaller *caller = user_data;
  g_autoptr (TokendCallers) self = caller->callers;
  g_autoptr (GVariant) reply =
      g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  g_autoptr (GArray) waiting = g_steal_pointer (&caller->waiting);

  caller->waiting = g_array_new (FALSE, FALSE, sizeof (Waiting));
  if (reply != NULL) {
    g_autoptr (GVariant) credentials = g_variant_get_child_value (reply, 0);

    caller->is_known = g_variant_lookup (credentials, "UnixUserID", "u", &caller->uid);
    g_variant_lookup (credentials, "ProcessID", "u", &caller->pid);
  }
  for (guint i = 0; i < waiting->len; i++) {
    const Waiting *next = &g_array_index (waiting, Waiting, i);

    next->func (caller, next->user_data);
  }
  tokend_caller_release (caller);
}

/**
 * tokend_caller_ask_credentials:
 * @caller: is not released before @func is called.
 * @func: is called, maybe at once, when the bus has answered, which is asked once.
 *
 * Finds out whose connection it is.
 */
void
tokend_caller_ask_credentials (TokendCaller *caller, TokendCallerFunc func, gpointer user_data)
{
  const Waiting waiting = { func, user_data };

  if (caller->is_known) {
    func (caller, user_data);
    return;
  }
  g_array_append_val (caller->waiting, waiting);
  if (caller->waiting->len > 1)
    return;
  g_object_ref (caller->callers);
  g_dbus_connection_call (
      caller->callers->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "GetConnectionCredentials", g_variant_new ("(s)", caller->name), G_VARIANT_TYPE ("(a{sv})"),
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_credentials, tokend_caller_hold (caller));
}

static void
on_identified (GObject *source, GAsyncResult *result, gpointer user_data)
{
  TokendCaller *caller = user_data;

  caller->is_identified = TRUE;
  g_signal_emit (caller->callers, signals[SIGNAL_IDENTIFIED], 0, caller);
  tokend_caller_release (caller);
}

/**
 * tokend_caller_identify:
 *
 * Looks up @caller's `who`, once, since it may be gone when the journal needs that.
 */
void
tokend_caller_identify (TokendCaller *caller)
{
  if (caller->is_being_identified)
    return;
  caller->is_being_identified = TRUE;
  tokend_identity_look_up (&caller->who, caller->callers->bus, caller, on_identified,
                           tokend_caller_hold (caller));
}

static void
end_call (gpointer data)
{
  Admission *admission = data;
  g_autoptr (TokendCallers) self = admission->callers;
  TokendCaller *caller = admission->caller;

  caller->n_admitted -= admission->is_admitted;
  if (--caller->n_calls == 0)
    self->n_calling--;
  tokend_caller_release (caller);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  g_free (admission);
}

typedef struct {
  guint n_user_calls;
  guint n_other_calls;
  guint n_user_subscribers;
} Usage;

static Usage
measure (TokendCallers *self, guint32 uid)
{
  Usage usage = { 0 };
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->callers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const TokendCaller *caller = value;

    if (caller->uid == uid) {
      usage.n_user_calls += caller->n_admitted;
      usage.n_user_subscribers += caller->is_subscribed;
    } else {
      usage.n_other_calls += caller->n_admitted;
    }
  }
  return usage;
}

static void
admit_user (GTask *task)
{
  Admission *admission = g_task_get_task_data (task);
  const Usage usage = measure (admission->callers, admission->caller->uid);

  if (!tokend_call_quota_has_room (usage.n_user_calls, usage.n_other_calls)) {
    g_task_return_new_error (
        task, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
        "More calls at a time than half of what other users leave of the %d in all",
        TOKEND_CALLS_MAX);
    return;
  }
  admission->caller->n_admitted++;
  admission->is_admitted = TRUE;
  g_task_return_pointer (task, admission->caller, NULL);
}

static void
on_user_known (TokendCaller *caller, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;

  if (caller->is_known)
    admit_user (task);
  else
    g_task_return_new_error (task, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED,
                             "The bus does not tell whose connection this is: call again");
}

static Admission *
count (TokendCallers *self, GDBusMethodInvocation *invocation)
{
  Admission *admission = g_new0 (Admission, 1);

  admission->callers = g_object_ref (self);
  admission->caller = tokend_callers_take (self, g_dbus_method_invocation_get_sender (invocation));
  if (admission->caller->n_calls++ == 0)
    self->n_calling++;
  g_object_set_data_full (G_OBJECT (invocation), "tokend-admission", admission, end_call);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  return admission;
}

/**
 * tokend_callers_admit_async:
 * @invocation: a call; it counts until it is finalized, which is after its reply. It must not be
 *   replied to before @callback is called.
 *
 * Counts the call if its connection and its user may have one more.
 */
void
tokend_callers_admit_async (TokendCallers *self, GDBusMethodInvocation *invocation,
                            GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  const TokendCaller *known =
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
  tokend_caller_ask_credentials (admission->caller, on_user_known, g_object_ref (task));
}

/**
 * tokend_callers_admit_finish:
 * @error: LimitsExceeded, NotAuthorized.
 *
 * Returns: (transfer none) (nullable): the caller, as long as the call lives.
 */
TokendCaller *
tokend_callers_admit_finish (TokendCallers *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

guint
tokend_callers_count (TokendCallers *self)
{
  return self->n_calling;
}

/**
 * tokend_callers_subscribe:
 * @name: of an admitted call's connection; subscribing it again does nothing.
 * @error: LimitsExceeded.
 *
 * Has the connection sent StatusChanged until it leaves.
 *
 * Returns: whether it is subscribed.
 */
gboolean
tokend_callers_subscribe (TokendCallers *self, const char *name, GError **error)
{
  TokendCaller *caller = g_hash_table_lookup (self->callers, name);

  /* It may have left while polkit was asked. Nothing would end the subscription. */
  if (caller->is_subscribed || g_cancellable_is_cancelled (caller->gone))
    return TRUE;
  if (measure (self, caller->uid).n_user_subscribers >= TOKEND_SUBSCRIBERS_PER_USER_MAX) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED,
                 "More than %d subscribers of one user", TOKEND_SUBSCRIBERS_PER_USER_MAX);
    return FALSE;
  }
  if (self->n_subscribers >= TOKEND_SUBSCRIBERS_MAX) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_LIMITS_EXCEEDED, "More than %d subscribers",
                 TOKEND_SUBSCRIBERS_MAX);
    return FALSE;
  }
  set_subscribed (caller, TRUE);
  return TRUE;
}

void
tokend_callers_unsubscribe (TokendCallers *self, const char *name)
{
  set_subscribed (g_hash_table_lookup (self->callers, name), FALSE);
}

guint
tokend_callers_count_subscribers (TokendCallers *self)
{
  return self->n_subscribers;
}

/**
 * tokend_callers_notify:
 *
 * Sends StatusChanged of @object_path to each subscriber, and to nobody else.
 */
void
tokend_callers_notify (TokendCallers *self, const char *object_path)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->callers);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const TokendCaller *caller = value;

    if (caller->is_subscribed)
      g_dbus_connection_emit_signal (self->bus, caller->name, object_path,
                                     "org.tokend.Tokend1.Token", "StatusChanged", NULL, NULL);
  }
}
