/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A ledger that is lost: every try counts as spent, whatever happens to the disk, or to the
 * service, while that is written down. */
#include "disk.h"
#include "journal-spy.h"
#include "ledger-sync.h"

#include <errno.h>
#include <glib/gstdio.h>

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

/* What is recorded of a token of which nothing is known, when the ledger was lost. */
#define ASSUMED 255

#define SOUND_BODY "[ledger]\nversion=2\n\n"

static void
lose_ledger (const Scratch *scratch)
{
  scratch_write (scratch, "ledger", "lost");
}

static void
assert_lost (TokendLedger *ledger)
{
  ledger_assert_record (ledger, CARD, PIN, ASSUMED, FALSE);
  ledger_assert_record (ledger, CARD, PUK, ASSUMED, FALSE);
  ledger_assert_record (ledger, OTHER_CARD, PUK, ASSUMED, FALSE);
}

/* Each start leaves to the next one what that must know. */
static void
assert_lost_for_ever (const Scratch *scratch)
{
  for (guint start = 0; start < 3; start++) {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

    assert_lost (ledger);
  }
}

/* A loss is remembered: the next start must not take the missing file for a first one. */
static void
test_outlives_a_restart (Scratch *scratch, gconstpointer user_data)
{
  TokendLedger *ledger;

  lose_ledger (scratch);
  ledger = tokend_ledger_new (scratch->path);
  g_object_unref (ledger);
  journal_spy_expect ("ledger.unreadable");
  ledger_assert_on_disk (scratch, CARD, PUK, ASSUMED, FALSE);
  journal_spy_expect_nothing ();
}

/* … until a success says otherwise, of that role (a PUK's: of both), on that token. */
static void
test_ends_with_success (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;
  g_autofree char *kept = NULL;

  lose_ledger (scratch);
  ledger = tokend_ledger_new (scratch->path);
  journal_spy_expect ("ledger.unreadable");

  ledger_try (ledger, CARD, PIN, TOKEND_TRY_SUCCEEDED);
  ledger_assert_record (ledger, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, ASSUMED, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PIN, ASSUMED, FALSE);

  ledger_try (ledger, OTHER_CARD, PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_on_disk (scratch, OTHER_CARD, PUK, 0, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PIN, 0, FALSE);
  ledger_assert_on_disk (scratch, CARD, PUK, ASSUMED, FALSE);
  /* What was lost is kept, and not what was written since. */
  kept = scratch_read (scratch, "ledger.unreadable");
  g_assert_cmpstr (kept, ==, "lost");
}

/* A try that fails, or is not sent, makes nothing better. */
static void
test_stays_with_failure (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendLedger) ledger = NULL;

  lose_ledger (scratch);
  ledger = tokend_ledger_new (scratch->path);
  journal_spy_expect ("ledger.unreadable");

  ledger_try (ledger, CARD, PUK, TOKEND_TRY_NOT_SPENT);
  g_assert_cmpuint (ledger_get (ledger, CARD, PUK).spent, >=, ASSUMED);
  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SPENT);
  g_assert_cmpuint (ledger_get (ledger, CARD, PUK).spent, >=, ASSUMED);
  ledger_assert_on_disk (scratch, CARD, PUK, ASSUMED, FALSE);
  ledger_assert_on_disk (scratch, CARD, PIN, ASSUMED, FALSE);
}

/* What a start finds of a loss. */
typedef struct {
  const char *what;
  const char *body;   /* of the ledger, sealed; or NULL */
  const char *ledger; /* as it is; or NULL */
  const char *aside;  /* an earlier one that was kept; or NULL */
} Loss;

static const Loss losses[] = {
  { "unreadable", NULL, "lost", NULL },
  { "unreadable once more", NULL, "lost", "lost earlier" },
  { "unreadable but for its sum", "[ledger]\nversion=3\n", NULL, NULL },

  /* Such were left by versions that put the old one aside first. */
  { "kept, and none in its place", NULL, NULL, "lost" },
  { "kept, and forgotten", SOUND_BODY "[0c7ad1/its only label]\npuk-spent=1\n\n", NULL, "lost" },
};

/* Returns: (transfer full): what is to be kept of it. */
static char *
set_up_loss (const Scratch *scratch, const Loss *loss)
{
  g_autofree char *sealed = loss->body != NULL ? ledger_seal (loss->body) : NULL;
  const char *ledger = sealed != NULL ? sealed : loss->ledger;

  ledger_remove (scratch);
  if (ledger != NULL)
    scratch_write (scratch, "ledger", ledger);
  if (loss->aside != NULL)
    scratch_write (scratch, "ledger.unreadable", loss->aside);
  return g_strdup (ledger != NULL ? ledger : loss->aside);
}

static void
assert_kept (const Scratch *scratch, const char *wanted)
{
  g_autofree char *kept = scratch_read (scratch, "ledger.unreadable");

  g_assert_cmpstr (kept, ==, wanted);
}

static void
start (gpointer folder)
{
  g_object_unref (tokend_ledger_new (folder));
}

static void
test_crash (Scratch *scratch, gconstpointer user_data)
{
  gboolean crashed = TRUE;
  guint step;

  for (step = 1; crashed && !g_test_failed (); step++) {
    g_autofree char *lost = set_up_loss (scratch, user_data);

    g_test_message ("a crash at step %u", step);
    crashed = disk_kills (0, 0, step, start, scratch->path);
    assert_lost_for_ever (scratch);
    assert_kept (scratch, lost);
  }
  g_assert_cmpuint (step, >, 4);
}

static void
test_disk_error (Scratch *scratch, gconstpointer user_data)
{
  static const int errors[] = { EIO, ENOSPC };

  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++) {
    gboolean was_met = TRUE;

    for (guint step = 1; was_met && !g_test_failed (); step++) {
      g_autofree char *lost = set_up_loss (scratch, user_data);
      g_autoptr (TokendLedger) ledger = NULL;

      g_test_message ("%s at step %u", g_strerror (errors[i]), step);
      disk_fail_at (step, errors[i]);
      ledger = tokend_ledger_new (scratch->path);
      was_met = disk_was_met ();
      disk_is_well ();
      assert_lost (ledger);
      assert_lost_for_ever (scratch);
    }
  }
}

/* However often the service starts; and what it can write at last has the loss in it. */
static void
test_disk_is_full (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *lost = set_up_loss (scratch, user_data);
  g_autoptr (TokendLedger) ledger = NULL;

  disk_fail_from (1, ENOSPC);
  assert_lost_for_ever (scratch);
  ledger = tokend_ledger_new (scratch->path);
  g_assert_false (ledger_begin (ledger, CARD, PUK, NULL));
  g_assert_false (ledger_resolve (ledger, CARD, PUK, TOKEND_TRY_NOT_SPENT));
  disk_is_well ();
  assert_lost (ledger);
  g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  ledger_assert_on_disk (scratch, CARD, PUK, ASSUMED + 1, FALSE);
  ledger_assert_on_disk (scratch, CARD, PIN, ASSUMED, FALSE);
  ledger_assert_on_disk (scratch, OTHER_CARD, PUK, ASSUMED, FALSE);
  assert_kept (scratch, lost);
}

/* Where two names cannot be exchanged the old one is not kept, and the new one is written all the
 * same. */
static void
test_no_exchange (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *aside = scratch_path (scratch, "ledger.unreadable");
  g_autoptr (TokendLedger) ledger = NULL;

  scratch_write (scratch, "ledger.unreadable/content", "");
  lose_ledger (scratch);
  ledger = tokend_ledger_new (scratch->path);
  journal_spy_expect ("could not be kept");
  assert_lost (ledger);
  assert_lost_for_ever (scratch);
  journal_spy_expect_nothing ();
}

/* A folder in its place can be put aside too: else no try could ever be recorded. */
static void
test_folder (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *kept = scratch_path (scratch, "ledger.unreadable/content");
  g_autoptr (TokendLedger) ledger = NULL;

  scratch_write (scratch, "ledger/content", "");
  ledger = tokend_ledger_new (scratch->path);
  assert_lost (ledger);
  assert_lost_for_ever (scratch);
  g_assert_true (g_file_test (kept, G_FILE_TEST_EXISTS));
  ledger_try (ledger, CARD, PUK, TOKEND_TRY_SUCCEEDED);
  ledger_assert_on_disk (scratch, CARD, PUK, 0, FALSE);
}

static void
add_for_each_loss (const char *name, void (*test) (Scratch *, gconstpointer))
{
  for (gsize i = 0; i < G_N_ELEMENTS (losses); i++) {
    g_autofree char *path = g_strdup_printf ("/ledger-loss/%s/%s", name, losses[i].what);

    g_test_add (path, Scratch, &losses[i], scratch_set_up, test, scratch_tear_down);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  scratch_add_test ("/ledger-loss/outlives-a-restart", test_outlives_a_restart);
  scratch_add_test ("/ledger-loss/ends-with-success", test_ends_with_success);
  scratch_add_test ("/ledger-loss/stays-with-failure", test_stays_with_failure);
  scratch_add_test ("/ledger-loss/no-exchange", test_no_exchange);
  scratch_add_test ("/ledger-loss/folder", test_folder);
  add_for_each_loss ("crash", test_crash);
  add_for_each_loss ("disk-error", test_disk_error);
  add_for_each_loss ("disk-is-full", test_disk_is_full);
  return g_test_run ();
}
