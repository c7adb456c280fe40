/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gate-answer.h"

#include "tokend-error.h"
#include "tokend-status.h"

#define AUTHORIZED TRUE, FALSE, FALSE
#define CHALLENGE FALSE, TRUE, FALSE
#define NO FALSE, FALSE, FALSE
#define DISMISSED FALSE, FALSE, TRUE

static void
test_evaluate (void)
{
  static const struct {
    TokendGateReply reply;
    gboolean was_prompting;
    TokendGateAnswer expected;
  } rows[] = {
    { { AUTHORIZED }, FALSE, TOKEND_GATE_ALLOWED },
    { { AUTHORIZED }, TRUE, TOKEND_GATE_ALLOWED },
    { { CHALLENGE }, FALSE, TOKEND_GATE_NEEDS_PERSON },
    { { CHALLENGE }, TRUE, TOKEND_GATE_NO_AGENT },
    { { NO }, FALSE, TOKEND_GATE_DENIED },
    { { NO }, TRUE, TOKEND_GATE_NOT_AUTHENTICATED },
    { { DISMISSED }, FALSE, TOKEND_GATE_DENIED },
    { { DISMISSED }, TRUE, TOKEND_GATE_DISMISSED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_gate_answer_interpret (&rows[i].reply, rows[i].was_prompting), ==,
                     rows[i].expected);
  }
}

/* What a person and a program are told: what it was, the action, and what to do. */
static void
test_words (void)
{
  static const struct {
    TokendGateAnswer answer;
    TokendError code;
    const char *what;
    const char *now;
  } rows[] = {
    { TOKEND_GATE_DENIED, TOKEND_ERROR_NOT_AUTHORIZED, "polkit does not allow org.tokend.unlock",
      "rule, see tokend(8)" },
    { TOKEND_GATE_NEEDS_PERSON, TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
      "authenticate for org.tokend.unlock, and the call does not allow",
      "set ALLOW_INTERACTIVE_AUTHORIZATION" },
    { TOKEND_GATE_NO_AGENT, TOKEND_ERROR_NOT_AUTHORIZED,
      "authenticate for org.tokend.unlock, and no polkit agent is there", "run tokenctl in a" },
    { TOKEND_GATE_DISMISSED, TOKEND_ERROR_NOT_AUTHORIZED,
      "authenticate for org.tokend.unlock was dismissed", "call again" },
    { TOKEND_GATE_NOT_AUTHENTICATED, TOKEND_ERROR_NOT_AUTHORIZED,
      "the authentication for org.tokend.unlock failed", "the right password" },
    { TOKEND_GATE_EXPIRED, TOKEND_ERROR_NOT_AUTHORIZED,
      "nobody answered the request to authenticate for org.tokend.unlock", "call again" },
    { TOKEND_GATE_UNANSWERED, TOKEND_ERROR_NOT_AUTHORIZED,
      "polkit does not answer when it is asked for org.tokend.unlock", "polkit.service" },
    { TOKEND_GATE_WITHDRAWN, TOKEND_ERROR_NOT_AUTHORIZED,
      "authenticate for org.tokend.unlock was withdrawn", "call again" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = tokend_gate_answer_new_error (rows[i].answer, TOKEND_ACTION_UNLOCK);

    g_test_message ("%s", error->message);
    g_assert_error (error, TOKEND_ERROR, (int) rows[i].code);
    g_assert_nonnull (strstr (error->message, rows[i].what));
    g_assert_nonnull (strstr (error->message, rows[i].now));
    g_assert_null (strchr (error->message, '%'));
  }
}

static void
test_without_an_action (void)
{
  g_autoptr (GError) error = tokend_gate_answer_new_error (TOKEND_GATE_DENIED, NULL);

  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED);
  g_assert_true (g_str_has_prefix (error->message, "polkit does not allow this: "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/gate-answer/interpret", test_evaluate);
  g_test_add_func ("/gate-answer/words", test_words);
  g_test_add_func ("/gate-answer/without-an-action", test_without_an_action);
  return g_test_run ();
}
