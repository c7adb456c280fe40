/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is asked what, and what comes of the answers, of none, and of those that come too late.
 * polkit, the bus and the time are played here: the linker puts these in the place of the
 * libraries', see meson.build. */
#include "gate.h"
#include "journal-spy.h"
#include "tokend-error.h"
#include "tokend-status.h"

#include <polkit/polkit.h>
#include <string.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define SENDER ":1.7"
#define TIMEOUT_ID 77
#define PROMPTS POLKIT_CHECK_AUTHORIZATION_FLAGS_ALLOW_USER_INTERACTION
#define NO_FLAGS POLKIT_CHECK_AUTHORIZATION_FLAGS_NONE

/* A question to polkit that is not answered yet. */
typedef struct {
  char *subject;
  char *action;
  char *token; /* the detail of that name */
  gboolean has_label;
  PolkitCheckAuthorizationFlags flags;
  GCancellable *cancellable;
  GAsyncReadyCallback callback;
  gpointer user_data;
} Question;

static struct {
  GDBusMessage *message;
  Question question; /* the last */
  guint n_questions;
  const char *word; /* the answer to it, see answer_with() */

  GAsyncReadyCallback connected; /* to polkitd; NULL: nobody waits for that */
  gpointer connected_data;
  guint n_connections;
  gboolean is_absent; /* polkitd */
  gboolean is_shared; /* by several checks at a time: deadlines are not watched then */

  guint seconds; /* of the deadline; 0: there is none */
  GSourceFunc expire;
  gpointer expire_data;

  GCancellable *gone; /* the caller's connection */
} world;

const char *
__wrap_g_dbus_method_invocation_get_sender (GDBusMethodInvocation *invocation)
{
  return SENDER;
}

GDBusMessage *
__wrap_g_dbus_method_invocation_get_message (GDBusMethodInvocation *invocation)
{
  return world.message;
}

guint
__wrap_g_timeout_add_seconds (guint seconds, GSourceFunc function, gpointer data)
{
  g_assert_true (world.seconds == 0 || world.is_shared);
  world.seconds = seconds;
  world.expire = function;
  world.expire_data = data;
  return TIMEOUT_ID;
}

gboolean
__wrap_g_source_remove (guint id)
{
  g_assert_cmpuint (id, ==, TIMEOUT_ID);
  g_assert_true (world.seconds != 0 || world.is_shared);
  world.seconds = 0;
  return TRUE;
}

void
__wrap_polkit_authority_get_async (GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_assert_null (world.connected);
  world.n_connections++;
  world.connected = callback;
  world.connected_data = user_data;
}

PolkitAuthority *
__wrap_polkit_authority_get_finish (GAsyncResult *result, GError **error)
{
  if (!world.is_absent)
    return g_object_new (G_TYPE_OBJECT, NULL);
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "polkitd is away");
  return NULL;
}

static void
clear_question (void)
{
  g_free (world.question.subject);
  g_free (world.question.action);
  g_free (world.question.token);
  world.question = (Question){ 0 };
}

void
__wrap_polkit_authority_check_authorization (PolkitAuthority *authority, PolkitSubject *subject,
                                             const char *action, PolkitDetails *details,
                                             PolkitCheckAuthorizationFlags flags,
                                             GCancellable *cancellable,
                                             GAsyncReadyCallback callback, gpointer user_data)
{
  clear_question ();
  world.n_questions++;
  world.question = (Question){ .subject = polkit_subject_to_string (subject),
                               .action = g_strdup (action),
                               .token = g_strdup (polkit_details_lookup (details, "token")),
                               .has_label = polkit_details_lookup (details, "label") != NULL
                                            && polkit_details_lookup (details, "serial") != NULL,
                               .flags = flags,
                               .cancellable = cancellable,
                               .callback = callback,
                               .user_data = user_data };
}

PolkitAuthorizationResult *
__wrap_polkit_authority_check_authorization_finish (PolkitAuthority *authority,
                                                    GAsyncResult *result, GError **error)
{
  g_autoptr (PolkitDetails) details = polkit_details_new ();
  const char *word = world.word;

  if (word == NULL) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "polkitd is lost");
    return NULL;
  }
  if (g_str_equal (word, "dismissed"))
    polkit_details_insert (details, "polkit.dismissed", "true");
  return polkit_authorization_result_new (g_str_equal (word, "yes"),
                                          g_str_equal (word, "challenge"), details);
}

/* A check, as its caller sees it. */
typedef struct {
  TokendGate *gate;
  gboolean is_over;
  gboolean may;
  TokendGateAnswer answer;
  GError *error;
} Caller;

static void
on_over (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Caller *caller = user_data;

  g_assert_false (caller->is_over);
  caller->is_over = TRUE;
  caller->may = tokend_gate_check_finish (caller->gate, result, &caller->error);
  caller->answer = tokend_gate_check_get_answer (result);
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static void
set_up (gboolean may_be_asked)
{
  memset (&world, 0, sizeof world);
  world.gone = g_cancellable_new ();
  world.message = g_dbus_message_new_method_call (NULL, "/", NULL, "Method");
  if (may_be_asked)
    g_dbus_message_set_flags (world.message, G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
}

/* Whoever could cancel the check knows nothing of it any more. */
static void
assert_let_go_of (GCancellable *cancellable)
{
  g_assert_false (g_signal_has_handler_pending (
      cancellable, g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE), 0, TRUE));
}

static void
tear_down (TokendGate *gate)
{
  settle ();
  g_object_unref (world.message);
  clear_question ();
  g_assert_finalize_object (gate);
  g_assert_cmpuint (world.seconds, ==, 0);
  assert_let_go_of (world.gone);
  g_object_unref (world.gone);
  journal_spy_expect_nothing ();
}

static void
connect_to_polkitd (void)
{
  GAsyncReadyCallback callback = world.connected;

  world.connected = NULL;
  callback (NULL, NULL, world.connected_data);
}

static void
ask (TokendGate *gate, TokendGateMode mode, GCancellable *cancellable, Caller *caller)
{
  *caller = (Caller){ .gate = gate };
  tokend_gate_check_async (gate, NULL, TOKEND_ACTION_UNLOCK, mode, "L", "S", world.gone,
                           cancellable != NULL ? cancellable : world.gone, on_over, caller);
  if (world.connected != NULL)
    connect_to_polkitd ();
}

/* "yes", "no", "challenge", "dismissed", or NULL: an error. */
static void
answer_with (const char *word)
{
  world.word = word;
  world.question.callback (NULL, NULL, world.question.user_data);
  settle ();
}

static void
expire (void)
{
  /* Its source is gone when it returns. */
  world.seconds = 0;
  g_assert_false (world.expire (world.expire_data));
  settle ();
}

static void
assert_over (Caller *caller, TokendGateAnswer answer)
{
  const int refused = answer == TOKEND_GATE_NEEDS_PERSON
                          ? TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED
                          : TOKEND_ERROR_NOT_AUTHORIZED;

  settle ();
  g_assert_true (caller->is_over);
  g_assert_cmpint (caller->answer, ==, answer);
  g_assert_cmpint (caller->may, ==, answer == TOKEND_GATE_ALLOWED);
  if (answer == TOKEND_GATE_ALLOWED)
    g_assert_no_error (caller->error);
  else
    g_assert_error (caller->error, TOKEND_ERROR, refused);
  g_clear_error (&caller->error);
}

/* A person is asked only if the caller allows it, the service wants it, and polkit says that it
 * would help. */
static void
test_who_is_prompted (void)
{
  static const struct {
    gboolean may_be_asked;
    TokendGateMode mode;
    const char *words[2];
    guint n_questions;
    TokendGateAnswer answer;
  } rows[] = {
    { TRUE, TOKEND_GATE_AS_CALLER_SAYS, { "yes" }, 1, TOKEND_GATE_ALLOWED },
    { TRUE, TOKEND_GATE_AS_CALLER_SAYS, { "no" }, 1, TOKEND_GATE_DENIED },
    { TRUE, TOKEND_GATE_AS_CALLER_SAYS, { "challenge", "yes" }, 2, TOKEND_GATE_ALLOWED },
    { TRUE, TOKEND_GATE_AS_CALLER_SAYS, { "challenge", "challenge" }, 2, TOKEND_GATE_NO_AGENT },
    { TRUE, TOKEND_GATE_AS_CALLER_SAYS, { "challenge", "dismissed" }, 2, TOKEND_GATE_DISMISSED },
    { TRUE, TOKEND_GATE_AS_CALLER_SAYS, { "challenge", "no" }, 2, TOKEND_GATE_NOT_AUTHENTICATED },
    { TRUE, TOKEND_GATE_AS_CALLER_SAYS, { "challenge", NULL }, 2, TOKEND_GATE_UNANSWERED },
    { FALSE, TOKEND_GATE_AS_CALLER_SAYS, { "challenge" }, 1, TOKEND_GATE_NEEDS_PERSON },
    { FALSE, TOKEND_GATE_AS_CALLER_SAYS, { "yes" }, 1, TOKEND_GATE_ALLOWED },
    { TRUE, TOKEND_GATE_SILENT, { "challenge" }, 1, TOKEND_GATE_NEEDS_PERSON },
    { TRUE, TOKEND_GATE_SILENT, { "yes" }, 1, TOKEND_GATE_ALLOWED },
    { FALSE, TOKEND_GATE_SILENT, { "no" }, 1, TOKEND_GATE_DENIED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendGate *gate = tokend_gate_new ();
    Caller caller;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    set_up (rows[i].may_be_asked);
    ask (gate, rows[i].mode, NULL, &caller);
    for (guint k = 0; k < rows[i].n_questions; k++) {
      g_assert_cmpuint (world.n_questions, ==, k + 1);
      g_assert_false (caller.is_over);
      g_assert_cmpint (world.question.flags, ==, k == 0 ? NO_FLAGS : PROMPTS);
      g_assert_cmpuint (world.seconds, ==, k == 0 ? 17 : 600);
      answer_with (rows[i].words[k]);
    }
    g_assert_cmpuint (world.n_questions, ==, rows[i].n_questions);
    assert_over (&caller, rows[i].answer);
    tear_down (gate);
  }
}

/* The prompt names the token only where both of its names are given. */
static void
test_question (void)
{
  static const struct {
    const char *label, *serial, *token;
  } rows[] = {
    { "L", "S", " L (S)" },
    { "L", NULL, "" },
    { NULL, "S", "" },
    { NULL, NULL, "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendGate *gate = tokend_gate_new ();
    Caller caller = { .gate = gate };

    set_up (FALSE);
    tokend_gate_check_async (gate, NULL, TOKEND_ACTION_SET_PIN, TOKEND_GATE_SILENT, rows[i].label,
                             rows[i].serial, world.gone, world.gone, on_over, &caller);
    connect_to_polkitd ();
    g_assert_cmpstr (world.question.subject, ==, "system-bus-name:" SENDER);
    g_assert_cmpstr (world.question.action, ==, TOKEND_ACTION_SET_PIN);
    g_assert_cmpstr (world.question.token, ==, rows[i].token);
    g_assert_cmpint (world.question.has_label, ==, *rows[i].token != '\0');
    answer_with ("yes");
    assert_over (&caller, TOKEND_GATE_ALLOWED);
    tear_down (gate);
  }
}

/* What nobody may is refused without a question. */
static void
test_no_action (void)
{
  TokendGate *gate = tokend_gate_new ();
  Caller caller = { .gate = gate };

  set_up (TRUE);
  tokend_gate_check_async (gate, NULL, NULL, TOKEND_GATE_AS_CALLER_SAYS, NULL, NULL, world.gone,
                           world.gone, on_over, &caller);
  assert_over (&caller, TOKEND_GATE_DENIED);
  g_assert_cmpuint (world.n_connections, ==, 0);
  tear_down (gate);
}

/* A polkitd that does not answer is told of once, until it has answered again; what it says too
 * late is not heard. */
static void
test_overdue (void)
{
  TokendGate *gate = tokend_gate_new ();
  Caller caller;

  set_up (FALSE);
  for (guint i = 0; i < 2; i++) {
    ask (gate, TOKEND_GATE_SILENT, NULL, &caller);
    expire ();
    assert_over (&caller, TOKEND_GATE_UNANSWERED);
    g_assert_true (g_cancellable_is_cancelled (world.question.cancellable));
    if (i == 0)
      journal_spy_expect ("polkit does not answer");
    journal_spy_expect_nothing ();
    answer_with (i == 0 ? NULL : "yes");
  }
  ask (gate, TOKEND_GATE_SILENT, NULL, &caller);
  expire ();
  assert_over (&caller, TOKEND_GATE_UNANSWERED);
  journal_spy_expect ("polkit does not answer");
  answer_with (NULL);
  tear_down (gate);
}

/* A person who does not answer is no fault of polkit's. */
static void
test_prompt_overdue (void)
{
  TokendGate *gate = tokend_gate_new ();
  Caller caller;

  set_up (TRUE);
  ask (gate, TOKEND_GATE_AS_CALLER_SAYS, NULL, &caller);
  answer_with ("challenge");
  expire ();
  assert_over (&caller, TOKEND_GATE_EXPIRED);
  g_assert_true (g_cancellable_is_cancelled (world.question.cancellable));
  answer_with (NULL);
  tear_down (gate);
}

/* An answer that is an error is one of a polkitd that does not answer. */
static void
test_error (void)
{
  TokendGate *gate = tokend_gate_new ();
  Caller caller;

  set_up (TRUE);
  ask (gate, TOKEND_GATE_AS_CALLER_SAYS, NULL, &caller);
  answer_with (NULL);
  assert_over (&caller, TOKEND_GATE_UNANSWERED);
  journal_spy_expect ("polkitd is lost");
  g_assert_cmpuint (world.n_questions, ==, 1);
  tear_down (gate);
}

/* Whoever leaves withdraws a prompt, and so does whom it is asked for; a silent question is left to
 * its end. */
static void
test_withdrawn (void)
{
  for (int leaves = 0; leaves < 2; leaves++)
    for (int prompts = 0; prompts < 2; prompts++) {
      TokendGate *gate = tokend_gate_new ();
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      Caller caller;

      set_up (TRUE);
      ask (gate, TOKEND_GATE_AS_CALLER_SAYS, cancellable, &caller);
      if (prompts > 0)
        answer_with ("challenge");
      if (leaves > 0)
        g_cancellable_cancel (world.gone);
      else
        g_cancellable_cancel (cancellable);
      g_assert_false (caller.is_over);
      assert_over (&caller, TOKEND_GATE_WITHDRAWN);
      g_assert_cmpint (g_cancellable_is_cancelled (world.question.cancellable), ==, prompts);
      /* Too late, and nothing comes of it. */
      answer_with (prompts > 0 ? NULL : "challenge");
      g_assert_cmpuint (world.n_questions, ==, (guint) prompts + 1);
      settle ();
      assert_let_go_of (cancellable);
      tear_down (gate);
    }
}

/* Likewise who has left before. */
static void
test_withdrawn_before (void)
{
  for (int left = 0; left < 2; left++) {
    TokendGate *gate = tokend_gate_new ();
    g_autoptr (GCancellable) cancellable = g_cancellable_new ();
    Caller caller;

    set_up (TRUE);
    g_cancellable_cancel (left > 0 ? world.gone : cancellable);
    ask (gate, TOKEND_GATE_AS_CALLER_SAYS, cancellable, &caller);
    assert_over (&caller, TOKEND_GATE_WITHDRAWN);
    answer_with ("challenge");
    g_assert_cmpuint (world.n_questions, ==, 1);
    tear_down (gate);
  }
}

/* While polkitd is not reached yet, nobody is asked; all that wait then are. */
static void
test_connection (void)
{
  for (int is_absent = 0; is_absent < 2; is_absent++) {
    TokendGate *gate = tokend_gate_new ();
    Caller caller, late;

    set_up (FALSE);
    world.is_absent = is_absent > 0;
    caller = (Caller){ .gate = gate };
    tokend_gate_check_async (gate, NULL, TOKEND_ACTION_UNLOCK, TOKEND_GATE_SILENT, NULL, NULL,
                             world.gone, world.gone, on_over, &caller);
    g_assert_cmpuint (world.n_questions, ==, 0);
    g_assert_cmpuint (world.n_connections, ==, 1);
    connect_to_polkitd ();
    if (is_absent > 0) {
      assert_over (&caller, TOKEND_GATE_UNANSWERED);
      journal_spy_expect ("polkitd is away");
    } else {
      answer_with ("yes");
      assert_over (&caller, TOKEND_GATE_ALLOWED);
    }

    /* It is reached for again only if that was in vain. */
    world.is_absent = FALSE;
    ask (gate, TOKEND_GATE_SILENT, NULL, &late);
    g_assert_cmpuint (world.n_connections, ==, (guint) is_absent + 1);
    answer_with ("no");
    assert_over (&late, TOKEND_GATE_DENIED);
    tear_down (gate);
  }
}

/* Whoever comes meanwhile waits for the same connection, and is answered with the others. */
static void
test_connection_for_two (void)
{
  TokendGate *gate = tokend_gate_new ();
  Caller callers[2];

  set_up (FALSE);
  world.is_absent = TRUE;
  world.is_shared = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (callers); i++) {
    callers[i] = (Caller){ .gate = gate };
    tokend_gate_check_async (gate, NULL, TOKEND_ACTION_UNLOCK, TOKEND_GATE_SILENT, NULL, NULL,
                             world.gone, world.gone, on_over, &callers[i]);
  }
  g_assert_cmpuint (world.n_connections, ==, 1);
  connect_to_polkitd ();
  for (guint i = 0; i < G_N_ELEMENTS (callers); i++)
    assert_over (&callers[i], TOKEND_GATE_UNANSWERED);
  journal_spy_expect ("polkitd is away");
  g_assert_finalize_object (gate);
  g_object_unref (world.message);
  g_object_unref (world.gone);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  journal_spy_install ();
  g_test_add_func ("/gate-polkit/who-is-prompted", test_who_is_prompted);
  g_test_add_func ("/gate-polkit/question", test_question);
  g_test_add_func ("/gate-polkit/no-action", test_no_action);
  g_test_add_func ("/gate-polkit/overdue", test_overdue);
  g_test_add_func ("/gate-polkit/overdue/prompt", test_prompt_overdue);
  g_test_add_func ("/gate-polkit/error", test_error);
  g_test_add_func ("/gate-polkit/withdrawn", test_withdrawn);
  g_test_add_func ("/gate-polkit/withdrawn/before", test_withdrawn_before);
  g_test_add_func ("/gate-polkit/connection", test_connection);
  g_test_add_func ("/gate-polkit/connection/for-two", test_connection_for_two);
  return g_test_run ();
}
