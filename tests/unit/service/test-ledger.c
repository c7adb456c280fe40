/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the ledger records of a token, and what clears it. */
#include "journal-spy.h"
#include "ledger-sync.h"

#include <glib/gstdio.h>

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

static void
test_fresh (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_assert_record (ledger, CARD, PIN, 0, FALSE);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
  journal_spy_expect_nothing ();
}

static const struct {
  TokendSettlement settlement;
  guint spent;
  gboolean locked;
} settlements[] = {
  { TOKEND_SETTLEMENT_NOT_SPENT, 0, FALSE }, { TOKEND_SETTLEMENT_SPENT, 1, FALSE },
  { TOKEND_SETTLEMENT_SUCCEEDED, 0, FALSE }, { TOKEND_SETTLEMENT_ACCEPTED, 0, FALSE },
  { TOKEND_SETTLEMENT_LOCKED, 0, TRUE },     { TOKEND_SETTLEMENT_UNKNOWN, 1, FALSE },
};

static void
test_settlements (Scratch *scratch, gconstpointer user_data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (settlements); i++)
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      g_autofree char *card = g_strdup_printf ("card-%" G_GSIZE_FORMAT, i);
      g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

      ledger_try (ledger, card, role, settlements[i].settlement);
      ledger_assert_record (ledger, card, role, settlements[i].spent, settlements[i].locked);
      ledger_assert_on_disk (scratch, card, role, settlements[i].spent, settlements[i].locked);
    }
}

static void
test_roles_and_cards_are_apart (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, CARD, PIN, TOKEND_SETTLEMENT_SPENT);
  ledger_try (ledger, CARD, PUK, TOKEND_SETTLEMENT_SPENT);
  ledger_try (ledger, CARD, PUK, TOKEND_SETTLEMENT_SPENT);
  ledger_try (ledger, OTHER_CARD, PUK, TOKEND_SETTLEMENT_LOCKED);
  ledger_try (ledger, CARD, PIN, TOKEND_SETTLEMENT_SUCCEEDED);
  ledger_assert_on_disk (scratch, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PUK, 0, TRUE);
}

/* A PUK that was accepted sets the PIN's counter back too; a PIN does nothing to the PUK's. */
static void
test_puk_success_clears_pin (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, CARD, PIN, TOKEND_SETTLEMENT_LOCKED);
  ledger_try (ledger, CARD, PUK, TOKEND_SETTLEMENT_SPENT);
  ledger_try (ledger, OTHER_CARD, PIN, TOKEND_SETTLEMENT_SPENT);
  ledger_assert_record (ledger, CARD, PIN, 0, TRUE);
  ledger_try (ledger, CARD, PUK, TOKEND_SETTLEMENT_SUCCEEDED);
  ledger_assert_on_disk (scratch, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PIN, 1, FALSE);
}

static const TokendCounterRules exact_3 = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 };

static TokendCounterReading
make_reading (int left, gboolean by_number)
{
  return (TokendCounterReading){ TRUE,
                                 !by_number && left == 2,
                                 !by_number && left == 1,
                                 !by_number && left == 0,
                                 by_number ? left : TOKEND_RETRIES_UNKNOWN,
                                 by_number ? 3 : TOKEND_RETRIES_UNKNOWN };
}

static void
observe (TokendLedger *ledger, TokendRole role, int left, gboolean by_number)
{
  TokendCounterReading reading = make_reading (left, by_number);

  tokend_ledger_observe (ledger, CARD, role, "module", &reading, &exact_3);
}

/* tokend_ledger_observe() tells nobody when it is written; what is written after it is after it. */
static void
wait_for_writes (TokendLedger *ledger)
{
  g_assert_true (ledger_begin (ledger, "another card", PIN, NULL));
}

static void
test_pending_without_flags (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;

  {
    g_autoptr (TokendLedger) killed = tokend_ledger_new (scratch->path);
    g_assert_true (ledger_begin (killed, CARD, PUK, NULL));
  }
  ledger = tokend_ledger_new (scratch->path);
  observe (ledger, PUK, 3, FALSE);
  observe (ledger, PUK, 3, FALSE);
  wait_for_writes (ledger);
  ledger_assert_record (ledger, CARD, PUK, 1, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 1, FALSE);
}

/* A module that only says it shows the token may be wrong, and must not clear what another one's tries cost. */
static void
test_other_module (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;
  TokendCounterReading full = make_reading (3, TRUE);

  {
    g_autoptr (TokendLedger) before = tokend_ledger_new (scratch->path);
    g_assert_true (ledger_begin (before, CARD, PUK, NULL));
  }
  ledger = tokend_ledger_new (scratch->path);
  tokend_ledger_observe (ledger, CARD, PUK, "another", &full, &exact_3);
  ledger_assert_record (ledger, CARD, PUK, 1, FALSE);
  tokend_ledger_observe (ledger, CARD, PUK, "module", &full, &exact_3);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
  wait_for_writes (ledger);
}

/* Nor by sending a try itself; what is sent after all is settled is a new module's own. */
static void
test_another_module_sends (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  TokendCounterReading full = make_reading (3, TRUE);

  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  g_assert_true (ledger_begin_by (ledger, CARD, PUK, "another", NULL));
  tokend_ledger_observe (ledger, CARD, PUK, "another", &full, &exact_3);
  ledger_assert_record (ledger, CARD, PUK, 2, FALSE);
  observe (ledger, PUK, 3, TRUE);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);

  g_assert_true (ledger_begin_by (ledger, CARD, PUK, "another", NULL));
  observe (ledger, PUK, 3, TRUE);
  ledger_assert_record (ledger, CARD, PUK, 1, FALSE);
  tokend_ledger_observe (ledger, CARD, PUK, "another", &full, &exact_3);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
  wait_for_writes (ledger);
}

static void
test_own_number_settles (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  g_assert_true (ledger_begin (ledger, CARD, PIN, NULL));
  observe (ledger, PUK, 3, TRUE);
  wait_for_writes (ledger);
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PIN, 1, FALSE);
}

/* That the flags followed is remembered over a restart. */
static void
test_confirmation_is_durable (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;

  {
    g_autoptr (TokendLedger) first = tokend_ledger_new (scratch->path);
    ledger_try (first, CARD, PIN, TOKEND_SETTLEMENT_SPENT);
    observe (first, PIN, 2, FALSE);
    wait_for_writes (first);
  }
  ledger = tokend_ledger_new (scratch->path);
  ledger_assert_record (ledger, CARD, PIN, 1, FALSE);
  observe (ledger, PIN, 3, FALSE);
  wait_for_writes (ledger);
  ledger_assert_record (ledger, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PIN, 0, FALSE);
}

/* So is what only the host that tried was shown. */
static void
test_final_try_is_durable (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendLedger) next = NULL;

  ledger_try (ledger, CARD, PIN, TOKEND_SETTLEMENT_SPENT);
  tokend_ledger_note (ledger, CARD, PIN, TOKEND_STATE_FINAL_TRY);
  wait_for_writes (ledger);
  next = tokend_ledger_new (scratch->path);
  g_assert_true (tokend_ledger_get_record (next, CARD, PIN).final_try);
  g_assert_false (tokend_ledger_get_record (next, CARD, PUK).final_try);
}

static gboolean
is_told (const Scratch *scratch)
{
  g_autofree char *content = scratch_read (scratch, "ledger");

  return g_strstr_len (content, -1, "\npuk-told=1\n") != NULL;
}

/* That the journal was told of a try is remembered as long as that very try is pending. */
static void
test_pending_is_told_once (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendLedger) next = NULL;

  ledger_try (ledger, CARD, PUK, TOKEND_SETTLEMENT_SPENT);
  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_true (is_told (scratch));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_true (is_told (scratch));
  next = tokend_ledger_new (scratch->path);
  g_assert_true (ledger_settle (next, CARD, PUK, TOKEND_SETTLEMENT_SPENT));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_false (is_told (scratch));
}

/* One that comes after it is another one, although as many are pending as before. */
static void
test_another_pending_is_told (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendLedger) next = NULL;

  ledger_try (ledger, CARD, PUK, TOKEND_SETTLEMENT_SPENT);
  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_true (is_told (scratch));
  next = tokend_ledger_new (scratch->path);
  g_assert_true (ledger_settle (next, CARD, PUK, TOKEND_SETTLEMENT_NOT_SPENT));
  g_assert_true (ledger_begin (next, CARD, PUK, NULL));
  g_assert_false (is_told (scratch));
  ledger_assert_on_disk (scratch, CARD, PUK, 2, FALSE);
  g_assert_true (is_told (scratch));
}

static void
test_observing_a_stranger (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autofree char *path = scratch_path (scratch, "ledger");

  observe (ledger, PIN, 2, FALSE);
  observe (ledger, PIN, 2, TRUE);
  ledger_assert_record (ledger, CARD, PIN, 0, FALSE);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

/* A failed write behind nobody's back: the journal says so. */
static void
test_observation_that_cannot_be_written (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *state = scratch_path (scratch, "state");
  g_autofree char *moved = scratch_path (scratch, "moved");
  g_autoptr (TokendLedger) ledger = NULL;

  g_assert_cmpint (g_mkdir (state, 0700), ==, 0);
  ledger = tokend_ledger_new (state);
  ledger_try (ledger, CARD, PIN, TOKEND_SETTLEMENT_SPENT);
  g_assert_cmpint (g_rename (state, moved), ==, 0);
  observe (ledger, PIN, 3, TRUE);
  g_assert_false (ledger_begin (ledger, CARD, PUK, NULL));
  journal_spy_expect ("could not be written");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  scratch_add_test ("/ledger/fresh", test_fresh);
  scratch_add_test ("/ledger/pending/without-flags", test_pending_without_flags);
  scratch_add_test ("/ledger/settlements", test_settlements);
  scratch_add_test ("/ledger/apart", test_roles_and_cards_are_apart);
  scratch_add_test ("/ledger/puk-success-clears-pin", test_puk_success_clears_pin);
  scratch_add_test ("/ledger/observe/other-module", test_other_module);
  scratch_add_test ("/ledger/observe/another-module-sends", test_another_module_sends);
  scratch_add_test ("/ledger/observe/own-number", test_own_number_settles);
  scratch_add_test ("/ledger/observe/confirmation-is-durable", test_confirmation_is_durable);
  scratch_add_test ("/ledger/observe/final-try-is-durable", test_final_try_is_durable);
  scratch_add_test ("/ledger/pending/told-once", test_pending_is_told_once);
  scratch_add_test ("/ledger/pending/another-is-told", test_another_pending_is_told);
  scratch_add_test ("/ledger/observe/stranger", test_observing_a_stranger);
  scratch_add_test ("/ledger/observe/cannot-be-written", test_observation_that_cannot_be_written);
  return g_test_run ();
}
