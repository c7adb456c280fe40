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
  gboolean is_due;
} rows[] = {
  { "idle", TOKEN, FREE, 0, FALSE, FREE, 1, SHORT, FALSE },
  { "idle-for-long", TOKEN, FREE, 0, FALSE, FREE, 1, G_TIME_SPAN_DAY, FALSE },
  { "empty", OTHER, ABSENT, 0, FALSE, ABSENT, 1, G_TIME_SPAN_DAY, FALSE },

  { "put-in", OTHER, ABSENT, 0, FALSE, FREE, 2, 1, TRUE },
  { "put-in-and-used", OTHER, ABSENT, 0, FALSE, SHARED, 2, 1, TRUE },
  { "put-in-and-taken", OTHER, ABSENT, 0, FALSE, EXCLUSIVE, 2, 1, FALSE },
  { "pulled-out", TOKEN, FREE, 0, FALSE, ABSENT, 2, 1, FALSE },
  { "pulled-out-in-use", TOKEN, FREE, 1, FALSE, ABSENT, 2, 2, FALSE },
  { "pulled-out-while-ours", TOKEN, SHARED, 0, TRUE, ABSENT, 2, 1, FALSE },
  { "unknown-one-pulled-out", OTHER, FREE, 0, FALSE, ABSENT, 2, 1, FALSE },
  { "changed-for-another", TOKEN, FREE, 0, FALSE, FREE, 3, 1, TRUE },
  { "unknown-one-changed-for-another", OTHER, FREE, 0, FALSE, FREE, 3, 1, TRUE },
  { "changed-for-one-that-is-taken", TOKEN, FREE, 0, FALSE, EXCLUSIVE, 3, 1, FALSE },

  { "use-begins", TOKEN, FREE, 0, FALSE, SHARED, 1, LONG, FALSE },
  { "use-begins-after-long", TOKEN, FREE, 0, FALSE, SHARED, 1, G_TIME_SPAN_DAY, FALSE },
  { "use-goes-on", TOKEN, FREE, 1, FALSE, SHARED, 1, SHORT, FALSE },
  { "use-goes-on-for-long", TOKEN, FREE, 1, FALSE, SHARED, 1, 1 + LONG, TRUE },
  { "use-went-on-through-the-read", TOKEN, SHARED, 0, FALSE, SHARED, 1, 1, FALSE },
  { "use-ends", TOKEN, FREE, 1, FALSE, FREE, 1, 2, TRUE },
  { "use-ends-after-long", TOKEN, FREE, 1, FALSE, FREE, 1, G_TIME_SPAN_DAY, TRUE },
  { "unknown-one-in-use", OTHER, FREE, 0, FALSE, SHARED, 1, G_TIME_SPAN_DAY, FALSE },
  { "unknown-one-used", OTHER, FREE, 1, FALSE, FREE, 1, 2, FALSE },

  { "ours", TOKEN, SHARED, 0, TRUE, SHARED, 1, SHORT, FALSE },
  { "ours-for-long", TOKEN, SHARED, 0, TRUE, SHARED, 1, LONG, TRUE },

  { "taken", TOKEN, FREE, 0, FALSE, EXCLUSIVE, 1, 1, FALSE },
  { "taken-after-long", TOKEN, FREE, 0, FALSE, EXCLUSIVE, 1, G_TIME_SPAN_DAY, FALSE },
  { "taken-after-use", TOKEN, FREE, 1, FALSE, EXCLUSIVE, 1, G_TIME_SPAN_DAY, FALSE },
  { "unknown-one-taken", OTHER, FREE, 0, FALSE, EXCLUSIVE, 1, 1, FALSE },

  { "unread", UNREAD, FREE, 0, FALSE, FREE, 1, SHORT, FALSE },
  { "unread-for-long", UNREAD, FREE, 0, FALSE, FREE, 1, LONG, TRUE },
  { "unread-and-used", UNREAD, FREE, 1, FALSE, FREE, 1, 2, TRUE },
  { "unread-in-use", UNREAD, FREE, 0, FALSE, SHARED, 1, SHORT, FALSE },
};

static void
test_due (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);
  TokendReaderMemory memory = {
    .at_read = { rows[i].at_read, 1 },
    .knowledge = rows[i].knowledge,
    .read_at = READ_AT,
    .used_since = rows[i].used_since == 0 ? 0 : READ_AT + rows[i].used_since,
  };
  const TokendReaderState now = { rows[i].use, rows[i].insertions };

  g_assert_cmpint (tokend_reader_is_due (&memory, &now, rows[i].is_ours, READ_AT + rows[i].time),
                   ==, rows[i].is_due);
}

static void
assert_due (TokendReaderMemory *memory, TokendCardUse use, gint64 time, gboolean is_due)
{
  const TokendReaderState now = { use, memory->at_read.insertions };

  g_assert_cmpint (tokend_reader_is_due (memory, &now, FALSE, READ_AT + time), ==, is_due);
}

/* A use is remembered from the first sight of it until it is read. */
static void
test_use (void)
{
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };

  assert_due (&memory, SHARED, 10, FALSE);
  assert_due (&memory, SHARED, 10 + SHORT, FALSE);
  assert_due (&memory, SHARED, 10 + LONG, TRUE);
  assert_due (&memory, FREE, 11 + LONG, TRUE);
  assert_due (&memory, FREE, G_TIME_SPAN_DAY, TRUE);
}

/* What a program has for itself is read once it has let go. */
static void
test_exclusive (void)
{
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };

  assert_due (&memory, EXCLUSIVE, 1, FALSE);
  assert_due (&memory, EXCLUSIVE, G_TIME_SPAN_DAY, FALSE);
  assert_due (&memory, FREE, G_TIME_SPAN_DAY + 1, TRUE);
  assert_due (&memory, SHARED, G_TIME_SPAN_DAY + 2, TRUE);
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
  g_assert_cmpint (memory->used_since, ==, before == SHARED ? time : 0);
}

static void
assert_remembered (TokendReaderMemory *memory, TokendCardUse before, guint insertions,
                   TokendCardKnowledge found, TokendCardKnowledge knowledge)
{
  assert_remembered_at (memory, next_look (memory), before, insertions, found, knowledge);
}

/* Who is connected while a card is read may do something once it was read, and leave before anybody
 * looks. */
static void
test_use_through_a_read (void)
{
  const TokendReaderState shared = { SHARED, 1 }, free_again = { FREE, 1 };
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };

  memory = tokend_reader_remember (&memory, &shared, FALSE, TOKEN, READ_AT);
  assert_due (&memory, SHARED, 1, FALSE);
  assert_due (&memory, SHARED, LONG, TRUE);
  assert_due (&memory, FREE, 1, TRUE);
  memory = tokend_reader_remember (&memory, &free_again, FALSE, TOKEN, READ_AT + 2);
  assert_due (&memory, FREE, G_TIME_SPAN_DAY, FALSE);

  /* That it was ourselves is no use. */
  memory = tokend_reader_remember (&memory, &shared, TRUE, TOKEN, READ_AT + 3);
  assert_due (&memory, FREE, G_TIME_SPAN_DAY, FALSE);
}

/* A use that goes on while we hold the card cannot be seen to end: the card is read once more when
 * we have let go. */
static void
test_use_while_ours (void)
{
  const TokendReaderState shared = { SHARED, 1 };
  TokendReaderMemory memory = { .at_read = { FREE, 1 }, .knowledge = TOKEN };

  memory = tokend_reader_remember (&memory, &shared, FALSE, TOKEN, READ_AT);
  memory = tokend_reader_remember (&memory, &shared, TRUE, TOKEN, READ_AT + LONG);
  g_assert_cmpint (memory.used_since, ==, READ_AT);
  assert_due (&memory, FREE, LONG + 1, TRUE);
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
  assert_remembered (&memory, FREE, 3, OTHER, UNREAD);
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
  /* One that cannot be read is asked again, but not without end at this pace. */
  assert_remembered (&memory, FREE, 1, UNREAD, UNREAD);
  assert_remembered (&memory, FREE, 1, UNREAD, UNREAD);
  assert_remembered (&memory, FREE, 1, UNREAD, TOKEN);
}

/* One whose token was given up is looked into ever more seldom, and without end; one that never had
 * any is not. */
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
  assert_due (&unknown, FREE, G_TIME_SPAN_DAY, FALSE);
  for (guint i = 0; i < G_N_ELEMENTS (seconds); i++) {
    const gint64 due = known.missed_at - READ_AT + seconds[i] * G_TIME_SPAN_SECOND;

    assert_due (&known, FREE, due - 1, FALSE);
    assert_due (&known, FREE, due, TRUE);
    assert_remembered_at (&known, READ_AT + due, FREE, 1, OTHER, TOKEN);
  }
  assert_remembered (&known, FREE, 1, TOKEN, TOKEN);
  assert_due (&known, FREE, G_TIME_SPAN_DAY, FALSE);
}

/* However many look at it at the same time: its token is not gone for that. */
static void
test_looks_at_the_same_time (void)
{
  TokendReaderMemory memory = { 0 };

  assert_remembered_at (&memory, READ_AT, FREE, 1, TOKEN, TOKEN);
  for (gint64 i = 0; i < 2 * TOKEND_READER_LOOKS_MAX; i++)
    assert_remembered_at (&memory, READ_AT + i, FREE, 1, OTHER, UNREAD);
  assert_remembered_at (&memory, READ_AT + TOKEND_READER_PATIENCE - 1, FREE, 1, OTHER, UNREAD);
  assert_remembered_at (&memory, READ_AT + TOKEND_READER_PATIENCE, FREE, 1, OTHER, UNREAD);
  assert_remembered_at (&memory, READ_AT + 2 * TOKEND_READER_PATIENCE - 1, FREE, 1, OTHER, UNREAD);
  assert_remembered_at (&memory, READ_AT + 2 * TOKEND_READER_PATIENCE, FREE, 1, OTHER, TOKEN);
}

#define HOLD TOKEND_READER_HOLD_MIN

/* A read a row, one after the other; times are since the first. */
static const struct {
  gint64 time;
  gboolean is_ours;
  gboolean is_in_long_use;
  gboolean is_met;
  gboolean may_hold;
} reads[] = {
  /* Nobody else, or not for long */
  { 0, FALSE, FALSE, FALSE, FALSE },
  { 1, FALSE, FALSE, TRUE, FALSE },

  /* Others that only stay: ever longer */
  { 10, FALSE, TRUE, FALSE, TRUE },
  { 10 + HOLD - 1, TRUE, TRUE, FALSE, TRUE },
  { 10 + HOLD, TRUE, TRUE, FALSE, FALSE },
  { 10 + HOLD + LONG, FALSE, TRUE, FALSE, TRUE },
  { 10 + 3 * HOLD, TRUE, TRUE, FALSE, TRUE },
  { 10 + 3 * HOLD + LONG, TRUE, TRUE, FALSE, FALSE },

  /* Others again, after a while: as at first; as long as they are seen at work, and no longer than
   * they were */
  { 10 * HOLD, FALSE, TRUE, FALSE, TRUE },
  { 11 * HOLD - 5, TRUE, TRUE, TRUE, TRUE },
  { 12 * HOLD - 6, TRUE, TRUE, TRUE, TRUE },
  { 13 * HOLD - 7, TRUE, TRUE, FALSE, TRUE },
  { 13 * HOLD - 6, TRUE, TRUE, FALSE, FALSE },
};

/* How long cards in long use are held. */
static void
test_hold (void)
{
  TokendReaderHold hold = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (reads); i++) {
    g_test_message ("read %u", i);
    g_assert_cmpint (tokend_reader_may_hold (&hold, reads[i].is_ours, reads[i].is_in_long_use,
                                             reads[i].is_met, READ_AT + reads[i].time),
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
    g_assert_true (tokend_reader_may_hold (&hold, FALSE, TRUE, FALSE, time));
    g_assert_cmpint (hold.until - time, <=, TOKEND_READER_HOLD_MAX);
    time = hold.until;
    g_assert_false (tokend_reader_may_hold (&hold, TRUE, TRUE, FALSE, time));
  }
  g_assert_cmpint (hold.length, ==, TOKEND_READER_HOLD_MAX);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strconcat ("/reader-use/due/", rows[i].name, NULL);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_due);
  }
  g_test_add_func ("/reader-use/use", test_use);
  g_test_add_func ("/reader-use/exclusive", test_exclusive);
  g_test_add_func ("/reader-use/use-through-a-read", test_use_through_a_read);
  g_test_add_func ("/reader-use/use-while-ours", test_use_while_ours);
  g_test_add_func ("/reader-use/unknown-card", test_unknown_card);
  g_test_add_func ("/reader-use/known-card", test_known_card);
  g_test_add_func ("/reader-use/card-that-was-given-up", test_card_that_was_given_up);
  g_test_add_func ("/reader-use/looks-at-the-same-time", test_looks_at_the_same_time);
  g_test_add_func ("/reader-use/hold", test_hold);
  g_test_add_func ("/reader-use/longest-hold", test_longest_hold);
  return g_test_run ();
}
