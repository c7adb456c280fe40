/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token.h"

#include "status.h"

/* Of one token, shown by three modules, that can unlock or set the PIN as said. */
static void
test_pick (void)
{
  static const struct {
    gboolean can_unlock[3];
    gboolean can_set_pin[3];
    TokendRole role;
    guint picked;
  } rows[] = {
    { { FALSE, FALSE, FALSE }, { TRUE, TRUE, TRUE }, TOKEND_ROLE_PIN, 0 },
    { { FALSE, FALSE, TRUE }, { TRUE, TRUE, TRUE }, TOKEND_ROLE_PUK, 2 },
    { { FALSE, FALSE, TRUE }, { TRUE, TRUE, TRUE }, TOKEND_ROLE_PIN, 0 },
    { { FALSE, FALSE, FALSE }, { FALSE, TRUE, TRUE }, TOKEND_ROLE_PIN, 1 },
    { { FALSE, FALSE, FALSE }, { FALSE, TRUE, TRUE }, TOKEND_ROLE_PUK, 0 },
    { { FALSE, FALSE, FALSE }, { FALSE, FALSE, FALSE }, TOKEND_ROLE_PIN, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) views =
        g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

    for (guint j = 0; j < 3; j++)
      g_ptr_array_add (
          views, tokenctl_token_new ("/", g_variant_ref_sink (g_variant_new_parsed (
                                              "{'can-unlock': <%b>, 'can-set-pin': <%b>}",
                                              rows[i].can_unlock[j], rows[i].can_set_pin[j]))));
    g_assert_true (tokenctl_tokens_pick (views, views, rows[i].role)
                   == views->pdata[rows[i].picked]);
  }
}

/* Tokens of one card; a serial that is none tells nothing, and another view of the same token is no
 * other token. */
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

/* What is sent to one is sent to the other. */
static void
test_has_same_pin (void)
{
  static const struct {
    const char *serial, *label;
    gboolean is_shared, is_same;
  } rows[] = {
    { "01", "CARD (PIN)", TRUE, TRUE },    { "01", "CARD (PIN)", FALSE, TRUE },
    { "01", "CARD (sig)", TRUE, TRUE },    { "01", "CARD (sig)", FALSE, FALSE },
    { "02", "CARD (sig)", TRUE, FALSE },   { "02", "CARD (PIN)", TRUE, FALSE },
    { "0000", "CARD (PIN)", TRUE, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokenctlToken) one = tokenctl_token_new (
        "/1",
        g_variant_new_parsed ("{'serial': <'01'>, 'label': <'CARD (PIN)'>, 'pin-shared': <true>}"));
    g_autoptr (TokenctlToken) other = tokenctl_token_new (
        "/2", g_variant_new_parsed ("{'serial': <%s>, 'label': <%s>, 'pin-shared': <%b>}",
                                    rows[i].serial, rows[i].label, rows[i].is_shared));

    g_assert_cmpint (tokenctl_token_has_same_pin (one, other), ==, rows[i].is_same);
    g_assert_cmpint (tokenctl_token_has_same_pin (other, one), ==, rows[i].is_same);
  }
}

/* Its sentences say the serial number where the label alone would not tell it apart. */
static void
test_name_among_others (void)
{
  static const struct {
    const char *others_serial, *others_label, *name;
  } rows[] = {
    { "02", "HOME", "WORK" },
    { "02", "WORK", "WORK, serial 01" },
    { "01", "WORK", "WORK" },
    { "01", "HOME", "WORK" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tokens =
        g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);
    g_autofree char *name = NULL;

    g_ptr_array_add (
        tokens,
        tokenctl_token_new ("/1", g_variant_new_parsed ("{'serial': <'01'>, 'label': <'WORK'>}")));
    g_ptr_array_add (tokens,
                     tokenctl_token_new (
                         "/2", g_variant_new_parsed ("{'serial': <%s>, 'label': <%s>}",
                                                     rows[i].others_serial, rows[i].others_label)));
    name = tokenctl_tokens_name (tokens, tokens->pdata[0]);
    g_assert_cmpstr (name, ==, rows[i].name);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/token/pick", test_pick);
  g_test_add_func ("/token/same-card", test_same_card);
  g_test_add_func ("/token/have-other-pin", test_have_other_pin);
  g_test_add_func ("/token/has-same-pin", test_has_same_pin);
  g_test_add_func ("/token/name-among-others", test_name_among_others);
  return g_test_run ();
}
