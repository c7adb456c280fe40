/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gate.h"

#include "journal.h"

#include <polkit/polkit.h>

/* polkitd answers a check without a prompt in milliseconds, but lets a rule run for 15 s. (Version
 * 122 now and then waits that long for a rule that has ended.) A shorter deadline would turn away
 * one who may. A prompt takes as long as a person takes, but not for ever. */
#define SILENT_TIMEOUT_SECONDS 17
#define PROMPT_TIMEOUT_SECONDS (10 * 60)

struct _TokendGate {
  GObject parent_instance;

  PolkitAuthority *authority; /* NULL until polkitd was reached */
  gboolean is_connecting;
  gboolean is_silent; /* polkitd has not answered since it was last asked */
  GPtrArray *waiting; /* of GTask: checks that wait for @authority */
};

G_DEFINE_FINAL_TYPE (TokendGate, tokend_gate, G_TYPE_OBJECT)

typedef struct {
  TokendGate *gate;
  PolkitSubject *subject;
  PolkitDetails *details;
  const char *action;
  gboolean may_prompt;
  gboolean is_prompting;
  /* Cancelled when the caller leaves, the deadline passes, or the operation withdraws. */
  GCancellable *given_up;
  gulong given_up_handler;
  GCancellable *overdue; /* cancelled when the deadline passes */
  guint timeout;
  gboolean is_answered;
  TokendGateAnswer answer; /* set once it is known */
} Check;

static void
check_free (gpointer data)
{
  Check *check = data;

  g_clear_handle_id (&check->timeout, g_source_remove);
  g_cancellable_disconnect (check->given_up, check->given_up_handler);
  g_clear_object (&check->given_up);
  g_clear_object (&check->overdue);
  g_clear_object (&check->subject);
  g_clear_object (&check->details);
  g_free (check);
}

static void
tokend_gate_init (TokendGate *self)
{
  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
}

static void
tokend_gate_finalize (GObject *object)
{
  TokendGate *self = TOKEND_GATE (object);

  g_clear_object (&self->authority);
  g_ptr_array_unref (self->waiting);
  G_OBJECT_CLASS (tokend_gate_parent_class)->finalize (object);
}

static void
tokend_gate_class_init (TokendGateClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_gate_finalize;
}

TokendGate *
tokend_gate_new (void)
{
  return g_object_new (TOKEND_TYPE_GATE, NULL);
}

/* The first answer counts: libpolkit does not always heed a cancellation. */
static void
answer (GTask *task, TokendGateAnswer word)
{
  Check *check = g_task_get_task_data (task);

  if (check->is_answered)
    return;
  check->is_answered = TRUE;
  check->answer = word;
  if (word == TOKEND_GATE_ALLOWED)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, tokend_gate_answer_new_error (word, check->action));
}

static void
answer_without_word (GTask *task)
{
  const Check *check = g_task_get_task_data (task);

  if (g_cancellable_is_cancelled (check->overdue))
    answer (task, check->is_prompting ? TOKEND_GATE_EXPIRED : TOKEND_GATE_UNANSWERED);
  else if (g_cancellable_is_cancelled (check->given_up))
    answer (task, TOKEND_GATE_WITHDRAWN);
  else
    answer (task, TOKEND_GATE_UNANSWERED);
}

static gboolean
answer_no (gpointer task)
{
  answer_without_word (task);
  return G_SOURCE_REMOVE;
}

/* Answers from the main loop. GDBus's thread may be waiting for the end of this handler, with the
 * lock that the callback needs. */
static void
on_given_up (GCancellable *given_up, gpointer task)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, answer_no, g_object_ref (task), g_object_unref);
}

/* Tells it once until polkit answers again: callers may ask as often as they like. */
static void
report_silence (TokendGate *self, const char *reason)
{
  if (!self->is_silent)
    tokend_journal (G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_POLKIT_SILENT, "TOKEND_REASON", reason,
                    "MESSAGE", "polkit does not answer, so the answer is no: %s", reason);
  self->is_silent = TRUE;
}

static gboolean
on_timeout (gpointer user_data)
{
  Check *check = user_data;

  check->timeout = 0;
  if (!check->is_prompting)
    report_silence (check->gate, "it took too long");
  g_cancellable_cancel (check->overdue);
  g_cancellable_cancel (check->given_up);
  return G_SOURCE_REMOVE;
}

static void
set_deadline (Check *check, guint seconds)
{
  g_clear_handle_id (&check->timeout, g_source_remove);
  check->timeout = g_timeout_add_seconds (seconds, on_timeout, check);
}

static TokendGateAnswer
interpret (PolkitAuthorizationResult *result, gboolean was_prompting)
{
  const TokendGateReply reply = {
    .is_authorized = polkit_authorization_result_get_is_authorized (result),
    .is_challenge = polkit_authorization_result_get_is_challenge (result),
    .is_dismissed = polkit_authorization_result_get_dismissed (result),
  };

  return tokend_gate_answer_interpret (&reply, was_prompting);
}

static void
on_prompted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (PolkitAuthorizationResult) reply =
      polkit_authority_check_authorization_finish (POLKIT_AUTHORITY (source), result, NULL);

  if (reply != NULL)
    answer (task, interpret (reply, TRUE));
  else
    answer_without_word (task);
}

static void
prompt (PolkitAuthority *authority, GTask *task)
{
  Check *check = g_task_get_task_data (task);

  check->is_prompting = TRUE;
  set_deadline (check, PROMPT_TIMEOUT_SECONDS);
  polkit_authority_check_authorization (authority, check->subject, check->action, check->details,
                                        POLKIT_CHECK_AUTHORIZATION_FLAGS_ALLOW_USER_INTERACTION,
                                        check->given_up, on_prompted, g_object_ref (task));
}

/* Asks a person only once polkitd has said that it would help. A polkitd that hangs is found out in
 * time. */
static void
on_checked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Check *check = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (PolkitAuthorizationResult) reply =
      polkit_authority_check_authorization_finish (POLKIT_AUTHORITY (source), result, &error);
  TokendGateAnswer interpreted;

  if (reply == NULL) {
    if (!g_cancellable_is_cancelled (check->given_up))
      report_silence (check->gate, error->message);
    answer_without_word (task);
    return;
  }
  check->gate->is_silent = FALSE;
  interpreted = interpret (reply, FALSE);
  if (interpreted != TOKEND_GATE_NEEDS_PERSON || !check->may_prompt)
    answer (task, interpreted);
  else if (!check->is_answered)
    prompt (POLKIT_AUTHORITY (source), task);
}

/* Does not cancel the call when the caller leaves. polkitd has answered by then, and libpolkit
 * would warn of the error. */
static void
check_silently (TokendGate *self, GTask *task)
{
  Check *check = g_task_get_task_data (task);

  polkit_authority_check_authorization (self->authority, check->subject, check->action,
                                        check->details, POLKIT_CHECK_AUTHORIZATION_FLAGS_NONE,
                                        check->overdue, on_checked, g_object_ref (task));
}

static void
on_authority (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TokendGate) self = user_data;
  g_autoptr (GPtrArray) waiting = g_steal_pointer (&self->waiting);
  g_autoptr (GError) error = NULL;

  self->waiting = g_ptr_array_new_with_free_func (g_object_unref);
  self->is_connecting = FALSE;
  self->authority = polkit_authority_get_finish (result, &error);
  if (self->authority == NULL)
    report_silence (self, error->message);

  for (guint i = 0; i < waiting->len; i++) {
    if (self->authority != NULL)
      check_silently (self, waiting->pdata[i]);
    else
      answer (waiting->pdata[i], TOKEND_GATE_UNANSWERED);
  }
}

/* Waits for the first call to polkitd: a second one would block on a lock of libpolkit's. */
static void
connect_to_polkit (TokendGate *self)
{
  if (self->is_connecting)
    return;
  self->is_connecting = TRUE;
  polkit_authority_get_async (NULL, on_authority, g_object_ref (self));
}

/* Gives the check up when @event is cancelled. */
static void
give_up_with (Check *check, GCancellable *event)
{
  g_signal_connect_object (event, "cancelled", G_CALLBACK (g_cancellable_cancel), check->given_up,
                           G_CONNECT_SWAPPED);
  if (g_cancellable_is_cancelled (event))
    g_cancellable_cancel (check->given_up);
}

/* The actions' messages name the token by $(token), which is empty for who may not know it. */
static PolkitDetails *
make_details (const char *label, const char *serial)
{
  PolkitDetails *details = polkit_details_new ();

  if (label != NULL && serial != NULL) {
    g_autofree char *token = g_strdup_printf (" %s (%s)", label, serial);

    polkit_details_insert (details, "label", label);
    polkit_details_insert (details, "serial", serial);
    polkit_details_insert (details, "token", token);
  } else {
    polkit_details_insert (details, "token", "");
  }
  return details;
}

/**
 * tokend_gate_check_async:
 * @invocation: the call; its sender must be authorized.
 * @action: (nullable): the polkit action; %NULL is refused.
 * @mode: whether a person may be asked.
 * @label: (nullable): of the token, for the prompt.
 * @serial: (nullable): the same.
 * @gone: withdraws the prompt; cancelled when the caller leaves the bus.
 * @cancellable: withdraws the prompt.
 *
 * Asks polkit.
 */
void
tokend_gate_check_async (TokendGate *self, GDBusMethodInvocation *invocation, const char *action,
                         TokendGateMode mode, const char *label, const char *serial,
                         GCancellable *gone, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GDBusMessageFlags flags =
      g_dbus_message_get_flags (g_dbus_method_invocation_get_message (invocation));
  Check *check;

  if (action == NULL) {
    g_task_return_error (task, tokend_gate_answer_new_error (TOKEND_GATE_DENIED, NULL));
    return;
  }

  check = g_new0 (Check, 1);
  check->gate = self;
  check->subject = polkit_system_bus_name_new (g_dbus_method_invocation_get_sender (invocation));
  check->details = make_details (label, serial);
  check->action = action;
  check->may_prompt = mode == TOKEND_GATE_AS_CALLER_SAYS
                      && (flags & G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0;
  check->given_up = g_cancellable_new ();
  check->overdue = g_cancellable_new ();
  g_task_set_task_data (task, check, check_free);
  check->given_up_handler =
      g_cancellable_connect (check->given_up, G_CALLBACK (on_given_up), task, NULL);
  set_deadline (check, SILENT_TIMEOUT_SECONDS);
  give_up_with (check, gone);
  give_up_with (check, cancellable);
  if (self->authority != NULL) {
    check_silently (self, task);
    return;
  }
  g_ptr_array_add (self->waiting, g_object_ref (task));
  connect_to_polkit (self);
}

/**
 * tokend_gate_check_finish:
 * @error: NotAuthorized, or InteractiveAuthorizationRequired if a person could have been asked and
 *   was not to be. The message has the reason and the action, but nothing of the token.
 *
 * Returns: whether the caller is authorized.
 */
gboolean
tokend_gate_check_finish (TokendGate *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * tokend_gate_check_get_answer:
 * @result: of a check.
 *
 * Returns: the answer as a value.
 */
TokendGateAnswer
tokend_gate_check_get_answer (GAsyncResult *result)
{
  const Check *check = g_task_get_task_data (G_TASK (result));

  return check != NULL ? check->answer : TOKEND_GATE_DENIED;
}
