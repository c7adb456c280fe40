/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inconsistency.h"
#include "journal.h"

static const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 };

/* What is shown in one reading after the other, and whether it is told then. */
static const struct {
  int remaining;
  gboolean final_try, locked;
  gboolean told;
} readings[] = {
  { 3, FALSE, FALSE, FALSE },
  /* Another program's code came between flags and number. */
  { 3, TRUE, FALSE, FALSE },
  { 3, FALSE, FALSE, FALSE },
  { 3, TRUE, FALSE, FALSE },
  { 1, TRUE, FALSE, FALSE },
  /* It is there to stay: told once. */
  { 3, TRUE, FALSE, FALSE },
  { 3, TRUE, FALSE, TRUE },
  { 3, TRUE, FALSE, FALSE },
  { 3, TRUE, FALSE, FALSE },
  /* Another one */
  { 2, TRUE, FALSE, FALSE },
  { 2, TRUE, FALSE, TRUE },
  { 2, TRUE, TRUE, FALSE },
  { 2, TRUE, TRUE, TRUE },
  { 2, TRUE, TRUE, FALSE },
  /* Gone, and back */
  { -1, TRUE, TRUE, FALSE },
  { 2, TRUE, TRUE, FALSE },
  { 2, TRUE, TRUE, TRUE },
};

static void
test_observe (void)
{
  TokendInconsistency inconsistency = { 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (readings); i++) {
    const TokendCounterReading reading = { .initialized = TRUE,
                                           .final_try = readings[i].final_try,
                                           .locked = readings[i].locked,
                                           .remaining = readings[i].remaining,
                                           .maximum = readings[i].remaining < 0 ? -1 : 3 };

    g_test_message ("reading %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_inconsistency_observe (&inconsistency, &reading, &rules), ==,
                     readings[i].told);
    if (!readings[i].told)
      continue;
    /* As long as nobody has told it, it is to be told. */
    g_assert_true (tokend_inconsistency_observe (&inconsistency, &reading, &rules));
    inconsistency.is_told = TRUE;
  }
}

/* Only a number and a flag that is worse cannot both be true. */
static void
test_itself (void)
{
  static const struct {
    TokendCounterReading reading;
    gboolean contradicts;
  } shown[] = {
    /* initialized, count_low, final_try, locked, remaining, maximum */
    { { TRUE, FALSE, FALSE, FALSE, 3, 3 }, FALSE },
    { { TRUE, TRUE, FALSE, FALSE, 2, 3 }, FALSE },
    { { TRUE, FALSE, TRUE, FALSE, 1, 3 }, FALSE },
    { { TRUE, FALSE, FALSE, TRUE, 0, 3 }, FALSE },
    { { TRUE, FALSE, FALSE, FALSE, -1, -1 }, FALSE },
    { { TRUE, TRUE, FALSE, FALSE, -1, -1 }, FALSE },
    { { TRUE, FALSE, FALSE, TRUE, -1, -1 }, FALSE },
    { { TRUE, TRUE, FALSE, FALSE, 3, 3 }, TRUE },
    { { TRUE, FALSE, TRUE, FALSE, 2, 3 }, TRUE },
    { { TRUE, FALSE, FALSE, TRUE, 1, 3 }, TRUE },
    /* Before a PIN is set, its flags mean nothing. */
    { { FALSE, FALSE, FALSE, TRUE, 3, 3 }, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (shown); i++) {
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_counter_is_inconsistent (&shown[i].reading, &rules), ==,
                     shown[i].contradicts);
  }
}

/* It is the same one only if all that is shown is the same. */
static void
test_another (void)
{
  static const TokendCounterReading first = { TRUE, FALSE, FALSE, TRUE, 2, 3 };
  static const TokendCounterReading others[] = {
    { TRUE, TRUE, FALSE, TRUE, 2, 3 },  { TRUE, FALSE, TRUE, TRUE, 2, 3 },
    { TRUE, FALSE, TRUE, FALSE, 2, 3 }, { TRUE, FALSE, FALSE, TRUE, 1, 3 },
    { TRUE, FALSE, FALSE, TRUE, 2, 4 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    TokendInconsistency inconsistency = { 0 };

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_false (tokend_inconsistency_observe (&inconsistency, &first, &rules));
    g_assert_false (tokend_inconsistency_observe (&inconsistency, &others[i], &rules));
    g_assert_true (tokend_inconsistency_observe (&inconsistency, &others[i], &rules));
  }
}

/* However often it is read. */
static void
test_none (void)
{
  static const TokendCounterReading healthy = { TRUE, FALSE, FALSE, FALSE, 3, 3 };
  TokendInconsistency inconsistency = { 0 };

  for (guint i = 0; i < 3; i++)
    g_assert_false (tokend_inconsistency_observe (&inconsistency, &healthy, &rules));
}

static void
test_compose (void)
{
  const TokendInconsistency inconsistency = { .reading = { .initialized = TRUE,
                                                           .count_low = TRUE,
                                                           .final_try = TRUE,
                                                           .locked = TRUE,
                                                           .remaining = 2 } };
  g_autoptr (GVariant) fields = g_variant_ref_sink (tokend_inconsistency_compose (
      &inconsistency, TOKEND_ROLE_PUK, TOKEND_STATE_LOCKED, "0af3", "CARD", "a-module"));
  static const struct {
    const char *field, *text;
  } wanted[] = {
    { "MESSAGE_ID", TOKEND_MESSAGE_INCONSISTENT },
    { "TOKEND_ROLE", "PUK" },
    { "TOKEND_STATE", "locked" },
    { "TOKEND_NUMBER", "2" },
    { "TOKEND_FLAGS", "COUNT_LOW FINAL_TRY LOCKED" },
    { "TOKEND_TOKEN", "0af3" },
    { "TOKEND_LABEL", "CARD" },
    { "TOKEND_MODULE", "a-module" },
    { "MESSAGE",
      "“CARD” contradicts itself about its PUK: its number says 2 left, its flags COUNT_LOW "
      "FINAL_TRY LOCKED; the worse is believed" },
  };

  g_assert_cmpuint (g_variant_n_children (fields), ==, G_N_ELEMENTS (wanted));
  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++) {
    const char *text = NULL;

    g_variant_lookup (fields, wanted[i].field, "&s", &text);
    g_assert_cmpstr (text, ==, wanted[i].text);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  g_test_add_func ("/contradiction/itself", test_itself);
  g_test_add_func ("/contradiction/observe", test_observe);
  g_test_add_func ("/contradiction/another", test_another);
  g_test_add_func ("/contradiction/none", test_none);
  g_test_add_func ("/contradiction/compose", test_compose);
  return g_test_run ();
}
