/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "situation.h"

static GPtrArray *
tokens_from (const char *const *texts)
{
  GPtrArray *tokens = g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

  for (guint i = 0; texts[i] != NULL; i++)
    g_ptr_array_add (tokens,
                     tokenctl_token_new ("/", g_variant_parse (G_VARIANT_TYPE_VARDICT, texts[i],
                                                               NULL, NULL, NULL)));
  return tokens;
}

static TokendNotifySituation *
situation_of (GPtrArray *tokens, guint index)
{
  TokenctlToken *token = tokens->pdata[index];
  g_autofree char *identity = tokend_notify_pin_identity (token->status);

  return tokend_notify_situation_new (tokens, identity, NULL);
}

/* Two modules show one token; one of them knows more. */
static void
test_views (void)
{
  static const char *const texts[] = {
    "{'label': <'A'>, 'serial': <'0001'>, 'module': <'one'>, 'pin-state': <'unknown'>, "
    "'puk-state': <'ok'>, 'certificate-not-after': <uint64 1900000000000000>}",
    "{'label': <'A'>, 'serial': <'0001'>, 'module': <'two'>, 'pin-state': <'locked'>, "
    "'puk-state': <'unknown'>, 'can-unlock': <true>, 'provider': <'e-guven'>, "
    "'certificate-not-after': <uint64 1800000000000000>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);

  for (guint i = 0; i < tokens->len; i++) {
    g_autoptr (TokendNotifySituation) situation = situation_of (tokens, i);

    g_assert_cmpint (situation->tries.of[TOKEND_ROLE_PIN].state, ==, TOKEND_STATE_LOCKED);
    g_assert_cmpint (situation->tries.of[TOKEND_ROLE_PUK].state, ==, TOKEND_STATE_OK);
    g_assert_true (situation->can_unlock);
    g_assert_cmpstr (situation->name, ==, "A");
    g_assert_cmpstr (situation->names[0], ==, "A");
    g_assert_cmpstr (situation->provider, ==, "e-guven");
    g_assert_cmpint (g_date_time_to_unix (situation->not_after), ==, 1900000000);
  }
}

/* A flag that is gone by one view is not kept by another one that never shows any; a state is. */
static void
test_flag_gone (void)
{
  static const char *const texts[] = {
    "{'label': <'A'>, 'serial': <'0001'>, 'module': <'one'>, 'pin-state': <'unknown'>, "
    "'pin-flag-gone': <true>, 'puk-state': <'unknown'>, 'puk-flag-gone': <true>}",
    "{'label': <'A'>, 'serial': <'0001'>, 'module': <'two'>, 'pin-state': <'unknown'>, "
    "'puk-state': <'low'>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);
  g_autoptr (TokendNotifySituation) situation = situation_of (tokens, 0);

  g_assert_true (situation->tries.of[TOKEND_ROLE_PIN].flag_gone);
  g_assert_cmpint (situation->tries.of[TOKEND_ROLE_PUK].state, ==, TOKEND_STATE_LOW);
}

/* Whichever view tells of it: that the PUK may be locked, and only then. */
static void
test_puk_may_be_locked (void)
{
  static const char *const texts[] = {
    "{'label': <'A'>, 'serial': <'0001'>, 'module': <'one'>, 'puk-state': <'ok'>}",
    "{'label': <'A'>, 'serial': <'0001'>, 'module': <'two'>, 'puk-state': <'unknown'>, "
    "'puk-wrong-sent': <uint32 3>}",
    "{'label': <'B'>, 'serial': <'0002'>, 'puk-state': <'unknown'>, 'puk-wrong-sent': <uint32 2>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);

  for (guint i = 0; i < tokens->len; i++) {
    g_autoptr (TokendNotifySituation) situation = situation_of (tokens, i);

    g_assert_cmpint (situation->puk_may_be_locked, ==, i < 2);
  }
}

/* A certificate by any view is one; that there is none is told by whoever has looked. */
static void
test_no_certificate (void)
{
  static const struct {
    const char *one, *two;
    gboolean has_none;
  } rows[] = {
    { "", "", FALSE },
    { ", 'no-certificate': <false>", "", FALSE },
    { ", 'no-certificate': <true>", "", TRUE },
    { "", ", 'no-certificate': <true>", TRUE },
    { ", 'no-certificate': <true>", ", 'certificate-not-after': <uint64 1>", FALSE },
    { ", 'certificate-not-after': <uint64 1>", ", 'no-certificate': <true>", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *one = g_strdup_printf ("{'label': <'A'>, 'serial': <'1'>%s}", rows[i].one);
    g_autofree char *two = g_strdup_printf ("{'label': <'A'>, 'serial': <'1'>%s}", rows[i].two);
    const char *const texts[] = { one, two, NULL };
    g_autoptr (GPtrArray) tokens = tokens_from (texts);
    g_autoptr (TokendNotifySituation) situation = situation_of (tokens, 0);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (situation->has_no_certificate, ==, rows[i].has_none);
  }
}

/* An OpenPGP card shows its one PIN as two tokens: the one with the concern counts. */
static void
test_two_labels (void)
{
  static const char *const texts[] = {
    "{'label': <'card (User PIN)'>, 'serial': <'77'>, 'pin-state': <'ok'>, 'puk-state': <'ok'>, "
    "'pin-shared': <true>}",
    "{'label': <'card (Sig PIN)'>, 'serial': <'77'>, 'pin-state': <'final-try'>, "
    "'pin-shared': <true>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);
  g_autoptr (TokendNotifySituation) situation = situation_of (tokens, 0);

  g_assert_cmpint (situation->tries.of[TOKEND_ROLE_PIN].state, ==, TOKEND_STATE_FINAL_TRY);
  g_assert_cmpstr (situation->name, ==, "card (Sig PIN)");
}

/* One token by two names: the worse counts, and it is called as the module to operate on it by
 * shows it, whichever was read last. */
static void
test_two_names (void)
{
  static const char *const texts[] = {
    "{'label': <'OTHER'>, 'serial': <'66'>, 'module': <'one'>, 'pin-state': <'locked'>, 'pin-id': "
    "<'x'>, "
    "'preferred': <false>}",
    "{'label': <'MINE'>, 'serial': <'77'>, 'module': <'two'>, 'pin-state': <'low'>, 'pin-id': "
    "<'x'>, "
    "'preferred': <true>}",
    "{'label': <'OTHER'>, 'serial': <'88'>, 'module': <'one'>, 'pin-state': <'ok'>, 'pin-id': "
    "<'y'>, "
    "'preferred': <true>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);

  for (guint i = 0; i < 2; i++) {
    g_autoptr (TokendNotifySituation) situation = situation_of (tokens, i);

    g_assert_cmpint (situation->tries.of[TOKEND_ROLE_PIN].state, ==, TOKEND_STATE_LOCKED);
    g_assert_cmpstr (situation->name, ==, "MINE");
    g_assert_cmpstr (situation->names[0], ==, "MINE");
    g_ptr_array_insert (tokens, 0, g_ptr_array_steal_index (tokens, 1));
  }
}

/* Of the views to operate on, the one with the concern; whatever others show is none of it. */
static void
test_two_preferred (void)
{
  static const char *const texts[] = {
    "{'label': <'OTHER'>, 'serial': <'66'>, 'pin-state': <'locked'>, 'pin-id': <'x'>, "
    "'preferred': <false>}",
    "{'label': <'FINE'>, 'serial': <'77'>, 'pin-state': <'ok'>, 'pin-id': <'x'>, "
    "'preferred': <true>}",
    "{'label': <'LOW'>, 'serial': <'77'>, 'pin-state': <'low'>, 'pin-id': <'x'>, "
    "'preferred': <true>}",
    NULL,
  };
  static const char *const unknown[] = {
    "{'label': <'OTHER'>, 'serial': <'66'>, 'pin-state': <'locked'>, 'pin-id': <'x'>, "
    "'preferred': <false>}",
    "{'label': <'MINE'>, 'serial': <'77'>, 'pin-state': <'unknown'>, 'pin-id': <'x'>, "
    "'preferred': <true>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens_unknown = tokens_from (unknown);
  g_autoptr (TokendNotifySituation) situation_unknown = situation_of (tokens_unknown, 0);
  g_autoptr (GPtrArray) tokens = tokens_from (texts);

  g_assert_cmpstr (situation_unknown->name, ==, "MINE");
  for (guint i = 0; i < 2; i++) {
    g_autoptr (TokendNotifySituation) situation = situation_of (tokens, 0);

    g_assert_cmpstr (situation->name, ==, "LOW");
    g_ptr_array_insert (tokens, 0, g_ptr_array_steal_index (tokens, 2)); /* whichever comes first */
  }
}

/* The name outlives the service, which gives out other ids each time. */
static void
test_names_and_identities (void)
{
  static const char *const texts[] = {
    "{'label': <'A'>, 'serial': <'77'>, 'pin-id': <'x'>}",
    "{'label': <'A'>, 'serial': <'77'>, 'pin-id': <'y'>}",
    "{'label': <'B'>, 'serial': <'66'>, 'pin-id': <'x'>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);
  char *names[3], *identities[3];

  for (guint i = 0; i < 3; i++) {
    GVariant *status = ((TokenctlToken *) tokens->pdata[i])->status;

    names[i] = tokend_notify_pin_name (status);
    identities[i] = tokend_notify_pin_identity (status);
  }
  g_assert_cmpstr (names[0], ==, names[1]);
  g_assert_cmpstr (names[0], !=, names[2]);
  g_assert_cmpstr (identities[0], !=, identities[1]);
  g_assert_cmpstr (identities[0], ==, identities[2]);
  for (guint i = 0; i < 3; i++) {
    g_free (names[i]);
    g_free (identities[i]);
  }
}

/* A certificate for each label; of two views of one the later end counts, which is that of the
 * renewed one. */
static void
test_certificate_of_each_label (void)
{
  static const char *const texts[] = {
    "{'label': <'B'>, 'serial': <'77'>, 'module': <'one'>, 'provider': <'e-guven'>, "
    "'certificate-not-after': <uint64 1900000000000000>}",
    "{'label': <'A'>, 'serial': <'77'>, 'module': <'one'>, 'pin-state': <'locked'>, "
    "'certificate-not-after': <uint64 1800000000000000>}",
    "{'label': <'A'>, 'serial': <'77'>, 'module': <'two'>, 'pin-state': <'locked'>, "
    "'certificate-not-after': <uint64 1700000000000000>}",
    "{'label': <'C'>, 'serial': <'77'>, 'module': <'one'>}",
    "{'label': <'C'>, 'serial': <'78'>, 'module': <'one'>, "
    "'certificate-not-after': <uint64 2000000000000000>}",
    NULL,
  };
  static const struct {
    const char *label;
    const char *provider;
    gint64 end; /* or 0 */
    const char *name;
  } rows[] = {
    { "A", NULL, 1800000000, "A" },
    { "B", "e-guven", 1900000000, "B" },
    { "C", NULL, 0, "C (…7)" },
    { NULL, "e-guven", 1900000000, "A" },
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);
  g_autofree char *identity = tokend_notify_identity (((TokenctlToken *) tokens->pdata[0])->status);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendNotifySituation) situation =
        tokend_notify_situation_new (tokens, identity, rows[i].label);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpstr (situation->name, ==, rows[i].name);
    g_assert_cmpstr (situation->provider, ==, rows[i].provider);
    if (rows[i].end == 0)
      g_assert_null (situation->not_after);
    else
      g_assert_cmpint (g_date_time_to_unix (situation->not_after), ==, rows[i].end);
  }
  g_assert_null (tokend_notify_situation_new (tokens, identity, "D"));
}

/* Whatever the order of the views: what one knows, no other takes away. */
static void
test_order_of_views (void)
{
  static const char *const texts[] = {
    "{'label': <'A'>, 'serial': <'0001'>, 'pin-state': <'low'>, 'can-unlock': <true>, "
    "'provider': <'e-guven'>, 'certificate-not-after': <uint64 1800000000000000>}",
    "{'label': <'A'>, 'serial': <'0001'>, 'pin-state': <'low'>, 'can-unlock': <false>, "
    "'provider': <'other'>, 'certificate-not-after': <uint64 1900000000000000>}",
    "{'label': <'A'>, 'serial': <'0001'>, 'pin-state': <'low'>}",
    NULL,
  };
  static const struct {
    guint order[3];
    const char *provider;
  } rows[] = {
    { { 0, 1, 2 }, "e-guven" }, { { 1, 0, 2 }, "other" },   { { 2, 0, 1 }, "e-guven" },
    { { 2, 1, 0 }, "other" },   { { 0, 2, 1 }, "e-guven" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const char *const ordered[] = { texts[rows[i].order[0]], texts[rows[i].order[1]],
                                    texts[rows[i].order[2]], NULL };
    g_autoptr (GPtrArray) tokens = tokens_from (ordered);
    g_autoptr (TokendNotifySituation) situation = situation_of (tokens, 0);

    g_assert_true (situation->can_unlock);
    g_assert_cmpstr (situation->provider, ==, rows[i].provider);
    g_assert_cmpint (g_date_time_to_unix (situation->not_after), ==, 1900000000);
  }
}

/* None of the views can unlock it. */
static void
test_no_way_to_unlock (void)
{
  static const char *const texts[] = {
    "{'label': <'A'>, 'serial': <'1'>, 'pin-state': <'locked'>, 'can-unlock': <false>}",
    "{'label': <'A'>, 'serial': <'1'>, 'pin-state': <'locked'>}",
    "{'label': <'B'>, 'serial': <'2'>, 'pin-state': <'locked'>, 'can-unlock': <true>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);
  g_autoptr (TokendNotifySituation) situation = situation_of (tokens, 0);

  g_assert_false (situation->can_unlock);
}

/* Of two PINs each has its own news. */
static void
test_two_pins (void)
{
  static const char *const texts[] = {
    "{'label': <'card (User PIN)'>, 'serial': <'77'>, 'pin-state': <'locked'>}",
    "{'label': <'card (Sign PIN)'>, 'serial': <'77'>, 'pin-state': <'final-try'>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);
  g_autoptr (TokendNotifySituation) user = situation_of (tokens, 0);
  g_autoptr (TokendNotifySituation) sign = situation_of (tokens, 1);

  g_assert_cmpint (user->tries.of[TOKEND_ROLE_PIN].state, ==, TOKEND_STATE_LOCKED);
  g_assert_cmpstr (user->name, ==, "card (User PIN)");
  g_assert_cmpint (sign->tries.of[TOKEND_ROLE_PIN].state, ==, TOKEND_STATE_FINAL_TRY);
  g_assert_cmpstr (sign->names[0], ==, "card (Sign PIN)");
  g_assert_null (sign->names[1]);
}

static void
test_names (void)
{
  static const struct {
    const char *label;
    const char *serial;
    const char *others_label;
    const char *name;
    const char *argument;
  } rows[] = {
    { "WORK", "02a0b1c1", "HOME", "WORK", "WORK" },
    { "WORK", "02a0b1c1", "WORK", "WORK (…b1c1)", "02a0b1c1" },
    { "WORK", "0123456789", "WORK", "WORK (…6789)", "0123456789" },
    { "WORK", "123", "WORK", "WORK (…3)", "123" },
    { "WORK", "1", "WORK", "WORK", "1" },
    { "", "02a0b1c1", "HOME", "a token without a label", "02a0b1c1" },
    { "", "02a0b1c1", "", "a token without a label (…b1c1)", "02a0b1c1" },
    { "<b>&amp;", "02a0b1c1", "HOME", "<b>&amp;", "<b>&amp;" },
    { "a\nb", "02a0b1c1", "HOME", "a\\u{A}b", "a\nb" },
    { "--help", "02a0b1c1", "HOME", "--help", "--help" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tokens =
        g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);
    g_autoptr (TokendNotifySituation) situation = NULL;

    g_ptr_array_add (
        tokens, tokenctl_token_new ("/1", g_variant_new_parsed ("{'label': <%s>, 'serial': <%s>}",
                                                                rows[i].label, rows[i].serial)));
    g_ptr_array_add (tokens, tokenctl_token_new (
                                 "/2", g_variant_new_parsed ("{'label': <%s>, 'serial': <'other'>}",
                                                             rows[i].others_label)));
    situation = situation_of (tokens, 0);
    g_assert_cmpstr (situation->name, ==, rows[i].name);
    g_assert_cmpstr (situation->names[0], ==, rows[i].argument);
    g_assert_null (situation->names[1]);
  }
}

/* Neither label nor serial number says which of two is meant. */
static void
test_no_name (void)
{
  static const char *const texts[] = {
    "{'label': <'WORK'>, 'serial': <'1'>, 'card-id': <'x'>, 'pin-id': <'x'>}",
    "{'label': <'WORK'>, 'serial': <'1'>, 'card-id': <'y'>, 'pin-id': <'y'>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);
  g_autoptr (TokendNotifySituation) situation = situation_of (tokens, 0);

  g_assert_nonnull (situation->names);
  g_assert_null (situation->names[0]);
}

/* Wherever the other one stands in the list. */
static void
test_double_before (void)
{
  static const char *const texts[] = {
    "{'label': <'WORK'>, 'serial': <'other'>}",
    "{'label': <'WORK'>, 'serial': <'02a0b1c1'>}",
    NULL,
  };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);
  g_autoptr (TokendNotifySituation) situation = situation_of (tokens, 1);

  g_assert_cmpstr (situation->name, ==, "WORK (…b1c1)");
}

static void
test_absent (void)
{
  static const char *const texts[] = { "{'label': <'A'>, 'serial': <'1'>}", NULL };
  g_autoptr (GPtrArray) tokens = tokens_from (texts);

  g_assert_null (tokend_notify_situation_new (tokens, "another", NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/notify/situation/views", test_views);
  g_test_add_func ("/notify/situation/flag-gone", test_flag_gone);
  g_test_add_func ("/notify/situation/puk-may-be-locked", test_puk_may_be_locked);
  g_test_add_func ("/notify/situation/no-certificate", test_no_certificate);
  g_test_add_func ("/notify/situation/two-labels", test_two_labels);
  g_test_add_func ("/situation/two-names", test_two_names);
  g_test_add_func ("/situation/two-preferred", test_two_preferred);
  g_test_add_func ("/situation/names-and-identities", test_names_and_identities);
  g_test_add_func ("/notify/situation/certificate-of-each-label", test_certificate_of_each_label);
  g_test_add_func ("/notify/situation/order-of-views", test_order_of_views);
  g_test_add_func ("/notify/situation/no-way-to-unlock", test_no_way_to_unlock);
  g_test_add_func ("/notify/situation/two-pins", test_two_pins);
  g_test_add_func ("/notify/situation/names", test_names);
  g_test_add_func ("/notify/situation/no-name", test_no_name);
  g_test_add_func ("/notify/situation/double-before", test_double_before);
  g_test_add_func ("/notify/situation/absent", test_absent);
  return g_test_run ();
}
