/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is recorded of a token that is shown by two names, or may be; "A/l&B/l" is the first while
 * it is known, see target_of(). */
#include "ledger-sync.h"
#include "targets.h"

#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

static void
assert_both (const Scratch *scratch, TokendLedger *ledger, TokendRole role, guint at_a, guint at_b)
{
  ledger_assert_record (ledger, "A/l", role, at_a, FALSE);
  ledger_assert_on_disk (scratch, "A/l", role, at_a, FALSE);
  ledger_assert_record (ledger, "B/l", role, at_b, FALSE);
  ledger_assert_on_disk (scratch, "B/l", role, at_b, FALSE);
}

/* By the record they are one until one of them is right, also once nobody knows any more that they
 * were. */
static void
test_spent_at_one (Scratch *scratch, gconstpointer user_data)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

    ledger_try (ledger, "A/l&B/l", role, TOKEND_TRY_SPENT);
    assert_both (scratch, ledger, role, 1, 1);
    ledger_assert_record (ledger, "C/l", role, 0, FALSE);
    ledger_try (ledger, "B/l&A/l", role, TOKEND_TRY_UNKNOWN);
    assert_both (scratch, ledger, role, 2, 2);
    /* Each is counted once. */
    ledger_assert_record (ledger, "A/l&B/l", role, 2, FALSE);
    ledger_try (ledger, "A/l", role, TOKEND_TRY_SUCCEEDED);
    assert_both (scratch, ledger, role, 0, 1);
    ledger_try (ledger, "B/l", role, TOKEND_TRY_SUCCEEDED);
    assert_both (scratch, ledger, role, 0, 0);
  }
}

/* What succeeds at one may be another token's: it settles nothing of the other. */
static void
test_success_at_the_other (Scratch *scratch, gconstpointer user_data)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

    ledger_try (ledger, "A/l&B/l", role, TOKEND_TRY_SPENT);
    ledger_try (ledger, "B/l&A/l", role, TOKEND_TRY_SUCCEEDED);
    assert_both (scratch, ledger, role, 1, 0);
    ledger_assert_record (ledger, "A/l&B/l", role, 1, FALSE);
    ledger_assert_record (ledger, "B/l&A/l", role, 0, FALSE);
    /* What comes later counts at both again, and so does what came before: that costs at most one
     * word. */
    ledger_try (ledger, "A/l&B/l", role, TOKEND_TRY_SPENT);
    assert_both (scratch, ledger, role, 2, 2);
    ledger_try (ledger, "A/l&B/l", role, TOKEND_TRY_SUCCEEDED);
    assert_both (scratch, ledger, role, 0, 0);
  }
}

static void
test_locked (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "A/l&B/l", PIN, TOKEND_TRY_LOCKED);
  ledger_assert_record (ledger, "B/l", PIN, 0, TRUE);
  /* The PUK at B sets a PIN at B. */
  ledger_try (ledger, "B/l&A/l", PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_record (ledger, "B/l&A/l", PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, "A/l", PIN, 0, TRUE);
  ledger_assert_on_disk (scratch, "B/l", PIN, 0, FALSE);
}

static void
observe (TokendLedger *ledger, const char *name, const char *module)
{
  static const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 };
  static const TokendCounterReading full = { .initialized = TRUE, .remaining = 3, .maximum = 3 };
  g_autoptr (TokendTarget) target = target_of (name);

  tokend_ledger_observe (ledger, target, PIN, module, &full, &rules);
}

/* What one shows settles its own record alone: also if it says the name of the module that sent the
 * code. */
static void
test_number_of_the_other (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "A/l&B/l", PIN, TOKEND_TRY_SPENT);
  observe (ledger, "B/l&A/l", "module");
  assert_both (scratch, ledger, PIN, 1, 1);
  observe (ledger, "A/l&B/l", "another");
  ledger_assert_record (ledger, "B/l", PIN, 1, FALSE);
  observe (ledger, "A/l&B/l", "module");
  ledger_assert_record (ledger, "A/l", PIN, 0, FALSE);
  ledger_assert_record (ledger, "B/l", PIN, 0, FALSE);
  ledger_try (ledger, "C/l", PIN, TOKEND_TRY_SPENT); /* is on the disk after it */
  assert_both (scratch, ledger, PIN, 0, 0);
}

/* Whatever the one goes on to show, its tries count at the other no more after a right code there;
 * new ones do. */
static void
test_right_stays_right (Scratch *scratch, gconstpointer user_data)
{
  static const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 5 };
  static const struct {
    gint remaining;
    guint at_a;
  } shown[] = { { 3, 0 }, { 4, 0 }, { 4, 0 }, { 3, 2 } };
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) b = target_of ("B/l&A/l");

  for (guint i = 0; i < 3; i++)
    ledger_try (ledger, "B/l&A/l", PIN, TOKEND_TRY_SPENT);
  ledger_assert_record (ledger, "A/l", PIN, 3, FALSE);
  ledger_try (ledger, "A/l&B/l", PIN, TOKEND_TRY_SUCCEEDED);
  ledger_assert_record (ledger, "A/l", PIN, 0, FALSE);
  for (gsize i = 0; i < G_N_ELEMENTS (shown); i++) {
    const TokendCounterReading reading = { .initialized = TRUE,
                                           .remaining = shown[i].remaining,
                                           .maximum = 5 };

    tokend_ledger_observe (ledger, b, PIN, "module", &reading, &rules);
    ledger_assert_record (ledger, "A/l", PIN, shown[i].at_a, FALSE);
    ledger_assert_record (ledger, "B/l", PIN, (guint) (5 - shown[i].remaining), FALSE);
  }
  ledger_flush (ledger);
}

/* They are found to be one after the try, and that is forgotten again. */
static void
test_found_later (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) b = target_of ("B/l&A/l");

  ledger_try (ledger, "A/l", PIN, TOKEND_TRY_SPENT);
  ledger_assert_record (ledger, "B/l", PIN, 0, FALSE);
  ledger_assert_record (ledger, "B/l&A/l", PIN, 1, FALSE);
  tokend_ledger_spread (ledger, b);
  ledger_flush (ledger);
  assert_both (scratch, ledger, PIN, 1, 1);
}

/* Where nothing is recorded that could count there, nothing is written. */
static void
test_nothing_to_spread (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) b = target_of ("B/l&A/l");
  g_autofree char *path = scratch_path (scratch, "ledger");

  for (guint i = 0; i < 3; i++) {
    if (i == 1)
      ledger_try (ledger, "A/l", PIN, TOKEND_TRY_NOT_SPENT);
    if (i == 2)
      ledger_try (ledger, "C/l", PIN, TOKEND_TRY_SPENT);
    ledger_remove (scratch);
    tokend_ledger_spread (ledger, b);
    ledger_flush (ledger);
    g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
  }
}

/* Two labels that turn out to share their tries: what was recorded of each counts elsewhere as
 * before. */
static void
test_one_of_two (Scratch *scratch, gconstpointer user_data)
{
  static const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 5 };
  static const TokendCounterReading shown = { .initialized = TRUE, .remaining = 2, .maximum = 5 };
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) shared = target_of ("c=a");

  ledger_try (ledger, "c/a&C/l", PIN, TOKEND_TRY_SPENT);
  ledger_try (ledger, "c/b&D/l", PIN, TOKEND_TRY_SPENT);
  tokend_ledger_observe (ledger, shared, PIN, "module", &shown, &rules);
  ledger_assert_record (ledger, "C/l", PIN, 3, FALSE);
  ledger_assert_record (ledger, "D/l", PIN, 3, FALSE);
  ledger_flush (ledger);
}

/* The token's number is less than what was recorded, and of all labels: what was right at one of
 * them says nothing of it. */
static void
test_right_before_one_of_two (Scratch *scratch, gconstpointer user_data)
{
  static const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 };
  static const TokendCounterReading last = { .initialized = TRUE, .remaining = 1, .maximum = 3 };
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) shared = target_of ("c=a");

  ledger_try (ledger, "c/a", PUK, TOKEND_TRY_SPENT);
  ledger_try (ledger, "c/a", PUK, TOKEND_TRY_SPENT);
  ledger_try (ledger, "c/d", PUK, TOKEND_TRY_SPENT);
  ledger_try (ledger, "c/b", PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_record (ledger, "c/b", PUK, 0, FALSE);
  tokend_ledger_observe (ledger, shared, PUK, "module", &last, &rules);
  ledger_assert_record (ledger, "c/b", PUK, 2, FALSE);
  ledger_flush (ledger);
}

/* After a right code at A, what B shows counts there only if it is more than what was recorded. */
static void
test_more_is_shown (Scratch *scratch, gconstpointer user_data)
{
  static const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_EXACT, FALSE, -1 };
  static const struct {
    gint remaining;
    gboolean final_try, locked; /* at A */
    gboolean is_tried;          /* once more, before a code is right at A */
  } shown[] = {
    { 2, FALSE, FALSE, FALSE }, { 1, TRUE, FALSE, FALSE }, { 1, FALSE, FALSE, TRUE },
    { 0, FALSE, TRUE, FALSE },  { 0, FALSE, FALSE, TRUE }, { 3, FALSE, FALSE, FALSE },
  };
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendTarget) b = target_of ("B/l&A/l");

  ledger_try (ledger, "B/l&A/l", PIN, TOKEND_TRY_SPENT);
  ledger_try (ledger, "B/l&A/l", PIN, TOKEND_TRY_UNKNOWN);
  for (gsize i = 0; i < G_N_ELEMENTS (shown); i++) {
    const TokendCounterReading reading = { .initialized = TRUE,
                                           .remaining = shown[i].remaining,
                                           .maximum = TOKEND_RETRIES_UNKNOWN };
    TokendCounterRecord record;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    if (shown[i].is_tried)
      ledger_try (ledger, "B/l&A/l", PIN, TOKEND_TRY_UNKNOWN);
    ledger_try (ledger, "A/l&B/l", PIN, TOKEND_TRY_SUCCEEDED);
    tokend_ledger_observe (ledger, b, PIN, "module", &reading, &rules);
    record = ledger_get (ledger, "A/l", PIN);
    g_assert_cmpint (record.spent > 0, ==, shown[i].final_try || shown[i].locked);
    g_assert_cmpint (record.final_try, ==, shown[i].final_try);
    g_assert_cmpint (record.locked, ==, shown[i].locked);
  }
  ledger_flush (ledger);
}

/* A file may say of one counter that two modules have sent to it, or that nobody knows which: none
 * settles what is another's. */
static void
test_modules_of_file (Scratch *scratch, gconstpointer user_data)
{
  static const TokendCounterRules rules = { TOKEND_FLAGS_MEANING_EXACT, FALSE, 3 };
  static const TokendCounterReading full = { .initialized = TRUE, .remaining = 3, .maximum = 3 };
  g_autofree char *sealed = ledger_seal ("[ledger]\nversion=2\n\n[c/a]\npin-spent=1\n"
                                         "pin-module=one\npuk-spent=1\n\n"
                                         "[c/b]\npin-spent=1\npin-module=two\n");
  g_autoptr (TokendTarget) target = target_of ("c=a");
  g_autoptr (TokendLedger) ledger = NULL;

  scratch_write (scratch, "ledger", sealed);
  ledger = tokend_ledger_new (scratch->path);
  tokend_ledger_observe (ledger, target, PIN, "one", &full, &rules);
  tokend_ledger_observe (ledger, target, PIN, "two", &full, &rules);
  ledger_assert_record (ledger, "c=a", PIN, 2, FALSE);
  tokend_ledger_observe (ledger, target, PUK, "two", &full, &rules);
  ledger_assert_record (ledger, "c=a", PUK, 0, FALSE);
  ledger_flush (ledger);
}

/* What the next code is recorded with does not take from others what the one before counts for. */
static void
test_unrelated_since (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "A/l&B/l", PIN, TOKEND_TRY_SPENT);
  ledger_try (ledger, "A/l", PIN, TOKEND_TRY_SPENT);
  assert_both (scratch, ledger, PIN, 2, 2);
}

/* The tries of the next one to be recorded of a target are not those of the last. */
static void
test_settled_before (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_try (ledger, "A/l&B/l", PIN, TOKEND_TRY_SPENT);
  ledger_try (ledger, "A/l", PIN, TOKEND_TRY_SUCCEEDED);
  ledger_try (ledger, "A/l", PIN, TOKEND_TRY_SPENT);
  assert_both (scratch, ledger, PIN, 1, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  scratch_add_test ("/ledger-related/spent-at-one", test_spent_at_one);
  scratch_add_test ("/ledger-related/success-at-the-other", test_success_at_the_other);
  scratch_add_test ("/ledger-related/locked", test_locked);
  scratch_add_test ("/ledger-related/number-of-the-other", test_number_of_the_other);
  scratch_add_test ("/ledger-related/right-stays-right", test_right_stays_right);
  scratch_add_test ("/ledger-related/found-later", test_found_later);
  scratch_add_test ("/ledger-related/nothing-to-spread", test_nothing_to_spread);
  scratch_add_test ("/ledger-related/one-of-two", test_one_of_two);
  scratch_add_test ("/ledger-related/right-before-one-of-two", test_right_before_one_of_two);
  scratch_add_test ("/ledger-related/more-is-shown", test_more_is_shown);
  scratch_add_test ("/ledger-related/modules-of-file", test_modules_of_file);
  scratch_add_test ("/ledger-related/unrelated-since", test_unrelated_since);
  scratch_add_test ("/ledger-related/settled-before", test_settled_before);
  return g_test_run ();
}
