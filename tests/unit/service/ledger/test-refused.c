/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refused.h"

#include "deadline.h"
#include "targets.h"

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define LIMIT 64

static GBytes *
make_digest (guint number)
{
  guint8 digest[32] = { 0 };

  digest[0] = (guint8) number;
  digest[31] = (guint8) (number >> 8);
  return g_bytes_new (digest, sizeof digest);
}

static gboolean
contains (TokendRefused *refused, const char *card, TokendRole role, guint number)
{
  g_autoptr (TokendTarget) target = target_of (card);
  g_autoptr (GBytes) digest = make_digest (number);

  return tokend_refused_find (refused, target, role, digest) != 0;
}

static void
refuse (TokendRefused *refused, const char *card, TokendRole role, guint number)
{
  g_autoptr (TokendTarget) target = target_of (card);
  g_autoptr (GBytes) digest = make_digest (number);

  tokend_refused_add (refused, target, role, digest);
}

static void
forget (TokendRefused *refused, const char *card, TokendRole role)
{
  g_autoptr (TokendTarget) target = target_of (card);

  tokend_refused_forget (refused, target, role);
}

static void
observe (TokendRefused *refused, const char *card, TokendRole role, const char *module,
         const TokendCounter *shown)
{
  g_autoptr (TokendTarget) target = target_of (card);

  tokend_refused_observe (refused, target, role, module, shown);
}

static void
test_key (void)
{
  g_autoptr (TokendRefused) one = tokend_refused_new ();
  g_autoptr (TokendRefused) two = tokend_refused_new ();

  g_assert_cmpuint (g_bytes_get_size (tokend_refused_get_key (one)), ==, 32);
  g_assert_true (g_bytes_equal (tokend_refused_get_key (one), tokend_refused_get_key (one)));
  g_assert_false (g_bytes_equal (tokend_refused_get_key (one), tokend_refused_get_key (two)));
}

static void
test_apart (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 2));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1 + 256));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
  g_assert_false (contains (refused, OTHER_CARD, TOKEND_ROLE_PUK, 1));
}

static void
test_forget (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  refuse (refused, CARD, TOKEND_ROLE_PUK, 2);
  refuse (refused, CARD, TOKEND_ROLE_PIN, 1);
  refuse (refused, OTHER_CARD, TOKEND_ROLE_PUK, 1);
  forget (refused, CARD, TOKEND_ROLE_PUK);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 2));
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
  g_assert_true (contains (refused, OTHER_CARD, TOKEND_ROLE_PUK, 1));

  forget (refused, CARD, TOKEND_ROLE_PUK);
  forget (refused, "never seen", TOKEND_ROLE_PIN);
  refuse (refused, CARD, TOKEND_ROLE_PUK, 3);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 3));
}

/* The oldest goes first, a role's on a token at a time; the same twice takes one place. */
static void
test_limit (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PIN, 0);
  refuse (refused, OTHER_CARD, TOKEND_ROLE_PUK, 0);
  for (guint number = 0; number < LIMIT; number++) {
    refuse (refused, CARD, TOKEND_ROLE_PUK, number);
    refuse (refused, CARD, TOKEND_ROLE_PUK, number);
  }
  for (guint number = 0; number < LIMIT; number++)
    g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, number));

  refuse (refused, CARD, TOKEND_ROLE_PUK, LIMIT);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 0));
  for (guint number = 1; number <= LIMIT; number++)
    g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, number));
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 0));
  g_assert_true (contains (refused, OTHER_CARD, TOKEND_ROLE_PUK, 0));
}

/* One that is refused again is the newest again. */
static void
test_limit_of_one_refused_again (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  for (guint number = 0; number < LIMIT; number++)
    refuse (refused, CARD, TOKEND_ROLE_PIN, number);
  refuse (refused, CARD, TOKEND_ROLE_PIN, 0);
  refuse (refused, CARD, TOKEND_ROLE_PIN, LIMIT);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 0));
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
  for (guint number = 2; number <= LIMIT; number++)
    g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, number));
}

static void
show (TokendRefused *refused, const char *module, int remaining)
{
  const TokendCounter shown = { .state = remaining == 3 ? TOKEND_STATE_OK : TOKEND_STATE_LOW,
                                .remaining = remaining,
                                .maximum = 3 };

  observe (refused, CARD, TOKEND_ROLE_PUK, module, &shown);
}

/* Only a counter that rises after the refusal, seen through one module, tells of another program's
 * success. */
static void
test_rise (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  show (refused, "a", 3); /* before the refusal: of no use */
  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  show (refused, "a", 2);
  show (refused, "a", 2); /* the token was taken out and plugged in again */
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  show (refused, "b", 3); /* another module, which may be wrong about the token */
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  show (refused, "a", 1);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  show (refused, "a", 2);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
}

/* A second refusal begins anew: what was seen before it is not a level to rise from. */
static void
test_rise_after_another_refusal (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  show (refused, "a", 1);
  refuse (refused, CARD, TOKEND_ROLE_PUK, 2);
  show (refused, "a", 2);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 2));
}

static void
test_rise_without_numbers (void)
{
  static const TokendCounter low = { .state = TOKEND_STATE_LOW,
                                     .remaining = TOKEND_RETRIES_UNKNOWN };
  static const TokendCounter ok = { .state = TOKEND_STATE_OK, .remaining = TOKEND_RETRIES_UNKNOWN };
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PIN, 1);
  observe (refused, CARD, TOKEND_ROLE_PIN, "a", &tokend_counter_unknown);
  observe (refused, CARD, TOKEND_ROLE_PIN, "a", &ok);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
  observe (refused, CARD, TOKEND_ROLE_PIN, "a", &low);
  observe (refused, CARD, TOKEND_ROLE_PIN, "a", &ok);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
}

/* What the token shows by flags or a number since the refusal, and whether that is forgotten by
 * it. */
static void
test_rise_of_flags (void)
{
  static const TokendCounter ok = { TOKEND_STATE_OK, -1, -1, TOKEND_RETRIES_SOURCE_NONE, FALSE };
  static const TokendCounter no_flag = { TOKEND_STATE_UNKNOWN, -1, -1, TOKEND_RETRIES_SOURCE_NONE,
                                         FALSE };
  static const TokendCounter low = { TOKEND_STATE_LOW, -1, -1, TOKEND_RETRIES_SOURCE_NONE, FALSE };
  static const TokendCounter final = { TOKEND_STATE_FINAL_TRY, 1, -1, TOKEND_RETRIES_SOURCE_FLAGS,
                                       FALSE };
  static const TokendCounter locked = { TOKEND_STATE_LOCKED, 0, -1, TOKEND_RETRIES_SOURCE_FLAGS,
                                        FALSE };
  /* The token's number is left out, since its flag contradicts it. */
  static const TokendCounter contradictory = { TOKEND_STATE_LOCKED, -1, 3,
                                               TOKEND_RETRIES_SOURCE_NONE, FALSE };
  static const TokendCounter not_set = { TOKEND_STATE_UNINITIALIZED, -1, -1,
                                         TOKEND_RETRIES_SOURCE_NONE, FALSE };
  static const TokendCounter number_1 = { TOKEND_STATE_FINAL_TRY, 1, 3, TOKEND_RETRIES_SOURCE_TOKEN,
                                          FALSE };
  static const TokendCounter number_0 = { TOKEND_STATE_LOCKED, 0, 3, TOKEND_RETRIES_SOURCE_TOKEN,
                                          FALSE };
  static const TokendCounter number_3 = { TOKEND_STATE_OK, 3, 3, TOKEND_RETRIES_SOURCE_TOKEN,
                                          FALSE };
  static const struct {
    const char *what;
    const TokendCounter *before, *after;
    gboolean is_forgotten;
  } rows[] = {
    { "final, none", &final, &ok, TRUE },
    { "final, none, where that means nothing", &final, &no_flag, TRUE },
    { "final, low", &final, &low, TRUE },
    { "final, final", &final, &final, FALSE },
    { "final, locked", &final, &locked, FALSE },
    { "locked, none", &locked, &ok, TRUE },
    { "locked, none, where that means nothing", &locked, &no_flag, TRUE },
    { "locked, low", &locked, &low, TRUE },
    { "locked, final", &locked, &final, TRUE },
    { "locked, locked", &locked, &locked, FALSE },
    { "low, none", &low, &ok, TRUE },
    { "low, none, where that means nothing", &low, &no_flag, FALSE },
    { "low, low", &low, &low, FALSE },
    { "none, none", &ok, &ok, FALSE },
    { "none, final", &ok, &final, FALSE },
    { "nothing, none", &no_flag, &ok, FALSE },
    { "none, nothing", &ok, &no_flag, FALSE },
    { "an inconsistency, none", &contradictory, &ok, TRUE },
    { "an inconsistency, the same", &contradictory, &contradictory, FALSE },
    { "an inconsistency, all of them", &contradictory, &number_3, FALSE },
    { "one, no number", &number_1, &ok, FALSE },
    { "one, no number, where no flag means nothing", &number_1, &no_flag, FALSE },
    { "none left, no number", &number_0, &ok, FALSE },
    { "one, all of them", &number_1, &number_3, TRUE },
    { "one, none left", &number_1, &number_0, FALSE },
    { "final, all of them", &final, &number_3, TRUE },
    { "none, not set any more", &ok, &not_set, TRUE },
    { "locked, not set any more", &locked, &not_set, TRUE },
    { "not set, not set", &not_set, &not_set, FALSE },
    { "not set, none", &not_set, &ok, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendRefused) refused = tokend_refused_new ();

    g_test_message ("%s", rows[i].what);
    refuse (refused, CARD, TOKEND_ROLE_PIN, 1);
    observe (refused, CARD, TOKEND_ROLE_PIN, "a", rows[i].before);
    g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
    observe (refused, CARD, TOKEND_ROLE_PIN, "b", rows[i].after); /* another module tells nothing */
    g_assert_true (contains (refused, CARD, TOKEND_ROLE_PIN, 1));
    observe (refused, CARD, TOKEND_ROLE_PIN, "a", rows[i].after);
    g_assert_cmpint (contains (refused, CARD, TOKEND_ROLE_PIN, 1), !=, rows[i].is_forgotten);
  }
}

static gint64
find (TokendRefused *refused, const char *name, TokendRole role, guint number)
{
  g_autoptr (TokendTarget) target = target_of (name);
  g_autoptr (GBytes) digest = make_digest (number);

  return tokend_refused_find (refused, target, role, digest);
}

/* The last time counts, of each code for itself, at any target that may be the same. */
static void
test_time (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();
  const gint64 begun_at = g_get_real_time ();
  gint64 first, second;

  refuse (refused, "c/a", TOKEND_ROLE_PUK, 1);
  first = find (refused, "c/a", TOKEND_ROLE_PUK, 1);
  g_assert_cmpint (first, >=, begun_at);
  g_assert_cmpint (first, <=, g_get_real_time ());
  g_usleep (1000);
  refuse (refused, "c/a", TOKEND_ROLE_PUK, 2);
  g_assert_cmpint (find (refused, "c/a", TOKEND_ROLE_PUK, 1), ==, first);
  g_assert_cmpint (find (refused, "c/a", TOKEND_ROLE_PUK, 2), >, first);
  g_assert_cmpint (find (refused, "c/a", TOKEND_ROLE_PUK, 3), ==, 0);
  g_assert_cmpint (find (refused, "d/a", TOKEND_ROLE_PUK, 1), ==, 0);

  refuse (refused, "c/a", TOKEND_ROLE_PUK, 1);
  second = find (refused, "c/a", TOKEND_ROLE_PUK, 1);
  g_assert_cmpint (second, >, first);
  g_usleep (1000);
  refuse (refused, "c/b", TOKEND_ROLE_PUK, 1);
  g_assert_cmpint (find (refused, "c/a", TOKEND_ROLE_PUK, 1), >, second);
}

/* A number that comes or goes is not one that rises. */
static void
test_rise_with_a_number_now_and_then (void)
{
  static const TokendCounter low = { .state = TOKEND_STATE_LOW,
                                     .remaining = TOKEND_RETRIES_UNKNOWN };
  static const TokendCounter ok = { .state = TOKEND_STATE_OK, .remaining = TOKEND_RETRIES_UNKNOWN };
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  observe (refused, CARD, TOKEND_ROLE_PUK, "a", &low);
  show (refused, "a", 2);
  observe (refused, CARD, TOKEND_ROLE_PUK, "a", &low);
  show (refused, "a", 1);
  g_assert_true (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
  observe (refused, CARD, TOKEND_ROLE_PUK, "a", &ok);
  g_assert_false (contains (refused, CARD, TOKEND_ROLE_PUK, 1));
}

/* Of two labels of a card: what is refused at one, and forgotten at the other. */
static const struct {
  const char *what;
  const char *a; /* refused here */
  const char *b; /* asked for here, and forgotten; then asked for at both */
  TokendRole role;
  gboolean at_b, at_a_after, at_b_after;
} labels[] = {
  { "a PIN is its label's", "c/a", "c/b", TOKEND_ROLE_PIN, FALSE, TRUE, FALSE },
  { "a PUK may be the card's, or the label's", "c/a", "c/b", TOKEND_ROLE_PUK, TRUE, TRUE, TRUE },
  { "a shared PIN", "c=a", "c=b", TOKEND_ROLE_PIN, TRUE, FALSE, FALSE },
  { "a shared PUK", "c=a", "c=b", TOKEND_ROLE_PUK, TRUE, FALSE, FALSE },
  { "another card", "c=a", "d=a", TOKEND_ROLE_PUK, FALSE, TRUE, FALSE },
};

static void
test_labels (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (labels); i++) {
    g_autoptr (TokendRefused) refused = tokend_refused_new ();

    g_test_message ("%s", labels[i].what);
    refuse (refused, labels[i].a, labels[i].role, 1);
    g_assert_cmpint (contains (refused, labels[i].b, labels[i].role, 1), ==, labels[i].at_b);
    forget (refused, labels[i].b, labels[i].role);
    g_assert_cmpint (contains (refused, labels[i].a, labels[i].role, 1), ==, labels[i].at_a_after);
    g_assert_cmpint (contains (refused, labels[i].b, labels[i].role, 1), ==, labels[i].at_b_after);
  }
}

/* A counter that rises is that of all labels which share it, and of no other. */
static void
test_rise_of_labels (void)
{
  static const TokendCounter low = { .state = TOKEND_STATE_LOW, .remaining = 1, .maximum = 3 };
  static const TokendCounter ok = { .state = TOKEND_STATE_OK, .remaining = 3, .maximum = 3 };
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, "c/a", TOKEND_ROLE_PIN, 1);
  refuse (refused, "c/b", TOKEND_ROLE_PIN, 2);
  observe (refused, "c/b", TOKEND_ROLE_PIN, "a", &low);
  observe (refused, "c/b", TOKEND_ROLE_PIN, "a", &ok);
  g_assert_true (contains (refused, "c/a", TOKEND_ROLE_PIN, 1));
  g_assert_false (contains (refused, "c/b", TOKEND_ROLE_PIN, 2));

  refuse (refused, "c=b", TOKEND_ROLE_PIN, 2);
  observe (refused, "c=a", TOKEND_ROLE_PIN, "a", &low);
  observe (refused, "c=b", TOKEND_ROLE_PIN, "a", &ok);
  g_assert_false (contains (refused, "c=a", TOKEND_ROLE_PIN, 1));
  g_assert_false (contains (refused, "c=b", TOKEND_ROLE_PIN, 2));
}

/* As long as there is a code that could be sent again, the service stays. */
/* A token that is shown by two names: what one refuses is refused at the other, also when they are
 * not shown as one any more; what one accepts settles nothing of what the other has refused. */
static void
test_related (void)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autoptr (TokendRefused) refused = tokend_refused_new ();

    refuse (refused, "A/l&B/l", role, 1);
    g_assert_true (contains (refused, "B/l", role, 1));
    g_assert_false (contains (refused, "C/l", role, 1));
    forget (refused, "B/l&A/l", role);
    g_assert_true (contains (refused, "A/l", role, 1));
    g_assert_true (contains (refused, "A/l&B/l", role, 1));
    /* The PIN at B may be that one now. A PUK is not set. */
    g_assert_cmpint (contains (refused, "B/l&A/l", role, 1), ==, role == TOKEND_ROLE_PUK);
    forget (refused, "A/l&B/l", role);
    g_assert_false (contains (refused, "A/l", role, 1));
    g_assert_false (contains (refused, "B/l&A/l", role, 1));
  }
}

/* What was refused before the one accepted a PIN counts there no more, whatever the other refuses
 * later. */
static void
test_refused_after_right (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, "A/l&B/l", TOKEND_ROLE_PIN, 1);
  refuse (refused, "A/l&B/l", TOKEND_ROLE_PIN, 2);
  forget (refused, "B/l&A/l", TOKEND_ROLE_PIN);
  /* Also where they are not known to be one any more. */
  refuse (refused, "A/l", TOKEND_ROLE_PIN, 3);
  g_assert_true (contains (refused, "B/l", TOKEND_ROLE_PIN, 3));
  refuse (refused, "A/l&B/l", TOKEND_ROLE_PIN, 2);
  for (guint number = 1; number <= 3; number++) {
    g_assert_true (contains (refused, "A/l", TOKEND_ROLE_PIN, number));
    g_assert_cmpint (contains (refused, "B/l&A/l", TOKEND_ROLE_PIN, number), ==, number > 1);
  }
  forget (refused, "B/l&A/l", TOKEND_ROLE_PIN);
  for (guint number = 1; number <= 3; number++)
    g_assert_false (contains (refused, "B/l&A/l", TOKEND_ROLE_PIN, number));
}

/* Both are found to be one after the refusal. */
static void
test_related_later (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();
  g_autoptr (TokendTarget) other = target_of ("B/l&A/l");

  refuse (refused, "A/l", TOKEND_ROLE_PIN, 1);
  g_assert_false (contains (refused, "B/l", TOKEND_ROLE_PIN, 1));
  g_assert_true (contains (refused, "B/l&A/l", TOKEND_ROLE_PIN, 1));
  g_assert_false (contains (refused, "B/l", TOKEND_ROLE_PIN, 1));
  tokend_refused_spread (refused, other);
  g_assert_true (contains (refused, "B/l", TOKEND_ROLE_PIN, 1));
}

/* A counter of one that rises does not tell of the other. */
static void
test_rise_of_related (void)
{
  static const TokendCounter low = { .state = TOKEND_STATE_LOW, .remaining = 1, .maximum = 3 };
  static const TokendCounter full = { .state = TOKEND_STATE_OK, .remaining = 3, .maximum = 3 };
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  refuse (refused, "A/l&B/l", TOKEND_ROLE_PIN, 1);
  observe (refused, "B/l&A/l", TOKEND_ROLE_PIN, "b", &low);
  observe (refused, "B/l&A/l", TOKEND_ROLE_PIN, "b", &full);
  g_assert_true (contains (refused, "A/l&B/l", TOKEND_ROLE_PIN, 1));
  g_assert_true (contains (refused, "B/l&A/l", TOKEND_ROLE_PIN, 1));
}

static void
test_needed (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();

  g_assert_cmpint (tokend_refused_get_needed_until (refused), ==, 0);
  refuse (refused, CARD, TOKEND_ROLE_PUK, 1);
  g_assert_cmpint (tokend_refused_get_needed_until (refused), ==, G_MAXINT64);
  refuse (refused, CARD, TOKEND_ROLE_PIN, 1);
  refuse (refused, "C?1", TOKEND_ROLE_PIN, 1);
  forget (refused, CARD, TOKEND_ROLE_PUK);
  g_assert_cmpint (tokend_refused_get_needed_until (refused), ==, G_MAXINT64);
  forget (refused, CARD, TOKEND_ROLE_PIN);
  g_assert_cmpint (tokend_refused_get_needed_until (refused), <, G_MAXINT64);
  forget (refused, "C?1", TOKEND_ROLE_PIN);
  g_assert_cmpint (tokend_refused_get_needed_until (refused), ==, 0);
}

/* A card without a serial number is never known to be the same once it was out: a day, from the
 * last refusal on. */
static void
test_needed_for_stay (void)
{
  g_autoptr (TokendRefused) refused = tokend_refused_new ();
  const gint64 day = 24 * G_TIME_SPAN_HOUR;
  const gint64 before = tokend_deadline_in (0);
  gint64 until, between;

  refuse (refused, "C?1", TOKEND_ROLE_PUK, 1);
  until = tokend_refused_get_needed_until (refused);
  between = tokend_deadline_in (0);
  g_assert_cmpint (until, >=, before + day);
  g_assert_cmpint (until, <=, between + day);
  while (tokend_deadline_in (0) <= between)
    ;
  refuse (refused, "C?1", TOKEND_ROLE_PUK, 1);
  g_assert_cmpint (tokend_refused_get_needed_until (refused), >, until);
  until = tokend_refused_get_needed_until (refused);
  refuse (refused, "C?2", TOKEND_ROLE_PUK, 1);
  g_assert_cmpint (tokend_refused_get_needed_until (refused), >=, until);
  forget (refused, "C?2", TOKEND_ROLE_PUK);
  g_assert_cmpint (tokend_refused_get_needed_until (refused), ==, until);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/refused/key", test_key);
  g_test_add_func ("/refused/apart", test_apart);
  g_test_add_func ("/refused/forget", test_forget);
  g_test_add_func ("/refused/rise", test_rise);
  g_test_add_func ("/refused/rise/after-another-refusal", test_rise_after_another_refusal);
  g_test_add_func ("/refused/rise/without-numbers", test_rise_without_numbers);
  g_test_add_func ("/refused/rise/with-a-number-now-and-then",
                   test_rise_with_a_number_now_and_then);
  g_test_add_func ("/refused/rise/of-flags", test_rise_of_flags);
  g_test_add_func ("/refused/time", test_time);
  g_test_add_func ("/refused/limit", test_limit);
  g_test_add_func ("/refused/limit/refused-again", test_limit_of_one_refused_again);
  g_test_add_func ("/refused/related", test_related);
  g_test_add_func ("/refused/refused-after-right", test_refused_after_right);
  g_test_add_func ("/refused/related-later", test_related_later);
  g_test_add_func ("/refused/rise-of-related", test_rise_of_related);
  g_test_add_func ("/refused/needed", test_needed);
  g_test_add_func ("/refused/needed/for-stay", test_needed_for_stay);
  g_test_add_func ("/refused/labels", test_labels);
  g_test_add_func ("/refused/labels/rise", test_rise_of_labels);
  return g_test_run ();
}
