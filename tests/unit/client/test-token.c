/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token.h"

#include "exit-code.h"
#include "status.h"

/* path, manufacturer, label, serial, can-unlock */
static const struct {
  const char *path;
  const char *manufacturer;
  const char *label;
  const char *serial;
  gboolean can_unlock;
} plugged_in[] = {
  { "/1", "A", "WORK", "0001", FALSE },    { "/2", "A", "WORK", "0001", TRUE },
  { "/3", "A", "WORKSHOP", "0102", TRUE }, { "/4", "B", "TWIN", "0201", TRUE },
  { "/5", "B", "TWIN", "0202", TRUE },     { "/6", "C", "0001", "0301", TRUE },
  { "/7", "D", "my card", "0401", TRUE },  { "/8", "D", "", "05 01", TRUE },
  { "/9", "E", "-json", "0601", TRUE },    { "/10", "E", "-a b", "0602", TRUE },
};

static GPtrArray *
tokens_like (guint n)
{
  GPtrArray *tokens = g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (
        tokens,
        tokenctl_token_new (plugged_in[i].path,
                            g_variant_new_parsed ("{'manufacturer': <%s>, 'label': <%s>, "
                                                  "'serial': <%s>, 'can-unlock': <%b>}",
                                                  plugged_in[i].manufacturer, plugged_in[i].label,
                                                  plugged_in[i].serial, plugged_in[i].can_unlock)));
  return tokens;
}

static void
test_match (void)
{
  static const struct {
    guint n_tokens;
    const char *wanted;
    const char *picked; /* or NULL */
    int exit;
  } rows[] = {
    { 0, NULL, NULL, TOKENCTL_EXIT_NO_SUCH_TOKEN },
    { 0, "WORK", NULL, TOKENCTL_EXIT_NO_SUCH_TOKEN },
    { 1, NULL, "/1", 0 },
    { 2, NULL, "/2", 0 }, /* two views of one token: the one that can unlock */
    { 3, NULL, NULL, TOKENCTL_EXIT_USAGE },
    { 3, "WORK", "/2", 0 },  /* exact before prefix */
    { 3, "WORKS", "/3", 0 }, /* prefix of a label */
    { 3, "WOR", NULL, TOKENCTL_EXIT_USAGE },
    { 3, "01", "/3", 0 }, /* prefix of a serial */
    { 3, "0", NULL, TOKENCTL_EXIT_USAGE },
    { 3, "work", NULL, TOKENCTL_EXIT_NO_SUCH_TOKEN },
    { 3, "", NULL, TOKENCTL_EXIT_NO_SUCH_TOKEN }, /* a script's unset variable means no token */
    { 1, "", NULL, TOKENCTL_EXIT_NO_SUCH_TOKEN },
    { 5, "TWIN", NULL, TOKENCTL_EXIT_USAGE },
    { 5, "0202", "/5", 0 },
    { 5, "0001", "/2", 0 },
    { 6, "0001", NULL, TOKENCTL_EXIT_USAGE }, /* one's serial is another's label */
    { 8, "my", "/7", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tokens = tokens_like (rows[i].n_tokens);
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) views = tokenctl_tokens_match (tokens, rows[i].wanted, &error);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    if (rows[i].picked != NULL) {
      g_assert_no_error (error);
      g_assert_cmpstr (tokenctl_tokens_pick (views)->path, ==, rows[i].picked);
    } else {
      g_assert_null (views);
      g_assert_error (error, TOKENCTL_ERROR, rows[i].exit);
    }
  }
}

/* Of one token, shown by three modules, that can unlock or set the PIN as said. */
static void
test_pick (void)
{
  static const struct {
    gboolean can_unlock[3];
    gboolean can_set_pin[3];
    guint picked;
  } rows[] = {
    { { FALSE, FALSE, FALSE }, { TRUE, TRUE, TRUE }, 0 },
    { { FALSE, FALSE, TRUE }, { TRUE, TRUE, TRUE }, 2 },
    { { FALSE, FALSE, FALSE }, { FALSE, TRUE, TRUE }, 1 },
    { { FALSE, FALSE, FALSE }, { FALSE, FALSE, FALSE }, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) views =
        g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

    for (guint j = 0; j < 3; j++)
      g_ptr_array_add (
          views, tokenctl_token_new ("/", g_variant_ref_sink (g_variant_new_parsed (
                                              "{'can-unlock': <%b>, 'can-set-pin': <%b>}",
                                              rows[i].can_unlock[j], rows[i].can_set_pin[j]))));
    g_assert_true (tokenctl_tokens_pick (views) == views->pdata[rows[i].picked]);
  }
}

static void
test_candidates_are_listed_once (void)
{
  g_autoptr (GPtrArray) tokens = tokens_like (3);
  g_autoptr (GError) error = NULL;
  const char *first;

  g_assert_null (tokenctl_tokens_match (tokens, NULL, &error));
  first = strstr (error->message, "0001");
  g_assert_nonnull (first);
  g_assert_null (strstr (first + 1, "0001"));
  g_assert_nonnull (strstr (error->message, "0102"));
}

static void
test_argument (void)
{
  static const char *const arguments[] = {
    "WORK", "WORK",      "WORKSHOP", "0201",     "0202",
    "0301", "'my card'", "'05 01'",  "-- -json", "-- '-a b'"
  };
  g_autoptr (GPtrArray) tokens = tokens_like (G_N_ELEMENTS (plugged_in));

  for (guint i = 0; i < tokens->len; i++) {
    g_autofree char *argument = tokenctl_tokens_argument (tokens, tokens->pdata[i]);

    g_assert_cmpstr (argument, ==, arguments[i]);
  }
}

static void
test_have_exactly (void)
{
  static const struct {
    const char *wanted;
    gboolean exactly;
  } rows[] = {
    { "WORK", TRUE }, { "0102", TRUE }, { "WOR", FALSE },
    { "01", FALSE },  { "", FALSE },    { NULL, FALSE },
  };
  g_autoptr (GPtrArray) tokens = tokens_like (G_N_ELEMENTS (plugged_in));

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpint (tokenctl_tokens_have_exactly (tokens, rows[i].wanted), ==, rows[i].exactly);
}

/* Tokens of one card; a serial that is none tells nothing, and another view of the same token is no other token. */
static void
test_same_card (void)
{
  static const struct {
    const char *manufacturer, *serial, *label;
    int same_as; /* or -1 */
  } rows[] = {
    { "A", "ffff01", "CARD (PIN)", -1 },
    { "A", "ffff01", "CARD (sig)", 0 },
    { "A", "ffff01", "CARD (PIN)", 1 },
    { "B", "ffff01", "CARD (sig)", -1 },
    { "A", "ffff02", "CARD (PIN)", -1 },
    { "A", "0000", "ONE", -1 },
    { "A", "0000", "TWO", -1 },
    { "A", "", "ONE", -1 },
    { "A", "", "TWO", -1 },
  };
  g_autoptr (GPtrArray) tokens =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_ptr_array_add (tokens, tokenctl_token_new (
                                 "/1", g_variant_new_parsed (
                                           "{'manufacturer': <%s>, 'serial': <%s>, 'label': <%s>}",
                                           rows[i].manufacturer, rows[i].serial, rows[i].label)));
    g_assert_true (tokenctl_tokens_same_card (tokens, i)
                   == (rows[i].same_as < 0 ? NULL : tokens->pdata[rows[i].same_as]));
  }
}

/* One that is shared is no other; nor is what another card has, or another module shows. */
static void
test_have_other_pin (void)
{
  static const struct {
    const char *others_serial, *others_label;
    gboolean is_shared, has_other_pin;
  } rows[] = {
    { "01", "CARD (Sign PIN)", FALSE, TRUE },
    { "01", "CARD (Sign PIN)", TRUE, FALSE },
    { "01", "CARD (User PIN)", FALSE, FALSE },
    { "02", "CARD (Sign PIN)", FALSE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tokens =
        g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

    g_ptr_array_add (
        tokens,
        tokenctl_token_new (
            "/1", g_variant_new_parsed (
                      "{'serial': <'01'>, 'label': <'CARD (User PIN)'>, 'pin-shared': <%b>}",
                      rows[i].is_shared)));
    g_ptr_array_add (tokens,
                     tokenctl_token_new (
                         "/2", g_variant_new_parsed ("{'serial': <%s>, 'label': <%s>}",
                                                     rows[i].others_serial, rows[i].others_label)));
    g_assert_cmpint (tokenctl_tokens_have_other_pin (tokens, tokens->pdata[0]), ==,
                     rows[i].has_other_pin);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/token/match", test_match);
  g_test_add_func ("/token/pick", test_pick);
  g_test_add_func ("/token/candidates", test_candidates_are_listed_once);
  g_test_add_func ("/token/argument", test_argument);
  g_test_add_func ("/token/have-exactly", test_have_exactly);
  g_test_add_func ("/token/same-card", test_same_card);
  g_test_add_func ("/token/have-other-pin", test_have_other_pin);
  return g_test_run ();
}
