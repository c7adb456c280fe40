/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "rows.h"

#include "puk-words.h"

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

const TokenctlPukWords *__wrap_tokenctl_puk_words (const char *profile);

/* Takes the place of the installed profiles: the linker puts it there. */
const TokenctlPukWords *
__wrap_tokenctl_puk_words (const char *profile)
{
  static const TokenctlPukWords admin_pin = { .name = (char *) "Admin PIN" };

  return g_str_equal (profile, "admin") ? &admin_pin : NULL;
}

/* Two views of one token: what the second one is called, and what is said of it. */
static const struct {
  const char *profile, *label, *serial;
  const char *words;
} others[] = {
  { "", "A", "1", "The module “b” shows it, too (PIN: not known, PUK: not known)." },
  { "admin", "A", "1", "The module “b” shows it, too (PIN: not known, Admin PIN: not known)." },
  { "admin", "B", "",
    "The module “b” shows it, too, as “B” (PIN: not known, Admin PIN: not known)." },
  { "admin", "B", "2",
    "The module “b” shows it, too, as “B”, serial 2 (PIN: not known, Admin PIN: not known)." },
};

static void
test_others (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autoptr (GPtrArray) tokens =
        g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);
    g_autoptr (GPtrArray) rows = NULL;
    g_autofree char *words = NULL;
    g_autofree char *expected =
        g_strdup_printf ("%s\nIt is operated on through “a”.", others[i].words);

    g_ptr_array_add (
        tokens, tokenctl_token_new ("/a", g_variant_new_parsed (
                                              "{'label': <'A'>, 'serial': <'1'>, 'module': <'a'>, "
                                              "'pin-id': <'1'>, 'preferred': <true>}")));
    g_ptr_array_add (tokens, tokenctl_token_new (
                                 "/b", g_variant_new_parsed (
                                           "{'label': <%s>, 'serial': <%s>, 'module': <'b'>, "
                                           "'pin-id': <'1'>, 'module-profile': <%s>}",
                                           others[i].label, others[i].serial, others[i].profile)));
    rows = tokenctl_rows_new (tokens);
    g_assert_cmpuint (rows->len, ==, 1);
    words = tokenctl_words_for_others (rows->pdata[0]);
    g_assert_cmpstr (words, ==, expected);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rows/rows", test_rows);
  g_test_add_func ("/rows/others", test_others);
  return g_test_run ();
}
