/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The ledger on disk: it is written before a try begins, and one that is not whole never says that
 * fewer were spent. */
#include "journal-spy.h"
#include "ledger-file-private.h"
#include "ledger-sync.h"
#include "targets.h"

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
  g_autoptr (TokendTarget) target = target_of (CARD);
  GAsyncResult *results[41] = { NULL };

  for (guint i = 0; i < 20; i++) {
    tokend_ledger_begin_async (ledger, target, PIN, "module", ledger_keep_result, &results[2 * i]);
    tokend_ledger_resolve_async (ledger, target, PIN, TOKEND_TRY_SPENT, ledger_keep_result,
                                 &results[2 * i + 1]);
  }
  tokend_ledger_begin_async (ledger, target, PUK, "module", ledger_keep_result, &results[40]);
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
  g_assert_false (ledger_resolve (ledger, CARD, PUK, TOKEND_TRY_NOT_SPENT));
  ledger_assert_record (ledger, CARD, PUK, 0, FALSE);
}

/* The outcome of a try that was on the disk as pending cannot be written: it stays pending
 * there. */
static void
test_unwritable_later (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autofree char *moved = g_strconcat (scratch->path, "-moved", NULL);

  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  g_assert_cmpint (g_rename (scratch->path, moved), ==, 0);
  g_assert_false (ledger_resolve (ledger, CARD, PUK, TOKEND_TRY_SUCCEEDED));
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
  { "nothing that is right",
    "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-spent=a\npin-pending=b\npin-locked=c\n"
    "pin-confirmed=d\npin-wrong=e\npin-sent-at=f\npin-told=g\npuk-sent-at=h\npuk-spent=i\n" },
  { "a moment that is none", "[ledger]\nversion=2\n\n[0c7ad1/its only label]\npin-sent-at=x\n" },
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
      ledger_try (ledger, CARD, PIN, TOKEND_TRY_SPENT);
    ledger_try (ledger, CARD, PUK, TOKEND_TRY_UNKNOWN);
    ledger_try (ledger, OTHER_CARD, PUK, TOKEND_TRY_LOCKED);
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

#define HEAD "[ledger]\nversion=2\n"
#define PLACE "0c7ad1/a label"

/* Returns: (transfer full): what the file of @body holds; its sum is made here. */
static GHashTable *
read_targets (const Scratch *scratch, const char *body, gboolean assume_spent)
{
  g_autofree char *path = scratch_path (scratch, "ledger");
  g_autofree char *sealed = ledger_seal (body);
  g_autoptr (GError) error = NULL;
  GHashTable *targets = tokend_ledger_file_make_targets ();
  gboolean is_lost;

  scratch_write (scratch, "ledger", sealed);
  g_assert_true (tokend_ledger_file_read (path, targets, &is_lost, &error));
  g_assert_no_error (error);
  g_assert_cmpint (is_lost, ==, assume_spent);
  return targets;
}

static void
assert_text (GHashTable *targets, gboolean assume_spent, const char *body)
{
  g_autofree char *text = tokend_ledger_file_to_text (targets, assume_spent);
  g_autofree char *sealed = ledger_seal (body);

  g_assert_cmpstr (text, ==, sealed);
}

#define ONE_ROLE                                                                                   \
  "pin-spent=1\npin-pending=3\npin-wrong=4\npin-sent-at=1\npin-locked=true\npin-confirmed=true\n"  \
  "pin-final-try=true\npin-seen=final-try\npin-told=2\npin-module=one\n"                           \
  "pin-also-at=b4e011/a;b4e011/b;\npin-right-at=b4e011/c;\n"

/* Whatever is written is read again, and the other way round. */
static void
test_every_key (Scratch *scratch, gconstpointer user_data)
{
  static const char body[] = HEAD "\n[" PLACE "]\n" ONE_ROLE "puk-spent=255\npuk-sent-at=-2\n"
                                  "puk-locked=true\npuk-seen=unknown\n";
  g_autoptr (GHashTable) targets = read_targets (scratch, body, FALSE);
  const TokendLedgerTries *tries = g_hash_table_lookup (targets, PLACE);
  const TokendLedgerEntry *pin = &tries->entries[PIN], *puk = &tries->entries[PUK];

  g_assert_cmpuint (g_hash_table_size (targets), ==, 1);
  g_assert_true (tries->known[PIN] && tries->known[PUK]);
  g_assert_cmpuint (pin->spent, ==, 1);
  g_assert_cmpuint (pin->pending, ==, 3);
  g_assert_cmpuint (pin->wrong, ==, 4);
  g_assert_cmpint (pin->sent_at, ==, 1);
  g_assert_true (pin->locked && pin->confirmed && pin->final_try);
  g_assert_cmpint (pin->seen, ==, TOKEND_STATE_FINAL_TRY);
  g_assert_cmpuint (tries->told[PIN], ==, 2);
  g_assert_cmpstr (tries->modules[PIN], ==, "one");
  g_assert_cmpstr (tries->scope[PIN].also_at[1], ==, "b4e011/b");
  g_assert_cmpstr (tries->scope[PIN].right_at[0], ==, "b4e011/c");
  g_assert_cmpuint (puk->spent, ==, 255);
  g_assert_cmpuint (puk->pending, ==, 0);
  g_assert_cmpint (puk->sent_at, ==, -2);
  g_assert_true (puk->locked && !puk->confirmed && !puk->final_try);
  g_assert_cmpint (puk->seen, ==, TOKEND_STATE_UNKNOWN);
  g_assert_null (tries->modules[PUK]);
  assert_text (targets, FALSE, body);
}

/* What was seen last is as a rule the worst of what is recorded, and is then not written; nor is
 * what says nothing. */
static void
test_keys_left_out (Scratch *scratch, gconstpointer user_data)
{
  static const struct {
    const char *keys;
    TokendState seen;
  } rows[] = {
    { "puk-locked=true\n", TOKEND_STATE_LOCKED },
    { "puk-final-try=true\n", TOKEND_STATE_FINAL_TRY },
    { "puk-spent=1\n", TOKEND_STATE_UNKNOWN },
    { "puk-final-try=true\npuk-seen=locked\n", TOKEND_STATE_LOCKED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *body = g_strconcat (HEAD "\n[" PLACE "]\n", rows[i].keys, NULL);
    g_autoptr (GHashTable) targets = read_targets (scratch, body, FALSE);
    const TokendLedgerTries *tries = g_hash_table_lookup (targets, PLACE);

    g_test_message ("%s", rows[i].keys);
    g_assert_cmpint (tries->entries[PUK].seen, ==, rows[i].seen);
    g_assert_false (tries->known[PIN]);
    g_assert_true (tries->known[PUK]);
    assert_text (targets, FALSE, body);
  }
}

/* After a loss it matters of which targets all is known, though nothing is spent; and of stays
 * nothing is. */
static void
test_known (Scratch *scratch, gconstpointer user_data)
{
  static const char body[] = HEAD "assume-spent=true\n\n[" PLACE "]\npin-known=true\npuk-spent=1\n";
  g_autoptr (GHashTable) targets = read_targets (scratch, body, TRUE);
  const TokendLedgerTries *tries = g_hash_table_lookup (targets, PLACE);
  TokendLedgerTries *stay = g_new0 (TokendLedgerTries, 1);

  g_assert_true (tries->known[PIN]);
  g_assert_true (tries->known[PUK]);
  assert_text (targets, TRUE, body);
  assert_text (targets, FALSE, HEAD "\n[" PLACE "]\npuk-spent=1\n");

  g_hash_table_remove_all (targets);
  stay->known[PIN] = stay->known[PUK] = TRUE;
  stay->entries[PUK].spent = 1;
  g_hash_table_insert (targets, g_strdup ("0c7ad1/a label/7"), stay);
  assert_text (targets, TRUE, HEAD "assume-spent=true\n\n[0c7ad1/a label/7]\npuk-spent=255\n");
  assert_text (targets, FALSE, HEAD "\n[0c7ad1/a label/7]\npuk-spent=1\n");
}

/* Of the one before it is believed what bars, and no more. */
static void
test_previous (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *path = scratch_path (scratch, "ledger");
  g_autofree char *sealed = ledger_seal (
      HEAD "assume-spent=true\n\n[" PLACE "]\npin-known=true\n"
           "puk-spent=1\npuk-pending=1\npuk-wrong=1\npuk-sent-at=7\npuk-locked=true\n"
           "puk-confirmed=true\npuk-final-try=true\npuk-told=1\npuk-also-at=b4e011/a;\n"
           "puk-right-at=b4e011/b;\n\n[b4e011/a]\npin-right-at=b4e011/b;\n");
  g_autoptr (GHashTable) targets = tokend_ledger_file_make_targets ();
  const TokendLedgerTries *tries;
  const TokendLedgerEntry *puk;

  g_hash_table_insert (targets, g_strdup ("b4e011/c"), g_new0 (TokendLedgerTries, 1));
  scratch_write (scratch, "ledger.previous", sealed);
  tokend_ledger_file_read_previous (path, targets);
  g_assert_cmpuint (g_hash_table_size (targets), ==, 2);
  tries = g_hash_table_lookup (targets, PLACE);
  puk = &tries->entries[PUK];
  g_assert_false (tries->known[PIN]);
  g_assert_cmpuint (tries->entries[PIN].spent, ==, 0);
  g_assert_true (tries->known[PUK] && puk->locked && puk->final_try && !puk->confirmed);
  g_assert_cmpuint (puk->spent, ==, 255);
  g_assert_cmpuint (puk->pending, ==, 0);
  g_assert_cmpuint (puk->wrong, ==, 0);
  g_assert_cmpuint (tries->told[PUK], ==, 0);
  g_assert_cmpint (puk->sent_at, ==, 0);
  g_assert_cmpint (puk->seen, ==, TOKEND_STATE_UNKNOWN);
  g_assert_nonnull (tries->scope[PUK].also_at);
  g_assert_null (tries->scope[PUK].right_at);
}

/* Whether one was lost cannot be seen: then it was. */
static void
test_unseen (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *name = g_strnfill (245, 'l');
  g_autofree char *path = scratch_path (scratch, name);
  g_autoptr (GHashTable) targets = tokend_ledger_file_make_targets ();
  g_autoptr (GError) error = NULL;
  gboolean is_lost;

  g_assert_false (tokend_ledger_file_read (path, targets, &is_lost, &error));
  g_assert_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_NOT_FOUND);
}

/* One was lost before, which this one does not know. */
static void
test_forgotten_loss (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *path = scratch_path (scratch, "ledger");
  g_autofree char *sealed = ledger_seal (HEAD);
  g_autoptr (GHashTable) targets = tokend_ledger_file_make_targets ();
  g_autoptr (GError) error = NULL;
  gboolean is_lost;

  scratch_write (scratch, "ledger", sealed);
  scratch_write (scratch, "ledger.unreadable", "");
  g_assert_false (tokend_ledger_file_read (path, targets, &is_lost, &error));
  g_assert_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE);
}

/* An administrator may have put it last. */
static void
test_head_last (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (GHashTable) targets =
      read_targets (scratch, "[" PLACE "]\npin-spent=2\n\n" HEAD, FALSE);
  const TokendLedgerTries *tries = g_hash_table_lookup (targets, PLACE);

  g_assert_cmpuint (tries->entries[PIN].spent, ==, 2);
}

/* Several stays, and what they had become before, are one kind of card after a start. */
static void
test_stays_end (Scratch *scratch, gconstpointer user_data)
{
  static const char body[] =
      HEAD "\n[" PLACE "]\npin-spent=1\npin-right-at=b4e011/c;\npuk-spent=1\n"
           "puk-right-at=b4e011/c;\n\n"
           "[" PLACE "/1]\npin-spent=2\npin-pending=2\npin-told=200\npin-module=one\n"
           "pin-also-at=b4e011/a;\npin-right-at=b4e011/d;\n\n"
           "[" PLACE "/2]\npin-spent=4\npin-pending=1\npin-told=100\npin-module=two\n"
           "pin-also-at=b4e011/b;\n\n"
           "[b4e011/e/1]\npuk-locked=true\npuk-told=1\npuk-pending=1\npin-module=one\n\n"
           "[b4e011/f/1]\npin-spent=1\n\n[b4e011/f]\npin-spent=1\n\n";
  g_autoptr (GHashTable) targets = read_targets (scratch, body, FALSE);
  const TokendLedgerTries *tries = g_hash_table_lookup (targets, PLACE);

  g_assert_cmpuint (g_hash_table_size (targets), ==, 3);
  g_assert_cmpuint (tries->entries[PIN].spent, ==, 7);
  g_assert_cmpuint (tries->entries[PIN].pending, ==, 3);
  g_assert_cmpuint (tries->told[PIN], ==, 255);
  g_assert_cmpstr (tries->modules[PIN], ==, "one");
  g_assert_cmpuint (g_strv_length (tries->scope[PIN].also_at), ==, 2);
  g_assert_null (tries->scope[PIN].right_at);
  g_assert_cmpuint (tries->entries[PUK].spent, ==, 1);
  g_assert_null (tries->scope[PUK].right_at);

  tries = g_hash_table_lookup (targets, "b4e011/e");
  g_assert_true (tries->known[PUK] && tries->entries[PUK].locked);
  g_assert_cmpuint (tries->told[PUK], ==, 1);
  g_assert_false (tries->known[PIN]);
  g_assert_null (tries->modules[PIN]);

  /* In whatever order they stand in the file. */
  tries = g_hash_table_lookup (targets, "b4e011/f");
  g_assert_cmpuint (tries->entries[PIN].spent, ==, 2);
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
  scratch_add_test ("/ledger/every-key", test_every_key);
  scratch_add_test ("/ledger/keys-left-out", test_keys_left_out);
  scratch_add_test ("/ledger/known", test_known);
  scratch_add_test ("/ledger/previous", test_previous);
  scratch_add_test ("/ledger/unseen", test_unseen);
  scratch_add_test ("/ledger/forgotten-loss", test_forgotten_loss);
  scratch_add_test ("/ledger/head-last", test_head_last);
  scratch_add_test ("/ledger/stays-end", test_stays_end);
  scratch_add_test ("/ledger/sealed", test_sealed);
  scratch_add_test ("/ledger/changed-by-a-bit", test_changed_by_a_bit);
  scratch_add_test ("/ledger/truncated", test_truncated);
  scratch_add_test ("/ledger/absurd-numbers", test_absurd_numbers);
  return g_test_run ();
}
