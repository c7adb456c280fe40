/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Cards without a serial number: what is recorded of one may be another's. */
#include "ledger-sync.h"

#include <string.h>

#define FIRST "0c7ad1?1"
#define SECOND "0c7ad1?2"
#define AFTER_A_RESTART "0c7ad1?3"
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

static void
assert_told (TokendLedger *ledger, const char *card, TokendRole role, guint wrong)
{
  const TokendCounterRecord record = ledger_get (ledger, card, role);

  g_assert_cmpuint (record.wrong, ==, wrong);
  g_assert_cmpuint (record.pending, ==, 0);
  g_assert_cmpint (record.sent_at != 0, ==, wrong > 0);
}

/* What was sent in one stay counts in every one, and is told in that one alone. */
static void
test_counts (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    ledger_try (ledger, FIRST, role, TOKEND_TRY_SPENT);
    ledger_try (ledger, FIRST, role, TOKEND_TRY_SPENT);
    ledger_assert_record (ledger, FIRST, role, 2, FALSE);
    ledger_assert_record (ledger, SECOND, role, 2, FALSE);
    ledger_assert_on_disk (scratch, AFTER_A_RESTART, role, 2, FALSE);
    assert_told (ledger, FIRST, role, 2);
    assert_told (ledger, SECOND, role, 0);
  }
}

/* A code that is right in one stay settles what was sent in that one. */
static void
test_success (Scratch *scratch, gconstpointer user_data)
{
  static const TokendTryResult right[] = { TOKEND_TRY_SUCCEEDED, TOKEND_TRY_ACCEPTED };

  for (gsize i = 0; i < G_N_ELEMENTS (right); i++)
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      g_autoptr (TokendLedger) ledger = NULL;

      ledger_remove (scratch);
      ledger = tokend_ledger_new (scratch->path);
      ledger_try (ledger, FIRST, role, TOKEND_TRY_SPENT);
      ledger_try (ledger, FIRST, role, TOKEND_TRY_LOCKED);
      ledger_try (ledger, SECOND, role, TOKEND_TRY_SPENT);
      ledger_try (ledger, SECOND, role, right[i]);
      ledger_assert_record (ledger, FIRST, role, 1, TRUE);
      assert_told (ledger, SECOND, role, 0);
      ledger_assert_on_disk (scratch, AFTER_A_RESTART, role, 1, TRUE);

      ledger_try (ledger, FIRST, role, right[i]);
      ledger_assert_record (ledger, FIRST, role, 0, FALSE);
      ledger_assert_on_disk (scratch, AFTER_A_RESTART, role, 0, FALSE);
    }
}

/* A right PUK sets a PIN, and settles that of its own stay. */
static void
test_puk_sets_pin (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, FIRST, PIN, TOKEND_TRY_LOCKED);
  ledger_try (ledger, SECOND, PIN, TOKEND_TRY_SPENT);
  ledger_try (ledger, SECOND, PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_record (ledger, FIRST, PIN, 0, TRUE);
  ledger_assert_on_disk (scratch, AFTER_A_RESTART, PIN, 0, TRUE);
}

/* Once a PUK was right, what other cards have spent does not count until the card may be another
 * one. */
static void
test_right_in_this_stay (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, FIRST, PUK, TOKEND_TRY_LOCKED);
  ledger_try (ledger, SECOND, PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_record (ledger, SECOND, PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, SECOND, PUK, 0, TRUE);

  ledger_try (ledger, FIRST, PIN, TOKEND_TRY_SPENT);
  ledger_try (ledger, SECOND, PIN, TOKEND_TRY_ACCEPTED);
  ledger_assert_record (ledger, SECOND, PIN, 0, FALSE);
  ledger_assert_record (ledger, FIRST, PIN, 1, FALSE);
  ledger_assert_record (ledger, "0c7ad1?4", PIN, 1, FALSE);
  ledger_assert_on_disk (scratch, SECOND, PIN, 1, FALSE);
  /* What is spent after that counts. */
  ledger_try (ledger, FIRST, PIN, TOKEND_TRY_SPENT);
  ledger_assert_record (ledger, SECOND, PIN, 2, FALSE);
}

/* What was right in a stay that has ended is not kept: no later one may be taken for it, and it
 * must not pile up. */
static void
test_right_ends (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *text = NULL;

  for (guint start = 0; start < 3; start++) {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

    if (start == 0)
      ledger_try (ledger, FIRST, PUK, TOKEND_TRY_LOCKED);
    ledger_assert_record (ledger, SECOND, PUK, 0, TRUE);
    if (start < 2)
      ledger_try (ledger, SECOND, PUK, TOKEND_TRY_SUCCEEDED);
    else
      ledger_try (ledger, "b4e011?1", PIN, TOKEND_TRY_SPENT);
  }
  text = scratch_read (scratch, "ledger");
  g_assert_null (strstr (text, "right-at"));
}

/* It bars, and is told of as what may be another's. */
static void
test_elsewhere (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    ledger_try (ledger, FIRST, role, TOKEND_TRY_LOCKED);
    g_assert_false (ledger_get (ledger, FIRST, role).is_elsewhere);
    g_assert_cmpint (ledger_get (ledger, FIRST, role).seen, ==, TOKEND_STATE_LOCKED);
    g_assert_true (ledger_get (ledger, SECOND, role).is_elsewhere);
    g_assert_cmpint (ledger_get (ledger, SECOND, role).seen, ==, TOKEND_STATE_UNKNOWN);
  }
}

/* A PUK for each PIN of a card, or one for both: who knows. */
static void
test_labels (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  TokendCounterRecord record;

  ledger_try (ledger, "c0ffee/one", PUK, TOKEND_TRY_SPENT);
  ledger_try (ledger, "c0ffee/one", PUK, TOKEND_TRY_LOCKED);
  record = ledger_get (ledger, "c0ffee/two", PUK);
  g_assert_true (record.locked && record.is_elsewhere);
  g_assert_cmpuint (record.spent, ==, 1);
  assert_told (ledger, "c0ffee/two", PUK, 0);
  g_assert_cmpint (record.seen, ==, TOKEND_STATE_UNKNOWN);
  record = ledger_get (ledger, "c0ffee/one", PUK);
  g_assert_false (record.is_elsewhere);
  g_assert_cmpint (record.seen, ==, TOKEND_STATE_LOCKED);
  assert_told (ledger, "c0ffee/one", PUK, 1);
  /* With a profile that says that it is one. */
  g_assert_cmpint (ledger_get (ledger, "c0ffee=two", PUK).seen, ==, TOKEND_STATE_LOCKED);
}

/* Several stays of before become one: what was spent in each counts. */
static void
test_many (Scratch *scratch, gconstpointer user_data)
{
  static const char *const stays[] = { FIRST, SECOND, AFTER_A_RESTART };

  for (gsize i = 0; i < G_N_ELEMENTS (stays); i++) {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

    ledger_try (ledger, stays[i], PIN, TOKEND_TRY_SPENT);
    ledger_assert_record (ledger, stays[i], PIN, (guint) i + 1, FALSE);
    assert_told (ledger, stays[i], PIN, 1);
  }
  ledger_assert_on_disk (scratch, "0c7ad1?9", PIN, 3, FALSE);
  ledger_assert_on_disk (scratch, "b4e011?1", PIN, 0, FALSE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  scratch_add_test ("/ledger-stays/counts", test_counts);
  scratch_add_test ("/ledger-stays/success", test_success);
  scratch_add_test ("/ledger-stays/puk-sets-pin", test_puk_sets_pin);
  scratch_add_test ("/ledger-stays/right-in-this-stay", test_right_in_this_stay);
  scratch_add_test ("/ledger-stays/right-ends", test_right_ends);
  scratch_add_test ("/ledger-stays/elsewhere", test_elsewhere);
  scratch_add_test ("/ledger-stays/labels", test_labels);
  scratch_add_test ("/ledger-stays/many", test_many);
  return g_test_run ();
}
