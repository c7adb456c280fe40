/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which readers a read is about, and whether the module can go on with the cards that it holds. */
#include "reader-scope-private.h"

#define ABSENT TOKEND_CARD_ABSENT
#define FREE TOKEND_CARD_FREE
#define SHARED TOKEND_CARD_SHARED
#define EXCLUSIVE TOKEND_CARD_EXCLUSIVE

#define OTHER TOKEND_CARD_IS_OTHER
#define TOKEN TOKEND_CARD_IS_TOKEN
#define UNREAD TOKEND_CARD_UNREAD

#define AFRESH TOKEND_READER_ACCESS_AFRESH
#define KEPT TOKEND_READER_ACCESS_KEPT
#define NOTHING TOKEND_READER_ACCESS_NONE

#define ALL "AB"

#define TIME (1000 * G_TIME_SPAN_SECOND)

/* Two readers, A and B, that had a token each. */
typedef struct {
  const char *name;
  const char *held;
  const char *
      used; /* by others for long since they were read, which was long ago; the others were read just before */
  const char *missed;
  TokendReaderState states[2];
  TokendCardKnowledge knowledge[2];
  TokendReaderAccess access;
  const char *spared;
  const char *left_out; /* besides */
} Row;

/* A read that is about all readers */
static const Row for_all[] = {
  { "nothing-held", "", "", "", { { FREE, 1 }, { FREE, 1 } }, { TOKEN, TOKEN }, AFRESH, "", "" },
  { "nothing-there",
    "",
    "",
    "",
    { { ABSENT, 2 }, { ABSENT, 2 } },
    { TOKEN, TOKEN },
    AFRESH,
    "",
    "" },
  { "one-missed", "", "", "B", { { FREE, 1 }, { SHARED, 1 } }, { TOKEN, TOKEN }, AFRESH, "", "B" },
  { "all-missed",
    "",
    "",
    ALL,
    { { SHARED, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "",
    ALL },

  { "held", ALL, "", "", { { SHARED, 1 }, { SHARED, 1 } }, { TOKEN, TOKEN }, KEPT, "", "" },
  { "one-held", "A", "", "", { { SHARED, 1 }, { FREE, 1 } }, { TOKEN, TOKEN }, AFRESH, "", "" },
  { "other-missed",
    "A",
    "",
    "B",
    { { SHARED, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "",
    "B" },
  { "other-taken",
    "A",
    "",
    "",
    { { SHARED, 1 }, { EXCLUSIVE, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "",
    "" },
  { "pulled-out", ALL, "", "", { { SHARED, 1 }, { ABSENT, 2 } }, { TOKEN, TOKEN }, KEPT, "", "" },
  { "all-pulled-out",
    ALL,
    "",
    "",
    { { ABSENT, 2 }, { ABSENT, 2 } },
    { TOKEN, TOKEN },
    AFRESH,
    "",
    "" },
  { "changed", ALL, "", "", { { SHARED, 1 }, { FREE, 3 } }, { TOKEN, TOKEN }, AFRESH, "", "" },
  { "unread", ALL, "", "", { { SHARED, 1 }, { SHARED, 1 } }, { TOKEN, UNREAD }, AFRESH, "", "" },

  /* What is held cannot be let go of. */
  { "held-missed",
    ALL,
    "",
    "A",
    { { SHARED, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "",
    "A" },
  { "held-missed-alone",
    "A",
    "",
    "A",
    { { SHARED, 1 }, { FREE, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "",
    ALL },
  { "and-pulled-out",
    ALL,
    "",
    "A",
    { { SHARED, 1 }, { ABSENT, 2 } },
    { TOKEN, TOKEN },
    KEPT,
    "",
    "A" },
  { "and-changed", ALL, "", "A", { { SHARED, 1 }, { FREE, 3 } }, { TOKEN, TOKEN }, KEPT, "", ALL },
};

/* One that is about what there is news of */
static const Row for_news[] = {
  { "idle", "", "", "", { { FREE, 1 }, { FREE, 1 } }, { TOKEN, TOKEN }, NOTHING, ALL, "" },
  { "use-begun", "", "", "", { { SHARED, 1 }, { FREE, 1 } }, { TOKEN, TOKEN }, NOTHING, ALL, "" },
  { "use-ended", "", "A", "", { { FREE, 1 }, { FREE, 1 } }, { TOKEN, TOKEN }, AFRESH, "B", "" },
  { "both-used", "", ALL, "", { { FREE, 1 }, { FREE, 1 } }, { TOKEN, TOKEN }, AFRESH, "", "" },
  { "long-use", "", "B", "", { { FREE, 1 }, { SHARED, 1 } }, { TOKEN, TOKEN }, AFRESH, "A", "" },
  { "both-in-long-use",
    "",
    ALL,
    "",
    { { SHARED, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "",
    "" },
  { "unread", "", "A", "", { { FREE, 1 }, { FREE, 1 } }, { UNREAD, TOKEN }, AFRESH, "B", "" },
  { "unknown-used", "", "A", "", { { FREE, 1 }, { FREE, 1 } }, { OTHER, TOKEN }, NOTHING, ALL, "" },

  { "put-in", "", "", "", { { FREE, 3 }, { FREE, 1 } }, { TOKEN, TOKEN }, AFRESH, "B", "" },
  { "pulled-out", "", "", "", { { ABSENT, 2 }, { FREE, 1 } }, { TOKEN, TOKEN }, NOTHING, "B", "" },
  { "taken", "", "", "", { { EXCLUSIVE, 1 }, { FREE, 1 } }, { TOKEN, TOKEN }, NOTHING, "B", "" },
  { "missed", "", "B", "B", { { FREE, 1 }, { SHARED, 1 } }, { TOKEN, TOKEN }, NOTHING, "A", "B" },
  { "other-missed",
    "",
    "A",
    "B",
    { { FREE, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "B",
    "" },

  /* First what does not go on */
  { "use-ended-and-long-use",
    "",
    ALL,
    "",
    { { FREE, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "B",
    "" },
  { "put-in-and-long-use",
    "",
    "B",
    "",
    { { FREE, 3 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "B",
    "" },
  { "used-at-once",
    "",
    "B",
    "",
    { { SHARED, 3 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "B",
    "" },

  { "held", "B", "B", "", { { FREE, 1 }, { SHARED, 1 } }, { TOKEN, TOKEN }, KEPT, "A", "" },
  { "held-too-early",
    "B",
    "",
    "",
    { { FREE, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "A",
    "" },
  { "held-and-taken",
    "B",
    "B",
    "",
    { { EXCLUSIVE, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "",
    "" },
  { "held-and-pulled-out",
    "B",
    "",
    "",
    { { ABSENT, 2 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "",
    "" },
  { "one-of-the-held-pulled-out",
    ALL,
    "",
    "",
    { { ABSENT, 2 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "",
    "" },
  { "held-and-use-ended",
    "B",
    ALL,
    "",
    { { FREE, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "B",
    "" },
  { "held-and-put-in",
    "B",
    "",
    "",
    { { FREE, 3 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "B",
    "" },
  { "held-and-long-use",
    "B",
    "A",
    "",
    { { SHARED, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    AFRESH,
    "",
    "" },
  { "held-missed",
    "B",
    "B",
    "B",
    { { FREE, 1 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "A",
    "B" },
  { "held-missed-and-put-in",
    "B",
    "",
    "B",
    { { FREE, 3 }, { SHARED, 1 } },
    { TOKEN, TOKEN },
    KEPT,
    "B",
    "A" },
};

static GHashTable *
make_set (const char *letters)
{
  GHashTable *set = tokend_reader_set_new ();

  for (const char *letter = letters; *letter != '\0'; letter++)
    g_hash_table_add (set, g_strndup (letter, 1));
  return set;
}

typedef struct {
  GHashTable *states;
  GHashTable *memories;
  TokendReaderScope scope;
} Fixture;

static void
fixture_init (Fixture *self, const char *held)
{
  self->states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->memories = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->scope = (TokendReaderScope){ .states = self->states,
                                     .memories = self->memories,
                                     .held = make_set (held),
                                     .spared = make_set (""),
                                     .missed = make_set ("") };
}

static void
fixture_clear (Fixture *self)
{
  g_hash_table_unref (self->states);
  g_hash_table_unref (self->memories);
  g_hash_table_unref (self->scope.held);
  g_hash_table_unref (self->scope.spared);
  g_hash_table_unref (self->scope.missed);
}

static void
add_reader (Fixture *self, const char *name, TokendReaderState now, TokendCardKnowledge knowledge,
            gboolean is_used)
{
  const gint64 long_ago = TIME - TOKEND_READER_PATIENCE;
  const TokendReaderMemory memory = { .at_read = { FREE, 1 },
                                      .knowledge = knowledge,
                                      .read_at = is_used ? long_ago : TIME - 1,
                                      .used_since = is_used ? long_ago : 0 };

  g_hash_table_insert (self->states, g_strdup (name), g_memdup2 (&now, sizeof now));
  g_hash_table_insert (self->memories, g_strdup (name), g_memdup2 (&memory, sizeof memory));
}

static gboolean
has (const char *letters, const char *letter)
{
  return strstr (letters, letter) != NULL;
}

/* What the module then holds is what it was to look into. */
static void
assert_holds (const Fixture *self, const Row *row)
{
  gboolean is_idle = FALSE;

  for (guint i = 0; i < 2; i++) {
    const char *name = i == 0 ? "A" : "B";
    const TokendCardUse use = row->states[i].use;
    const gboolean is_looked_into = !has (row->spared, name) && !has (row->left_out, name);

    g_assert_cmpint (g_hash_table_contains (self->scope.held, name), ==,
                     is_looked_into && (use == FREE || use == SHARED));
    is_idle = is_idle || (is_looked_into && use == FREE);
  }
  g_assert_cmpint (tokend_reader_scope_has_idle (&self->scope), ==, is_idle);
}

static void
test_row (const Row *row, gboolean is_for_all)
{
  g_autoptr (GHashTable) missed = make_set (row->missed);
  g_autoptr (GHashTable) left_out = NULL;
  Fixture fixture;
  TokendReaderAccess access;

  fixture_init (&fixture, row->held);
  for (guint i = 0; i < 2; i++) {
    const char *name = i == 0 ? "A" : "B";

    add_reader (&fixture, name, row->states[i], row->knowledge[i], has (row->used, name));
  }
  tokend_reader_scope_choose (&fixture.scope, is_for_all, TIME);
  access = tokend_reader_scope_choose_access (&fixture.scope, missed);
  g_assert_cmpint (access, ==, row->access);
  left_out = tokend_reader_scope_list_left_out (&fixture.scope);
  for (guint i = 0; i < 2; i++) {
    const char *name = i == 0 ? "A" : "B";
    const gboolean is_left_out = has (row->spared, name) || has (row->left_out, name);

    g_assert_cmpint (g_hash_table_contains (fixture.scope.spared, name), ==,
                     has (row->spared, name));
    g_assert_cmpint (g_hash_table_contains (fixture.scope.missed, name), ==,
                     has (row->left_out, name));
    g_assert_cmpint (tokend_reader_scope_is_left_out (&fixture.scope, name), ==, is_left_out);
    g_assert_cmpint (g_hash_table_contains (left_out, name), ==, is_left_out);
  }
  if (access == AFRESH) {
    tokend_reader_scope_hold (&fixture.scope);
    assert_holds (&fixture, row);
  }
  fixture_clear (&fixture);
}

static void
test_for_all (gconstpointer row)
{
  test_row (row, TRUE);
}

static void
test_for_news (gconstpointer row)
{
  test_row (row, FALSE);
}

/* One that the module cannot be told to leave out, or not without another one that the read is about */
static void
test_names (void)
{
  static const char *const idle[] = { "Reader 0", "A \"reader\"", "A reader" };
  Fixture fixture;

  fixture_init (&fixture, "");
  add_reader (&fixture, "Reader 00", (TokendReaderState){ FREE, 1 }, TOKEN, TRUE);
  for (guint i = 0; i < G_N_ELEMENTS (idle); i++)
    add_reader (&fixture, idle[i], (TokendReaderState){ FREE, 1 }, TOKEN, FALSE);
  tokend_reader_scope_choose (&fixture.scope, FALSE, TIME);
  g_assert_cmpuint (g_hash_table_size (fixture.scope.spared), ==, 1);
  g_assert_true (g_hash_table_contains (fixture.scope.spared, "A reader"));
  fixture_clear (&fixture);
}

static void
set_state (Fixture *self, const char *name, TokendReaderState now)
{
  g_hash_table_insert (self->states, g_strdup (name), g_memdup2 (&now, sizeof now));
}

/* Of a reader that is new, what is in it is to be asked first, also if others use it at once; of an empty one, nothing. */
static void
test_reader_that_is_new (void)
{
  static const TokendCardUse uses[] = { FREE, SHARED, ABSENT };

  for (guint i = 0; i < G_N_ELEMENTS (uses); i++) {
    g_autoptr (GHashTable) none = make_set ("");
    Fixture fixture;

    fixture_init (&fixture, "");
    set_state (&fixture, "A", (TokendReaderState){ uses[i], 1 });
    add_reader (&fixture, "B", (TokendReaderState){ SHARED, 1 }, TOKEN, TRUE);
    g_assert_false (tokend_reader_scope_has_changed (&fixture.scope));
    tokend_reader_scope_choose (&fixture.scope, FALSE, TIME);
    g_assert_cmpint (tokend_reader_scope_choose_access (&fixture.scope, none), ==, AFRESH);
    g_assert_false (tokend_reader_scope_is_left_out (&fixture.scope, "A"));
    g_assert_cmpint (tokend_reader_scope_is_left_out (&fixture.scope, "B"), ==, uses[i] != ABSENT);
    fixture_clear (&fixture);
  }
}

/* Of one that has gone, nothing is to be asked. */
static void
test_reader_that_has_gone (void)
{
  g_autoptr (GHashTable) none = make_set ("");
  Fixture fixture;

  fixture_init (&fixture, "");
  add_reader (&fixture, "A", (TokendReaderState){ FREE, 1 }, TOKEN, FALSE);
  g_assert_false (tokend_reader_scope_has_changed (&fixture.scope));
  g_hash_table_remove (fixture.states, "A");
  g_assert_true (tokend_reader_scope_has_changed (&fixture.scope));
  tokend_reader_scope_choose (&fixture.scope, FALSE, TIME);
  g_assert_cmpint (tokend_reader_scope_choose_access (&fixture.scope, none), ==, NOTHING);
  fixture_clear (&fixture);
}

static void
add_rows (const char *prefix, const Row *rows, gsize count, GTestDataFunc test)
{
  for (gsize i = 0; i < count; i++) {
    g_autofree char *path = g_strconcat (prefix, rows[i].name, NULL);

    g_test_add_data_func (path, &rows[i], test);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_rows ("/reader-scope/for-all/", for_all, G_N_ELEMENTS (for_all), test_for_all);
  add_rows ("/reader-scope/for-news/", for_news, G_N_ELEMENTS (for_news), test_for_news);
  g_test_add_func ("/reader-scope/names", test_names);
  g_test_add_func ("/reader-scope/new", test_reader_that_is_new);
  g_test_add_func ("/reader-scope/gone", test_reader_that_has_gone);
  return g_test_run ();
}
