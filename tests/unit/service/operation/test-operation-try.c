/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The steps from the operating host's start to the status after the code, each alone: what it asks
 * of whom, and what it makes of what is answered, also by a host that a module has taken over. */
#include "opensc-configuration.h"
#include "tokend-error.h"
#include "try-stage.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

#define FINE (-1)

#define INCORRECT "{'result': <'code-incorrect'>, 'sent': <true>}"
#define REFUSED "{'result': <'new-pin-refused'>, 'sent': <true>}"

static void
assert_error (int expected, const char *words)
{
  const GError *error = stage.operation.error;

  if (expected == FINE) {
    g_assert_no_error (error);
    return;
  }
  g_assert_error (error, TOKEND_ERROR, expected);
  if (words != NULL)
    g_assert_nonnull (strstr (error->message, words));
}

static void
assert_calls (const char *calls)
{
  g_assert_cmpstr (stage.calls->str, ==, calls);
}

static ino_t
get_inode (int fd)
{
  struct stat status;

  g_assert_cmpint (fstat (fd, &status), ==, 0);
  return status.st_ino;
}

/* Pipes for the codes, and the lock: which they are. */
static void
give_descriptors (ino_t inodes[3])
{
  g_autoptr (GUnixFDList) write_ends = NULL;
  g_autoptr (GError) error = NULL;
  int lock[2];

  stage.operation.pipes = tokend_code_pipes_new ("PUK", &write_ends, &error);
  g_assert_no_error (error);
  g_assert_cmpint (pipe (lock), ==, 0);
  close (lock[1]);
  stage.operation.lock_fd = lock[0];
  for (gsize i = 0; i < 2; i++)
    inodes[i] = get_inode (g_unix_fd_list_peek_fds (write_ends, NULL)[i]);
  inodes[2] = get_inode (lock[0]);
}

static void
tear_down (void)
{
  close (stage.operation.lock_fd);
  stage_tear_down ();
}

/* Each of the three arrives as what it is, and the service keeps none of the codes'. */
static void
test_prepare_descriptors (void)
{
  ino_t inodes[3];

  stage_set_up (PUK);
  stage.prepared = READING (16);
  g_clear_object (&stage.operation.source);
  give_descriptors (inodes);
  tokend_operation_prepare (&stage.operation);
  assert_error (FINE, NULL);
  g_assert_true (stage.operation.source == tokend_token_get_source (stage.operation.token));
  assert_calls ("start(/a/module.so,a reader) prepare ");
  g_assert_cmpint (stage.host_kind, ==, TOKEND_HOST_OPERATE);
  for (gsize i = 0; i < 3; i++) {
    int fd = g_unix_fd_list_get (stage.fds, stage.handles[i], NULL);

    g_assert_cmpuint (get_inode (fd), ==, inodes[i]);
    close (fd);
  }
  g_assert_null (stage.operation.pipes);
  tear_down ();
}

/* Of a host that does not start, nothing is asked. */
static void
test_prepare_in_vain (void)
{
  ino_t inodes[3];

  stage_set_up (PUK);
  stage.does_not_start = TRUE;
  give_descriptors (inodes);
  tokend_operation_prepare (&stage.operation);
  assert_error (TOKEND_ERROR_MODULE_FAILED, NULL);
  assert_calls ("start(/a/module.so,a reader) ");
  tear_down ();
}

/* With one configuration of OpenSC's a code is a PUK, with another a PIN: it goes by the operation,
 * too. */
static void
test_prepare_environment (void)
{
  static const TokendUnlockMethod methods[] = { TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN,
                                                TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN };

  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      const TokendUnlockMethod method = role == PUK ? methods[i] : TOKEND_UNLOCK_METHOD_NONE;
      g_autofree char *operation = NULL;
      ino_t inodes[3];

      stage_set_up (role);
      stage.profile.is_opensc = TRUE;
      stage.profile.unlock_method = methods[i];
      stage.prepared = READING (16);
      give_descriptors (inodes);
      tokend_operation_prepare (&stage.operation);
      g_assert_cmpstr (g_hash_table_lookup (stage.environment, TOKEND_OPENSC_VARIABLE), ==,
                       tokend_opensc_configuration (method));
      g_assert_true (g_variant_lookup (stage.request, "operation", "s", &operation));
      g_assert_cmpstr (operation, ==, role == PUK ? "unlock" : "set-pin");
      tear_down ();
    }
}

/* Of a change alone, and unless the profile says that C_SetPIN is to be believed. */
static void
test_prepare_login_first (void)
{
  for (guint proves = 0; proves < 2; proves++)
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      gboolean is_first, closes;
      ino_t inodes[3];

      stage_set_up (role);
      /* A PIN is also changed where nothing is known of the token. */
      stage.has_no_profile = role == PIN && proves == 0;
      stage.profile.unlock_method = TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN;
      stage.profile.change_proves = stage.profile.logout_closes = proves > 0;
      stage.prepared = READING (16);
      give_descriptors (inodes);
      tokend_operation_prepare (&stage.operation);
      g_assert_cmpint (g_variant_lookup (stage.request, "login-first", "b", &is_first), ==,
                       role == PIN);
      if (role == PIN)
        g_assert_cmpint (is_first, ==, proves == 0);
      g_assert_true (g_variant_lookup (stage.request, "logout-closes", "b", &closes));
      g_assert_cmpint (closes, ==, proves > 0);
      tear_down ();
    }
}

static void
assert_text (const char *key, const char *expected)
{
  g_autofree char *text = NULL;

  g_variant_lookup (stage.request, key, "s", &text);
  g_assert_cmpstr (text, ==, expected);
}

static void
assert_bytes (const char *key, gconstpointer expected, gsize size)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (stage.request, key, G_VARIANT_TYPE ("ay"));

  g_assert_nonnull (value);
  g_assert_cmpmem (g_variant_get_data (value), g_variant_get_size (value), expected, size);
}

static void
assert_number (const char *key, guint expected)
{
  guint32 number = 9999;

  g_assert_true (g_variant_lookup (stage.request, key, "u", &number));
  g_assert_cmpuint (number, ==, expected);
}

/* All that the host is asked to hold the codes against; what is not known leaves them what any code
 * may be. */
static void
test_prepare_request (void)
{
  static const struct {
    TokendCodeLimits rule; /* of the PUK */
    int policy_minimum, policy_maximum;
    guint code_minimum, code_maximum, new_pin_minimum, new_pin_maximum;
  } rows[] = {
    { { 0, 0 }, -1, -1, 1, TOKEND_CODE_MAX, 1, TOKEND_CODE_MAX },
    { { 0, 0 }, 0, 0, 1, TOKEND_CODE_MAX, 1, TOKEND_CODE_MAX },
    { { 1, 1 }, 1, 1, 1, 1, 1, 1 },
    { { 4, 8 }, 6, 7, 4, 8, 6, 7 },
    { { 4, 0 }, 4, TOKEND_CODE_MAX + 1, 4, TOKEND_CODE_MAX, 4, TOKEND_CODE_MAX },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    /* The lengths that the token tells are those of a PIN. */
    const char *reading = "{'manufacturer': <b'M'>, 'model': <b'N'>, 'serial': <b'1'>, "
                          "'label': <b'L'>, 'flags': <uint32 16>, "
                          "'pin-minimum-length': <uint32 3>, 'pin-maximum-length': <uint32 5>}";
    gboolean sends_unusual = i % 2 == 0;
    gboolean told = !sends_unusual;
    GBytes *key;
    ino_t inodes[3];

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    stage_set_up (PUK);
    stage_show (reading);
    stage.prepared = reading;
    stage.profile.unlock_method = TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN;
    stage.policy = (TokendPinPolicy){ .minimum_length = rows[i].policy_minimum,
                                      .maximum_length = rows[i].policy_maximum,
                                      .characters = TOKEND_CHARACTERS_DIGITS };
    stage.code_rules[PUK].length = rows[i].rule;
    stage.code_rules[PIN].length = (TokendCodeLimits){ 9, 9 };
    stage.wrong_code = TOKEND_WRONG_CODE_USER_NOT_LOGGED_IN;
    stage.operation.attempt.send_unusual_code = sends_unusual;
    key = tokend_refused_get_key (stage.service.refused);
    give_descriptors (inodes);
    tokend_operation_prepare (&stage.operation);
    assert_text ("way", "so-login-init-pin");
    assert_text ("wrong-code", "user-not-logged-in");
    assert_text ("new-pin-characters", "digits");
    assert_bytes ("manufacturer", "M", 2);
    assert_bytes ("model", "N", 2);
    assert_bytes ("serial", "1", 2);
    assert_bytes ("label", "L", 2);
    assert_bytes ("digest-key", g_bytes_get_data (key, NULL), g_bytes_get_size (key));
    assert_number ("code-minimum-length", rows[i].code_minimum);
    assert_number ("code-maximum-length", rows[i].code_maximum);
    assert_number ("new-pin-minimum-length", rows[i].new_pin_minimum);
    assert_number ("new-pin-maximum-length", rows[i].new_pin_maximum);
    g_assert_true (g_variant_lookup (stage.request, "send-unusual-code", "b", &told));
    g_assert_cmpint (told, ==, sends_unusual);
    tear_down ();
  }
}

/* What a host says that it prepared may be anything; nothing has been sent by then. */
static void
test_prepare_answer (void)
{
  static const struct {
    const char *prepared; /* NULL: an error */
    gsize digest_length;
    int error;
  } rows[] = {
    { READING (16), 32, FINE },
    { NULL, 32, TOKEND_ERROR_NOT_FOUND },
    { READING (16), 0, TOKEND_ERROR_MODULE_FAILED },
    { READING (16), 31, TOKEND_ERROR_MODULE_FAILED },
    { READING (16), 33, TOKEND_ERROR_MODULE_FAILED },
    { READING_OF ("2", 16), 32, TOKEND_ERROR_MODULE_FAILED },
    { "{}", 32, TOKEND_ERROR_MODULE_FAILED },
    { "{'flags': <uint32 16>}", 32, TOKEND_ERROR_MODULE_FAILED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    ino_t inodes[3];

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    stage_set_up (PIN);
    stage.prepared = rows[i].prepared;
    stage.digest_length = rows[i].digest_length;
    give_descriptors (inodes);
    tokend_operation_prepare (&stage.operation);
    g_assert_cmpint (stage.result, ==,
                     rows[i].error == FINE ? TOKEND_STEP_DONE : TOKEND_STEP_FAILED);
    assert_error (rows[i].error, NULL);
    if (rows[i].error == FINE) {
      g_assert_nonnull (stage.operation.prepared);
      g_assert_cmpuint (g_bytes_get_size (stage.operation.digest), ==, 32);
    }
    tear_down ();
  }
}

static void
prepare_as (const char *reading)
{
  stage.operation.prepared = stage_parse (reading);
  stage.operation.digest = g_bytes_new_static ("dddddddddddddddddddddddddddddddd", 32);
  stage.operation.before =
      tokend_token_evaluate (stage.operation.token, stage.operation.prepared, stage.operation.role);
  stage.operation.effect.try_result = TOKEND_TRY_NOT_SPENT;
}

/* By what the session shows, not by what was read before. */
static void
test_compare (void)
{
  static const struct {
    const char *prepared;
    gboolean was_refused, send_refused_code, final_attempt;
    int error;
    int remaining;
  } rows[] = {
    { READING (16), FALSE, FALSE, FALSE, FINE, 3 },
    { READING (17), FALSE, FALSE, FALSE, FINE, 2 },
    { READING (18), FALSE, FALSE, FALSE, TOKEND_ERROR_FINAL_ATTEMPT, 1 },
    { READING (18), FALSE, FALSE, TRUE, FINE, 1 },
    { READING (20), FALSE, FALSE, TRUE, TOKEND_ERROR_PIN_LOCKED, 0 },
    { READING (16), TRUE, FALSE, FALSE, TOKEND_ERROR_ALREADY_REFUSED, 3 },
    { READING (16), TRUE, TRUE, FALSE, FINE, 3 },
    { READING (272), FALSE, FALSE, FALSE, TOKEND_ERROR_NOT_SUPPORTED, 3 }, /* with a PIN pad */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    stage_set_up (PIN);
    prepare_as (rows[i].prepared);
    stage.operation.before = tokend_counter_unknown;
    stage.operation.attempt.send_refused_code = rows[i].send_refused_code;
    stage.operation.attempt.final_attempt = rows[i].final_attempt;
    if (rows[i].was_refused)
      tokend_refused_add (stage.service.refused, tokend_token_get_target (stage.operation.token),
                          PIN, stage.operation.digest);
    tokend_operation_compare (&stage.operation);
    assert_error (rows[i].error,
                  rows[i].error == FINE || rows[i].error == TOKEND_ERROR_NOT_SUPPORTED
                      ? NULL
                      : "nothing was sent");
    g_assert_cmpint (stage.operation.before.remaining, ==, rows[i].remaining);
    stage_tear_down ();
  }
}

/* Who was told five times within an hour is not told any more, be a code one that was refused or
 * not; and may send it. */
static void
test_compare_oracle (void)
{
  static const struct {
    guint uid; /* of who asks now; 1000 was told before */
    guint n_told;
    gboolean was_refused, send_refused_code;
    int error;
  } rows[] = {
    { 1000, 4, TRUE, FALSE, TOKEND_ERROR_ALREADY_REFUSED },
    { 1000, 4, FALSE, FALSE, FINE },
    { 1000, 5, TRUE, FALSE, TOKEND_ERROR_LIMITS_EXCEEDED },
    { 1000, 5, FALSE, FALSE, TOKEND_ERROR_LIMITS_EXCEEDED },
    { 1000, 5, TRUE, TRUE, FINE },
    { 1000, 5, FALSE, TRUE, FINE },
    { 1001, 5, TRUE, FALSE, TOKEND_ERROR_ALREADY_REFUSED },
    { 1001, 5, FALSE, FALSE, FINE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendRefusalLimit *limit;
    const TokendTarget *target;
    const gint64 now = g_get_monotonic_time ();
    const char *cards[2] = { 0 };

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    stage_set_up (PIN);
    limit = stage.service.refusal_limit;
    target = tokend_token_get_target (stage.operation.token);
    cards[0] = target->card;
    prepare_as (READING (16));
    stage.caller.uid = rows[i].uid;
    stage.operation.attempt.send_refused_code = rows[i].send_refused_code;
    for (guint n = 0; n < rows[i].n_told; n++)
      tokend_refusal_limit_count (limit, 1000, cards, now);
    if (rows[i].was_refused)
      tokend_refused_add (stage.service.refused, target, PIN, stage.operation.digest);
    tokend_operation_compare (&stage.operation);
    assert_error (rows[i].error, rows[i].error == FINE ? NULL : "nothing was sent");
    /* That it was told is counted. */
    g_assert_cmpint (tokend_refusal_limit_is_reached (limit, 1000, cards, now), ==,
                     rows[i].n_told == 5 || (rows[i].n_told == 4 && rows[i].was_refused));
    stage_tear_down ();
  }
}

static void
test_record (void)
{
  for (int is_broken = 0; is_broken < 2; is_broken++) {
    stage_set_up (PUK);
    stage.ledger_is_broken = is_broken > 0;
    stage.operation.effect.try_result = TOKEND_TRY_SPENT;
    tokend_operation_record (&stage.operation);
    assert_calls ("begin(puk,a-module) ");
    assert_error (is_broken > 0 ? TOKEND_ERROR_FAILED : FINE, "nothing was sent");
    g_assert_cmpint (stage.operation.effect.try_result, ==, TOKEND_TRY_NOT_SPENT);
    g_assert_false (stage.operation.effect.sent);
    stage_tear_down ();
  }
}

/* A host that is known to have ended was not asked, so that no code went. */
static void
test_commit_without_host (void)
{
  stage_set_up (PUK);
  prepare_as (READING (16));
  stage.has_ended = TRUE;
  tokend_operation_commit (&stage.operation);
  assert_calls ("");
  assert_error (TOKEND_ERROR_MODULE_FAILED, "nothing was sent");
  g_assert_cmpint (stage.operation.effect.try_result, ==, TOKEND_TRY_NOT_SPENT);
  g_assert_false (stage.operation.effect.sent);
  g_assert_false (stage.operation.effect.in_doubt);
  stage_tear_down ();
}

/* One that does not answer may have sent it. */
static void
test_commit_without_answer (void)
{
  stage_set_up (PUK);
  prepare_as (READING (16));
  tokend_operation_commit (&stage.operation);
  assert_calls ("commit ");
  assert_error (TOKEND_ERROR_OUTCOME_UNKNOWN, "no answer came");
  g_assert_cmpint (stage.operation.effect.try_result, ==, TOKEND_TRY_UNKNOWN);
  g_assert_true (stage.operation.effect.sent);
  g_assert_true (stage.operation.effect.in_doubt);
  stage_tear_down ();
}

static void
test_commit (void)
{
  static const struct {
    TokendRole role;
    gboolean change_counts;
    gboolean change_proves;
    const char *outcome;
    int error;
    TokendTryResult try_result;
  } rows[] = {
    { PUK, TRUE, TRUE, "{'result': <'done'>, 'sent': <true>}", FINE, TOKEND_TRY_SUCCEEDED },
    { PUK, TRUE, TRUE, INCORRECT, TOKEND_ERROR_PUK_INCORRECT, TOKEND_TRY_SPENT },
    { PUK, FALSE, TRUE, INCORRECT, TOKEND_ERROR_PUK_INCORRECT, TOKEND_TRY_SPENT },
    { PIN, TRUE, TRUE, INCORRECT, TOKEND_ERROR_PIN_INCORRECT, TOKEND_TRY_SPENT },
    { PIN, FALSE, TRUE, INCORRECT, TOKEND_ERROR_PIN_INCORRECT, TOKEND_TRY_NOT_SPENT },
    /* It was C_Login that counted it. */
    { PIN, FALSE, FALSE, INCORRECT, TOKEND_ERROR_PIN_INCORRECT, TOKEND_TRY_SPENT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    stage_set_up (rows[i].role);
    prepare_as (READING (16));
    stage.profile.change_counts = rows[i].change_counts;
    stage.profile.change_proves = rows[i].change_proves;
    stage.outcome = rows[i].outcome;
    tokend_operation_commit (&stage.operation);
    assert_calls ("commit ");
    assert_error (rows[i].error, NULL);
    g_assert_cmpint (stage.operation.effect.try_result, ==, rows[i].try_result);
    g_assert_true (stage.operation.effect.sent);
    g_assert_false (stage.operation.effect.in_doubt);
    /* It is done, whatever came of it: the next step is the same. */
    g_assert_cmpint (stage.result, ==, TOKEND_STEP_DONE);
    stage_tear_down ();
  }
}

/* A host that gives no outcome may be at the card still. */
static void
test_commit_may_be_open (void)
{
  static const struct {
    const char *outcome;
    gboolean may_be_open;
  } rows[] = {
    { "{'result': <'done'>, 'sent': <true>, 'may-be-open': <true>}", TRUE },
    { "{'result': <'code-incorrect'>, 'sent': <true>, 'may-be-open': <true>}", TRUE },
    { "{'result': <'done'>, 'sent': <true>, 'may-be-open': <false>}", FALSE },
    { "{'result': <'done'>, 'sent': <true>}", TRUE },
    { "{'result': <'changed'>, 'sent': <false>}", FALSE },
    { "{'result': <'nonsense'>}", TRUE },
    { NULL, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    stage_set_up (PUK);
    prepare_as (READING (16));
    stage.outcome = rows[i].outcome;
    tokend_operation_commit (&stage.operation);
    g_assert_cmpint (stage.operation.may_be_open, ==, rows[i].may_be_open);
    stage_tear_down ();
  }
}

/* What the code has come to stays as it is. Without an answer the card may be open, and the host at
 * it still. */
static void
test_close (void)
{
  static const struct {
    gboolean may_be_open, is_unread;
    const char *answer;
    const char *calls;
    gboolean is_left_open, is_host_at_it;
  } rows[] = {
    { FALSE, FALSE, NULL, "", FALSE, FALSE },
    { FALSE, TRUE, NULL, "refresh ", FALSE, FALSE },
    { TRUE, FALSE, "closed", "close token(closed) tell(closed) go-on ", FALSE, FALSE },
    { TRUE, TRUE, "closed", "close token(closed) tell(closed) go-on refresh ", FALSE, FALSE },
    { TRUE, FALSE, "left-open", "close token(left-open) tell(left-open) go-on ", TRUE, FALSE },
    { TRUE, FALSE, NULL, "close token(left-open) tell(left-open) go-on ", TRUE, TRUE },
    { TRUE, TRUE, NULL, "close token(left-open) tell(left-open) go-on refresh ", TRUE, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    stage_set_up (PUK);
    stage.operation.may_be_open = rows[i].may_be_open;
    stage.operation.is_unread = rows[i].is_unread;
    stage.operation.effect = (TokendTryEffect){ TOKEND_TRY_SUCCEEDED, TRUE };
    stage.closes = rows[i].answer;
    tokend_operation_close (&stage.operation);
    assert_calls (rows[i].calls);
    g_assert_cmpint (stage.operation.is_left_open, ==, rows[i].is_left_open);
    g_assert_cmpint (stage.operation.may_be_open, ==, rows[i].is_host_at_it);
    assert_error (FINE, NULL);
    g_assert_cmpint (stage.operation.effect.try_result, ==, TOKEND_TRY_SUCCEEDED);
    g_assert_cmpint (stage.result, ==, TOKEND_STEP_DONE);
    stage_tear_down ();
  }
}

/* Our watching hosts let go of a card that may have to be reset, and of no other. */
static void
test_close_makes_room (void)
{
  static const struct {
    gboolean is_opensc, logout_closes, has_no_profile;
    const char *calls;
  } rows[] = {
    { FALSE, FALSE, FALSE, "close token(closed) tell(closed) go-on " },
    { TRUE, FALSE, FALSE, "let-go close token(closed) tell(closed) go-on " },
    { TRUE, TRUE, FALSE, "close token(closed) tell(closed) go-on " },
    { TRUE, TRUE, TRUE, "let-go close token(closed) tell(closed) go-on " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    stage_set_up (PUK);
    stage.profile.is_opensc = rows[i].is_opensc;
    stage.profile.logout_closes = rows[i].logout_closes;
    stage.has_no_profile = rows[i].has_no_profile;
    stage.operation.may_be_open = TRUE;
    stage.closes = "closed";
    tokend_operation_close (&stage.operation);
    assert_calls (rows[i].calls);
    stage_tear_down ();
  }
}

/* Of a token without a profile nothing is known that would speak for it: a wrong PIN counts. */
static void
test_commit_without_profile (void)
{
  stage_set_up (PIN);
  prepare_as (READING (16));
  stage.has_no_profile = TRUE;
  stage.outcome = INCORRECT;
  tokend_operation_commit (&stage.operation);
  g_assert_cmpint (stage.operation.effect.try_result, ==, TOKEND_TRY_SPENT);
  stage_tear_down ();
}

/* The bus's word for a host that does not answer is none for the caller. */
static void
test_prepare_dead_host (void)
{
  ino_t inodes[3];

  stage_set_up (PIN);
  stage.is_dead = TRUE;
  give_descriptors (inodes);
  tokend_operation_prepare (&stage.operation);
  assert_error (TOKEND_ERROR_TIMED_OUT, NULL);
  tear_down ();
}

/* What cannot be written stays pending, and the operation goes on. */
static void
test_resolve (void)
{
  for (int is_broken = 0; is_broken < 2; is_broken++) {
    stage_set_up (PIN);
    stage.ledger_is_broken = is_broken > 0;
    stage.operation.effect.try_result = TOKEND_TRY_SPENT;
    tokend_operation_resolve (&stage.operation);
    assert_calls ("resolve(pin,spent) ");
    g_assert_cmpint (stage.result, ==, TOKEND_STEP_DONE);
    assert_error (FINE, NULL);
    stage_tear_down ();
  }
}

/* The host that may still be at it is not asked; another one is, once that is not at it. */
static void
test_after_in_doubt (void)
{
  stage_set_up (PUK);
  prepare_as (READING (16));
  stage.operation.effect = (TokendTryEffect){ TOKEND_TRY_UNKNOWN, TRUE, .in_doubt = TRUE };
  tokend_operation_read_after (&stage.operation);
  assert_calls ("lose flush ");
  g_assert_true (stage.operation.is_unread);
  g_assert_cmpint (stage.result, ==, TOKEND_STEP_DONE);
  stage_tear_down ();
}

/* Only a reading of the operation's token, and of it alone, is one. */
static void
test_after_reading (void)
{
  static const struct {
    const char *after[2];
    const char *calls;
  } rows[] = {
    { { READING (16), NULL }, "read update(a-module) flush " },
    { { NULL, NULL }, "read lose flush " },
    { { READING_OF ("2", 16), NULL }, "read lose flush " },
    { { READING (16), READING (16) }, "read lose flush " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    stage_set_up (PIN);
    prepare_as (READING (16));
    memcpy (stage.after, rows[i].after, sizeof stage.after);
    stage.operation.effect = (TokendTryEffect){ TOKEND_TRY_SUCCEEDED, TRUE, FALSE };
    tokend_operation_read_after (&stage.operation);
    assert_calls (rows[i].calls);
    g_assert_false (stage.operation.is_unread);
    g_assert_cmpint (stage.result, ==, TOKEND_STEP_DONE);
    stage_tear_down ();
  }
}

/* What the counter shows after it may say more than the module, and is recorded; what failed is
 * noted. */
static void
test_after_review (void)
{
  static const struct {
    TokendRole role;
    const char *outcome;
    const char *after; /* the PIN's tries were all there before, the PUK's too */
    int error;
    gboolean is_refused;
    const char *calls;
  } rows[] = {
    { PIN, REFUSED, READING (17), TOKEND_ERROR_PIN_INCORRECT, TRUE,
      "read update(a-module) resolve(pin,spent) note(pin) flush " },
    { PIN, REFUSED, READING (16), TOKEND_ERROR_PIN_POLICY, FALSE,
      "read update(a-module) note(pin) flush " },
    { PIN, INCORRECT, READING (17), TOKEND_ERROR_PIN_INCORRECT, TRUE,
      "read update(a-module) note(pin) flush " },
    { PUK, INCORRECT, READING (48), TOKEND_ERROR_PUK_INCORRECT, TRUE,
      "read update(a-module) note(puk) flush " },
    { PIN, "{'result': <'failed'>, 'sent': <true>}", READING (16), TOKEND_ERROR_FAILED, FALSE,
      "read update(a-module) note(pin) flush " },
    /* Nothing was sent: what the token shows did not come of it. */
    { PIN, "{'result': <'failed'>, 'sent': <false>}", READING (20), TOKEND_ERROR_MODULE_FAILED,
      FALSE, "read update(a-module) flush " },
    { PIN, "{'result': <'done'>, 'sent': <true>}", READING (16), FINE, FALSE,
      "read update(a-module) flush " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    Operation *operation = &stage.operation;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    stage_set_up (rows[i].role);
    prepare_as (READING (16));
    stage.outcome = rows[i].outcome;
    tokend_operation_commit (operation);
    g_string_truncate (stage.calls, 0);
    stage.result = -1;
    stage.after[0] = rows[i].after;
    tokend_operation_read_after (operation);
    assert_error (rows[i].error, NULL);
    assert_calls (rows[i].calls);
    g_assert_cmpint (tokend_refused_find (stage.service.refused,
                                          tokend_token_get_target (operation->token), rows[i].role,
                                          operation->digest)
                         != 0,
                     ==, rows[i].is_refused);
    stage_tear_down ();
  }
}

/* Which refused codes are forgotten when one was right: a new PIN that was refused leaves the old
 * one. */
static void
test_after_success (void)
{
  static const struct {
    TokendRole role;
    TokendTryResult try_result;
    gboolean pin_stays, puk_stays;
  } rows[] = {
    { PUK, TOKEND_TRY_SUCCEEDED, FALSE, FALSE }, { PUK, TOKEND_TRY_ACCEPTED, TRUE, FALSE },
    { PIN, TOKEND_TRY_SUCCEEDED, FALSE, TRUE },  { PIN, TOKEND_TRY_SPENT, TRUE, TRUE },
    { PUK, TOKEND_TRY_SPENT, TRUE, TRUE },       { PUK, TOKEND_TRY_UNKNOWN, TRUE, TRUE },
    { PUK, TOKEND_TRY_NOT_SPENT, TRUE, TRUE },   { PUK, TOKEND_TRY_LOCKED, TRUE, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendRefused *refused;
    const TokendTarget *target;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    stage_set_up (rows[i].role);
    refused = stage.service.refused;
    target = tokend_token_get_target (stage.operation.token);
    prepare_as (READING (16));
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
      tokend_refused_add (refused, target, role, stage.operation.digest);
    stage.after[0] = READING (16);
    stage.operation.effect = (TokendTryEffect){ rows[i].try_result, TRUE, FALSE };
    tokend_operation_read_after (&stage.operation);
    g_assert_cmpint (tokend_refused_find (refused, target, PIN, stage.operation.digest) != 0, ==,
                     rows[i].pin_stays);
    g_assert_cmpint (tokend_refused_find (refused, target, PUK, stage.operation.digest) != 0, ==,
                     rows[i].puk_stays);
    stage_tear_down ();
  }
}

/* Another program has lost tries meanwhile: what it left is said, if that forbids the next try. */
static void
test_after_change (void)
{
  static const struct {
    const char *after;
    int error;
  } rows[] = {
    { READING (17), TOKEND_ERROR_RETRIES_CHANGED },
    { READING (18), TOKEND_ERROR_FINAL_ATTEMPT },
    { READING (20), TOKEND_ERROR_PIN_LOCKED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    stage_set_up (PIN);
    prepare_as (READING (16));
    stage.after[0] = rows[i].after;
    stage.operation.error =
        g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_RETRIES_CHANGED, "as it was");
    tokend_operation_read_after (&stage.operation);
    assert_error (rows[i].error,
                  rows[i].error == TOKEND_ERROR_RETRIES_CHANGED ? "as it was" : NULL);
    stage_tear_down ();
  }

  /* What failed for another reason has that for an error. */
  stage_set_up (PIN);
  prepare_as (READING (16));
  stage.after[0] = READING (20);
  stage.operation.error = g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_FAILED, "another");
  tokend_operation_read_after (&stage.operation);
  assert_error (TOKEND_ERROR_FAILED, "another");
  stage_tear_down ();
}

/* Where a wrong PUK shows in the flags of the PIN: those that it has changed are the PUK's, and
 * none of the PIN's own. */
static void
test_after_puk_shown_as_pin (void)
{
  static const struct {
    const char *before, *after;
    gboolean final_try, locked; /* the PUK's, as it is noted */
  } rows[] = {
    { READING (16), READING (16), FALSE, FALSE }, { READING (16), READING (18), TRUE, FALSE },
    { READING (16), READING (20), FALSE, TRUE },  { READING (18), READING (18), FALSE, FALSE },
    { READING (20), READING (20), FALSE, FALSE }, { READING (18), READING (20), FALSE, TRUE },
    { READING (20), READING (18), TRUE, FALSE },  { READING (20), READING (16), FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    stage_set_up (PUK);
    prepare_as (rows[i].before);
    stage.profile.puk_shown_as_pin = TRUE;
    stage.outcome = INCORRECT;
    tokend_operation_commit (&stage.operation);
    g_string_truncate (stage.calls, 0);
    stage.result = -1;
    stage.after[0] = rows[i].after;
    tokend_operation_read_after (&stage.operation);
    assert_calls ("read note(puk) lose flush ");
    g_assert_true (stage.operation.is_unread);
    g_assert_cmpint (stage.noted.final_try, ==, rows[i].final_try);
    g_assert_cmpint (stage.noted.locked, ==, rows[i].locked);
    stage_tear_down ();
  }
}

/* That is so for a wrong PUK that went to such a token, and for nothing else; and only by a reading
 * of it. */
static void
test_after_shown_as_what_it_is (void)
{
  static const struct {
    TokendRole role;
    gboolean puk_shown_as_pin, sent;
    int error;
    const char *after, *calls;
  } rows[] = {
    { PUK, FALSE, TRUE, TOKEND_ERROR_PUK_INCORRECT, READING (18),
      "read update(a-module) note(puk) flush " },
    { PIN, TRUE, TRUE, TOKEND_ERROR_PIN_INCORRECT, READING (18),
      "read update(a-module) note(pin) flush " },
    { PUK, TRUE, TRUE, FINE, READING (18), "read update(a-module) flush " },
    { PUK, TRUE, FALSE, TOKEND_ERROR_FAILED, READING (18), "read update(a-module) flush " },
    { PUK, TRUE, TRUE, TOKEND_ERROR_PUK_INCORRECT, READING_OF ("2", 18), "read lose flush " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    stage_set_up (rows[i].role);
    prepare_as (READING (16));
    stage.profile.puk_shown_as_pin = rows[i].puk_shown_as_pin;
    stage.after[0] = rows[i].after;
    stage.operation.effect.sent = rows[i].sent;
    if (rows[i].error != FINE)
      stage.operation.error = g_error_new_literal (TOKEND_ERROR, rows[i].error, "");
    tokend_operation_read_after (&stage.operation);
    assert_calls (rows[i].calls);
    stage_tear_down ();
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operation-try/commit/may-be-open", test_commit_may_be_open);
  g_test_add_func ("/operation-try/close", test_close);
  g_test_add_func ("/operation-try/close/makes-room", test_close_makes_room);
  g_test_add_func ("/operation-try/prepare/login-first", test_prepare_login_first);
  g_test_add_func ("/operation-try/prepare/descriptors", test_prepare_descriptors);
  g_test_add_func ("/operation-try/prepare/in-vain", test_prepare_in_vain);
  g_test_add_func ("/operation-try/prepare/dead-host", test_prepare_dead_host);
  g_test_add_func ("/operation-try/commit/without-profile", test_commit_without_profile);
  g_test_add_func ("/operation-try/prepare/environment", test_prepare_environment);
  g_test_add_func ("/operation-try/prepare/request", test_prepare_request);
  g_test_add_func ("/operation-try/prepare/answer", test_prepare_answer);
  g_test_add_func ("/operation-try/compare", test_compare);
  g_test_add_func ("/operation-try/compare/oracle", test_compare_oracle);
  g_test_add_func ("/operation-try/record", test_record);
  g_test_add_func ("/operation-try/commit/without-host", test_commit_without_host);
  g_test_add_func ("/operation-try/commit/without-answer", test_commit_without_answer);
  g_test_add_func ("/operation-try/commit", test_commit);
  g_test_add_func ("/operation-try/settle", test_resolve);
  g_test_add_func ("/operation-try/after/in-doubt", test_after_in_doubt);
  g_test_add_func ("/operation-try/after/reading", test_after_reading);
  g_test_add_func ("/operation-try/after/review", test_after_review);
  g_test_add_func ("/operation-try/after/success", test_after_success);
  g_test_add_func ("/operation-try/after/change", test_after_change);
  g_test_add_func ("/operation-try/after/puk-shown-as-pin", test_after_puk_shown_as_pin);
  g_test_add_func ("/operation-try/after/shown-as-what-it-is", test_after_shown_as_what_it_is);
  return g_test_run ();
}
