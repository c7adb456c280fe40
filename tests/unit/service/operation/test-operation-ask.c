/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps of Unlock and SetPin, and those of Finish before the host is started, each alone: whom
 * they ask, and what they make of the answers. All that is asked is played, here and in
 * try-stage.c. */
#include "code-pipes-private.h"
#include "deadline.h"
#include "tokend-error.h"
#include "tokend-status.h"
#include "try-stage.h"

#include <string.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK
#define FINE (-1)
#define PATH "/org/tokend/Tokend1/operations/7"
#define TIMEOUT_ID 77

/* What those who are asked say; an error that is FINE is none. */
static struct {
  int admission, room, support, certain, busy, collection, pipes;
  gboolean is_overdue; /* what was written to the pipes */
  TokendGateAnswer gate;
  TokendIdentity identity; /* who the caller is when somebody looks */
  const char *options;
  guint seconds;
  GSourceFunc expire;
  gpointer expire_data;
  int stopped; /* TokendAuditEnd, or -1 */
  int stop_error;
} say;

static gboolean
answer (int code, GError **error)
{
  if (code != FINE)
    g_set_error_literal (error, TOKEND_ERROR, code, "as the test was told");
  return code == FINE;
}

void
__wrap_tokend_callers_admit_async (TokendCallers *self, GDBusMethodInvocation *invocation,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  g_string_append (stage.calls, "admit ");
  callback (NULL, NULL, user_data);
}

TokendCaller *
__wrap_tokend_callers_admit_finish (TokendCallers *self, GAsyncResult *result, GError **error)
{
  return answer (say.admission, error) ? &stage.caller : NULL;
}

void
__wrap_tokend_gate_check_async (TokendGate *self, GDBusMethodInvocation *invocation,
                                const char *action, TokendGateMode mode, const char *label,
                                const char *serial, GCancellable *gone, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_assert_true (gone == stage.caller.gone);
  g_string_append_printf (stage.calls, "gate(%s,%s,%s,%s) ", action,
                          mode == TOKEND_GATE_SILENT ? "silent" : "may-ask",
                          label != NULL ? label : "-", serial != NULL ? serial : "-");
  callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_gate_check_finish (TokendGate *self, GAsyncResult *result, GError **error)
{
  return answer (say.gate == TOKEND_GATE_ALLOWED ? FINE : TOKEND_ERROR_NOT_AUTHORIZED, error);
}

TokendGateAnswer
__wrap_tokend_gate_check_get_answer (GAsyncResult *result)
{
  return say.gate;
}

void
__wrap_tokend_identity_look_up (TokendIdentity *identity, GDBusConnection *bus, TokendCaller *asked,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  g_string_append_printf (stage.calls, "who(%s) ", asked->name);
  *identity = say.identity;
  identity->desktop = g_strdup (say.identity.desktop);
  callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_open_operations_check_room (TokendOpenOperations *self, guint32 uid, GError **error)
{
  g_string_append_printf (stage.calls, "room(%u) ", uid);
  return answer (say.room, error);
}

const char *
__wrap_tokend_open_operations_add (TokendOpenOperations *self, TokendOperation *operation,
                                   const TokendCaller *owner)
{
  g_assert_true (operation == &stage.operation);
  g_string_append_printf (stage.calls, "add(%s,%u) ", owner->name, owner->uid);
  return PATH;
}

void
__wrap_tokend_open_operations_begin_need (TokendOpenOperations *self)
{
  g_string_append (stage.calls, "need ");
}

void
__wrap_tokend_token_source_begin_wait (TokendTokenSource *self)
{
  g_assert_true (self == tokend_token_get_source (stage.operation.token));
  g_string_append (stage.calls, "wait ");
}

void
__wrap_tokend_code_pipes_collect_async (TokendCodePipes *self, GCancellable *cancellable,
                                        GAsyncReadyCallback callback, gpointer user_data)
{
  g_string_append (stage.calls, "collect ");
  callback (NULL, NULL, user_data);
}

gboolean
__wrap_tokend_code_pipes_collect_finish (GAsyncResult *result, GError **error)
{
  return answer (say.collection, error);
}

void
__wrap_tokend_code_pipes_check_time (TokendCodePipes *self)
{
  g_assert_true (self == stage.operation.pipes);
  if (!say.is_overdue)
    return;
  tokend_operation_drop_pipes (&stage.operation);
  stage.operation.have_pipes_expired = TRUE;
}

/* Of whichever names the card has. */
static void
check_cards (const char *const *cards)
{
  g_auto (GStrv) all = tokend_target_list_cards (tokend_token_get_target (stage.operation.token));

  g_assert_true (g_strv_equal (cards, (const char *const *) all));
}

gboolean
__wrap_tokend_claims_check_free (TokendClaims *self, const char *const *cards, GError **error)
{
  check_cards (cards);
  return answer (say.busy, error);
}

int
__wrap_tokend_claims_take (TokendClaims *self, const char *const *cards, GError **error)
{
  check_cards (cards);
  return answer (say.busy, error) ? 5 : -1;
}

const char *
__wrap_tokend_token_get_label (TokendToken *self)
{
  return "LABEL";
}

const char *
__wrap_tokend_token_get_serial (TokendToken *self)
{
  return "0001";
}

gboolean
__wrap_tokend_token_supports (TokendToken *self, TokendRole role, GError **error)
{
  return answer (say.support, error);
}

gboolean
__wrap_tokend_token_check_certain (TokendToken *self, GError **error)
{
  return answer (say.certain, error);
}

GUnixFDList *
__wrap_tokend_operation_make_pipes (Operation *operation, GError **error)
{
  g_string_append (stage.calls, "pipes ");
  return answer (say.pipes, error) ? g_unix_fd_list_new () : NULL;
}

void
__wrap_tokend_operation_read_token (Operation *operation)
{
  g_string_append (stage.calls, "read-token ");
  tokend_operation_end_step (operation, TRUE);
}

void
__wrap_tokend_operation_stop (Operation *operation, TokendAuditEnd end, GError *why)
{
  say.stopped = (int) end;
  say.stop_error = why->code;
  g_error_free (why);
}

guint
__wrap_tokend_deadline_add (guint seconds, GSourceFunc function, gpointer data)
{
  say.seconds = seconds;
  say.expire = function;
  say.expire_data = data;
  return TIMEOUT_ID;
}

void
__wrap_g_dbus_method_invocation_return_value_with_unix_fd_list (GDBusMethodInvocation *invocation,
                                                                GVariant *parameters,
                                                                GUnixFDList *fds)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (parameters);
  g_autofree char *text = g_variant_print (owned, FALSE);

  g_assert_nonnull (fds);
  g_string_append_printf (stage.calls, "reply%s ", text);
}

static void
set_up (TokendRole role, const char *options)
{
  stage_set_up (role);
  stage.operation.action = role == PUK ? TOKEND_ACTION_UNLOCK : TOKEND_ACTION_SET_PIN;
  memset (&say, 0, sizeof say);
  say.admission = say.room = say.support = say.certain = say.busy = say.collection = say.pipes =
      FINE;
  say.stopped = -1;
  stage.caller =
      (TokendCaller){ .name = (char *) ":1.7", .uid = 1007, .gone = (GCancellable *) "gone" };
  stage.operation.options =
      g_variant_ref_sink (g_variant_parse (G_VARIANT_TYPE_VARDICT, options, NULL, NULL, NULL));
}

static void
tear_down (void)
{
  tokend_identity_clear (&stage.operation.opener);
  tokend_identity_clear (&stage.operation.present);
  g_clear_pointer (&stage.operation.options, g_variant_unref);
  stage_tear_down ();
}

static void
assert_end (int error, const char *calls)
{
  g_assert_cmpint (stage.result, ==, error == FINE ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
  if (error == FINE)
    g_assert_no_error (stage.operation.error);
  else
    g_assert_error (stage.operation.error, TOKEND_ERROR, error);
  g_assert_cmpstr (stage.calls->str, ==, calls);
}

/* Limits and options; those of Finish are none of the opening's. */
static void
test_accept (void)
{
  static const struct {
    const char *options;
    int admission, room, error;
    const char *calls;
  } rows[] = {
    { "{}", FINE, FINE, FINE, "admit room(1007) " },
    { "{'expected-retries': <uint32 3>}", FINE, FINE, FINE, "admit room(1007) " },
    { "{}", TOKEND_ERROR_LIMITS_EXCEEDED, FINE, TOKEND_ERROR_LIMITS_EXCEEDED, "admit " },
    { "{'final-attempt': <true>}", FINE, FINE, TOKEND_ERROR_INVALID_ARGS, "admit " },
    { "{'unknown': <true>}", FINE, FINE, TOKEND_ERROR_INVALID_ARGS, "admit " },
    { "{}", FINE, TOKEND_ERROR_LIMITS_EXCEEDED, TOKEND_ERROR_LIMITS_EXCEEDED, "admit room(1007) " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    set_up (PUK, rows[i].options);
    say.admission = rows[i].admission;
    say.room = rows[i].room;
    tokend_operation_accept (&stage.operation);
    assert_end (rows[i].error, rows[i].calls);
    g_assert_cmpint (stage.operation.attempt.expects_retries, ==, i == 1);
    tear_down ();
  }
}

/* One who may not read the status learns nothing of it, and goes on; a polkit that does not answer
 * is not asked twice. */
static void
test_may_peek (void)
{
  static const struct {
    TokendGateAnswer gate;
    TokendStepResult result;
  } rows[] = {
    { TOKEND_GATE_ALLOWED, TOKEND_STEP_DONE },
    { TOKEND_GATE_DENIED, TOKEND_STEP_NOT_ALLOWED },
    { TOKEND_GATE_NEEDS_PERSON, TOKEND_STEP_NOT_ALLOWED },
    { TOKEND_GATE_WITHDRAWN, TOKEND_STEP_NOT_ALLOWED },
    { TOKEND_GATE_UNANSWERED, TOKEND_STEP_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    set_up (PUK, "{}");
    say.gate = rows[i].gate;
    tokend_operation_ask_may_read (&stage.operation);
    g_assert_cmpstr (stage.calls->str, ==, "gate(" TOKEND_ACTION_READ_STATUS ",silent,-,-) ");
    g_assert_cmpint (stage.result, ==, rows[i].result);
    g_assert_cmpint (stage.operation.may_read_unasked, ==, rows[i].result == TOKEND_STEP_DONE);
    g_assert_cmpint (stage.operation.error != NULL, ==, rows[i].result == TOKEND_STEP_FAILED);
    tear_down ();
  }
}

/* The state, before the prompt and after it, and when it is to be finished: the words belong to
 * Finish alone. */
static void
test_state (void)
{
  static const struct {
    const char *shown;
    const char *words;
    int support, certain, busy;
    int opening, finishing; /* the errors */
  } rows[] = {
    { READING (16), "{}", FINE, FINE, FINE, FINE, FINE },
    { READING (16), "{}", TOKEND_ERROR_NOT_SUPPORTED, FINE, FINE, TOKEND_ERROR_NOT_SUPPORTED,
      TOKEND_ERROR_NOT_SUPPORTED },
    { READING (16), "{}", FINE, TOKEND_ERROR_BUSY, FINE, TOKEND_ERROR_BUSY, TOKEND_ERROR_BUSY },
    { READING (16), "{}", FINE, FINE, TOKEND_ERROR_BUSY, TOKEND_ERROR_BUSY, TOKEND_ERROR_BUSY },
    { READING (20), "{}", FINE, FINE, FINE, TOKEND_ERROR_PIN_LOCKED, TOKEND_ERROR_PIN_LOCKED },
    { READING (18), "{}", FINE, FINE, FINE, FINE, TOKEND_ERROR_FINAL_ATTEMPT },
    { READING (18), "{'final-attempt': <true>}", FINE, FINE, FINE, FINE, FINE },
    { READING (16), "{'expected-retries': <uint32 2>}", FINE, FINE, FINE,
      TOKEND_ERROR_RETRIES_CHANGED, TOKEND_ERROR_RETRIES_CHANGED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    for (int finishes = 0; finishes < 2; finishes++) {
      Operation *operation = &stage.operation;

      g_test_message ("row %" G_GSIZE_FORMAT, i);
      set_up (PIN, rows[i].words);
      stage_show (rows[i].shown);
      say.support = rows[i].support;
      say.certain = rows[i].certain;
      say.busy = rows[i].busy;
      g_assert_true (tokend_attempt_parse (operation->options, FALSE, &operation->attempt, NULL));
      if (finishes > 0)
        tokend_operation_check (operation);
      else
        tokend_operation_check_before_prompt (operation);
      assert_end (finishes > 0 ? rows[i].finishing : rows[i].opening, "");
      tear_down ();
    }
}

static void
test_meet (void)
{
  set_up (PUK, "{}");
  say.identity.presence = TOKEND_PRESENCE_ACTIVE;
  tokend_operation_identify (&stage.operation);
  assert_end (FINE, "who(:1.7) ");
  g_assert_cmpint (stage.operation.opener.presence, ==, TOKEND_PRESENCE_ACTIVE);
  tear_down ();
}

/* After the prompt: it counts as active if it was at either time. */
static void
test_meet_again (void)
{
  for (int was_active = 0; was_active < 2; was_active++)
    for (int is_active = 0; is_active < 2; is_active++) {
      set_up (PUK, "{}");
      stage.operation.opener.presence = was_active ? TOKEND_PRESENCE_ACTIVE : TOKEND_PRESENCE_NONE;
      say.identity.presence = is_active ? TOKEND_PRESENCE_ACTIVE : TOKEND_PRESENCE_NONE;
      tokend_operation_identify_again (&stage.operation);
      assert_end (FINE, "who(:1.7) ");
      g_assert_cmpint (stage.operation.opener.presence, ==,
                       was_active || is_active ? TOKEND_PRESENCE_ACTIVE : TOKEND_PRESENCE_NONE);
      tear_down ();
    }
}

/* The prompt names the token only to one who may read it. */
static void
test_ask (void)
{
  for (int may_read_unasked = 0; may_read_unasked < 2; may_read_unasked++)
    for (int is_allowed = 0; is_allowed < 2; is_allowed++) {
      set_up (PUK, "{}");
      stage.operation.may_read_unasked = may_read_unasked > 0;
      say.gate = is_allowed > 0 ? TOKEND_GATE_ALLOWED : TOKEND_GATE_DISMISSED;
      tokend_operation_authorize (&stage.operation);
      assert_end (is_allowed > 0 ? FINE : TOKEND_ERROR_NOT_AUTHORIZED,
                  may_read_unasked > 0 ? "gate(" TOKEND_ACTION_UNLOCK ",may-ask,LABEL,0001) "
                                       : "gate(" TOKEND_ACTION_UNLOCK ",may-ask,-,-) ");
      tear_down ();
    }
}

/* The token is watched from before it is read. */
static void
test_look (void)
{
  set_up (PUK, "{}");
  tokend_operation_read_after_prompt (&stage.operation);
  assert_end (FINE, "need wait read-token ");
  g_assert_true (stage.operation.is_needing_service);
  tear_down ();
}

static void
test_hand_out (void)
{
  static const struct {
    int room, pipes, error;
    const char *calls;
  } rows[] = {
    { FINE, FINE, FINE, "room(1007) pipes add(:1.7,1007) reply('" PATH "', 0, 1) " },
    { TOKEND_ERROR_LIMITS_EXCEEDED, FINE, TOKEND_ERROR_LIMITS_EXCEEDED, "room(1007) " },
    { FINE, TOKEND_ERROR_FAILED, TOKEND_ERROR_FAILED, "room(1007) pipes " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    set_up (PUK, "{}");
    say.room = rows[i].room;
    say.pipes = rows[i].pipes;
    tokend_operation_hand_out (&stage.operation);
    assert_end (rows[i].error, rows[i].calls);
    g_assert_cmpstr (stage.operation.path, ==, rows[i].error == FINE ? PATH : NULL);
    g_assert_cmpuint (stage.operation.expiry, ==, rows[i].error == FINE ? TIMEOUT_ID : 0);
    tear_down ();
  }
}

static void
test_expiry (void)
{
  const gint64 earliest = tokend_deadline_in (600);

  set_up (PUK, "{}");
  tokend_operation_hand_out (&stage.operation);
  g_assert_cmpuint (say.seconds, ==, 600);
  g_assert_cmpint (stage.operation.deadline, >=, earliest);
  g_assert_cmpint (stage.operation.deadline, <=, tokend_deadline_in (600));
  g_assert_cmpint (say.expire (say.expire_data), ==, G_SOURCE_REMOVE);
  g_assert_cmpuint (stage.operation.expiry, ==, 0);
  g_assert_cmpint (say.stopped, ==, TOKEND_AUDIT_END_EXPIRED);
  g_assert_cmpint (say.stop_error, ==, TOKEND_ERROR_NOT_FOUND);
  tear_down ();
}

/* Without pipes nothing is collected, and the error says where they are. */
static void
test_collect (void)
{
  static const struct {
    const char *options;
    gboolean has_pipes, have_expired, is_overdue;
    int collection, error;
    const char *calls;
  } rows[] = {
    { "{'final-attempt': <true>}", TRUE, FALSE, FALSE, FINE, FINE, "collect " },
    { "{}", TRUE, FALSE, FALSE, TOKEND_ERROR_TIMED_OUT, TOKEND_ERROR_TIMED_OUT, "collect " },
    { "{'unknown': <true>}", TRUE, FALSE, FALSE, FINE, TOKEND_ERROR_INVALID_ARGS, "" },
    { "{}", FALSE, FALSE, FALSE, FINE, TOKEND_ERROR_INVALID_ARGS, "" },
    { "{}", FALSE, TRUE, FALSE, FINE, TOKEND_ERROR_TIMED_OUT, "" },
    /* The time is over, and the timer has not come yet. */
    { "{}", TRUE, FALSE, TRUE, FINE, TOKEND_ERROR_TIMED_OUT, "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GUnixFDList) write_ends = NULL;

    set_up (PUK, rows[i].options);
    if (rows[i].has_pipes)
      stage.operation.pipes = tokend_code_pipes_new ("PUK", &write_ends, NULL);
    stage.operation.have_pipes_expired = rows[i].have_expired;
    say.is_overdue = rows[i].is_overdue;
    say.collection = rows[i].collection;
    tokend_operation_collect (&stage.operation);
    assert_end (rows[i].error, rows[i].calls);
    g_assert_cmpint (stage.operation.attempt.final_attempt, ==, i == 0);
    if (stage.operation.pipes == NULL)
      g_assert_nonnull (strstr (stage.operation.error->message, "call Again"));
    tear_down ();
  }
}

/* polkit is asked again, and nobody by it: its outright no is one, and so is a session that is not
 * in front any more. */
static void
test_recheck (void)
{
  static const struct {
    TokendRole role;
    TokendGateAnswer gate;
    TokendPresence then, now;
    int error;
  } rows[] = {
    { PUK, TOKEND_GATE_ALLOWED, TOKEND_PRESENCE_ACTIVE, TOKEND_PRESENCE_ACTIVE, FINE },
    { PIN, TOKEND_GATE_ALLOWED, TOKEND_PRESENCE_ACTIVE, TOKEND_PRESENCE_ACTIVE, FINE },
    { PUK, TOKEND_GATE_NEEDS_PERSON, TOKEND_PRESENCE_ACTIVE, TOKEND_PRESENCE_ACTIVE, FINE },
    { PUK, TOKEND_GATE_DENIED, TOKEND_PRESENCE_ACTIVE, TOKEND_PRESENCE_ACTIVE,
      TOKEND_ERROR_NOT_AUTHORIZED },
    { PUK, TOKEND_GATE_UNANSWERED, TOKEND_PRESENCE_ACTIVE, TOKEND_PRESENCE_ACTIVE,
      TOKEND_ERROR_NOT_AUTHORIZED },
    { PUK, TOKEND_GATE_ALLOWED, TOKEND_PRESENCE_ACTIVE, TOKEND_PRESENCE_NONE,
      TOKEND_ERROR_NOT_AUTHORIZED },
    { PUK, TOKEND_GATE_NEEDS_PERSON, TOKEND_PRESENCE_ACTIVE, TOKEND_PRESENCE_NONE,
      TOKEND_ERROR_NOT_AUTHORIZED },
    { PUK, TOKEND_GATE_ALLOWED, TOKEND_PRESENCE_NONE, TOKEND_PRESENCE_NONE, FINE },
    { PUK, TOKEND_GATE_ALLOWED, TOKEND_PRESENCE_UNKNOWN, TOKEND_PRESENCE_NONE,
      TOKEND_ERROR_NOT_AUTHORIZED },
    { PUK, TOKEND_GATE_ALLOWED, TOKEND_PRESENCE_UNKNOWN, TOKEND_PRESENCE_ACTIVE, FINE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const gboolean is_no =
        rows[i].gate != TOKEND_GATE_ALLOWED && rows[i].gate != TOKEND_GATE_NEEDS_PERSON;
    g_autofree char *calls =
        g_strdup_printf ("gate(%s,silent,-,-) %s",
                         rows[i].role == PUK ? TOKEND_ACTION_UNLOCK : TOKEND_ACTION_SET_PIN,
                         is_no ? "" : "who(:1.7) ");

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    set_up (rows[i].role, "{}");
    stage.operation.opener =
        (TokendIdentity){ .desktop = g_strdup ("c1"), .known = TRUE, .presence = rows[i].then };
    say.identity =
        (TokendIdentity){ .desktop = (char *) "c1", .known = TRUE, .presence = rows[i].now };
    say.gate = rows[i].gate;
    tokend_operation_authorize_again (&stage.operation);
    assert_end (rows[i].error, calls);
    if (!is_no && rows[i].error != FINE)
      g_assert_cmpint (strstr (stage.operation.error->message, "is not known") != NULL, ==,
                       rows[i].then == TOKEND_PRESENCE_UNKNOWN);
    tear_down ();
  }
}

static void
test_claim (void)
{
  for (int is_busy = 0; is_busy < 2; is_busy++) {
    set_up (PUK, "{}");
    say.busy = is_busy > 0 ? TOKEND_ERROR_BUSY : FINE;
    tokend_operation_claim (&stage.operation);
    assert_end (say.busy, "");
    g_assert_cmpint (stage.operation.lock_fd, ==, is_busy > 0 ? -1 : 5);
    check_cards ((const char *const *) stage.operation.cards);
    g_clear_pointer (&stage.operation.cards, g_strfreev);
    tear_down ();
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operation-ask/accept", test_accept);
  g_test_add_func ("/operation-ask/may-peek", test_may_peek);
  g_test_add_func ("/operation-ask/state", test_state);
  g_test_add_func ("/operation-ask/meet", test_meet);
  g_test_add_func ("/operation-ask/meet-again", test_meet_again);
  g_test_add_func ("/operation-ask/ask", test_ask);
  g_test_add_func ("/operation-ask/look", test_look);
  g_test_add_func ("/operation-ask/hand-out", test_hand_out);
  g_test_add_func ("/operation-ask/expiry", test_expiry);
  g_test_add_func ("/operation-ask/collect", test_collect);
  g_test_add_func ("/operation-ask/recheck", test_recheck);
  g_test_add_func ("/operation-ask/claim", test_claim);
  return g_test_run ();
}
