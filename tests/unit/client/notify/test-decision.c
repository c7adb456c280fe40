/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "decision.h"

#include <string.h>

#define KEEP TOKEND_NOTIFY_KEEP
#define SHOW TOKEND_NOTIFY_SHOW
#define UPDATE TOKEND_NOTIFY_UPDATE
#define CLOSE TOKEND_NOTIFY_CLOSE

/* One code's tries in a word: "-" nothing known or told, "3" ok of 3, "2" low, "1" final, "0"
 * locked, "low" and "ok" without a number, "new" not set yet, "gone" a flag that is gone. */
static TokenctlTries
tries_from (const char *word)
{
  TokenctlTries tries = { 0 };

  if (g_str_equal (word, "low") || g_str_equal (word, "ok") || g_str_equal (word, "new")) {
    tries.state = *word == 'l'   ? TOKEND_STATE_LOW
                  : *word == 'o' ? TOKEND_STATE_OK
                                 : TOKEND_STATE_UNINITIALIZED;
  } else if (g_str_equal (word, "gone")) {
    tries.flag_gone = TRUE;
  } else if (g_ascii_isdigit (*word)) {
    static const TokendState states[] = { TOKEND_STATE_LOCKED, TOKEND_STATE_FINAL_TRY,
                                          TOKEND_STATE_LOW, TOKEND_STATE_OK };

    tries.remaining_known = TRUE;
    tries.remaining = (guint) g_ascii_digit_value (*word);
    tries.maximum = 3;
    tries.state = states[tries.remaining];
  }
  return tries;
}

/* "2 3": of the PIN and the PUK. */
static TokendNotifyTries
both_from (const char *words)
{
  g_auto (GStrv) word = g_strsplit (words, " ", 2);

  return (TokendNotifyTries){ { tries_from (word[0]), tries_from (word[1]) } };
}

/* Compares member by member: there may be holes between them. */
static void
assert_same (const TokenctlTries *a, const TokenctlTries *b)
{
  g_assert_cmpint (a->state, ==, b->state);
  g_assert_cmpint (a->remaining_known, ==, b->remaining_known);
  g_assert_cmpuint (a->remaining, ==, b->remaining);
  g_assert_cmpuint (a->maximum, ==, b->maximum);
  g_assert_cmpuint (a->minimum, ==, b->minimum);
  g_assert_cmpint (a->flag_gone, ==, b->flag_gone);
}

static void
test_decisions (void)
{
  static const struct {
    const char *told;
    const char *now;
    TokendNotifyAct act;
    const char *then_told; /* or NULL for what is now */
  } rows[] = {
    /* Nothing to say */
    { "- -", "3 3", KEEP, "- -" },
    { "- -", "ok ok", KEEP, "- -" },
    { "- -", "- -", KEEP, NULL },
    { "- -", "new new", KEEP, "- -" },

    /* A try is lost, or several between two reads */
    { "- -", "2 3", SHOW, "2 -" },
    { "2 -", "1 3", SHOW, "1 -" },
    { "1 -", "0 3", SHOW, "0 -" },
    { "- -", "0 3", SHOW, "0 -" },
    { "- -", "1 3", SHOW, "1 -" },
    { "2 -", "0 3", SHOW, "0 -" },
    { "- -", "3 2", SHOW, "- 2" },
    { "- -", "3 1", SHOW, "- 1" },
    { "- 2", "3 1", SHOW, "- 1" },
    { "- 1", "3 0", SHOW, "- 0" },
    { "0 -", "0 2", SHOW, NULL },
    { "0 2", "0 1", SHOW, NULL },
    { "0 1", "0 0", SHOW, NULL },
    { "- 0", "2 0", SHOW, NULL },
    { "- -", "1 1", SHOW, NULL },
    { "- -", "0 0", SHOW, NULL },

    /* Unchanged: another reading, or the same token again in the session */
    { "2 -", "2 3", KEEP, "2 -" },
    { "1 -", "1 3", KEEP, "1 -" },
    { "0 -", "0 3", KEEP, "0 -" },
    { "0 2", "0 2", KEEP, NULL },
    { "0 0", "0 0", KEEP, NULL },
    { "low -", "low ok", KEEP, "low -" },

    /* Changed while it was away */
    { "2 -", "0 2", SHOW, NULL },
    { "0 -", "3 3", CLOSE, "- -" },

    /* Well again: the right PIN, the unlock */
    { "2 -", "3 3", CLOSE, "- -" },
    { "1 -", "3 3", CLOSE, "- -" },
    { "0 -", "3 3", CLOSE, "- -" },
    { "0 2", "3 3", CLOSE, "- -" },
    { "low -", "ok ok", CLOSE, "- -" },
    { "0 -", "new 3", CLOSE, "- -" },

    /* Well in between, and a try lost again */
    { "1 -", "2 3", SHOW, "2 -" },
    { "0 -", "2 3", SHOW, "2 -" },
    { "0 -", "1 3", SHOW, "1 -" },

    /* One of two is well again: no news */
    { "0 2", "3 2", UPDATE, "- 2" },
    { "0 2", "0 3", UPDATE, "0 -" },

    /* Without numbers */
    { "- -", "low ok", SHOW, "low -" },
    { "low -", "1 3", SHOW, "1 -" },
    { "low -", "2 3", UPDATE, "2 -" },
    { "2 -", "low 3", UPDATE, "low -" },

    /* Not known is neither well nor news */
    { "2 -", "- -", KEEP, "2 -" },
    { "0 -", "- 3", KEEP, "0 -" },
    { "0 2", "0 -", KEEP, "0 2" },
    { "0 -", "- 2", SHOW, "0 2" },

    /* … but a flag that went when the token was used is. */
    { "1 -", "gone 3", CLOSE, "- -" },
    { "low -", "gone -", CLOSE, "- -" },
    { "0 2", "gone 2", UPDATE, "- 2" },
    { "- -", "gone gone", KEEP, "- -" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendNotifyTries told = both_from (rows[i].told);
    TokendNotifyTries now = both_from (rows[i].now);
    TokendNotifyTries then = both_from (rows[i].then_told ? rows[i].then_told : rows[i].now);
    TokendNotifyDecision decision = tokend_notify_decide (&told, &now);

    g_test_message ("%s, then %s", rows[i].told, rows[i].now);
    g_assert_cmpint (decision.act, ==, rows[i].act);
    for (guint role = 0; role < G_N_ELEMENTS (then.of); role++)
      assert_same (&decision.told.of[role], &then.of[role]);

    /* Whatever it was: the same once more is no news. */
    decision = tokend_notify_decide (&decision.told, &now);
    g_assert_cmpint (decision.act, ==, KEEP);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/notify/decision", test_decisions);
  return g_test_run ();
}
