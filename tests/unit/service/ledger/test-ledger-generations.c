/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Ledgers that another start, or another version, has written: what is believed of them, and what
 * an older version would believe of ours. */
#include "journal-spy.h"
#include "ledger-entry-private.h"
#include "ledger-sync.h"
#include "targets.h"

#include <glib/gstdio.h>
#include <string.h>

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define STRANGER "57a6e5"
#define KIND "d00dad?1" /* has no serial number */
#define KIND_AGAIN "d00dad?2"
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

#define LOST TOKEND_TRIES_MAX

typedef struct {
  const char *target; /* see target_of() */
  TokendRole role;
  guint spent; /* LOST: or more */
  gboolean locked;
  gboolean final_try;
} Row;

static void
check_row (TokendLedger *ledger, const Row *row)
{
  const TokendCounterRecord record = ledger_get (ledger, row->target, row->role);

  g_test_message ("%s, role %d", row->target, (int) row->role);
  g_assert_cmpint (record.lost, ==, row->spent == LOST);
  if (!record.lost)
    g_assert_cmpuint (record.spent, ==, row->spent);
  g_assert_cmpint (record.locked, ==, row->locked);
  g_assert_cmpint (record.final_try, ==, row->final_try);
}

/* Written by the commit 81cd120: of two cards, and of one with two labels. */
static const Row of_older[] = {
  { CARD, PIN, 2 },
  { CARD, PUK, 1 },
  { OTHER_CARD, PIN, 1, FALSE, TRUE },
  { OTHER_CARD, PUK, 0, TRUE },
  { "c0ffee/one", PIN, 0 },
  { "c0ffee/one", PUK, 1 },
  { "c0ffee/two", PIN, 0 },
  { "c0ffee/two", PUK, 0 },
  { STRANGER, PIN, 0 },
  { STRANGER, PUK, 0 },
  { NULL },
};

/* The same, after its ledger was lost. */
static const Row of_older_after_a_loss[] = {
  { CARD, PIN, LOST },
  { CARD, PUK, LOST },
  { OTHER_CARD, PIN, LOST, FALSE, TRUE },
  { OTHER_CARD, PUK, LOST, TRUE },
  { "c0ffee/one", PIN, LOST },
  { "c0ffee/one", PUK, LOST },
  { "c0ffee/two", PIN, 0 },
  { "c0ffee/two", PUK, 0 },
  { STRANGER, PIN, LOST },
  { STRANGER, PUK, LOST },
  { NULL },
};

static void
check_file (const Scratch *scratch, const char *name, const Row *rows)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "tests", "unit", "service", "ledger",
                                                 "ledgers", name, NULL);
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &text, NULL, &error);
  g_assert_no_error (error);
  ledger_remove (scratch);
  scratch_write (scratch, "ledger", text);
  /* Once as it is, and once as this version has written it. */
  for (guint start = 0; start < 2; start++) {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

    for (const Row *row = rows; row->target != NULL; row++)
      check_row (ledger, row);
    ledger_try (ledger, CARD, PIN, TOKEND_TRY_NOT_SPENT);
  }
  journal_spy_expect_nothing ();
}

static void
test_older (Scratch *scratch, gconstpointer user_data)
{
  check_file (scratch, "81cd120", of_older);
  check_file (scratch, "81cd120-after-a-loss", of_older_after_a_loss);
}

static void
corrupt (const Scratch *scratch)
{
  scratch_write (scratch, "ledger", "lost");
}

static void
delete_it (const Scratch *scratch)
{
  g_autofree char *path = scratch_path (scratch, "ledger");

  g_unlink (path);
}

static const struct {
  void (*happens) (const Scratch *);
  const char *told;
} losses[] = {
  { corrupt, "is kept as" },
  { delete_it, "there was one before, and it is gone" },
};

/* What is told of it may be true no more. */
static void
check_nothing_told (TokendLedger *ledger, const Row *row)
{
  const TokendCounterRecord record = ledger_get (ledger, row->target, row->role);

  g_assert_cmpuint (record.wrong, ==, 0);
  g_assert_cmpuint (record.pending, ==, 0);
  g_assert_cmpint (record.sent_at, ==, 0);
  g_assert_cmpint (record.seen, ==, TOKEND_STATE_UNKNOWN);
}

/* The one before says of one PUK that it is locked, of a PIN that one try is left, of another label
 * that a PUK is right there of a card that nothing was spent since the last loss, and of a PUK that
 * the right one is being sent after two wrong ones. */
static void
test_previous (Scratch *scratch, gconstpointer user_data)
{
  static const Row rows[] = {
    { CARD, PIN, LOST, FALSE, TRUE },  { OTHER_CARD, PUK, LOST, TRUE },
    { "c0ffee/one", PUK, LOST, TRUE }, { "c0ffee/two", PUK, LOST, TRUE },
    { STRANGER, PIN, LOST },           { CARD, PUK, LOST },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (losses) * 2; i++) {
    g_autoptr (TokendTarget) target = target_of (CARD);
    TokendLedger *ledger;

    ledger_remove (scratch);
    if (i % 2 == 1)
      corrupt (scratch);
    ledger = tokend_ledger_new (scratch->path);
    ledger_try (ledger, STRANGER, PIN, TOKEND_TRY_SUCCEEDED);
    ledger_try (ledger, OTHER_CARD, PUK, TOKEND_TRY_LOCKED);
    ledger_try (ledger, "c0ffee/one", PUK, TOKEND_TRY_LOCKED);
    ledger_try (ledger, "c0ffee/two", PUK, TOKEND_TRY_SUCCEEDED);
    ledger_try (ledger, CARD, PIN, TOKEND_TRY_SPENT);
    tokend_ledger_note (ledger, target, PIN, TOKEND_STATE_FINAL_TRY);
    ledger_try (ledger, CARD, PUK, TOKEND_TRY_SPENT);
    ledger_try (ledger, CARD, PUK, TOKEND_TRY_SPENT);
    ledger_try (ledger, CARD, PUK, TOKEND_TRY_SUCCEEDED);
    g_object_unref (ledger);
    ledger_assert_on_disk (scratch, "c0ffee/two", PUK, 0, FALSE);
    if (i % 2 == 1)
      journal_spy_expect ("cannot be read");

    losses[i / 2].happens (scratch);
    for (guint start = 0; start < 2; start++) {
      g_autoptr (TokendLedger) next = tokend_ledger_new (scratch->path);

      for (gsize r = 0; r < G_N_ELEMENTS (rows); r++) {
        check_row (next, &rows[r]);
        check_nothing_told (next, &rows[r]);
      }
    }
    journal_spy_expect (losses[i / 2].told);
  }
}

/* What the last code let us see is told after a start as before. */
static void
test_seen (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendTarget) target = target_of (CARD);
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
  g_autoptr (TokendLedger) next = NULL, last = NULL;

  ledger_try (ledger, CARD, PUK, TOKEND_TRY_LOCKED);
  next = tokend_ledger_new (scratch->path);
  g_assert_cmpint (ledger_get (next, CARD, PUK).seen, ==, TOKEND_STATE_LOCKED);
  ledger_try (next, CARD, PUK, TOKEND_TRY_SPENT);
  tokend_ledger_note (next, target, PUK, TOKEND_STATE_FINAL_TRY);
  ledger_try (next, CARD, PIN, TOKEND_TRY_NOT_SPENT);
  last = tokend_ledger_new (scratch->path);
  g_assert_cmpint (ledger_get (last, CARD, PUK).seen, ==, TOKEND_STATE_FINAL_TRY);
  ledger_try (last, CARD, PUK, TOKEND_TRY_SPENT);
  ledger_assert_on_disk (scratch, CARD, PUK, 2, TRUE);
  g_object_unref (last);
  last = tokend_ledger_new (scratch->path);
  g_assert_cmpint (ledger_get (last, CARD, PUK).seen, ==, TOKEND_STATE_UNKNOWN);
}

/* Neither can be read, not even half of it; and a success ends it, of that token. */
static void
test_no_previous (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;
  g_autofree char *half =
      ledger_seal ("[ledger]\nversion=2\n\n[0c7ad1/its only label]\npuk-locked=true\n\n"
                   "[b4e011/its only label]\npin-spent=!\n");

  corrupt (scratch);
  scratch_write (scratch, "ledger.previous", half);
  ledger = tokend_ledger_new (scratch->path);
  journal_spy_expect ("cannot be read");
  check_row (ledger, &(Row){ CARD, PUK, LOST });
  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SUCCEEDED);
  check_row (ledger, &(Row){ CARD, PUK, 0 });
  check_row (ledger, &(Row){ OTHER_CARD, PUK, LOST });
}

/* Adds what one group says of @role to @record. Returns: whether it says that the role is known. */
static gboolean
add_as_older (GKeyFile *file, const char *group, TokendRole role, TokendCounterRecord *record)
{
  const char *name = role == PIN ? "pin" : "puk";
  g_autofree char *spent = g_strconcat (name, "-spent", NULL);
  g_autofree char *pending = g_strconcat (name, "-pending", NULL);
  g_autofree char *locked = g_strconcat (name, "-locked", NULL);
  g_autofree char *final_try = g_strconcat (name, "-final-try", NULL);
  g_autofree char *known = g_strconcat (name, "-known", NULL);

  record->spent += (guint) g_key_file_get_uint64 (file, group, spent, NULL)
                   + (guint) g_key_file_get_uint64 (file, group, pending, NULL);
  record->locked = record->locked || g_key_file_get_boolean (file, group, locked, NULL);
  record->final_try = record->final_try || g_key_file_get_boolean (file, group, final_try, NULL);
  return g_key_file_get_boolean (file, group, known, NULL);
}

/* What the commit 81cd120 took a ledger for, of @target and what it has within: these are its
 * rules, written down when it was the last version, and never to be changed. */
static TokendCounterRecord
read_as_older (const Scratch *scratch, const char *target, TokendRole role)
{
  const TokendCounterRecord everything = { .spent = 255 };
  g_autofree char *text = scratch_read (scratch, "ledger");
  const char *end = g_strrstr (text, "[end]\n");
  g_autofree char *body = g_strndup (text, (gsize) (end - text));
  g_autofree char *sealed = ledger_seal (body);
  g_autofree char *within = g_strconcat (target, "/", NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  TokendCounterRecord record = { 0 };
  gboolean is_known = FALSE;

  if (!g_str_equal (text, sealed) || !g_key_file_load_from_data (file, body, strlen (body), 0, NULL)
      || g_key_file_get_integer (file, "ledger", "version", NULL) != 2)
    return everything;
  groups = g_key_file_get_groups (file, NULL);
  for (guint i = 0; groups[i] != NULL; i++)
    if (g_str_equal (groups[i], target) || g_str_has_prefix (groups[i], within))
      is_known = add_as_older (file, groups[i], role, &record) || is_known;
  if (g_key_file_get_boolean (file, "ledger", "assume-spent", NULL) && record.spent == 0
      && !record.locked && !record.final_try && !is_known)
    return everything;
  return record;
}

static void
check_older (const Scratch *scratch, TokendLedger *ledger)
{
  static const char *const cards[] = { CARD, OTHER_CARD, STRANGER, KIND, KIND_AGAIN };

  for (gsize i = 0; i < G_N_ELEMENTS (cards); i++)
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      g_autoptr (TokendTarget) target = target_of (cards[i]);
      const TokendCounterRecord ours = tokend_ledger_get_record (ledger, target, role);
      const TokendCounterRecord older = read_as_older (scratch, target->name, role);

      g_test_message ("%s, role %d", cards[i], (int) role);
      g_assert_cmpuint (older.spent, >=, MIN (ours.spent, 255));
      g_assert_cmpint (older.locked, >=, ours.locked);
      g_assert_cmpint (older.final_try, >=, ours.final_try);
    }
}

static void
test_downgrade (Scratch *scratch, gconstpointer user_data)
{
  static const TokendTryResult try_results[] = { TOKEND_TRY_SPENT,  TOKEND_TRY_UNKNOWN,
                                                 TOKEND_TRY_LOCKED, TOKEND_TRY_ACCEPTED,
                                                 TOKEND_TRY_SPENT,  TOKEND_TRY_NOT_SPENT,
                                                 TOKEND_TRY_SPENT,  TOKEND_TRY_SUCCEEDED };

  for (guint lost = 0; lost < 2; lost++) {
    g_autoptr (TokendLedger) ledger = NULL;

    ledger_remove (scratch);
    if (lost)
      corrupt (scratch);
    ledger = tokend_ledger_new (scratch->path);
    for (gsize i = 0; i < G_N_ELEMENTS (try_results); i++)
      for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
        g_assert_true (ledger_begin (ledger, CARD, role, NULL));
        check_older (scratch, ledger);
        g_assert_true (ledger_resolve (ledger, CARD, role, try_results[i]));
        check_older (scratch, ledger);
        ledger_try (ledger, OTHER_CARD, role, TOKEND_TRY_SPENT);
        check_older (scratch, ledger);
        ledger_try (ledger, KIND, role, try_results[i]);
        check_older (scratch, ledger);
      }
  }
  journal_spy_expect ("cannot be read");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  scratch_add_test ("/ledger-generations/older", test_older);
  scratch_add_test ("/ledger-generations/previous", test_previous);
  scratch_add_test ("/ledger-generations/seen", test_seen);
  scratch_add_test ("/ledger-generations/no-previous", test_no_previous);
  scratch_add_test ("/ledger-generations/downgrade", test_downgrade);
  return g_test_run ();
}
