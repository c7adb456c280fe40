/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"
#include "words.h"

#include <string.h>

/* What each adds to the status of a PIN that is locked and a PUK that tells nothing; each is said
 * in other words. */
static const struct {
  const char *status;
  const char *pin_step, *puk_step; /* what must be in them; NULL: nothing is said */
  const char *not_in_pin_step;
} rows[] = {
  { "", "tokenctl unlock ETOKEN", NULL, "wrong PUK" },
  { ", 'puk-wrong-sent': <uint32 1>", "tokenctl unlock ETOKEN", "has sent 1 wrong PUK since",
    "no PUK" },
  { ", 'puk-wrong-sent': <uint32 2>", "tokenctl unlock ETOKEN", "has sent 2 wrong PUKs since",
    "no PUK" },
  { ", 'puk-wrong-sent': <uint32 3>", "the PUK may be", "3 wrong PUKs since", "tokenctl unlock" },
  { ", 'puk-wrong-sent': <uint32 4>", "the PUK may be", "4 wrong PUKs since", "tokenctl unlock" },
  { ", 'puk-wrong-sent': <uint32 2>, 'puk-maybe-lost': <uint32 1>", "the PUK may be",
    "1 PUK try may have been lost", "tokenctl unlock" },
  { ", 'puk-maybe-lost': <uint32 1>", "tokenctl unlock ETOKEN", "1 PUK try may have been lost",
    "wrong PUK" },
  { ", 'puk-wrong-sent': <uint32 3>, 'puk-retries-maximum': <uint32 5>", "tokenctl unlock ETOKEN",
    "3 wrong PUKs", "may be." },
  { ", 'puk-wrong-sent': <uint32 2>, 'puk-retries-maximum': <uint32 2>", "the PUK may be",
    "2 wrong PUKs", "tokenctl unlock" },
  { ", 'puk-last-seen': <'locked'>", "the PUK may be", "The token said that the PUK is locked",
    "tokenctl unlock" },
  { ", 'puk-last-seen': <'final-try'>", "tokenctl unlock", "said that one PUK try is left",
    "may be." },
  { ", 'puk-sent-elsewhere': <true>", "tokenctl unlock ETOKEN",
    "that may be this one counts here too", "wrong PUK" },
  { ", 'puk-record-lost': <true>", "tokenctl unlock ETOKEN", "so any PUK try may be the last",
    "wrong PUK" },
};

static void
check (gsize i, const char *said, const char *wanted)
{
  g_test_message ("row %" G_GSIZE_FORMAT ": %s", i, said);
  if (wanted == NULL)
    g_assert_null (said);
  else
    g_assert_nonnull (strstr (said, wanted));
}

static void
test_puk (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = g_strdup_printf (
        "{'pin-state': <'locked'>, 'puk-state': <'unknown'>, 'can-unlock': <true>%s}",
        rows[i].status);
    g_autoptr (GVariant) status = g_variant_ref_sink (g_variant_new_parsed (text));
    g_autofree char *pin = tokenctl_next_step (status, TOKEND_ROLE_PIN, "ETOKEN");
    g_autofree char *puk = tokenctl_next_step (status, TOKEND_ROLE_PUK, "ETOKEN");

    check (i, pin, rows[i].pin_step);
    check (i, puk, rows[i].puk_step);
    g_assert_null (strstr (pin, rows[i].not_in_pin_step));
  }
}

static const struct {
  const char *status;
  const char *words; /* or NULL: nothing is said */
} pins[] = {
  { "'pin-state': <'unknown'>", NULL },
  { "'pin-state': <'unknown'>, 'pin-wrong-sent': <uint32 2>",
    "tokend has sent 2 wrong PINs since the last right one." },
  { "'pin-state': <'ok'>, 'pin-wrong-sent': <uint32 1>, 'pin-sent-at': <uint64 0>",
    "tokend has sent 1 wrong PIN since the last right one, on 1 January 1970, 00:00." },
  { "'pin-state': <'unknown'>, 'pin-wrong-sent': <uint32 2>, 'pin-sent-at': <uint64 "
    "1785751500000000>",
    "tokend has sent 2 wrong PINs since the last right one, the last on 3 August 2026, 10:05." },
  { "'pin-state': <'unknown'>, 'pin-wrong-sent': <uint32 2>, 'pin-sent-at': <uint64 "
    "18446744073709551615>",
    "tokend has sent 2 wrong PINs since the last right one." },
  /* Nobody has typed a wrong one. */
  { "'pin-state': <'unknown'>, 'pin-maybe-lost': <uint32 1>, 'pin-sent-at': <uint64 "
    "1785751500000000>",
    "1 PIN try may have been lost: what became of it is not known. The last PIN was sent on 3 "
    "August "
    "2026, 10:05." },
  /* The date may be that of another code than the wrong one. */
  { "'pin-state': <'unknown'>, 'pin-wrong-sent': <uint32 1>, 'pin-maybe-lost': <uint32 1>, "
    "'pin-sent-at': <uint64 1785751500000000>",
    "tokend has sent 1 wrong PIN since the last right one. 1 PIN try may have been lost: what "
    "became "
    "of it is not known. The last PIN was sent on 3 August 2026, 10:05." },
  { "'pin-state': <'unknown'>, 'pin-wrong-sent': <uint32 2>, 'pin-last-seen': <'locked'>, "
    "'pin-sent-at': <uint64 1785751500000000>",
    "tokend has sent 2 wrong PINs since the last right one. The last PIN was sent on 3 August "
    "2026, "
    "10:05. The token said that the PIN is locked; another program may have unlocked it since." },
  { "'pin-state': <'unknown'>, 'pin-last-seen': <'locked'>, 'pin-sent-at': <uint64 "
    "1785751500000000>",
    "The last PIN was sent on 3 August 2026, 10:05. The token said that the PIN is locked; another "
    "program may have unlocked it since." },
  { "'pin-state': <'unknown'>, 'pin-last-seen': <'final-try'>, 'pin-sent-at': <uint64 "
    "1785751500000000>",
    "The last PIN was sent on 3 August 2026, 10:05. The token said that one PIN try is left; "
    "another program may have sent a right PIN since." },
  { "'pin-state': <'unknown'>, 'pin-sent-elsewhere': <true>",
    "What tokend has sent to a token that may be this one counts here too, so any PIN try may be "
    "the "
    "last, until a right one is sent." },
  { "'pin-state': <'unknown'>, 'pin-record-lost': <true>",
    "tokend's record of tries could not be read (journalctl -u tokend says more), so any PIN try "
    "may be the last, until a right one is sent." },
  { "'pin-state': <'unknown'>, 'pin-wrong-sent': <uint32 1>, 'pin-maybe-lost': <uint32 2>",
    "tokend has sent 1 wrong PIN since the last right one. 2 PIN tries may have been lost: what "
    "became "
    "of them is not known." },
  { "'pin-state': <'unknown'>, 'pin-wrong-sent': <uint32 1>, 'pin-maybe-lost': <uint32 1>, "
    "'pin-last-seen': <'locked'>",
    "tokend has sent 1 wrong PIN since the last right one. 1 PIN try may have been lost: what "
    "became of it is not known. The token said that the PIN is locked; another program may have "
    "unlocked it since." },
  { "'pin-state': <'unknown'>, 'pin-last-seen': <'locked'>",
    "tokend has sent a PIN. The token said that the PIN is locked; another program may have "
    "unlocked it since." },
  /* The token's own number says it all. */
  { "'pin-state': <'low'>, 'pin-retries-remaining': <uint32 2>, 'pin-wrong-sent': <uint32 1>",
    NULL },
};

static void
test_pin (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pins); i++) {
    g_autofree char *text = g_strdup_printf ("{%s}", pins[i].status);
    g_autoptr (GVariant) status = g_variant_ref_sink (g_variant_new_parsed (text));
    g_autofree char *words = tokenctl_words_for_record (status, TOKEND_ROLE_PIN);

    g_assert_cmpstr (words, ==, pins[i].words);
  }
}

/* By the record alone it is told what to do, too; and that is not what a number of tries asks
 * for. */
static const struct {
  const char *status;
  const char *step, *not_in_step;
} steps[] = {
  { "'pin-wrong-sent': <uint32 2>", "brings the tries back", "If it is still locked" },
  { "'pin-wrong-sent': <uint32 3>", "If it is still locked, unlock it with the PUK: tokenctl",
    "brings the tries back" },
  { "'pin-wrong-sent': <uint32 2>, 'pin-maybe-lost': <uint32 1>", "If it is still locked",
    "brings the tries back" },
  { "'pin-wrong-sent': <uint32 3>, 'pin-retries-maximum': <uint32 5>", "brings the tries back",
    "If it is still locked" },
  { "'pin-last-seen': <'locked'>", "If it is still locked", "brings the tries back" },
};

static void
test_pin_step (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++) {
    g_autofree char *text = g_strdup_printf (
        "{'pin-state': <'unknown'>, 'puk-state': <'unknown'>, 'can-unlock': <true>, %s}",
        steps[i].status);
    g_autoptr (GVariant) status = g_variant_ref_sink (g_variant_new_parsed (text));
    g_autofree char *step = tokenctl_next_step (status, TOKEND_ROLE_PIN, "ETOKEN");

    check (i, step, steps[i].step);
    g_assert_null (strstr (step, steps[i].not_in_step));
    g_assert_nonnull (strstr (step, "tokenctl unlock ETOKEN"));
    g_assert_nonnull (strstr (step, "How many PUK tries are left is not known"));
    g_assert_null (strstr (step, "left: "));
  }
}

/* Only where the token says nothing itself. */
static void
test_may_be_locked (void)
{
  static const struct {
    const char *status;
    gboolean may_be;
  } states[] = {
    { "{'puk-state': <'unknown'>, 'puk-wrong-sent': <uint32 3>}", TRUE },
    { "{'puk-state': <'low'>, 'puk-wrong-sent': <uint32 3>}", FALSE },
    { "{'puk-state': <'locked'>, 'puk-last-seen': <'locked'>}", FALSE },
    { "{'puk-state': <'unknown'>, 'puk-wrong-sent': <uint32 2>}", FALSE },
    { "{'puk-state': <'unknown'>, 'puk-wrong-sent': <uint32 1>, 'puk-retries-maximum': <uint32 1>}",
      TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (states); i++) {
    g_autoptr (GVariant) status = g_variant_ref_sink (g_variant_new_parsed (states[i].status));

    g_test_message ("%s", states[i].status);
    g_assert_cmpint (tokenctl_may_be_locked (status, TOKEND_ROLE_PUK), ==, states[i].may_be);
  }
}

int
main (int argc, char **argv)
{
  g_setenv ("TZ", "UTC", TRUE);
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  g_test_add_func ("/record/puk", test_puk);
  g_test_add_func ("/record/pin", test_pin);
  g_test_add_func ("/record/pin-step", test_pin_step);
  g_test_add_func ("/record/may-be-locked", test_may_be_locked);
  return g_test_run ();
}
