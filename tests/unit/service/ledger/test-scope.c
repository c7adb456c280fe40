/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope-private.h"
#include "journal-spy.h"
#include "targets.h"

static const TokendRole PIN = TOKEND_ROLE_PIN;
static const TokendRole PUK = TOKEND_ROLE_PUK;

/* Names as of target_of(): recorded at one while the other was related to it, or not; and whether
 * it then counts there. */
static const struct {
  const char *at, *other;
  gboolean were_related;
  gboolean pin_counts, puk_counts;
} rows[] = {
  { "A/l", "A/l", FALSE, TRUE, TRUE },   { "A/l", "A/m", FALSE, FALSE, TRUE },
  { "A/l", "B/l", FALSE, FALSE, FALSE }, { "A/l", "B/l", TRUE, TRUE, TRUE },
  { "A/l", "B~l", TRUE, TRUE, TRUE },
};

/* After that none of them is related to any other any more. */
static void
test_counts (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *related = g_strdup_printf ("%s&%s", rows[i].at, rows[i].other);
    g_autoptr (TokendTarget) target = target_of (rows[i].were_related ? related : rows[i].at);
    g_autoptr (TokendTarget) other = target_of (rows[i].other);
    TokendScope scope = { 0 };

    g_test_message ("%s and %s", rows[i].at, rows[i].other);
    tokend_scope_begin (&scope, target);
    g_assert_cmpint (tokend_scope_counts_at (&scope, target->id, other, PIN), ==,
                     rows[i].pin_counts);
    g_assert_cmpint (tokend_scope_counts_at (&scope, target->id, other, PUK), ==,
                     rows[i].puk_counts);
    tokend_scope_clear (&scope);
  }
}

/* Both are found to be one after it was recorded. */
static void
test_spread (void)
{
  g_autoptr (TokendTarget) alone = target_of ("B/l");
  g_autoptr (TokendTarget) related = target_of ("B/l&A/l");
  g_autoptr (TokendTarget) label = target_of ("A/m&A/l");
  TokendScope scope = { 0 };

  g_assert_false (tokend_scope_spread (&scope, "A/l", alone, PIN));
  g_assert_false (tokend_scope_counts_at (&scope, "A/l", alone, PIN));
  g_assert_true (tokend_scope_spread (&scope, "A/l", related, PIN));
  g_assert_true (tokend_scope_counts_at (&scope, "A/l", alone, PIN));
  /* What is known is no news. */
  g_assert_false (tokend_scope_spread (&scope, "A/l", related, PIN));
  /* A card's labels are told by their names. */
  g_assert_false (tokend_scope_spread (&scope, "A/l", label, PUK));
  tokend_scope_clear (&scope);
}

/* A module that tells of no serial number shows one card after another, which another module tells
 * apart. */
static void
test_chain (void)
{
  static const struct {
    const char *target;
    gboolean counts;
  } chain[] = {
    { "A/l", TRUE },      { "A/l&B?2", TRUE }, { "B?1", TRUE },
    { "B?2", TRUE },      { "C/l&B?1", TRUE }, /* in that stay it is the same card */
    { "C/l&B?2", FALSE }, { "C/l", FALSE },    { "C?1&B?2", TRUE },
  };
  g_autoptr (TokendTarget) a = target_of ("A/l&B?1");
  g_autoptr (TokendTarget) later = target_of ("B?2");

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++)
    for (gsize i = 0; i < G_N_ELEMENTS (chain); i++) {
      g_autoptr (TokendTarget) target = target_of (chain[i].target);
      TokendScope scope = { 0 };

      g_test_message ("%s", chain[i].target);
      tokend_scope_begin (&scope, a);
      /* By its name alone, which is no news of the other ones. */
      g_assert_false (tokend_scope_spread (&scope, "A/l", later, role));
      g_assert_cmpint (tokend_scope_counts_at (&scope, "A/l", target, role), ==, chain[i].counts);
      if (!chain[i].counts)
        g_assert_false (tokend_scope_spread (&scope, "A/l", target, role));
      tokend_scope_clear (&scope);
    }
}

/* A card was put where the other one was, which a module shows still: what is recorded of the two
 * counts meanwhile. */
static void
test_doubtful (void)
{
  g_autoptr (TokendTarget) alone = target_of ("B/l");
  g_autoptr (TokendTarget) doubtful = target_of ("B/l!A/l");
  TokendScope scope = { 0 };

  g_assert_true (tokend_scope_counts_at (&scope, "A/l", doubtful, PIN));
  g_assert_false (tokend_scope_spread (&scope, "A/l", doubtful, PIN));
  g_assert_false (tokend_scope_counts_at (&scope, "A/l", alone, PIN));
  tokend_scope_begin (&scope, doubtful);
  g_assert_null (scope.also_at);
  tokend_scope_clear (&scope);
}

/* What is right at one target settles nothing of what is recorded of the other, at any third, nor
 * what comes later. */
static void
test_right (void)
{
  g_autoptr (TokendTarget) a = target_of ("A/l&B/l");
  g_autoptr (TokendTarget) b = target_of ("B/l");
  g_autoptr (TokendTarget) c = target_of ("C/l&A/l");
  TokendScope scope = { 0 };

  tokend_scope_begin (&scope, a);
  g_assert_true (tokend_scope_spread (&scope, "A/l", c, PIN));
  tokend_scope_note_right (&scope, "A/l", b, PIN);
  g_assert_false (tokend_scope_counts_at (&scope, "A/l", b, PIN));
  g_assert_true (tokend_scope_counts_at (&scope, "A/l", a, PIN));
  g_assert_true (tokend_scope_counts_at (&scope, "A/l", c, PIN));
  tokend_scope_begin (&scope, a);
  g_assert_true (tokend_scope_counts_at (&scope, "A/l", b, PIN));
  tokend_scope_clear (&scope);
}

/* Nobody knows of which card it was right. */
static void
test_right_without_serial (void)
{
  g_autoptr (TokendTarget) a = target_of ("A/l&B~l");
  g_autoptr (TokendTarget) b = target_of ("B~l");
  TokendScope scope = { 0 };

  tokend_scope_begin (&scope, a);
  tokend_scope_note_right (&scope, "A/l", b, PIN);
  tokend_scope_note_right (&scope, "A/l", b, PUK);
  g_assert_true (tokend_scope_counts_at (&scope, "A/l", b, PIN));
  g_assert_true (tokend_scope_counts_at (&scope, "A/l", b, PUK));
  tokend_scope_clear (&scope);
}

/* Of its own PUK a card may tell, whichever card it is; of a PIN that its labels share, it may be
 * another card's. */
static void
test_right_of_own_card (void)
{
  g_autoptr (TokendTarget) target = target_of ("A~l");
  g_autoptr (TokendTarget) other = target_of ("A~m");

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    TokendScope scope = { 0 };

    tokend_scope_begin (&scope, other);
    g_assert_true (tokend_scope_counts_at (&scope, other->id, target, role));
    tokend_scope_note_right (&scope, other->id, target, role);
    g_assert_cmpint (tokend_scope_counts_at (&scope, other->id, target, role), ==, role == PIN);
    tokend_scope_clear (&scope);
  }
}

/* What was recorded of another label of the card is recorded of this one instead. */
static void
test_take (void)
{
  g_autoptr (TokendTarget) m = target_of ("A/m&B/l");
  g_autoptr (TokendTarget) b = target_of ("B/l");
  TokendScope first = { 0 }, second = { 0 };

  tokend_scope_take (&first, &second);
  tokend_scope_begin (&second, m);
  tokend_scope_begin (&second, m);
  g_assert_cmpuint (g_strv_length (second.also_at), ==, 1);
  g_assert_false (tokend_scope_counts_at (&first, "A/l", b, PIN));
  tokend_scope_take (&first, &second);
  g_assert_true (tokend_scope_counts_at (&first, "A/l", b, PIN));
  tokend_scope_clear (&first);
  tokend_scope_clear (&second);
}

/* A hostile module makes up names. */
static void
test_limit (void)
{
  TokendScope scope = { 0 };
  guint n_new = 0;

  for (guint i = 0; i < 100; i++) {
    g_autofree char *name = g_strdup_printf ("B%u/l&A/l", i);
    g_autoptr (TokendTarget) target = target_of (name);

    if (tokend_scope_spread (&scope, "A/l", target, PIN))
      n_new++;
    if (i == 64)
      journal_spy_expect ("more than 64 names");
    else
      journal_spy_expect_nothing ();
  }
  g_assert_cmpuint (n_new, ==, 64);
  g_assert_cmpuint (g_strv_length (scope.also_at), ==, 64);
  tokend_scope_clear (&scope);
}

/* However often a card without a serial number is put in: that takes no other name's room, and its
 * name stays. */
static void
test_limit_of_stays (void)
{
  TokendScope scope = { 0 };
  g_autoptr (TokendTarget) b = target_of ("B?1&A/l");
  g_autoptr (TokendTarget) c = target_of ("C/l&A/l");
  g_autoptr (TokendTarget) d = target_of ("D/l&A/l");

  g_assert_true (tokend_scope_spread (&scope, "A/l", c, PIN));
  for (guint32 i = 0; i < 100; i++) {
    tokend_target_set_stay (b, i);
    g_assert_true (tokend_scope_spread (&scope, "A/l", b, PIN));
    g_assert_false (tokend_scope_spread (&scope, "A/l", b, PIN));
  }
  g_assert_cmpuint (g_strv_length (scope.also_at), ==, 64);
  g_assert_true (tokend_scope_spread (&scope, "A/l", d, PIN));
  g_assert_cmpuint (g_strv_length (scope.also_at), ==, 64);
  g_assert_true (g_strv_contains ((const char *const *) scope.also_at, b->id));
  g_assert_true (g_strv_contains ((const char *const *) scope.also_at, c->id));
  g_assert_true (g_strv_contains ((const char *const *) scope.also_at, d->id));
  journal_spy_expect_nothing ();
  tokend_scope_clear (&scope);
}

/* The first of two stays gives way, be they at the very start and beside each other. */
static void
test_limit_of_first_stays (void)
{
  TokendScope scope = { 0 };
  g_autoptr (TokendTarget) first = target_of ("B?1&A/l");
  g_autoptr (TokendTarget) second = target_of ("B?2&A/l");

  g_assert_true (tokend_scope_spread (&scope, "A/l", first, PIN));
  g_assert_true (tokend_scope_spread (&scope, "A/l", second, PIN));
  for (guint i = 0; i < 63; i++) {
    g_autofree char *name = g_strdup_printf ("C%u/l&A/l", i);
    g_autoptr (TokendTarget) target = target_of (name);

    g_assert_true (tokend_scope_spread (&scope, "A/l", target, PIN));
  }
  g_assert_cmpuint (g_strv_length (scope.also_at), ==, 64);
  g_assert_false (g_strv_contains ((const char *const *) scope.also_at, first->id));
  g_assert_true (g_strv_contains ((const char *const *) scope.also_at, second->id));
  journal_spy_expect_nothing ();
  tokend_scope_clear (&scope);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  journal_spy_install ();
  g_test_add_func ("/scope/counts", test_counts);
  g_test_add_func ("/scope/spread", test_spread);
  g_test_add_func ("/scope/chain", test_chain);
  g_test_add_func ("/scope/doubtful", test_doubtful);
  g_test_add_func ("/scope/right", test_right);
  g_test_add_func ("/scope/right-without-serial", test_right_without_serial);
  g_test_add_func ("/scope/right-of-own-card", test_right_of_own_card);
  g_test_add_func ("/scope/take", test_take);
  g_test_add_func ("/scope/limit-of-stays", test_limit_of_stays);
  g_test_add_func ("/scope/limit-of-stays/first", test_limit_of_first_stays);
  /* Last: the journal is told once. */
  g_test_add_func ("/scope/limit", test_limit);
  return g_test_run ();
}
