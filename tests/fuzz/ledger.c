/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger.h"

#include "fuzz.h"

#include <glib/gstdio.h>
#include <string.h>

/* A target of a card that the file does not name. */
static const TokendTarget other_target = { .card = (char *) "a card",
                                           .name = (char *) "a card/a label",
                                           .id = (char *) "a card/a label" };

/* The writers' threads stay for the next input: one that is just ending looks like a leak. */
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  g_thread_pool_set_max_unused_threads (-1);
  g_thread_pool_set_max_idle_time (0);
  return 0;
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer is_done)
{
  g_assert_true (tokend_ledger_begin_finish (TOKEND_LEDGER (source), result, NULL));
  *(gboolean *) is_done = TRUE;
}

/* One try more, of a token's PIN, so that the whole is written again. */
static void
write_again (TokendLedger *ledger, const TokendTarget *target)
{
  gboolean is_done = FALSE;

  tokend_ledger_begin_async (ledger, target, TOKEND_ROLE_PIN, "module", on_done, &is_done);
  while (!is_done)
    g_main_context_iteration (NULL, TRUE);
}

static void
check_records (TokendLedger *before, TokendLedger *after, const TokendTarget *target)
{
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    TokendCounterRecord old = tokend_ledger_get_record (before, target, role);
    TokendCounterRecord now = tokend_ledger_get_record (after, target, role);

    g_assert_cmpuint (old.spent, ==, now.spent);
    g_assert_cmpint (old.locked, ==, now.locked);
    g_assert_cmpint (old.final_try, ==, now.final_try);
    g_assert_cmpint (old.lost, ==, now.lost);
  }
}

/* As the profile says that slots share their PIN, and as it does not. */
static void
check_group (TokendLedger *before, TokendLedger *after, char *group)
{
  g_autofree char *card = tokend_target_id_get_card (group);
  g_autofree char *name = tokend_target_id_get_name (group);
  TokendTarget target = { .card = card, .name = name, .id = group };

  check_records (before, after, &target);
  target.shared_by_slots = TRUE;
  check_records (before, after, &target);
}

/* The sum over it is added, which no fuzzer could guess; unless the first byte says that it be
 * wrong. Another one says that it be the one before a ledger that cannot be read. */
static void
write_ledger (const char *path, const guint8 *data, gsize size)
{
  g_autofree char *previous = g_strconcat (path, ".previous", NULL);
  const gboolean is_previous = size > 0 && data[0] == '?';
  const gboolean is_whole = size > 0 && data[0] != '!';
  g_autoptr (GString) text = g_string_new_len ((const char *) data, (gssize) size);
  g_autofree char *sum = NULL;

  /* The byte stands for itself no more. */
  if (is_previous)
    text->str[0] = '#';
  sum = g_compute_checksum_for_data (G_CHECKSUM_SHA256, (const guchar *) text->str, size);
  if (is_whole)
    g_string_append_printf (text, "[end]\nsha256=%s\n", sum);
  g_unlink (previous);
  if (is_previous)
    fuzz_write (path, "lost", 4);
  fuzz_write (is_previous ? previous : path, text->str, text->len);
}

/* What tokend reads is what it wrote; what it cannot read counts as spent; nothing that was spent
 * is forgotten. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *path = g_build_filename (fuzz_folder (), "ledger", NULL);
  g_autofree char *lost = g_strconcat (path, ".unreadable", NULL);
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (TokendLedger) ledger = NULL;
  g_autoptr (TokendLedger) again = NULL;
  g_auto (GStrv) groups = NULL;
  TokendCounterRecord other;

  g_unlink (lost);
  write_ledger (path, data, size);
  ledger = tokend_ledger_new (fuzz_folder ());
  other = tokend_ledger_get_record (ledger, &other_target, TOKEND_ROLE_PIN);
  if (g_file_test (lost, G_FILE_TEST_EXISTS))
    g_assert_true (other.lost);

  write_again (ledger, &other_target);
  again = tokend_ledger_new (fuzz_folder ());
  check_records (ledger, again, &other_target);
  g_assert_cmpuint (tokend_ledger_get_record (again, &other_target, TOKEND_ROLE_PIN).spent, >,
                    other.spent);

  if (g_key_file_load_from_data (key_file, (const char *) data, size, G_KEY_FILE_NONE, NULL))
    groups = g_key_file_get_groups (key_file, NULL);
  for (guint i = 0; groups != NULL && groups[i] != NULL; i++)
    check_group (ledger, again, groups[i]);
  return 0;
}
