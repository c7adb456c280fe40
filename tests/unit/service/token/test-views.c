/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "targets.h"
#include "views.h"

#define VIEWS_MAX 5

/* A view as of tokend_views_relate(). */
typedef struct {
  guint module;
  const char *target; /* see target_of() */
  const char *reader;
  const char *certificate;
  const char *can;   /* "unlock", "set-pin"; NULL: nothing */
  TokendState shown; /* of both roles */
  gint64 since, at;  /* seen in the reader; 0, 0: always */
} ViewRow;

/* What is expected of each: which view stands for its card and for its PIN, "+" if it is preferred,
 * and to which others it is related, with "?" to those that only may be the same token, and with
 * "!" to those that may have left the reader before. */
static const struct {
  const char *what;
  ViewRow views[VIEWS_MAX];
  const char *expected[VIEWS_MAX];
} rows[] = {
  { "alone", { { 0, "A/l" } }, { "0 0 + -" } },
  { "two tokens", { { 0, "A/l" }, { 1, "B/l" } }, { "0 0 + -", "1 1 + -" } },
  { "one name, two modules", { { 0, "A/l" }, { 1, "A/l" } }, { "0 0 + -", "0 0 - -" } },
  { "two cards without a serial number", { { 0, "A~l" }, { 1, "A~l" } }, { "0 0 + -", "1 1 + -" } },
  { "two PINs of a card", { { 0, "A/l" }, { 0, "A/m" } }, { "0 0 + -", "0 1 + -" } },
  { "two PINs of a card, by two modules",
    { { 0, "A/l" }, { 1, "A/m" } },
    { "0 0 + -", "0 1 + -" } },
  { "two PINs of a card in a reader, by two modules",
    { { 0, "A/l", "R" }, { 1, "A/m", "R" } },
    { "0 0 + -", "0 1 + -" } },
  { "one PIN of a card, twice", { { 0, "A=l" }, { 0, "A=m" } }, { "0 0 + -", "0 0 + -" } },

  { "one reader, two names", { { 0, "A/l", "R" }, { 1, "B/l", "R" } }, { "0 0 + 1", "0 0 - 0" } },
  { "two readers", { { 0, "A/l", "R" }, { 1, "B/l", "S" } }, { "0 0 + -", "1 1 + -" } },
  { "a reader is known of one", { { 0, "A/l", "R" }, { 1, "B/l" } }, { "0 0 + -", "1 1 + -" } },
  { "one name in two readers", { { 0, "A/l", "R" }, { 1, "A/l", "S" } }, { "0 0 + -", "1 1 + -" } },
  { "one name, one reader known", { { 0, "A/l" }, { 1, "A/l", "R" } }, { "1 0 + -", "1 0 - -" } },
  { "no serial number, one reader",
    { { 0, "A~l", "R" }, { 1, "B/l", "R" } },
    { "0 0 + 1", "0 0 - 0" } },
  { "the better known module goes first",
    { { 0, "A/l", "R", NULL, "set-pin" }, { 1, "B/l", "R", NULL, "unlock" } },
    { "0 0 - 1", "0 0 + 0" } },
  { "one that can set a PIN goes before one that can nothing",
    { { 0, "A/l", "R" }, { 1, "B/l", "R", NULL, "set-pin" } },
    { "0 0 - 1", "0 0 + 0" } },
  { "three modules",
    { { 0, "A/l", "R" }, { 1, "B/l", "R" }, { 2, "C/l", "R" } },
    { "0 0 + 1,2", "0 0 - 0,2", "0 0 - 0,1" } },
  /* Which of the two the other module's is, is not known. */
  { "one reader, several PINs",
    { { 0, "A/l", "R" }, { 0, "A/m", "R" }, { 1, "B/l", "R" } },
    { "0 0 + 2", "0 1 + 2", "0 2 + 0,1" } },
  { "one reader, several labels of one PIN",
    { { 0, "A=l", "R" }, { 0, "A=m", "R" }, { 1, "B/l", "R", NULL, "unlock" } },
    { "0 0 - 2", "0 0 - 2", "0 0 + 0,1" } },
  /* A view that has the name of another token, in the reader of a third, makes no one of the
   * two. */
  { "a borrowed name",
    { { 0, "A/l" }, { 1, "B/l", "R" }, { 2, "A/l", "R" } },
    { "0 0 + -", "1 1 + 2", "1 1 - 1" } },
  { "a borrowed name, before what is in that reader",
    { { 0, "A/l" }, { 1, "A/l", "R" }, { 2, "B/l", "R" } },
    { "0 0 + -", "1 1 + 2", "1 1 - 1" } },
  /* The one that shows what has left was not read since. */
  { "a card that has left",
    { { 0, "A/l", "R", .since = 1, .at = 5 }, { 1, "B/l", "R", .since = 7, .at = 6 } },
    { "0 0 + 1!", "0 0 - 0!" } },
  { "in the first reads: each was with itself",
    { { 0, "A/l", "R", "c", .since = 2, .at = 1 }, { 1, "B/l", NULL, "c", .since = 2, .at = 1 } },
    { "0 0 + 1?", "1 1 + 0?" } },
  { "a card that has left, and a third view of the one that is there",
    { { 0, "A/l", "R", "c", .since = 1, .at = 5 },
      { 1, "B/l", "R", "d", .since = 7, .at = 9 },
      { 2, "C/l", NULL, "d" } },
    { "0 0 + 1!,2?!", "0 0 - 0!,2?", "2 2 + 0?!,1?" } },
  { "a card that has left, and one that is there",
    { { 0, "A/l", "R", .since = 1, .at = 5 },
      { 1, "B/l", "R", .since = 7, .at = 9 },
      { 2, "C/l", "R", .since = 8, .at = 9 } },
    { "0 0 + 1!,2!", "0 0 - 2,0!", "0 0 - 1,0!" } },
  { "a name in two readers and in none",
    { { 0, "A/l" }, { 1, "A/l", "R" }, { 2, "A/l", "S" } },
    { "0 0 + -", "1 1 + -", "2 2 + -" } },

  { "no serial number, one reader, one name",
    { { 0, "A~l", "R" }, { 1, "A~l", "R" } },
    { "0 0 + -", "0 0 - -" } },
  { "one name, the first one's reader known",
    { { 0, "A/l", "R" }, { 1, "A/l" } },
    { "0 0 + -", "0 0 - -" } },
  { "a borrowed name, after what is in that reader",
    { { 0, "B/l", "R" }, { 1, "A/l" }, { 2, "A/l", "R" } },
    { "0 0 + 2", "1 1 + -", "0 0 - 0" } },
  { "a name in a reader, after another reader",
    { { 0, "B/l", "S" }, { 1, "A/l" }, { 2, "A/l", "R" } },
    { "0 0 + -", "2 1 + -", "2 1 - -" } },
  { "a name in two readers, and then in none",
    { { 0, "A/l", "R" }, { 1, "A/l", "S" }, { 2, "A/l" } },
    { "0 0 + -", "1 1 + -", "2 2 + -" } },
  { "two cards of a module, one of them by another one as well",
    { { 0, "B/l", "S" }, { 0, "A/l", "R" }, { 1, "C/l", "R" } },
    { "0 0 + -", "1 1 + 2", "1 1 - 1" } },
  { "one reader, one module, two names",
    { { 0, "A/l", "R" }, { 0, "B/l", "R" } },
    { "0 0 + 1", "0 1 + 0" } },
  { "one reader, one module, two names of one PIN each",
    { { 0, "A=l", "R" }, { 0, "B=l", "R" } },
    { "0 0 + 1", "0 1 + 0" } },
  { "one PIN by the word of the first module alone",
    { { 0, "A=l", "R" }, { 1, "A/m", "R" } },
    { "0 0 + -", "0 1 + -" } },
  { "one PIN by the word of the second module alone",
    { { 0, "A/l", "R" }, { 1, "A=m", "R" } },
    { "0 0 + -", "0 1 + -" } },
  { "no serial number, one certificate",
    { { 0, "A~l", NULL, "c" }, { 1, "A~l", NULL, "c" } },
    { "0 0 + -", "1 1 + -" } },
  { "one certificate",
    { { 0, "A/l", NULL, "c" }, { 1, "B/l", NULL, "c" } },
    { "0 0 + 1?", "1 1 + 0?" } },
  { "two certificates",
    { { 0, "A/l", NULL, "c" }, { 1, "B/l", NULL, "d" } },
    { "0 0 + -", "1 1 + -" } },
  { "one certificate, one reader known",
    { { 0, "A/l", "R", "c" }, { 1, "B/l", NULL, "c" } },
    { "0 0 + 1?", "1 1 + 0?" } },
  { "one certificate in two readers",
    { { 0, "A/l", "R", "c" }, { 1, "B/l", "S", "c" } },
    { "0 0 + -", "1 1 + -" } },
  { "spare tokens of one module",
    { { 0, "A/l", NULL, "c" }, { 0, "B/l", NULL, "c" } },
    { "0 0 + -", "1 1 + -" } },
  { "maybe one with what is one with another",
    { { 0, "A/l", "R" }, { 1, "B/l", "R", "c" }, { 2, "C/l", NULL, "c" } },
    { "0 0 + 1,2?", "0 0 - 0,2?", "2 2 + 0?,1?" } },
  { "maybe one of two that are not one",
    { { 0, "A/l", "R", "c" }, { 1, "B/l", NULL, "c" }, { 2, "C/l", "S", "c" } },
    { "0 0 + 1?", "1 1 + 0?,2?", "2 2 + 1?" } },
};

static TokendView
make_view (const ViewRow *row)
{
  return (TokendView){ .target = target_of (row->target),
                       .module = row->module,
                       .reader = row->reader,
                       .certificate =
                           row->certificate != NULL ? g_bytes_new (row->certificate, 1) : NULL,
                       .seen_since = row->at != 0 ? row->since : 1,
                       .seen_at = row->at != 0 ? row->at : 100,
                       .can_unlock = g_strcmp0 (row->can, "unlock") == 0,
                       .can_set_pin = g_strcmp0 (row->can, "set-pin") == 0,
                       .shown = { row->shown, row->shown } };
}

static char *
describe (const TokendRelation *relation)
{
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "%u %u %c ", relation->card, relation->pin,
                          relation->is_preferred ? '+' : '-');
  for (guint i = 0; i < relation->related->len; i++)
    g_string_append_printf (text, "%s%u%s%s", i > 0 ? "," : "",
                            g_array_index (relation->related, guint, i),
                            i < relation->n_one ? "" : "?",
                            i - relation->first_doubtful < relation->n_doubtful ? "!" : "");
  return g_string_free (relation->related->len > 0 ? text : g_string_append_c (text, '-'), FALSE);
}

static guint
make_views (const ViewRow *view_rows, TokendView *views)
{
  guint n_views = 0;

  static const char *const paths[VIEWS_MAX] = { "/0", "/1", "/2", "/3", "/4" };

  while (n_views < VIEWS_MAX && view_rows[n_views].target != NULL) {
    views[n_views] = make_view (&view_rows[n_views]);
    views[n_views].path = paths[n_views];
    n_views++;
  }
  return n_views;
}

static void
free_views (TokendView *views, guint n_views)
{
  for (guint i = 0; i < n_views; i++) {
    tokend_target_free ((TokendTarget *) views[i].target);
    g_clear_pointer (&views[i].certificate, g_bytes_unref);
  }
}

static void
assert_name (char *a, char *b, gboolean are_one)
{
  g_assert_cmpint (g_str_equal (a, b), ==, are_one);
  g_free (a);
  g_free (b);
}

/* What is one, and nothing else, has one name. */
static void
assert_names (const TokendView *views, const GArray *relations)
{
  for (guint i = 0; i < relations->len; i++)
    for (guint j = 0; j < relations->len; j++) {
      const TokendRelation *a = &g_array_index (relations, TokendRelation, i);
      const TokendRelation *b = &g_array_index (relations, TokendRelation, j);

      assert_name (tokend_view_name_card (&views[a->card]), tokend_view_name_card (&views[b->card]),
                   a->card == b->card);
      assert_name (tokend_view_name_pin (&views[a->pin]), tokend_view_name_pin (&views[b->pin]),
                   a->pin == b->pin);
    }
}

static void
test_relations (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendView views[VIEWS_MAX];
    const guint n_views = make_views (rows[i].views, views);
    g_autoptr (GArray) relations = tokend_views_relate (views, n_views);

    g_test_message ("%s", rows[i].what);
    g_assert_cmpuint (relations->len, ==, n_views);
    for (guint j = 0; j < n_views; j++) {
      g_autofree char *described = describe (&g_array_index (relations, TokendRelation, j));

      g_assert_cmpstr (described, ==, rows[i].expected[j]);
    }
    assert_names (views, relations);
    free_views (views, n_views);
  }
}

/* Both views: since when they have been seen, and when they were seen last. */
static const struct {
  gint64 a_since, a_at, b_since, b_at;
  gboolean were_together;
} seen[] = {
  /* Read again after the other was seen first. */
  { 2, 5, 3, 4, TRUE },
  { 2, 1, 4, 3, FALSE },
  { 2, 5, 4, 3, TRUE },
  /* In the first reads, between which one may have been put in the other's place. */
  { 2, 1, 2, 1, FALSE },
  { 3, 2, 4, 1, FALSE },
  /* The one that has left is not read any more, however often the other is. */
  { 2, 5, 8, 7, FALSE },
  { 2, 5, 8, 100, FALSE },
  { 2, 8, 8, 100, FALSE },
  { 2, 9, 8, 100, TRUE },
};

static void
test_seen (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (seen); i++) {
    const TokendView a = { .seen_since = seen[i].a_since, .seen_at = seen[i].a_at };
    const TokendView b = { .seen_since = seen[i].b_since, .seen_at = seen[i].b_at };

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_view_was_with (&a, &b), ==, seen[i].were_together);
    g_assert_cmpint (tokend_view_was_with (&b, &a), ==, seen[i].were_together);
  }
}

/* What others show, and what of that counts for the first view, or the one at @at. */
static const struct {
  ViewRow views[VIEWS_MAX];
  gboolean is_locked, is_final_try;
  guint at;
} shown[] = {
  { { { 0, "B/l", "R", NULL, NULL, TOKEND_STATE_LOCKED }, { 1, "A/l", "R" } }, TRUE, FALSE, 1 },
  { { { 0, "A/l", "R" },
      { 1, "B/l", "R", NULL, NULL, TOKEND_STATE_LOCKED },
      { 2, "C/l", "R", NULL, NULL, TOKEND_STATE_FINAL_TRY },
      { 3, "D/l", "R", NULL, NULL, TOKEND_STATE_OK } },
    TRUE,
    TRUE },
  /* By the same module, and in no known reader. */
  { { { 0, "A=l", "R" }, { 0, "A=m", "R", NULL, NULL, TOKEND_STATE_LOCKED } }, FALSE, FALSE },
  { { { 0, "A/l", "R" }, { 1, "A/l", NULL, NULL, NULL, TOKEND_STATE_LOCKED } }, FALSE, FALSE },
  { { { 0, "A/l" }, { 1, "A/l", "R", NULL, NULL, TOKEND_STATE_LOCKED } }, FALSE, FALSE },
  { { { 0, "A/l", "R" }, { 1, "B/l", "R", NULL, NULL, TOKEND_STATE_LOCKED } }, TRUE, FALSE },
  { { { 0, "A/l", "R" }, { 1, "B/l", "R", NULL, NULL, TOKEND_STATE_FINAL_TRY } }, FALSE, TRUE },
  { { { 0, "A/l", "R" }, { 1, "B/l", "R", NULL, NULL, TOKEND_STATE_LOW } }, FALSE, FALSE },
  { { { 0, "A/l", "R" }, { 1, "B/l", "R", NULL, NULL, TOKEND_STATE_OK } }, FALSE, FALSE },
  /* By its name, or maybe by its certificate, it is one; that is not enough. */
  { { { 0, "A/l" }, { 1, "A/l", NULL, NULL, NULL, TOKEND_STATE_LOCKED } }, FALSE, FALSE },
  { { { 0, "A/l", NULL, "c" }, { 1, "B/l", NULL, "c", NULL, TOKEND_STATE_LOCKED } }, FALSE, FALSE },
  { { { 0, "A/l", "R" }, { 1, "B/l", "S", NULL, NULL, TOKEND_STATE_LOCKED } }, FALSE, FALSE },
  /* Another PIN of the card, or maybe another. */
  { { { 0, "A/l", "R" }, { 0, "A/m", "R", NULL, NULL, TOKEND_STATE_LOCKED } }, FALSE, FALSE },
  { { { 0, "A/l", "R" }, { 1, "B/l", "R", NULL, NULL, TOKEND_STATE_LOCKED }, { 1, "B/m", "R" } },
    FALSE,
    FALSE },
};

static void
test_shown (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (shown); i++) {
    TokendView views[VIEWS_MAX];
    const guint n_views = make_views (shown[i].views, views);
    g_autoptr (GArray) relations = tokend_views_relate (views, n_views);
    const TokendRelation *first = &g_array_index (relations, TokendRelation, shown[i].at);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      g_assert_cmpint (first->shown[role].locked, ==, shown[i].is_locked);
      g_assert_cmpint (first->shown[role].final_try, ==, shown[i].is_final_try);
      g_assert_cmpuint (first->shown[role].spent, ==, 0);
    }
    free_views (views, n_views);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/views/relations", test_relations);
  g_test_add_func ("/views/seen", test_seen);
  g_test_add_func ("/views/shown", test_shown);
  return g_test_run ();
}
