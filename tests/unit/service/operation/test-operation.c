/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An operation's life, from Unlock to its end: which step follows which, what ends it meanwhile,
 * and what Finish, Again and Cancel answer then. The steps are played: each waits until the test
 * says how it ended. */
#include "call.h"
#include "journal-spy.h"
#include "operation-private.h"
#include "tokend-enums.h"
#include "tokend-error.h"

#include <string.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define FINE (-1)
#define PATH "/org/tokend/Tokend1/operations/7"
#define UNTIL_OPEN                                                                                 \
  "accept identify may-read read check-state authorize identify-again read-after-prompt "          \
  "check-state hand-out "
#define UNTIL_TRY "collect authorize-again read check claim prepare compare "
#define TRY "record commit resolve read-after close "

/* A token that can leave. */
typedef struct {
  GObject parent_instance;
} FakeToken;
typedef GObjectClass FakeTokenClass;
static GType fake_token_get_type (void);
G_DEFINE_TYPE (FakeToken, fake_token, G_TYPE_OBJECT)

static void
fake_token_init (FakeToken *self)
{
}

static void
fake_token_class_init (FakeTokenClass *klass)
{
  g_signal_new ("left", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                G_TYPE_NONE, 0);
}

/* The names of its card. */
static const char *const cards[] = { "a-card", "its-other-name", NULL };

static struct {
  TokendService service;
  FakeToken *token;
  GObject *module;
  Operation *operation; /* NULL: it is gone */
  GString *steps;
  GString *told; /* replies, entries of the journal, and what is let go of */
  TokendCaller caller;
  gboolean is_held; /* the caller, by the operation */
  gboolean is_identified;
  GAsyncReadyCallback refreshed; /* of the read that is under way */
  int read_error;                /* how it ends */
  gboolean is_overdue;           /* by the clock that also runs while the machine is suspended */
  TokendState before;     /* of the code's tries, as the next entry of the journal is to have it */
  gboolean has_module;    /* likewise */
  gboolean have_no_pipes; /* none can be made */
  GSourceFunc expire_pipes;
  gpointer expire_data;
  GPtrArray *untaken; /* descriptors that the bus has, and the caller has not */
} scene;

static void
note (Operation *operation, const char *step)
{
  g_assert_true (operation->caller == &scene.caller);
  g_assert_cmpint (operation->role, ==, TOKEND_ROLE_PUK);
  g_assert_nonnull (operation->options);
  scene.operation = operation;
  g_string_append_printf (scene.steps, "%s ", step);
}

/* FINE is "done". */
static const char *
name_of (int error)
{
  g_autoptr (GEnumClass) errors = g_type_class_ref (TOKEND_TYPE_ERROR);

  return error == FINE ? "done" : g_enum_get_value (errors, error)->value_nick;
}

gboolean __wrap_tokend_deadline_is_over (gint64 deadline);

gboolean
__wrap_tokend_deadline_is_over (gint64 deadline)
{
  return scene.is_overdue;
}

#define STEP(name, text)                                                                           \
  void __wrap_tokend_operation_##name (Operation *operation);                                      \
  void __wrap_tokend_operation_##name (Operation *operation)                                       \
  {                                                                                                \
    note (operation, text);                                                                        \
  }
STEP (accept, "accept")
STEP (ask_may_read, "may-read")
STEP (check_before_prompt, "check-state")
STEP (identify, "identify")
STEP (authorize, "authorize")
STEP (identify_again, "identify-again")
STEP (collect, "collect")
STEP (authorize_again, "authorize-again")
STEP (check, "check")
STEP (compare, "compare")
STEP (record, "record")
STEP (resolve, "resolve")
STEP (read_after, "read-after")
STEP (close, "close")

void
__wrap_tokend_operation_read_after_prompt (Operation *operation)
{
  note (operation, "read-after-prompt");
  operation->is_needing_service = TRUE;
}

void
__wrap_tokend_operation_hand_out (Operation *operation)
{
  note (operation, "hand-out");
}

void
__wrap_tokend_operation_prepare (Operation *operation)
{
  note (operation, "prepare");
  g_set_object (&operation->source, (TokendTokenSource *) scene.module);
  scene.has_module = TRUE;
}

const char *
__wrap_tokend_token_source_get_name (TokendTokenSource *self)
{
  return "a-module";
}

TokendCodePipes *__real_tokend_code_pipes_new (const char *code, GUnixFDList **write_ends,
                                               GError **error);

TokendCodePipes *
__wrap_tokend_code_pipes_new (const char *code, GUnixFDList **write_ends, GError **error)
{
  g_assert_cmpstr (code, ==, "PUK");
  if (!scene.have_no_pipes)
    return __real_tokend_code_pipes_new (code, write_ends, error);
  g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_FAILED, "as the test was told");
  return NULL;
}

void
__wrap_tokend_code_pipes_watch (TokendCodePipes *self, GSourceFunc expired, gpointer user_data)
{
  scene.expire_pipes = expired;
  scene.expire_data = user_data;
}

void
__wrap_tokend_operation_claim (Operation *operation)
{
  note (operation, "claim");
  operation->cards = g_strdupv ((char **) cards);
  operation->lock_fd = 5;
}

void
__wrap_tokend_operation_commit (Operation *operation)
{
  note (operation, "commit");
  operation->effect.sent = TRUE;
  operation->effect.try_result = TOKEND_TRY_SPENT;
}

void
__wrap_tokend_token_refresh_async (TokendToken *self, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  note (user_data, "read");
  scene.refreshed = callback;
}

gboolean
__wrap_tokend_token_refresh_finish (TokendToken *self, GAsyncResult *result, GError **error)
{
  if (scene.read_error != FINE)
    g_set_error_literal (error, TOKEND_ERROR, scene.read_error, "as the test was told");
  return scene.read_error == FINE;
}

TokendCaller *
__wrap_tokend_callers_take (TokendCallers *self, const char *name)
{
  g_assert_cmpstr (name, ==, ":1.7");
  scene.is_held = TRUE;
  return &scene.caller;
}

void
__wrap_tokend_caller_identify (TokendCaller *caller)
{
  g_assert_true (caller == &scene.caller);
  scene.is_identified = TRUE;
}

void
__wrap_tokend_caller_release (TokendCaller *caller)
{
  g_assert_true (caller == &scene.caller);
  g_assert_true (scene.is_identified);
  scene.is_held = FALSE;
  scene.operation = NULL;
}

void
__wrap_tokend_audit_write (TokendAudit *self, TokendCaller *caller, TokendAuditRecord *record)
{
  g_assert_true (caller == &scene.caller);
  g_assert_cmpint (record->role, ==, TOKEND_ROLE_PUK);
  g_assert_cmpstr (record->token, ==, "a-card");
  g_assert_cmpstr (record->label, ==, "LABEL");
  g_assert_true (!record->effect.sent || record->effect.try_result == TOKEND_TRY_SPENT);
  g_assert_cmpint (record->before.state, ==, scene.before);
  g_assert_true (scene.before != TOKEND_STATE_UNKNOWN
                 || record->before.remaining == TOKEND_RETRIES_UNKNOWN);
  g_assert_cmpint (record->after.state, ==, TOKEND_STATE_LOW);
  g_assert_cmpint (record->barred, ==, TOKEND_STATE_FINAL_TRY);
  g_assert_cmpstr (record->module, ==, scene.has_module ? "a-module" : NULL);
  g_assert_true (!record->is_done || record->error == 0);
  g_string_append_printf (scene.told, "journal(%s,%s%s,%d) ",
                          name_of (record->is_done ? FINE : (int) record->error),
                          record->effect.sent ? "sent" : "not-sent",
                          record->effect.in_doubt ? ",in-doubt" : "", (int) record->end);
  tokend_audit_record_free (record);
}

void
__wrap_tokend_call_return_error (GDBusMethodInvocation *invocation, GError *error)
{
  g_string_append_printf (scene.told, "%s:%s ", (const char *) invocation, name_of (error->code));
  g_error_free (error);
}

void
__wrap_g_dbus_method_invocation_return_value (GDBusMethodInvocation *invocation,
                                              GVariant *parameters)
{
  if (parameters != NULL)
    g_variant_unref (g_variant_ref_sink (parameters));
  g_string_append_printf (scene.told, "%s:done ", (const char *) invocation);
}

void
__wrap_g_dbus_method_invocation_return_value_with_unix_fd_list (GDBusMethodInvocation *invocation,
                                                                GVariant *parameters,
                                                                GUnixFDList *fds)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);
  g_autofree char *handles = g_variant_print (owned, FALSE);

  g_assert_cmpstr (handles, ==, "(0, 1)");
  g_assert_cmpint (g_unix_fd_list_get_length (fds), ==, 2);
  g_ptr_array_add (scene.untaken, g_object_ref (fds));
  g_string_append_printf (scene.told, "%s:pipes ", (const char *) invocation);
}

const char *
__wrap_g_dbus_method_invocation_get_sender (GDBusMethodInvocation *invocation)
{
  return ":1.7";
}

void
__wrap_tokend_claims_release (TokendClaims *self, const char *card, int lock_fd, gboolean is_done)
{
  g_assert_cmpstr (card, ==, cards[0]);
  g_assert_cmpint (lock_fd, ==, 5);
  g_string_append_printf (scene.told, "release(%s) ", is_done ? "done" : "in-doubt");
}

void
__wrap_tokend_open_operations_end_need (TokendOpenOperations *self)
{
  g_string_append (scene.told, "no-need ");
}

void
__wrap_tokend_open_operations_remove (TokendOpenOperations *self, const char *path)
{
  g_assert_cmpstr (path, ==, PATH);
  g_string_append (scene.told, "forget ");
}

void
__wrap_tokend_module_end_operation (TokendModule *self, const char *const *ended)
{
  g_assert_true (g_strv_equal (ended, cards));
  g_string_append (scene.told, "tell ");
}

const char *
__wrap_tokend_token_get_physical_id (TokendToken *self)
{
  return "a-card";
}

const char *
__wrap_tokend_token_get_label (TokendToken *self)
{
  return "LABEL";
}

GVariant *
__wrap_tokend_token_get_status (TokendToken *self)
{
  return g_variant_new ("a{sv}", NULL);
}

TokendCounter
__wrap_tokend_token_evaluate_now (TokendToken *self, TokendRole role)
{
  return (TokendCounter){ .state = TOKEND_STATE_FINAL_TRY };
}

TokendCounter
__wrap_tokend_token_get_counter (TokendToken *self, TokendRole role)
{
  return (TokendCounter){ .state = TOKEND_STATE_LOW };
}

static void
assert_steps (const char *expected)
{
  g_assert_cmpstr (scene.steps->str, ==, expected);
  g_string_truncate (scene.steps, 0);
}

static void
assert_told (const char *expected)
{
  g_assert_cmpstr (scene.told->str, ==, expected);
  g_string_truncate (scene.told, 0);
}

static gboolean
never (gpointer user_data)
{
  g_assert_not_reached ();
}

/* The step that the operation is at ends so. */
static void
end_step (int error)
{
  Operation *operation = scene.operation;
  const GAsyncReadyCallback refreshed = g_steal_pointer (&scene.refreshed);

  if (refreshed != NULL) {
    scene.read_error = error;
    refreshed (NULL, NULL, operation);
    return;
  }
  if (error != FINE)
    operation->error = g_error_new_literal (TOKEND_ERROR, error, "as the test was told");
  if (operation->step == TOKEND_STEP_HAND_OUT && error == FINE) {
    operation->path = PATH;
    operation->expiry = g_timeout_add_seconds (600, never, NULL);
    operation->invocation = NULL;
  }
  tokend_operation_end_step (operation, error == FINE);
}

static void
end_steps (guint n_steps)
{
  while (n_steps-- > 0)
    end_step (FINE);
}

static GVariant *
no_options (void)
{
  return g_variant_new ("a{sv}", NULL);
}

static void
set_up (void)
{
  memset (&scene, 0, sizeof scene);
  scene.before = TOKEND_STATE_UNKNOWN;
  scene.steps = g_string_new (NULL);
  scene.told = g_string_new (NULL);
  scene.untaken = g_ptr_array_new_with_free_func (g_object_unref);
  scene.token = g_object_new (fake_token_get_type (), NULL);
  scene.module = g_object_new (G_TYPE_OBJECT, NULL);
  scene.service.ending = g_cancellable_new ();
  scene.caller.gone = g_cancellable_new ();
  scene.service.modules = g_ptr_array_new ();
  g_ptr_array_add (scene.service.modules, &scene);
}

static void
start (void)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (no_options ());

  tokend_operation_start (&scene.service, (TokendToken *) scene.token, TOKEND_ROLE_PUK,
                          "the action", (GDBusMethodInvocation *) "unlock", options);
}

/* Returns: it, open. */
static Operation *
open_one (void)
{
  set_up ();
  start ();
  end_steps (10);
  assert_steps (UNTIL_OPEN);
  assert_told ("");
  g_assert_cmpint (scene.operation->step, ==, TOKEND_STEP_OPEN);
  g_assert_cmpstr (scene.operation->action, ==, "the action");
  return scene.operation;
}

static void
finish (Operation *operation)
{
  g_autoptr (GVariant) options = g_variant_ref_sink (no_options ());

  tokend_operation_finish (operation, (GDBusMethodInvocation *) "finish", options);
}

static void
leave (void)
{
  g_cancellable_cancel (scene.caller.gone);
}

/* Nothing holds the token or its module any more, and nothing is left of it. */
static void
tear_down (void)
{
  if (scene.is_held)
    leave ();
  g_assert_false (scene.is_held);
  g_assert_false (g_signal_has_handler_pending (
      scene.token, g_signal_lookup ("left", G_OBJECT_TYPE (scene.token)), 0, TRUE));
  g_assert_false (g_signal_has_handler_pending (
      scene.service.ending, g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE), 0, TRUE));
  g_assert_null (g_main_context_find_source_by_user_data (NULL, NULL));
  g_assert_finalize_object (scene.token);
  g_assert_finalize_object (scene.module);
  g_assert_finalize_object (scene.service.ending);
  g_assert_false (g_signal_has_handler_pending (
      scene.caller.gone, g_signal_lookup ("cancelled", G_TYPE_CANCELLABLE), 0, TRUE));
  g_assert_finalize_object (scene.caller.gone);
  g_ptr_array_unref (scene.service.modules);
  g_string_free (scene.steps, TRUE);
  g_string_free (scene.told, TRUE);
  g_ptr_array_unref (scene.untaken);
}

/* From Unlock to the reply; what is over stays until its connection leaves, and says so. */
static void
test_whole (void)
{
  Operation *operation = open_one ();

  finish (operation);
  end_steps (12);
  assert_steps (UNTIL_TRY TRY);
  assert_told ("journal(done,sent,0) release(done) finish:done tell no-need ");
  finish (operation);
  tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  tokend_operation_cancel (operation, (GDBusMethodInvocation *) "cancel");
  assert_told ("finish:NotFound again:NotFound cancel:NotFound ");
  assert_steps ("");
  leave ();
  assert_told ("forget ");
  tear_down ();
}

/* What has sent nothing can be finished again, unless the answer is one that another try would not
 * change. */
static void
test_finish_again (void)
{
  static const struct {
    int error;
    gboolean goes_on;
  } rows[] = {
    { TOKEND_ERROR_INVALID_ARGS, TRUE },   { TOKEND_ERROR_FINAL_ATTEMPT, TRUE },
    { TOKEND_ERROR_BUSY, TRUE },           { TOKEND_ERROR_TIMED_OUT, TRUE },
    { TOKEND_ERROR_NOT_FOUND, FALSE },     { TOKEND_ERROR_NOT_AUTHORIZED, FALSE },
    { TOKEND_ERROR_TOKEN_REMOVED, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    Operation *operation = open_one ();
    g_autofree char *told =
        g_strdup_printf ("journal(%s,not-sent,0) finish:%s %s", name_of (rows[i].error),
                         name_of (rows[i].error), rows[i].goes_on ? "" : "no-need ");

    finish (operation);
    end_step (rows[i].error);
    assert_told (told);
    g_assert_cmpint (operation->step, ==, rows[i].goes_on ? TOKEND_STEP_OPEN : TOKEND_STEP_END);
    g_assert_null (operation->pipes);
    if (rows[i].goes_on) {
      g_string_truncate (scene.steps, 0);
      finish (operation);
      assert_steps ("collect ");
      end_steps (12);
      assert_steps ("authorize-again read check claim prepare compare " TRY);
      assert_told ("journal(done,sent,0) release(done) finish:done tell no-need ");
    } else {
      finish (operation);
      g_assert_cmpint (operation->over->code, ==, rows[i].error);
    }
    tear_down ();
  }
}

/* A code that was refused was sent: that was the try. */
static void
test_refused (void)
{
  Operation *operation = open_one ();

  finish (operation);
  end_steps (8);
  operation->effect.in_doubt = TRUE;
  operation->may_be_open = TRUE;
  end_step (TOKEND_ERROR_PUK_INCORRECT);
  end_steps (3);
  assert_steps (UNTIL_TRY TRY);
  assert_told ("journal(PukIncorrect,sent,in-doubt,0) release(in-doubt) finish:PukIncorrect tell "
               "no-need ");
  g_assert_cmpint (operation->over->code, ==, TOKEND_ERROR_NOT_FOUND);
  g_assert_cmpint (operation->lock_fd, ==, -1);
  g_assert_false (operation->effect.in_doubt);
  g_assert_false (operation->may_be_open);
  tear_down ();
}

/* A card that may be left open is told of once, by its label. */
static void
test_left_open (void)
{
  for (int is_left_open = 0; is_left_open < 2; is_left_open++) {
    Operation *operation = open_one ();

    finish (operation);
    end_steps (8);
    operation->is_left_open = is_left_open;
    end_steps (4);
    if (is_left_open)
      journal_spy_expect ("The card of “LABEL” may take a code for verified still");
    journal_spy_expect_nothing ();
    g_assert_false (operation->is_left_open);
    tear_down ();
  }
}

/* Before it is open: each step may fail, and nothing is left of it, whatever the error is. */
static void
test_not_opened (void)
{
  static const int errors[] = { TOKEND_ERROR_NOT_AUTHORIZED, TOKEND_ERROR_BUSY };

  for (guint i = 0; i < 10 * G_N_ELEMENTS (errors); i++) {
    const int error = errors[i / 10];
    const guint n_steps = i % 10;
    g_autofree char *told = g_strdup_printf ("journal(%s,not-sent,0) unlock:%s %s", name_of (error),
                                             name_of (error), n_steps < 7 ? "" : "no-need ");

    set_up ();
    start ();
    end_steps (n_steps);
    end_step (error);
    assert_told (told);
    g_assert_null (scene.operation);
    tear_down ();
  }
}

#define EXPIRED "journal(NotFound,not-sent,3) no-need "

/* What can end an operation from outside. */
static void
caller_leaves (Operation *operation)
{
  leave ();
}

static void
token_leaves (Operation *operation)
{
  g_signal_emit_by_name (scene.token, "left");
}

static void
service_ends (Operation *operation)
{
  g_cancellable_cancel (scene.service.ending);
}

static void
is_cancelled (Operation *operation)
{
  tokend_operation_cancel (operation, (GDBusMethodInvocation *) "cancel");
}

static const struct {
  void (*happens) (Operation *operation);
  int error;  /* once it is open */
  int before; /* until then */
  TokendAuditEnd end;
  const char *reply; /* to whom has ended it */
} ends[] = {
  { caller_leaves, TOKEND_ERROR_FAILED, TOKEND_ERROR_FAILED, TOKEND_AUDIT_END_CALLER_LEFT, "" },
  { token_leaves, TOKEND_ERROR_TOKEN_REMOVED, TOKEND_ERROR_NOT_FOUND, TOKEND_AUDIT_END_NONE, "" },
  { service_ends, TOKEND_ERROR_SERVICE_ENDING, TOKEND_ERROR_SERVICE_ENDING, TOKEND_AUDIT_END_NONE,
    "" },
  { is_cancelled, TOKEND_ERROR_NOT_FOUND, TOKEND_ERROR_NOT_FOUND, TOKEND_AUDIT_END_CANCELLED,
    "cancel:done " },
};

/* While it waits for Finish: at once, and before whoever has ended it is told. */
static void
test_ended_while_open (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++) {
    Operation *operation = open_one ();
    g_autofree char *told = g_strdup_printf (
        "journal(%s,not-sent,%d) no-need %s%s", name_of (ends[i].error), (int) ends[i].end,
        ends[i].happens == caller_leaves ? "forget " : "", ends[i].reply);

    g_test_message ("end %" G_GSIZE_FORMAT, i);
    tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
    assert_told ("again:pipes ");
    ends[i].happens (operation);
    assert_told (told);
    if (ends[i].happens != caller_leaves) {
      g_autofree char *error = g_strdup_printf ("finish:%s ", name_of (ends[i].error));

      g_assert_null (operation->pipes);
      finish (operation);
      assert_told (error);
    }
    tear_down ();
  }
}

/* The call comes before the timer: whatever is called then says that it is over. */
static void
test_suspended (void)
{
  Operation *operation = open_one ();

  scene.is_overdue = TRUE;
  finish (operation);
  assert_steps ("");
  assert_told (EXPIRED "finish:NotFound ");
  tear_down ();
}

/* After an answer that sent nothing. Whoever leaves then has been answered; Again begins anew. */
static void
test_ended_after_finish (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    for (int again = 0; again < 2; again++) {
      Operation *operation = open_one ();
      const gboolean leaves = ends[i].happens == caller_leaves;
      g_autofree char *entry =
          g_strdup_printf ("journal(%s,not-sent,%d) ", name_of (ends[i].error), (int) ends[i].end);
      g_autofree char *told = g_strdup_printf ("%sno-need %s%s", leaves && !again ? "" : entry,
                                               leaves ? "forget " : "", ends[i].reply);

      g_test_message ("end %" G_GSIZE_FORMAT ", %s", i, again ? "after Again" : "at once");
      finish (operation);
      end_step (TOKEND_ERROR_BUSY);
      assert_told ("journal(Busy,not-sent,0) finish:Busy ");
      if (again) {
        tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
        assert_told ("again:pipes ");
      }
      ends[i].happens (operation);
      assert_told (told);
      tear_down ();
    }
}

/* In a step before the try is recorded: what that waits for is given up, and however it ends,
 * nothing is sent. */
static void
test_ended_in_a_step (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    for (guint n_steps = 0; n_steps < 7; n_steps++)
      for (int fails = 0; fails < 2; fails++) {
        Operation *operation = open_one ();
        g_autofree char *told = g_strdup_printf (
            "%sjournal(%s,not-sent,%d) %sfinish:%s %sno-need %s", ends[i].reply,
            name_of (ends[i].error), (int) ends[i].end, n_steps < 4 ? "" : "release(done) ",
            name_of (ends[i].error), n_steps < 4 ? "" : "tell ",
            ends[i].happens == caller_leaves ? "forget " : "");

        g_test_message ("end %" G_GSIZE_FORMAT " after %u steps", i, n_steps);
        finish (operation);
        end_steps (n_steps);
        ends[i].happens (operation);
        g_assert_true (g_cancellable_is_cancelled (operation->cancellable));
        end_step (fails > 0 ? TOKEND_ERROR_MODULE_FAILED : FINE);
        assert_told (told);
        g_assert_null (strstr (scene.steps->str, "record"));
        tear_down ();
      }
}

/* Once the try is recorded it completes, and says what came of it. */
static void
test_ended_in_the_try (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    for (guint n_steps = 7; n_steps < 11; n_steps++) {
      Operation *operation = open_one ();
      const gboolean is_cancelling = ends[i].happens == is_cancelled;
      g_autofree char *told = g_strdup_printf (
          "%sjournal(done,sent,0) release(done) finish:done tell no-need %s",
          is_cancelling ? "cancel:Busy " : "", ends[i].happens == caller_leaves ? "forget " : "");

      g_test_message ("end %" G_GSIZE_FORMAT " after %u steps", i, n_steps);
      finish (operation);
      end_steps (n_steps);
      ends[i].happens (operation);
      g_assert_false (g_cancellable_is_cancelled (operation->cancellable));
      end_steps (12 - n_steps);
      assert_told (told);
      if (ends[i].happens != caller_leaves)
        g_assert_nonnull (strstr (operation->over->message, "has sent a code"));
      assert_steps (UNTIL_TRY TRY);
      tear_down ();
    }
}

/* Before it is open: the call that would open it fails, by whatever comes first. */
static void
test_ended_before_it_is_open (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (ends) - 1; i++) {
    g_autofree char *told =
        g_strdup_printf ("journal(%s,not-sent,%d) unlock:%s ", name_of (ends[i].before),
                         (int) ends[i].end, name_of (ends[i].before));

    set_up ();
    start ();
    end_steps (4);
    ends[i].happens (scene.operation);
    token_leaves (scene.operation);
    g_assert_true (g_cancellable_is_cancelled (scene.operation->cancellable));
    end_step (FINE);
    assert_told (told);
    g_assert_null (scene.operation);
    tear_down ();
  }
}

/* What the first reading finds was before the call. */
static void
test_left_before_the_call (void)
{
  set_up ();
  start ();
  end_steps (3);
  token_leaves (scene.operation);
  g_assert_false (g_cancellable_is_cancelled (scene.operation->cancellable));
  assert_told ("");
  end_step (FINE);
  token_leaves (scene.operation);
  g_assert_true (g_cancellable_is_cancelled (scene.operation->cancellable));
  end_step (FINE);
  tear_down ();
}

/* A service that gives up its name begins nothing. */
static void
test_leaving (void)
{
  set_up ();
  scene.service.is_leaving = TRUE;
  start ();
  end_step (FINE);
  assert_steps ("accept ");
  g_assert_nonnull (strstr (scene.told->str, "unlock:ServiceEnding"));
  g_assert_null (scene.operation);
  tear_down ();
}

/* While one Finish is under way there is no other, and no Again; nor does its time end. */
static void
test_busy (void)
{
  Operation *operation = open_one ();

  finish (operation);
  assert_steps ("collect ");
  scene.is_overdue = TRUE;
  finish (operation);
  tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  g_assert_null (operation->over);
  assert_told ("finish:Busy again:Busy ");
  assert_steps ("");
  end_steps (12);
  tear_down ();
}

/* Pipes that nobody is known to have got are so many at the most; those that were written to do not
 * count. */
static void
test_again (void)
{
  Operation *operation = open_one ();

  for (guint i = 0; i < 4; i++)
    tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  assert_told ("again:pipes again:pipes again:LimitsExceeded again:LimitsExceeded ");
  g_assert_nonnull (operation->pipes);
  g_assert_cmpint (operation->step, ==, TOKEND_STEP_OPEN);
  tear_down ();

  operation = open_one ();
  for (guint i = 0; i < 4; i++) {
    tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
    g_ptr_array_set_size (scene.untaken, 0);
  }
  assert_told ("again:pipes again:pipes again:pipes again:pipes ");
  tear_down ();
}

/* One whose end is near counts no more than one that is there. */
static void
test_again_once_taken (void)
{
  Operation *operation = open_one ();

  tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  g_ptr_array_remove_index (scene.untaken, 1);
  tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  assert_told ("again:pipes again:pipes again:pipes ");
  tear_down ();
}

/* A code that has waited too long is lost, and Finish can say so, until there are new pipes. */
static void
test_pipes_expire (void)
{
  Operation *operation = open_one ();

  tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  g_assert_false (operation->have_pipes_expired);
  g_assert_cmpint (scene.expire_pipes (scene.expire_data), ==, G_SOURCE_REMOVE);
  g_assert_null (operation->pipes);
  g_assert_true (operation->have_pipes_expired);
  scene.expire_pipes = NULL;
  tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  g_assert_nonnull (scene.expire_pipes);
  g_assert_false (operation->have_pipes_expired);

  /* What cannot be made takes nothing away. */
  scene.have_no_pipes = TRUE;
  g_ptr_array_set_size (scene.untaken, 0);
  tokend_operation_again (operation, (GDBusMethodInvocation *) "again");
  assert_told ("again:pipes again:pipes again:Failed ");
  g_assert_nonnull (operation->pipes);
  tear_down ();
}

/* What the call had come to goes with its reply: the host ends with it, and the next Finish begins
 * anew. */
static void
test_let_go (void)
{
  Operation *operation = open_one ();
  GObject *host = g_object_new (G_TYPE_OBJECT, NULL);

  g_object_add_weak_pointer (host, (gpointer *) &host);
  finish (operation);
  operation->host = (TokendHost *) host;
  operation->before.state = scene.before = TOKEND_STATE_FINAL_TRY;
  operation->error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "of another domain");
  tokend_operation_end_step (operation, FALSE);
  assert_told ("journal(Failed,not-sent,0) finish:Failed ");
  g_assert_null (host);
  scene.before = TOKEND_STATE_UNKNOWN;
  finish (operation);
  end_step (TOKEND_ERROR_BUSY);
  assert_told ("journal(Busy,not-sent,0) finish:Busy ");
  tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  journal_spy_install ();
  g_test_add_func ("/operation/whole", test_whole);
  g_test_add_func ("/operation/finish-again", test_finish_again);
  g_test_add_func ("/operation/refused", test_refused);
  g_test_add_func ("/operation/left-open", test_left_open);
  g_test_add_func ("/operation/not-opened", test_not_opened);
  g_test_add_func ("/operation/ended/while-open", test_ended_while_open);
  g_test_add_func ("/operation/ended/suspended", test_suspended);
  g_test_add_func ("/operation/ended-after-finish", test_ended_after_finish);
  g_test_add_func ("/operation/ended/in-a-step", test_ended_in_a_step);
  g_test_add_func ("/operation/ended/in-the-try", test_ended_in_the_try);
  g_test_add_func ("/operation/ended/before-it-is-open", test_ended_before_it_is_open);
  g_test_add_func ("/operation/ended/left-before-the-call", test_left_before_the_call);
  g_test_add_func ("/operation/leaving", test_leaving);
  g_test_add_func ("/operation/busy", test_busy);
  g_test_add_func ("/operation/again", test_again);
  g_test_add_func ("/operation/again/once-taken", test_again_once_taken);
  g_test_add_func ("/operation/pipes-expire", test_pipes_expire);
  g_test_add_func ("/operation/let-go", test_let_go);
  return g_test_run ();
}
