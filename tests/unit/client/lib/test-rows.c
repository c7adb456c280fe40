/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows.h"

#define VIEWS_MAX 4

/* A view: its label, module and pin-id, whether it is preferred, and its PIN's state. */
typedef struct {
  const char *label, *module, *pin_id;
  gboolean is_preferred;
  const char *pin_state;
} View;

/* The rows: of each the label, and in brackets the others. */
static const struct {
  const char *what;
  View views[VIEWS_MAX];
  const char *rows;
} table[] = {
  { "none", { { 0 } }, "" },
  { "two tokens", { { "A", "a", "1", TRUE, "ok" }, { "B", "b", "2", TRUE, "ok" } }, "A() B()" },
  { "two names", { { "A", "a", "1", TRUE, "ok" }, { "B", "b", "1", FALSE, "ok" } }, "A(B)" },
  { "the second is operated on",
    { { "A", "a", "1", FALSE, "ok" }, { "B", "b", "1", TRUE, "ok" } },
    "B(A)" },
  { "three modules",
    { { "A", "a", "1", FALSE, "ok" },
      { "B", "b", "1", TRUE, "ok" },
      { "C", "c", "1", FALSE, "ok" } },
    "B(A C)" },
  { "two labels with one PIN",
    { { "A", "a", "1", TRUE, "ok" }, { "B", "a", "1", TRUE, "ok" } },
    "A() B()" },
  { "two labels with one PIN by two modules",
    { { "A", "a", "1", TRUE, "ok" },
      { "B", "a", "1", TRUE, "ok" },
      { "C", "c", "1", FALSE, "ok" } },
    "A(C) B()" },
  { "the other says better",
    { { "A", "a", "1", TRUE, "locked" }, { "B", "b", "1", FALSE, "ok" } },
    "A(B)" },
  { "the other says worse",
    { { "A", "a", "1", TRUE, "ok" },
      { "B", "b", "1", FALSE, "low" },
      { "C", "c", "2", TRUE, "ok" } },
    "A(B) C() B()" },
  { "the other does not say",
    { { "A", "a", "1", TRUE, "final-try" }, { "B", "b", "1", FALSE, "unknown" } },
    "A(B)" },
  { "a service that does not say what is one",
    { { "A", "a", "", FALSE, "ok" }, { "B", "b", "", FALSE, "ok" } },
    "A() B()" },
};

static GPtrArray *
make_tokens (const View *views)
{
  GPtrArray *tokens = g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

  for (guint i = 0; i < VIEWS_MAX && views[i].label != NULL; i++)
    g_ptr_array_add (tokens,
                     tokenctl_token_new (
                         "/", g_variant_new_parsed (
                                  "{'label': <%s>, 'serial': <%s>, 'module': <%s>, 'pin-id': <%s>, "
                                  "'preferred': <%b>, 'pin-state': <%s>}",
                                  views[i].label, views[i].label, views[i].module, views[i].pin_id,
                                  views[i].is_preferred, views[i].pin_state)));
  return tokens;
}

static const char *
label_of (const TokenctlToken *token)
{
  return tokenctl_status_string (token->status, TOKEND_STATUS_LABEL);
}

static char *
describe (GPtrArray *rows)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < rows->len; i++) {
    const TokenctlRow *row = rows->pdata[i];

    g_string_append_printf (text, "%s%s(", i > 0 ? " " : "", label_of (row->token));
    for (guint j = 0; j < row->others->len; j++)
      g_string_append_printf (text, "%s%s", j > 0 ? " " : "", label_of (row->others->pdata[j]));
    g_string_append_c (text, ')');
  }
  return g_string_free (text, FALSE);
}

static void
test_rows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++) {
    g_autoptr (GPtrArray) tokens = make_tokens (table[i].views);
    g_autoptr (GPtrArray) rows = tokenctl_rows_new (tokens);
    g_autofree char *described = describe (rows);

    g_test_message ("%s", table[i].what);
    g_assert_cmpstr (described, ==, table[i].rows);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rows/rows", test_rows);
  return g_test_run ();
}
