/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ledger on disk: it is written before a try begins, and one that is not whole never says that fewer were spent. */
#include "journal-spy.h"
#include "ledger-sync.h"
#include "places.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

/* What is recorded of a token of which nothing is known, when the ledger was lost. */
#define ASSUMED 255

/* The machine loses its power between "pending" and the outcome: nobody settles. */
static void
test_pending_is_durable (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (GError) error = NULL;

  g_assert_true (ledger_begin (ledger, CARD, PUK, &error));
  g_assert_no_error (error);
  ledger_assert_record (ledger, CARD, PUK, 1, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 1, FALSE);
  ledger_assert_on_disk (scratch, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PUK, 0, FALSE);
  journal_spy_expect_nothing ();
}

static void
test_pending_survives_twice (Scratch *scratch, gconstpointer user_data)
{
  for (guint start = 1; start <= 3; start++) {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
    g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
    ledger_assert_on_disk (scratch, CARD, PUK, start, FALSE);
  }
}

/* Every one is on the disk before it is called done, and the last one stands. */
static void
test_order_of_writes (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendPlace) place = place_of (CARD);
  GAsyncResult *results[41] = { NULL };

  for (guint i = 0; i < 20; i++) {
    tokend_ledger_begin_async (ledger, place, PIN, "module", ledger_keep_result, &results[2 * i]);
    tokend_ledger_settle_async (ledger, place, PIN, TOKEND_SETTLEMENT_SPENT, ledger_keep_result,
                                &results[2 * i + 1]);
  }
  tokend_ledger_begin_async (ledger, place, PUK, "module", ledger_keep_result, &results[40]);
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    ledger_wait_for (&results[i]);
  ledger_assert_on_disk (scratch, CARD, PIN, 20, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 1, FALSE);

  for (gsize i = 0; i < G_N_ELEMENTS (results); i++)
    g_clear_object (&results[i]);
}

static void
test_file_is_private (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autofree char *path = scratch_path (scratch, "ledger");
  GStatBuf status;

  g_assert_true (ledger_begin (ledger, CARD, PIN, NULL));
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
}

/* What an administrator put there, and what a service left that ended while it wrote. */
static void
test_other_files (Scratch *scratch, gconstpointer user_data)
{
  static const char *const others[] = { "ledger.backup", "ledger.A1b2C3", "ledger.old" };
  g_autoptr (TokendLedger) ledger = NULL;
  g_autofree char *unfinished = scratch_path (scratch, "ledger.unfinished");

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    scratch_write (scratch, others[i], others[i]);
  scratch_write (scratch, "ledger.unfinished", "[led");
  ledger = tokend_ledger_new (scratch->path);
  journal_spy_expect_nothing ();
  g_assert_true (ledger_begin (ledger, CARD, PIN, NULL));
  ledger_assert_on_disk (scratch, CARD, PIN, 1, FALSE);
  g_assert_false (g_file_test (unfinished, G_FILE_TEST_EXISTS));
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *content = scratch_read (scratch, others[i]);

    g_assert_cmpstr (content, ==, others[i]);
  }
}

/* Where nothing can be written, no try may be begun. A folder that is gone refuses root too. */
static void
test_unwritable (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *state = scratch_path (scratch, "state");
  g_autoptr (TokendLedger) ledger = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir (state, 0700), ==, 0);
  ledger = tokend_ledger_new (state);
  g_assert_cmpint (g_rmdir (state), ==, 0);

  g_assert_false (ledger_begin (ledger, CARD, PUK, &error));
  g_assert_nonnull (error);
  ledger_assert_record (ledger, CARD, PUK, 1, FALSE);
  g_assert_false (ledger_settle (ledger, CARD, PUK, TOKEND_SETTLEMENT_NOT_SPENT));
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
}

/* The outcome of a try that was on the disk as pending cannot be written: it stays pending there. */
static void
test_unwritable_later (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autofree char *moved = g_strconcat (scratch->path, "-moved", NULL);

  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  g_assert_cmpint (g_rename (scratch->path, moved), ==, 0);
  g_assert_false (ledger_settle (ledger, CARD, PUK, TOKEND_SETTLEMENT_SUCCEEDED));
  g_assert_cmpint (g_rename (moved, scratch->path), ==, 0);
  ledger_assert_on_disk (scratch, CARD, PUK, 1, FALSE);
}

static const struct {
  const char *what;
  const char *content;
} unreadable[] = {
  { "empty", "" },
  { "white space", "\n\n" },
  { "garbage", "\x7f"
               "ELF\x02\x01\x01" },
  { "not UTF-8", "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-spent=\xff\n" },
  { "no head", "[0c7ad1/its only label]\npin-spent=1\n" },
  { "no version", "[ledger]\n\n[0c7ad1/its only label]\npin-spent=1\n" },
  { "a newer version", "[ledger]\nversion=3\n\n[0c7ad1/its only label]\npin-spent=1\n" },
  { "an older version", "[ledger]\nversion=1\n\n[0c7ad1]\npin-spent=1\n" },
  { "version 0", "[ledger]\nversion=0\n" },
  { "version one", "[ledger]\nversion=one\n" },
  { "version with a tail", "[ledger]\nversion=2x\n" },
  { "a number that is none", "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-spent=many\n" },
  { "an empty number", "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npuk-pending=\n" },
  { "a flag that is none", "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npuk-locked=perhaps\n" },
  { "a final try that is none",
    "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-final-try=2\n" },
  { "a confirmation that is none",
    "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-confirmed=2\n" },
  { "a good token, then a bad one",
    "[ledger]\nversion=2\n\n[b4e011]\npin-spent=0\n\n[0c7ad1/its only label]\npuk-spent=!\n" },
  { "cut in a group", "[ledger]\nversion=2\n\n[0c7a" },
  { "cut in a key", "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-sp" },
  { "cut in a value", "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-locked=tr" },
  { "assume-spent that is none", "[ledger]\nversion=2\nassume-spent=certainly\n" },
};

static void
check_unreadable (Scratch *scratch, const char *content)
{
  g_autoptr (TokendLedger) ledger = NULL;
  g_autofree char *aside = NULL;

  scratch_write (scratch, "ledger", content);
  ledger = tokend_ledger_new (scratch->path);
  journal_spy_expect ("ledger.unreadable");
  aside = scratch_read (scratch, "ledger.unreadable");
  g_assert_cmpstr (aside, ==, content);

  ledger_assert_record (ledger, CARD, PIN, ASSUMED, FALSE);
  ledger_assert_record (ledger, CARD, PUK, ASSUMED, FALSE);
  ledger_assert_record (ledger, OTHER_CARD, PIN, ASSUMED, FALSE);
}

static void
test_unreadable (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *sealed = ledger_seal (user_data);

  check_unreadable (scratch, sealed);
  check_unreadable (scratch, user_data);
}

#define GOOD "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-spent=2\npuk-locked=true\n\n"

/* The files of the table are refused for what is wrong in them: a sound one is read. */
static void
test_sealed (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *sealed = ledger_seal (GOOD);

  scratch_write (scratch, "ledger", sealed);
  ledger_assert_on_disk (scratch, CARD, PIN, 2, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, 0, TRUE);
  journal_spy_expect_nothing ();
}

static void
test_changed_by_a_bit (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *sealed = ledger_seal (GOOD);
  gsize length = strlen (sealed);

  for (gsize i = 0; i < length && !g_test_failed (); i++) {
    g_autofree char *changed = g_strdup (sealed);

    changed[i] ^= 1;
    g_test_message ("byte %" G_GSIZE_FORMAT, i);
    check_unreadable (scratch, changed);
  }
}

/* A ledger that was cut off, wherever it was, never says that fewer tries were spent. */
static void
test_truncated (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *whole = NULL;
  gsize length;

  {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
    for (guint i = 0; i < 12; i++)
      ledger_try (ledger, CARD, PIN, TOKEND_SETTLEMENT_SPENT);
    ledger_try (ledger, CARD, PUK, TOKEND_SETTLEMENT_UNKNOWN);
    ledger_try (ledger, OTHER_CARD, PUK, TOKEND_SETTLEMENT_LOCKED);
  }
  whole = scratch_read (scratch, "ledger");
  length = strlen (whole);
  while (length > 0 && whole[length - 1] == '\n')
    length--;

  while (length-- > 0 && !g_test_failed ()) {
    g_autofree char *cut = g_strndup (whole, length);
    g_autoptr (TokendLedger) ledger = NULL;
    TokendCounterRecord other;

    scratch_write (scratch, "ledger", cut);
    ledger = tokend_ledger_new (scratch->path);
    other = ledger_get (ledger, OTHER_CARD, PUK);
    g_test_message ("cut to %" G_GSIZE_FORMAT " bytes", length);
    g_assert_cmpuint (ledger_get (ledger, CARD, PIN).spent, >=, 12);
    g_assert_cmpuint (ledger_get (ledger, CARD, PUK).spent, >=, 1);
    g_assert_true (other.locked || other.lost);
    journal_spy_expect ("ledger.unreadable");
  }
}

/* Numbers that no token has are taken for the largest. */
static void
test_absurd_numbers (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;
  TokendCounterRecord record;
  g_autofree char *sealed =
      ledger_seal ("[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-spent=4294967297\n"
                   "puk-spent=18446744073709551615\npuk-pending=18446744073709551615\n");

  scratch_write (scratch, "ledger", sealed);
  ledger = tokend_ledger_new (scratch->path);
  ledger_assert_record (ledger, CARD, PIN, ASSUMED, FALSE);
  record = ledger_get (ledger, CARD, PUK);
  g_assert_cmpuint (record.spent, >=, ASSUMED);
  g_assert_cmpuint (record.spent, <=, 2 * ASSUMED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  scratch_add_test ("/ledger/pending/durable", test_pending_is_durable);
  scratch_add_test ("/ledger/pending/survives-twice", test_pending_survives_twice);
  scratch_add_test ("/ledger/write/order", test_order_of_writes);
  scratch_add_test ("/ledger/write/private", test_file_is_private);
  scratch_add_test ("/ledger/write/other-files", test_other_files);
  scratch_add_test ("/ledger/write/impossible", test_unwritable);
  scratch_add_test ("/ledger/write/impossible-later", test_unwritable_later);
  for (gsize i = 0; i < G_N_ELEMENTS (unreadable); i++) {
    g_autofree char *path = g_strdup_printf ("/ledger/unreadable/%s", unreadable[i].what);
    g_test_add (path, Scratch, unreadable[i].content, scratch_set_up, test_unreadable,
                scratch_tear_down);
  }
  scratch_add_test ("/ledger/sealed", test_sealed);
  scratch_add_test ("/ledger/changed-by-a-bit", test_changed_by_a_bit);
  scratch_add_test ("/ledger/truncated", test_truncated);
  scratch_add_test ("/ledger/absurd-numbers", test_absurd_numbers);
  return g_test_run ();
}
