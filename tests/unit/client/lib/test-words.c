/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "words.h"

static void
test_tries (void)
{
  static const struct {
    TokenctlTries tries;
    TokendRole role;
    const char *words;
    TokenctlEmphasis emphasis;
  } rows[] = {
    { { TOKEND_STATE_OK, TRUE, 3, 3 },
      TOKEND_ROLE_PIN,
      "3 of 3 tries left",
      TOKENCTL_EMPHASIS_NONE },
    { { TOKEND_STATE_OK, TRUE, 5, 0 }, TOKEND_ROLE_PIN, "5 tries left", TOKENCTL_EMPHASIS_NONE },
    { { TOKEND_STATE_OK, FALSE, 0, 0 }, TOKEND_ROLE_PUK, "ok", TOKENCTL_EMPHASIS_NONE },
    { { TOKEND_STATE_LOW, TRUE, 2, 3 },
      TOKEND_ROLE_PIN,
      "2 of 3 tries left",
      TOKENCTL_EMPHASIS_LOW },
    { { TOKEND_STATE_LOW, FALSE, 0, 0 },
      TOKEND_ROLE_PIN,
      "low: at least one try was lost",
      TOKENCTL_EMPHASIS_LOW },
    { { TOKEND_STATE_OK, FALSE, 0, 0, 2 },
      TOKEND_ROLE_PIN,
      "at least 2 tries left",
      TOKENCTL_EMPHASIS_NONE },
    { { TOKEND_STATE_LOW, FALSE, 0, 0, 2 },
      TOKEND_ROLE_PIN,
      "low: at least 2 tries left",
      TOKENCTL_EMPHASIS_LOW },
    { { TOKEND_STATE_FINAL_TRY, TRUE, 1, 3 },
      TOKEND_ROLE_PIN,
      "1 try left: the next wrong PIN locks it",
      TOKENCTL_EMPHASIS_FINAL },
    { { TOKEND_STATE_FINAL_TRY, FALSE, 0, 0 },
      TOKEND_ROLE_PUK,
      "1 try left: the next wrong PUK locks it",
      TOKENCTL_EMPHASIS_FINAL },
    { { TOKEND_STATE_LOCKED, TRUE, 0, 3 }, TOKEND_ROLE_PIN, "locked", TOKENCTL_EMPHASIS_LOCKED },
    { { TOKEND_STATE_UNINITIALIZED, FALSE, 0, 0 },
      TOKEND_ROLE_PIN,
      "not set yet",
      TOKENCTL_EMPHASIS_NONE },
    { { TOKEND_STATE_UNKNOWN, FALSE, 0, 3 }, TOKEND_ROLE_PUK, "not known", TOKENCTL_EMPHASIS_NONE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *words = tokenctl_words_for_tries (&rows[i].tries, rows[i].role);

    g_assert_cmpstr (words, ==, rows[i].words);
    g_assert_cmpint (tokenctl_emphasis_of (&rows[i].tries), ==, rows[i].emphasis);
  }
}

static void
test_next_step (void)
{
  static const struct {
    const char *pin;
    const char *puk;
    gboolean can_unlock;
    const char *pin_step; /* a part of it, or NULL for none */
    const char *puk_step;
  } rows[] = {
    { "ok", "ok", TRUE, NULL, NULL },
    { "unknown", "unknown", TRUE, NULL, NULL },
    { "locked", "ok", TRUE, "tokenctl unlock ETOKEN", NULL },
    { "locked", "ok", TRUE, "Unlock it with the PUK: tokenctl unlock ETOKEN", NULL },
    { "locked", "unknown", TRUE, "tokenctl unlock ETOKEN\nHow many PUK tries are left is not",
      NULL },
    { "final-try", "unknown", TRUE, "call the support line", NULL },
    { "locked", "uninitialized", TRUE, "has no PUK. Call the support line", NULL },
    { "final-try", "uninitialized", TRUE, "do not try it", NULL },
    { "low", "uninitialized", TRUE, "brings the tries back.", NULL },
    { "uninitialized", "uninitialized", TRUE, "cannot set the first one", NULL },
    { "low", "final-try", TRUE, "before you try it, call the support line", "One PUK try is left" },
    { "locked", "ok", FALSE, "cannot unlock", NULL },
    { "locked", "locked", TRUE, "both locked", "both locked" },
    { "locked", "final-try", TRUE, "tokenctl unlock ETOKEN\nThe PUK is on its last try",
      "One PUK try is left" },
    { "final-try", "ok", TRUE, "tokenctl unlock ETOKEN", NULL },
    { "final-try", "ok", FALSE, "do not try it", NULL },
    { "final-try", "locked", TRUE, "do not try it", "PUK is locked" },
    { "low", "ok", TRUE, "tokenctl unlock ETOKEN", NULL },
    { "low", "low", FALSE, "brings the tries back", "no further try" },
    { "uninitialized", "ok", TRUE, "tokenctl unlock ETOKEN", NULL },
    { "uninitialized", "ok", FALSE, "cannot set the first one", NULL },
    { "ok", "locked", TRUE, NULL, "PUK is locked" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) status = g_variant_ref_sink (
        g_variant_new_parsed ("{'pin-state': <%s>, 'puk-state': <%s>, 'can-unlock': <%b>}",
                              rows[i].pin, rows[i].puk, rows[i].can_unlock));
    g_autofree char *pin = tokenctl_next_step (status, TOKEND_ROLE_PIN, "ETOKEN");
    g_autofree char *puk = tokenctl_next_step (status, TOKEND_ROLE_PUK, "ETOKEN");

    g_test_message ("row %" G_GSIZE_FORMAT ": %s | %s", i, pin, puk);
    if (rows[i].pin_step == NULL)
      g_assert_null (pin);
    else
      g_assert_nonnull (strstr (pin, rows[i].pin_step));
    if (rows[i].puk_step == NULL)
      g_assert_null (puk);
    else
      g_assert_nonnull (strstr (puk, rows[i].puk_step));
  }
}

/* What the last wrong PUK may have destroyed is said to be gone only where there is none. */
static void
test_gone (void)
{
  static const struct {
    const char *pin, *puk;
    gboolean is_none, is_told;
  } rows[] = {
    { "ok", "locked", TRUE, TRUE },     { "locked", "locked", TRUE, TRUE },
    { "ok", "locked", FALSE, FALSE },   { "locked", "locked", FALSE, FALSE },
    { "ok", "final-try", TRUE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) status = g_variant_ref_sink (
        g_variant_new_parsed ("{'pin-state': <%s>, 'puk-state': <%s>, 'no-certificate': <%b>}",
                              rows[i].pin, rows[i].puk, rows[i].is_none));
    g_autofree char *step = tokenctl_next_step (status, TOKEND_ROLE_PUK, "ETOKEN");

    g_test_message ("%s", step);
    g_assert_cmpint (strstr (step, "There is no certificate on the token") != NULL, ==,
                     rows[i].is_told);
    g_assert_nonnull (strstr (step, "all the support line"));
  }
}

static void
test_must_change (void)
{
  g_autoptr (GVariant) status = g_variant_ref_sink (
      g_variant_new_parsed ("{'pin-state': <'ok'>, 'pin-must-change': <true>}"));
  g_autofree char *step = tokenctl_next_step (status, TOKEND_ROLE_PIN, "ETOKEN");

  g_assert_nonnull (strstr (step, "tokenctl set-pin ETOKEN"));
}

static void
test_must_change_elsewhere (void)
{
  g_autoptr (GVariant) status = g_variant_ref_sink (g_variant_new_parsed (
      "{'pin-state': <'ok'>, 'pin-must-change': <true>, 'can-set-pin': <false>}"));

  g_assert_null (tokenctl_next_step (status, TOKEND_ROLE_PIN, "ETOKEN"));
}

static void
test_loss (void)
{
  TokenctlTries three = { TOKEND_STATE_OK, TRUE, 3, 3 };
  TokenctlTries unknown = { TOKEND_STATE_UNKNOWN };
  g_autofree char *known = tokenctl_words_for_loss (&three);
  g_autofree char *not_known = tokenctl_words_for_loss (&unknown);

  g_assert_nonnull (strstr (known, "After 3 wrong PUKs"));
  g_assert_nonnull (strstr (not_known, "may be destroyed"));
  g_assert_null (strpbrk (not_known, "0123456789"));
}

/* Whoever decides on a PIN try must not count on a PUK that opens nothing. */
static void
test_pin_loss (void)
{
  static const struct {
    const char *puk;
    const char *said;
  } rows[] = {
    { "ok", "only the PUK opens it" },      { "final-try", "only the PUK opens it" },
    { "unknown", "only the PUK opens it" }, { "locked", "nothing can unlock it" },
    { "uninitialized", "has no PUK" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) status = g_variant_ref_sink (
        g_variant_new_parsed ("{'pin-state': <'final-try'>, 'puk-state': <%s>}", rows[i].puk));
    g_autofree char *words = tokenctl_words_for_pin_loss (status);

    g_test_message ("%s: %s", rows[i].puk, words);
    g_assert_nonnull (strstr (words, rows[i].said));
  }
}

/* The empty text has a translation, which nobody is to read. */
static void
test_unsupported (void)
{
  g_autoptr (GVariant) silent = g_variant_parse (G_VARIANT_TYPE_VARDICT, "{}", NULL, NULL, NULL);
  g_autoptr (GVariant) told = g_variant_parse (
      G_VARIANT_TYPE_VARDICT, "{'unsupported': <'It has a PIN pad'>}", NULL, NULL, NULL);

  g_assert_cmpstr (tokenctl_words_for_unsupported (silent), ==, "The service does not say why");
  g_assert_cmpstr (tokenctl_words_for_unsupported (told), ==, "It has a PIN pad");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/words/tries", test_tries);
  g_test_add_func ("/words/gone", test_gone);
  g_test_add_func ("/words/next-step", test_next_step);
  g_test_add_func ("/words/must-change", test_must_change);
  g_test_add_func ("/words/must-change-elsewhere", test_must_change_elsewhere);
  g_test_add_func ("/words/loss", test_loss);
  g_test_add_func ("/words/pin-loss", test_pin_loss);
  g_test_add_func ("/words/unsupported", test_unsupported);
  return g_test_run ();
}
