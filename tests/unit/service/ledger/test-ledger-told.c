/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What the ledger tells the journal: of each try that an end of the service left pending, and of
 * writes that fail. */
#include "journal.h"
#include "ledger-sync.h"
#include "targets.h"

#include <glib/gstdio.h>

#define CARD "a card"
#define OTHER_CARD "another card"
#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

/* Since it was last looked at: "ROLE of CARD" for each pending try, "unwritable" for each failed
 * write. */
static GString *told;

static const char *
get_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key))
      return fields[i].value;
  return "";
}

static GLogWriterOutput
keep (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer user_data)
{
  const char *id = get_field (fields, n_fields, "MESSAGE_ID");

  if (g_str_equal (id, TOKEND_MESSAGE_TRY_PENDING)) {
    const char *role = get_field (fields, n_fields, "TOKEND_ROLE");

    g_string_append_printf (told, "%s of %s; ", role, get_field (fields, n_fields, "TOKEND_TOKEN"));
    g_assert_nonnull (g_strrstr (get_field (fields, n_fields, "MESSAGE"), role));
  }
  if (g_str_equal (id, TOKEND_MESSAGE_LEDGER_UNWRITABLE))
    g_string_append (told, "unwritable; ");
  return G_LOG_WRITER_HANDLED;
}

static void
assert_told (const char *expected)
{
  g_assert_cmpstr (told->str, ==, expected);
  g_string_truncate (told, 0);
}

static char *
pending_of (const char *card, TokendRole role)
{
  g_autoptr (TokendTarget) target = target_of (card);

  return g_strdup_printf ("%s of %s; ", role == PUK ? "PUK" : "PIN", target->card);
}

static void
start (const Scratch *scratch)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
}

/* Each by its own role and card, and no other. */
static void
test_pending (Scratch *scratch, gconstpointer user_data)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autofree char *expected = pending_of (CARD, role);

    {
      g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

      ledger_try (ledger, OTHER_CARD, PUK, TOKEND_TRY_SPENT);
      ledger_try (ledger, CARD, PIN, TOKEND_TRY_SPENT);
      g_assert_true (ledger_begin (ledger, CARD, role, NULL));
    }
    assert_told ("");
    start (scratch);
    assert_told (expected);
    start (scratch);
    assert_told ("");
    ledger_remove (scratch);
  }
}

/* Both of one card, in one start. */
static void
test_two_pending (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *pin = pending_of (CARD, PIN), *puk = pending_of (CARD, PUK);
  g_autofree char *both = g_strconcat (pin, puk, NULL);

  {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

    g_assert_true (ledger_begin (ledger, CARD, PIN, NULL));
    g_assert_true (ledger_begin (ledger, CARD, PUK, NULL));
  }
  start (scratch);
  assert_told (both);
  start (scratch);
  assert_told ("");
}

/* A start that has nothing to tell writes nothing. */
static void
test_nothing_to_tell (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *path = scratch_path (scratch, "ledger");
  GStatBuf before, after;

  {
    g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);
    g_autoptr (TokendTarget) stranger = target_of (OTHER_CARD);

    ledger_try (ledger, CARD, PIN, TOKEND_TRY_SPENT);
    /* Nor does what is shown of a card that no code was sent to. */
    tokend_ledger_note (ledger, stranger, PIN, TOKEND_STATE_LOCKED);
  }
  g_assert_cmpint (g_stat (path, &before), ==, 0);
  start (scratch);
  assert_told ("");
  g_assert_cmpint (g_stat (path, &after), ==, 0);
  g_assert_cmpuint (after.st_ino, ==, before.st_ino);
}

/* Once, until a write has succeeded again. */
static void
test_unwritable (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *state = scratch_path (scratch, "state");
  g_autofree char *moved = scratch_path (scratch, "moved");
  g_autoptr (TokendLedger) ledger = NULL;

  g_assert_cmpint (g_mkdir (state, 0700), ==, 0);
  ledger = tokend_ledger_new (state);
  for (guint times = 0; times < 2; times++) {
    g_assert_cmpint (g_rename (state, moved), ==, 0);
    g_assert_false (ledger_begin (ledger, CARD, PIN, NULL));
    g_assert_false (ledger_begin (ledger, CARD, PIN, NULL));
    assert_told ("unwritable; ");
    g_assert_cmpint (g_rename (moved, state), ==, 0);
    g_assert_true (ledger_begin (ledger, CARD, PIN, NULL));
    assert_told ("");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  told = g_string_new (NULL);
  g_log_set_writer_func (keep, NULL, NULL);
  scratch_add_test ("/ledger-told/pending", test_pending);
  scratch_add_test ("/ledger-told/two-pending", test_two_pending);
  scratch_add_test ("/ledger-told/nothing-to-tell", test_nothing_to_tell);
  scratch_add_test ("/ledger-told/unwritable", test_unwritable);
  return g_test_run ();
}
