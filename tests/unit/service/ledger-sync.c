/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ledger-sync.h"

#include "targets.h"

#include <glib/gstdio.h>

/**
 * ledger_keep_result:
 * @user_data: where the result goes: %NULL until then, the caller's after.
 *
 * A callback.
 */
void
ledger_keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  GAsyncResult **kept = user_data;

  *kept = g_object_ref (result);
}

/**
 * ledger_wait_for:
 *
 * Waits for what ledger_keep_result() puts at @kept.
 */
void
ledger_wait_for (GAsyncResult **kept)
{
  while (*kept == NULL)
    g_main_context_iteration (NULL, TRUE);
}

/**
 * ledger_begin:
 * @card: see target_of(), as in all of these.
 *
 * A try by the module "module".
 *
 * Returns: whether it may be made.
 */
gboolean
ledger_begin (TokendLedger *ledger, const char *card, TokendRole role, GError **error)
{
  return ledger_begin_by (ledger, card, role, "module", error);
}

/**
 * ledger_begin_by:
 *
 * A try by @module.
 *
 * Returns: whether it may be made.
 */
gboolean
ledger_begin_by (TokendLedger *ledger, const char *card, TokendRole role, const char *module,
                 GError **error)
{
  g_autoptr (TokendTarget) target = target_of (card);
  g_autoptr (GAsyncResult) result = NULL;

  tokend_ledger_begin_async (ledger, target, role, module, ledger_keep_result, &result);
  ledger_wait_for (&result);
  return tokend_ledger_begin_finish (ledger, result, error);
}

/**
 * ledger_resolve:
 *
 * Returns: whether the outcome is on the disk.
 */
gboolean
ledger_resolve (TokendLedger *ledger, const char *card, TokendRole role, TokendTryResult try_result)
{
  g_autoptr (TokendTarget) target = target_of (card);
  g_autoptr (GAsyncResult) result = NULL;

  tokend_ledger_resolve_async (ledger, target, role, try_result, ledger_keep_result, &result);
  ledger_wait_for (&result);
  return tokend_ledger_resolve_finish (ledger, result, NULL);
}

/**
 * ledger_try:
 *
 * A whole try, from its begin to @try_result.
 */
void
ledger_try (TokendLedger *ledger, const char *card, TokendRole role, TokendTryResult try_result)
{
  g_autoptr (GError) error = NULL;

  ledger_begin (ledger, card, role, &error);
  g_assert_no_error (error);
  g_assert_true (ledger_resolve (ledger, card, role, try_result));
}

/**
 * ledger_flush:
 *
 * Waits for what tokend_ledger_observe() tells nobody of. Another try would have all written once
 * more.
 */
void
ledger_flush (TokendLedger *ledger)
{
  g_autoptr (GAsyncResult) result = NULL;

  tokend_ledger_flush_async (ledger, ledger_keep_result, &result);
  ledger_wait_for (&result);
  tokend_ledger_flush_finish (ledger, result);
}

/**
 * ledger_get:
 *
 * Returns: what is recorded of @card.
 */
TokendCounterRecord
ledger_get (TokendLedger *ledger, const char *card, TokendRole role)
{
  g_autoptr (TokendTarget) target = target_of (card);

  return tokend_ledger_get_record (ledger, target, role);
}

void
ledger_assert_record (TokendLedger *ledger, const char *card, TokendRole role, guint spent,
                      gboolean locked)
{
  TokendCounterRecord record = ledger_get (ledger, card, role);

  g_assert_cmpuint (record.spent, ==, spent);
  g_assert_cmpint (record.locked, ==, locked);
}

/**
 * ledger_assert_on_disk:
 *
 * What a service that starts now would read.
 */
void
ledger_assert_on_disk (const Scratch *scratch, const char *card, TokendRole role, guint spent,
                       gboolean locked)
{
  g_autoptr (TokendLedger) ledger = tokend_ledger_new (scratch->path);

  ledger_assert_record (ledger, card, role, spent, locked);
}

/**
 * ledger_remove:
 *
 * What there is of ledgers, so that a service that starts now is the first one.
 */
void
ledger_remove (const Scratch *scratch)
{
  static const char *const names[] = { "ledger", "ledger.previous", "ledger.unreadable" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = scratch_path (scratch, names[i]);

    g_unlink (path);
  }
}

/**
 * ledger_seal:
 *
 * Returns: (transfer full): @body, with the sum at its end that makes a file whole: what else is
 *   wrong with it is then judged.
 */
char *
ledger_seal (const char *body)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256, body, -1);

  return g_strdup_printf ("%s[end]\nsha256=%s\n", body, sum);
}
