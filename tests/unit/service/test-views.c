/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "places.h"
#include "views.h"

#define VIEWS_MAX 5

/* A view as of tokend_views_relate(). */
typedef struct {
  guint module;
  const char *place; /* see place_of() */
  const char *reader;
  const char *certificate;
  const char *can;   /* "unlock", "set-pin"; NULL: nothing */
  TokendState shown; /* of both roles */
} ViewRow;

/* What is expected of each: which view stands for its card and for its PIN, "+" if it is preferred, and to which others it is
 * related, with "?" to those that only may be the same token. */
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
  /* A view that has the name of another token, in the reader of a third, makes no one of the two. */
  { "a borrowed name",
    { { 0, "A/l" }, { 1, "B/l", "R" }, { 2, "A/l", "R" } },
    { "0 0 + -", "1 1 + 2", "1 1 - 1" } },
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
  return (TokendView){ .place = place_of (row->place),
                       .module = row->module,
                       .reader = row->reader,
                       .certificate =
                           row->certificate != NULL ? g_bytes_new (row->certificate, 1) : NULL,
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
    g_string_append_printf (text, "%s%u%s", i > 0 ? "," : "",
                            g_array_index (relation->related, guint, i),
                            i < relation->n_one ? "" : "?");
  return g_string_free (relation->related->len > 0 ? text : g_string_append_c (text, '-'), FALSE);
}

static guint
make_views (const ViewRow *view_rows, TokendView *views)
{
  guint n_views = 0;

  while (n_views < VIEWS_MAX && view_rows[n_views].place != NULL) {
    views[n_views] = make_view (&view_rows[n_views]);
    n_views++;
  }
  return n_views;
}

static void
free_views (TokendView *views, guint n_views)
{
  for (guint i = 0; i < n_views; i++) {
    tokend_place_free ((TokendPlace *) views[i].place);
    g_clear_pointer (&views[i].certificate, g_bytes_unref);
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
    free_views (views, n_views);
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
  g_test_add_func ("/views/shown", test_shown);
  return g_test_run ();
}
