/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loss-log.h"

#include <string.h>

/*
 * A row is what two views, A and B, show of one token, as they are read: "A3 B3 A2!" is that A
 * shows three tries, then B, and then A two, which is told of. A "?" for a number: by this view
 * nothing is known, as after an operation of ours; of view C, which tells by its flags, "l" is LOW
 * and "o" is none.
 */
static const struct {
  const char *what;
  const char *snapshots;
} rows[] = {
  { "one view", "A3 A2! A2 A1! A0!" },
  { "nothing to compare with", "A2 A? A1 A0!" },
  { "two views", "A3 B3 A2! B2 A1! B1 A1 B1" },
  { "whoever is first", "A3 B3 B2! A2 A1! B1" },
  { "one of them is late", "A3 B3 A2! A1! B1" },
  { "one of them is late, and the other is read meanwhile", "A3 B3 A2! A2 B2" },
  { "one of them is late and sees each", "A3 B3 A2! A1! B2 B1" },
  { "one of them sees more", "A3 B3 A2! B1! A1" },
  { "its own view again, of what it has told", "A3 A2! A3 A2!" },
  { "risen, and lost again", "A3 B3 A2! B2 A3 B3 A2! B2" },
  { "risen, and lost again by the other", "A3 B3 A2! B2 A3 B3 B2! A2" },
  { "risen, and seen by the other alone", "A3 B3 A2! B2 B3 B2!" },
  { "risen by an operation of ours", "A3 B3 A2! B2 A? B? B3 B2!" },
  { "the other is late to see it rise", "A3 B3 A2! B2 A3 A2! B2" },
  { "the other has not seen it fall", "A3 B3 A2! B3 B2" },
  { "a view that comes", "A3 A2! B2 B1! A1" },
  { "a view that goes", "A3 B3 A2! B2 B1! B0!" },
  { "flags", "A3 Co A2! Cl A1! Cl" },
  { "flags first", "A3 Co Cl! A2 A1! Cl" },
};

static TokendCounter
make_counter (char shown)
{
  switch (shown) {
  case '?':
    return tokend_counter_unknown;
  case 'o':
    return (TokendCounter){ .state = TOKEND_STATE_OK, .remaining = TOKEND_RETRIES_UNKNOWN };
  case 'l':
    return (TokendCounter){ .state = TOKEND_STATE_LOW, .remaining = TOKEND_RETRIES_UNKNOWN };
  case '3':
    return (TokendCounter){ .state = TOKEND_STATE_OK, .remaining = 3 };
  case '2':
    return (TokendCounter){ .state = TOKEND_STATE_LOW, .remaining = 2 };
  case '1':
    return (TokendCounter){ .state = TOKEND_STATE_FINAL_TRY, .remaining = 1 };
  default:
    return (TokendCounter){ .state = TOKEND_STATE_LOCKED, .remaining = 0 };
  }
}

/* Returns: whether it was to be told; it then is. */
static gboolean
take (TokendLossLog *losses, const char *holder, TokendRole role, const char *view,
      const TokendCounter *before, const TokendCounter *now)
{
  if (!tokend_loss_log_observe (losses, holder, role, view, before, now))
    return FALSE;
  tokend_loss_log_add (losses, holder, role, view, now);
  return TRUE;
}

static void
test_row (gconstpointer data)
{
  g_autoptr (TokendLossLog) losses = tokend_loss_log_new ();
  g_auto (GStrv) snapshots = g_strsplit (data, " ", -1);
  TokendCounter before[3] = { tokend_counter_unknown, tokend_counter_unknown,
                              tokend_counter_unknown };

  for (guint i = 0; snapshots[i] != NULL; i++) {
    const char view[] = { snapshots[i][0], '\0' };
    const TokendCounter now = make_counter (snapshots[i][1]);
    TokendCounter *last = &before[view[0] - 'A'];

    g_test_message ("%s", snapshots[i]);
    g_assert_cmpint (take (losses, "0c7ad1", TOKEND_ROLE_PIN, view, last, &now), ==,
                     snapshots[i][2] == '!');
    *last = now;
  }
}

static gboolean
lose (TokendLossLog *losses, const char *holder, TokendRole role, const char *view)
{
  const TokendCounter before = make_counter ('3'), now = make_counter ('2');

  return take (losses, holder, role, view, &before, &now);
}

static void
test_apart (void)
{
  g_autoptr (TokendLossLog) losses = tokend_loss_log_new ();

  g_assert_true (lose (losses, "0c7ad1", TOKEND_ROLE_PIN, "a"));
  g_assert_true (lose (losses, "0c7ad1", TOKEND_ROLE_PUK, "b"));
  g_assert_true (lose (losses, "b4e011", TOKEND_ROLE_PIN, "b"));
  g_assert_false (lose (losses, "0c7ad1", TOKEND_ROLE_PIN, "b"));
}

/* What may not be told is still to be told, by whatever view. */
static void
test_kept (void)
{
  g_autoptr (TokendLossLog) losses = tokend_loss_log_new ();
  const TokendCounter three = make_counter ('3'), two = make_counter ('2'),
                      one = make_counter ('1');

  for (guint i = 0; i < 3; i++)
    g_assert_true (tokend_loss_log_observe (losses, "0c7ad1", TOKEND_ROLE_PIN, "a", &three, &two));
  g_assert_true (take (losses, "0c7ad1", TOKEND_ROLE_PIN, "b", &three, &two));
  g_assert_false (take (losses, "0c7ad1", TOKEND_ROLE_PIN, "a", &three, &two));
  /* The view that has shown it, and shows it again, has seen another. */
  g_assert_true (take (losses, "0c7ad1", TOKEND_ROLE_PIN, "b", &three, &two));
  g_assert_true (take (losses, "0c7ad1", TOKEND_ROLE_PIN, "a", &three, &one));
}

/* However many tokens a module makes up. */
static void
test_endless (void)
{
  g_autoptr (TokendLossLog) losses = tokend_loss_log_new ();

  for (guint i = 0; i < 10000; i++) {
    g_autofree char *holder = g_strdup_printf ("%u", i);

    g_assert_true (lose (losses, holder, TOKEND_ROLE_PIN, "a"));
    g_assert_false (lose (losses, holder, TOKEND_ROLE_PIN, "b"));
  }
  g_assert_true (lose (losses, "0", TOKEND_ROLE_PIN, "b"));
}

/* So many are remembered, and one more makes room for new ones. */
static void
test_most (void)
{
  g_autoptr (TokendLossLog) losses = tokend_loss_log_new ();

  for (guint i = 0; i < 256; i++) {
    g_autofree char *holder = g_strdup_printf ("%u", i);

    g_assert_true (lose (losses, holder, TOKEND_ROLE_PIN, "a"));
  }
  g_assert_false (lose (losses, "0", TOKEND_ROLE_PIN, "b"));
  g_assert_true (lose (losses, "one more", TOKEND_ROLE_PIN, "a"));
  g_assert_true (lose (losses, "0", TOKEND_ROLE_PIN, "b"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/loss-log/table/%s", rows[i].what);
    g_test_add_data_func (path, rows[i].snapshots, test_row);
  }
  g_test_add_func ("/loss-log/apart", test_apart);
  g_test_add_func ("/loss-log/kept", test_kept);
  g_test_add_func ("/loss-log/endless", test_endless);
  g_test_add_func ("/loss-log/most", test_most);
  return g_test_run ();
}
