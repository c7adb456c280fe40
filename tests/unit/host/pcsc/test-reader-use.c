/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What states of readers mean: when it is time to read the cards, and when to leave them alone. */
#include "reader-use.h"

#define ABSENT TOKEND_CARD_ABSENT
#define FREE TOKEND_CARD_FREE
#define SHARED TOKEND_CARD_SHARED
#define EXCLUSIVE TOKEND_CARD_EXCLUSIVE

#define OTHER TOKEND_CARD_IS_OTHER
#define TOKEN TOKEND_CARD_IS_TOKEN
#define UNREAD TOKEND_CARD_UNREAD
#define LEFT_ALONE TOKEND_CARD_LEFT_ALONE

#define NONE TOKEND_READER_NEWS_NONE
#define BEYOND TOKEND_READER_NEWS_BEYOND
#define READ TOKEND_READER_NEWS_READ

#define READ_AT (1000 * G_TIME_SPAN_SECOND)
#define SHORT (TOKEND_READER_PATIENCE - 1)
#define LONG TOKEND_READER_PATIENCE

/* After a read of a card that was put in for the first time; times are since that read. */
static const struct {
  const char *name;
  TokendCardKnowledge knowledge;
  TokendCardUse at_read;
  gint64 used_since; /* 0: it was not */
  gboolean is_ours;

  TokendCardUse use;
  guint insertions;
  gint64 time;
  TokendReaderNews news;
} rows[] = {
  { "idle", TOKEN, FREE, 0, FALSE, FREE, 1, SHORT, NONE },
  { "idle-for-long", TOKEN, FREE, 0, FALSE, FREE, 1, G_TIME_SPAN_DAY, NONE },
  { "empty", OTHER, ABSENT, 0, FALSE, ABSENT, 1, G_TIME_SPAN_DAY, NONE },

  { "put-in", OTHER, ABSENT, 0, FALSE, FREE, 2, 1, READ },
  { "put-in-and-used", OTHER, ABSENT, 0, FALSE, SHARED, 2, 1, READ },
  { "put-in-and-taken", OTHER, ABSENT, 0, FALSE, EXCLUSIVE, 2, 1, READ },
  { "pulled-out", TOKEN, FREE, 0, FALSE, ABSENT, 2, 1, READ },
  { "pulled-out-in-use", TOKEN, FREE, 1, FALSE, ABSENT, 2, 2, READ },
  { "pulled-out-while-ours", TOKEN, SHARED, 0, TRUE, ABSENT, 2, 1, READ },
  { "unknown-one-pulled-out", OTHER, FREE, 0, FALSE, ABSENT, 2, 1, READ },
  { "changed-for-another", TOKEN, FREE, 0, FALSE, FREE, 3, 1, READ },
  { "unknown-one-changed-for-another", OTHER, FREE, 0, FALSE, FREE, 3, 1, READ },
  { "changed-for-one-that-is-taken", TOKEN, FREE, 0, FALSE, EXCLUSIVE, 3, 1, READ },

  { "use-begins", TOKEN, FREE, 0, FALSE, SHARED, 1, LONG, NONE },
  { "use-begins-after-long", TOKEN, FREE, 0, FALSE, SHARED, 1, G_TIME_SPAN_DAY, NONE },
  { "use-goes-on", TOKEN, FREE, 1, FALSE, SHARED, 1, SHORT, NONE },
  { "use-goes-on-for-long", TOKEN, FREE, 1, FALSE, SHARED, 1, 1 + LONG, READ },
  { "use-went-on-through-the-read", TOKEN, SHARED, 0, FALSE, SHARED, 1, 1, NONE },
  { "use-ends", TOKEN, FREE, 1, FALSE, FREE, 1, 2, READ },
  { "use-ends-after-long", TOKEN, FREE, 1, FALSE, FREE, 1, G_TIME_SPAN_DAY, READ },
  { "unknown-one-in-use", OTHER, FREE, 0, FALSE, SHARED, 1, G_TIME_SPAN_DAY, NONE },
  { "unknown-one-used", OTHER, FREE, 1, FALSE, FREE, 1, 2, NONE },

  { "ours", TOKEN, SHARED, 0, TRUE, SHARED, 1, SHORT, NONE },
  { "ours-for-long", TOKEN, SHARED, 0, TRUE, SHARED, 1, LONG, READ },

  { "taken", TOKEN, FREE, 0, FALSE, EXCLUSIVE, 1, 1, BEYOND },
  { "taken-after-long", TOKEN, FREE, 0, FALSE, EXCLUSIVE, 1, G_TIME_SPAN_DAY, BEYOND },
  { "taken-after-use", TOKEN, FREE, 1, FALSE, EXCLUSIVE, 1, G_TIME_SPAN_DAY, BEYOND },
  { "unknown-one-taken", OTHER, FREE, 0, FALSE, EXCLUSIVE, 1, 1, NONE },

  { "unread", UNREAD, FREE, 0, FALSE, FREE, 1, SHORT, NONE },
  { "unread-for-long", UNREAD, FREE, 0, FALSE, FREE, 1, LONG, READ },
  { "unread-and-used", UNREAD, FREE, 1, FALSE, FREE, 1, 2, READ },
  { "unread-in-use", UNREAD, FREE, 0, FALSE, SHARED, 1, SHORT, NONE },
};

static void
test_evaluate (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);
  TokendReaderMemory memory = {
    .at_read = { rows[i].at_read, 1 },
    .knowledge = rows[i].knowledge,
    .read_at = READ_AT,
    .used_since = rows[i].used_since == 0 ? 0 : READ_AT + rows[i].used_since,
  };
  const TokendReaderState now = { rows[i].use, rows[i].insertions };

  g_assert_cmpint (tokend_reader_evaluate (&memory, &now, rows[i].is_ours, READ_AT + rows[i].time),
                   ==, rows[i].news);
}

static void
assert_evaluated (TokendReaderMemory *memory, TokendCardUse use, gint64 time, TokendReaderNews news)
{
  const TokendReaderState now = { use, memory->at_read.insertions };

  g_assert_cmpint (tokend_reader_evaluate (memory, &now, FALSE, READ_AT + time), ==, news);
}

/* A use is remembered from the first sight of it until it is read. */
static void
test_use (void)
{
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };

  assert_evaluated (&memory, SHARED, 10, NONE);
  assert_evaluated (&memory, SHARED, 10 + SHORT, NONE);
  assert_evaluated (&memory, SHARED, 10 + LONG, READ);
  assert_evaluated (&memory, FREE, 11 + LONG, READ);
  assert_evaluated (&memory, FREE, G_TIME_SPAN_DAY, READ);
}

/* A use that is noticed while nobody is told is told later: from the first sight of it, and whether the others only used the
 * card or had it for themselves. What we do ourselves is none. */
static void
test_use_that_is_noticed (void)
{
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };
  const TokendReaderState free = { FREE, 1 }, shared = { SHARED, 1 }, taken = { EXCLUSIVE, 1 };

  tokend_reader_notice (&memory, &free, FALSE, READ_AT + 1);
  tokend_reader_notice (&memory, &shared, TRUE, READ_AT + 2);
  assert_evaluated (&memory, FREE, 3, NONE);
  tokend_reader_notice (&memory, &shared, FALSE, READ_AT + 4);
  tokend_reader_notice (&memory, &shared, FALSE, READ_AT + 5);
  g_assert_cmpint (memory.used_since, ==, READ_AT + 4);
  assert_evaluated (&memory, FREE, 6, READ);

  memory.used_since = 0;
  tokend_reader_notice (&memory, &taken, FALSE, READ_AT + 7);
  assert_evaluated (&memory, EXCLUSIVE, 8, BEYOND);
  assert_evaluated (&memory, FREE, 9, READ);
}

/* That a program has a card for itself is said once each time; it is read once it has let go. */
static void
test_exclusive (void)
{
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };

  assert_evaluated (&memory, EXCLUSIVE, 1, BEYOND);
  assert_evaluated (&memory, EXCLUSIVE, G_TIME_SPAN_DAY, NONE);
  assert_evaluated (&memory, FREE, G_TIME_SPAN_DAY + 1, READ);
  assert_evaluated (&memory, EXCLUSIVE, G_TIME_SPAN_DAY + 2, BEYOND);
  assert_evaluated (&memory, SHARED, G_TIME_SPAN_DAY + 3, READ);
}

/* When a look counts as another one. */
static gint64
next_look (const TokendReaderMemory *memory)
{
  return memory->missed_at + TOKEND_READER_PATIENCE;
}

static void
assert_remembered_at (TokendReaderMemory *memory, gint64 time, TokendCardUse before,
                      guint insertions, TokendCardKnowledge found, TokendCardKnowledge knowledge)
{
  const TokendReaderState state = { before, insertions };

  *memory = tokend_reader_remember (memory, &state, FALSE, found, time);
  g_assert_cmpint (memory->knowledge, ==, knowledge);
  g_assert_cmpint (memory->at_read.use, ==, before);
  g_assert_cmpuint (memory->at_read.insertions, ==, insertions);
  g_assert_cmpint (memory->used_since, ==, before == SHARED || before == EXCLUSIVE ? time : 0);
}

static void
assert_remembered (TokendReaderMemory *memory, TokendCardUse before, guint insertions,
                   TokendCardKnowledge found, TokendCardKnowledge knowledge)
{
  assert_remembered_at (memory, next_look (memory), before, insertions, found, knowledge);
}

/* Who is connected while a card is read may do something once it was read, and leave before anybody looks. */
static void
test_use_through_a_read (void)
{
  const TokendReaderState shared = { SHARED, 1 }, free_again = { FREE, 1 };
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };

  memory = tokend_reader_remember (&memory, &shared, FALSE, TOKEN, READ_AT);
  assert_evaluated (&memory, SHARED, 1, NONE);
  assert_evaluated (&memory, SHARED, LONG, READ);
  assert_evaluated (&memory, FREE, 1, READ);
  memory = tokend_reader_remember (&memory, &free_again, FALSE, TOKEN, READ_AT + 2);
  assert_evaluated (&memory, FREE, G_TIME_SPAN_DAY, NONE);

  /* That it was ourselves is no news. */
  memory = tokend_reader_remember (&memory, &shared, TRUE, TOKEN, READ_AT + 3);
  assert_evaluated (&memory, FREE, G_TIME_SPAN_DAY, NONE);
}

/* A read that leaves a card alone learns nothing of it: neither that its token is gone, nor that it was asked since it was
 * used; and it is no look that was for nothing. */
static void
test_card_that_is_left_alone (void)
{
  const TokendReaderState shared = { SHARED, 1 }, free_again = { FREE, 1 }, another = { SHARED, 3 };
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN, .is_known = TRUE };

  memory = tokend_reader_remember (&memory, &shared, FALSE, LEFT_ALONE, READ_AT);
  g_assert_cmpint (memory.knowledge, ==, TOKEN);
  g_assert_cmpint (memory.used_since, ==, READ_AT);
  g_assert_cmpuint (memory.n_misses, ==, 0);
  memory = tokend_reader_remember (&memory, &free_again, FALSE, LEFT_ALONE, READ_AT + 1);
  g_assert_cmpint (memory.used_since, ==, READ_AT);
  assert_evaluated (&memory, FREE, 2, READ);

  /* Another one than was known there is read once it can be. */
  memory = tokend_reader_remember (&memory, &another, FALSE, LEFT_ALONE, READ_AT + 2);
  g_assert_cmpint (memory.knowledge, ==, UNREAD);
  g_assert_false (memory.is_known);
  assert_evaluated (&memory, SHARED, 3, NONE);
  assert_evaluated (&memory, SHARED, 2 + LONG, READ);
  assert_evaluated (&memory, FREE, 3, READ);

  memory = tokend_reader_remember (NULL, &shared, FALSE, LEFT_ALONE, READ_AT);
  g_assert_cmpint (memory.knowledge, ==, UNREAD);
}

/* A card that is no token is looked into three times, and then no more as long as it is there. */
static void
test_unknown_card (void)
{
  TokendReaderMemory memory = { 0 };

  assert_remembered (&memory, FREE, 1, OTHER, UNREAD);
  assert_remembered (&memory, FREE, 1, OTHER, UNREAD);
  assert_remembered (&memory, FREE, 1, OTHER, OTHER);
  assert_remembered (&memory, SHARED, 1, OTHER, OTHER);
  assert_remembered (&memory, EXCLUSIVE, 1, OTHER, OTHER);
  assert_remembered (&memory, FREE, 3, OTHER, UNREAD);
  assert_remembered (&memory, ABSENT, 4, OTHER, OTHER);
  assert_remembered (&memory, FREE, 5, TOKEN, TOKEN);
}

/* One that was a token is one still, whatever disturbs it. */
static void
test_known_card (void)
{
  TokendReaderMemory memory = { 0 };

  assert_remembered (&memory, FREE, 1, TOKEN, TOKEN);
  memory.used_since = 1;
  assert_remembered (&memory, SHARED, 1, OTHER, UNREAD);
  assert_remembered (&memory, SHARED, 1, OTHER, UNREAD);
  assert_remembered (&memory, SHARED, 1, OTHER, TOKEN);
  assert_remembered (&memory, FREE, 1, TOKEN, TOKEN);
  assert_remembered (&memory, EXCLUSIVE, 1, UNREAD, UNREAD);
  g_assert_true (memory.told_beyond);
  assert_remembered (&memory, FREE, 1, UNREAD, UNREAD);
  g_assert_false (memory.told_beyond);
  assert_remembered (&memory, ABSENT, 2, OTHER, OTHER);
}

static void
assert_disturbed (const TokendReaderMemory *memory, TokendCardUse before, guint insertions,
                  gboolean is_disturbed)
{
  const TokendReaderState state = { before, insertions };

  g_assert_cmpint (
      tokend_reader_is_disturbed (memory, &state, memory != NULL ? next_look (memory) : 0), ==,
      is_disturbed);
}

/* What was in a card is there still if it cannot be read now, as long as it is going to be looked into again. */
static void
test_disturbed_card (void)
{
  TokendReaderMemory memory = { 0 };

  assert_disturbed (NULL, FREE, 1, FALSE);
  assert_remembered (&memory, FREE, 1, OTHER, UNREAD);
  assert_disturbed (&memory, FREE, 1, FALSE);
  assert_remembered (&memory, FREE, 1, TOKEN, TOKEN);
  assert_disturbed (&memory, FREE, 3, FALSE);
  assert_disturbed (&memory, ABSENT, 2, FALSE);
  for (guint i = 1; i < TOKEND_READER_LOOKS_MAX; i++) {
    assert_disturbed (&memory, SHARED, 1, TRUE);
    assert_remembered (&memory, SHARED, 1, OTHER, UNREAD);
  }
  assert_disturbed (&memory, SHARED, 1, FALSE);
  assert_remembered (&memory, SHARED, 1, OTHER, TOKEN);
  assert_disturbed (&memory, SHARED, 1, FALSE);
}

/* One whose token was given up is looked into ever more seldom, and without end; one that never had any is not. */
static void
test_card_that_was_given_up (void)
{
  static const gint64 seconds[] = { 10, 20, 40, 60, 60 };
  TokendReaderMemory known = { 0 }, unknown = { 0 };

  assert_remembered_at (&known, READ_AT, FREE, 1, TOKEN, TOKEN);
  for (guint i = 0; i < TOKEND_READER_LOOKS_MAX; i++) {
    assert_remembered_at (&known, READ_AT + i * LONG, FREE, 1, OTHER,
                          i + 1 < TOKEND_READER_LOOKS_MAX ? UNREAD : TOKEN);
    assert_remembered_at (&unknown, READ_AT + i * LONG, FREE, 1, OTHER,
                          i + 1 < TOKEND_READER_LOOKS_MAX ? UNREAD : OTHER);
  }
  assert_evaluated (&unknown, FREE, G_TIME_SPAN_DAY, NONE);
  for (guint i = 0; i < G_N_ELEMENTS (seconds); i++) {
    const gint64 due = known.missed_at - READ_AT + seconds[i] * G_TIME_SPAN_SECOND;

    assert_evaluated (&known, FREE, due - 1, NONE);
    assert_evaluated (&known, FREE, due, READ);
    assert_remembered_at (&known, READ_AT + due, FREE, 1, OTHER, TOKEN);
  }
  assert_remembered (&known, FREE, 1, TOKEN, TOKEN);
  assert_evaluated (&known, FREE, G_TIME_SPAN_DAY, NONE);
}

/* The token of a card that a program has for itself is there still; that of the card before it is not. */
static void
test_taken_card (void)
{
  const TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };
  const TokendReaderState states[] = {
    { EXCLUSIVE, 1 }, { EXCLUSIVE, 3 }, { SHARED, 1 }, { ABSENT, 2 }
  };

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    g_assert_cmpint (tokend_reader_is_beyond (&memory, &states[i], FALSE), ==, i == 0);
  g_assert_false (tokend_reader_is_beyond (NULL, &states[0], FALSE));

  /* Nor is it gone where it was not looked into. */
  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    g_assert_cmpint (tokend_reader_is_beyond (&memory, &states[i], TRUE), ==, i == 0 || i == 2);
  g_assert_false (tokend_reader_is_beyond (NULL, &states[2], TRUE));
}

/* However many look at it at the same time: its token is not gone for that. */
static void
test_looks_at_the_same_time (void)
{
  const TokendReaderState state = { FREE, 1 };
  TokendReaderMemory memory = { 0 };

  assert_remembered_at (&memory, READ_AT, FREE, 1, TOKEN, TOKEN);
  for (gint64 i = 0; i < 2 * TOKEND_READER_LOOKS_MAX; i++)
    assert_remembered_at (&memory, READ_AT + i, FREE, 1, OTHER, UNREAD);
  g_assert_true (
      tokend_reader_is_disturbed (&memory, &state, READ_AT + TOKEND_READER_PATIENCE - 1));

  assert_remembered_at (&memory, READ_AT + TOKEND_READER_PATIENCE - 1, FREE, 1, OTHER, UNREAD);
  assert_remembered_at (&memory, READ_AT + TOKEND_READER_PATIENCE, FREE, 1, OTHER, UNREAD);
  assert_remembered_at (&memory, READ_AT + 2 * TOKEND_READER_PATIENCE - 1, FREE, 1, OTHER, UNREAD);
  assert_remembered_at (&memory, READ_AT + 2 * TOKEND_READER_PATIENCE, FREE, 1, OTHER, TOKEN);
}

/* One that is put in while a program waits to have it for itself is looked into once it can be. */
static void
test_card_that_is_taken_at_once (void)
{
  TokendReaderMemory memory = { 0 };

  for (guint i = 0; i < 2 * TOKEND_READER_LOOKS_MAX; i++)
    assert_remembered (&memory, EXCLUSIVE, 1, OTHER, UNREAD);
  assert_remembered (&memory, FREE, 1, TOKEN, TOKEN);
}

#define HOLD TOKEND_READER_HOLD_MIN

/* A read a row, one after the other; times are since the first. */
static const struct {
  gint64 time;
  gboolean is_ours;
  gboolean is_in_long_use;
  gint64 met_at; /* below 0: never */
  gboolean may_hold;
} reads[] = {
  /* Nobody else, or not for long */
  { 0, FALSE, FALSE, -1, FALSE },
  { 1, FALSE, FALSE, 1, FALSE },

  /* Others that only stay: ever longer */
  { 10, FALSE, TRUE, -1, TRUE },
  { 10 + HOLD - 1, TRUE, TRUE, -1, TRUE },
  { 10 + HOLD, TRUE, TRUE, -1, FALSE },
  { 10 + HOLD + LONG, FALSE, TRUE, -1, TRUE },
  { 10 + 3 * HOLD, TRUE, TRUE, -1, TRUE },
  { 10 + 3 * HOLD + LONG, TRUE, TRUE, -1, FALSE },

  /* Others again, after a while: as at first; as long as they are seen at work, and no longer than they were */
  { 10 * HOLD, FALSE, TRUE, 10 * HOLD, TRUE },
  { 11 * HOLD, TRUE, TRUE, 10 * HOLD + 5, TRUE },
  { 11 * HOLD + 4, TRUE, TRUE, 10 * HOLD + 5, TRUE },
  { 11 * HOLD + 4, TRUE, TRUE, 11 * HOLD + 4, TRUE },
  { 12 * HOLD + 3, TRUE, TRUE, 11 * HOLD + 4, TRUE },
  { 12 * HOLD + 4, TRUE, TRUE, 11 * HOLD + 4, FALSE },
};

/* How long cards in long use are held. */
static void
test_hold (void)
{
  TokendReaderHold hold = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (reads); i++) {
    const gint64 met_at = reads[i].met_at < 0 ? 0 : READ_AT + reads[i].met_at;

    g_test_message ("read %u", i);
    g_assert_cmpint (tokend_reader_may_hold (&hold, reads[i].is_ours, reads[i].is_in_long_use,
                                             met_at, READ_AT + reads[i].time),
                     ==, reads[i].may_hold);
  }
}

/* However long others stay, it is looked whether they do. */
static void
test_longest_hold (void)
{
  TokendReaderHold hold = { 0 };
  gint64 time = READ_AT;

  for (guint i = 0; i < 20; i++) {
    g_assert_true (tokend_reader_may_hold (&hold, FALSE, TRUE, 0, time));
    g_assert_cmpint (hold.until - time, <=, TOKEND_READER_HOLD_MAX);
    time = hold.until;
    g_assert_false (tokend_reader_may_hold (&hold, TRUE, TRUE, 0, time));
  }
  g_assert_cmpint (hold.length, ==, TOKEND_READER_HOLD_MAX);
}

/* A card that was never looked into; not one that is known, or was found to be no token, be it taken later. */
static void
test_hidden_card (void)
{
  static const struct {
    const char *what;
    TokendCardUse first_use;
    TokendCardKnowledge first;
    TokendCardUse use;
    TokendCardKnowledge found;
    gboolean is_hidden_first, is_hidden;
  } hidden[] = {
    { "empty", ABSENT, OTHER, ABSENT, OTHER, FALSE, FALSE },
    { "taken", EXCLUSIVE, OTHER, EXCLUSIVE, OTHER, TRUE, TRUE },
    { "a transaction", SHARED, LEFT_ALONE, SHARED, LEFT_ALONE, TRUE, TRUE },
    { "let go of", EXCLUSIVE, LEFT_ALONE, FREE, TOKEN, TRUE, FALSE },
    { "let go of, and no token", SHARED, LEFT_ALONE, FREE, OTHER, TRUE, FALSE },
    { "let go of, and left alone", EXCLUSIVE, LEFT_ALONE, FREE, LEFT_ALONE, TRUE, TRUE },
    { "a token that is taken", FREE, TOKEN, EXCLUSIVE, OTHER, FALSE, FALSE },
    { "a token in use", FREE, TOKEN, SHARED, LEFT_ALONE, FALSE, FALSE },
    { "no token", FREE, OTHER, EXCLUSIVE, OTHER, FALSE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (hidden); i++) {
    const TokendReaderState before = { hidden[i].first_use, 1 };
    const TokendReaderState now = { hidden[i].use, 1 };
    TokendReaderMemory memory =
        tokend_reader_remember (NULL, &before, FALSE, hidden[i].first, READ_AT);

    g_test_message ("%s", hidden[i].what);
    g_assert_cmpint (tokend_reader_is_hidden (&memory), ==, hidden[i].is_hidden_first);
    memory = tokend_reader_remember (&memory, &now, FALSE, hidden[i].found, READ_AT + LONG);
    g_assert_cmpint (tokend_reader_is_hidden (&memory), ==, hidden[i].is_hidden);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strconcat ("/reader-use/judge/", rows[i].name, NULL);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_evaluate);
  }
  g_test_add_func ("/reader-use/use", test_use);
  g_test_add_func ("/reader-use/noticed", test_use_that_is_noticed);
  g_test_add_func ("/reader-use/exclusive", test_exclusive);
  g_test_add_func ("/reader-use/use-through-a-read", test_use_through_a_read);
  g_test_add_func ("/reader-use/card-that-is-left-alone", test_card_that_is_left_alone);
  g_test_add_func ("/reader-use/unknown-card", test_unknown_card);
  g_test_add_func ("/reader-use/known-card", test_known_card);
  g_test_add_func ("/reader-use/disturbed-card", test_disturbed_card);
  g_test_add_func ("/reader-use/card-that-was-given-up", test_card_that_was_given_up);
  g_test_add_func ("/reader-use/taken-card", test_taken_card);
  g_test_add_func ("/reader-use/looks-at-the-same-time", test_looks_at_the_same_time);
  g_test_add_func ("/reader-use/card-that-is-taken-at-once", test_card_that_is_taken_at_once);
  g_test_add_func ("/reader-use/hidden-card", test_hidden_card);
  g_test_add_func ("/reader-use/hold", test_hold);
  g_test_add_func ("/reader-use/longest-hold", test_longest_hold);
  return g_test_run ();
}
