/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome-private.h"

#include "fuzz.h"
#include "tokend-error.h"

static const char *const keys[] = { "result", "sent", "reason", "token", NULL };

static void
check_verdict (const TokendVerdict *verdict, gboolean counts, const GError *error)
{
  g_assert_cmpint (verdict->settlement == TOKEND_SETTLEMENT_SUCCEEDED, ==, error == NULL);
  if (error != NULL) {
    g_assert_cmpuint (error->domain, ==, TOKEND_ERROR);
    fuzz_assert_printable (error->message);
  }
  /* What may have been sent is forgotten only by the token's own word: it refused its length, or
   * the code or the new PIN where it does not count. */
  if (verdict->settlement == TOKEND_SETTLEMENT_NOT_SPENT && verdict->sent)
    g_assert_true (
        (!counts
         && (verdict->refused || g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY)))
        || g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS));
  if (verdict->refused)
    g_assert_true (verdict->sent);
  if (verdict->settlement != TOKEND_SETTLEMENT_NOT_SPENT)
    g_assert_true (verdict->sent);
}

/* What a host says that became of a code. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const TokendRole role = fuzz_take_flag (&input) ? TOKEND_ROLE_PUK : TOKEND_ROLE_PIN;
  const gboolean counts = fuzz_take_flag (&input);
  g_autoptr (GVariant) outcome = fuzz_take_dictionary (&input, keys);
  g_autoptr (GError) error = NULL;
  TokendVerdict verdict = tokend_outcome_judge (outcome, role, counts, &error);

  check_verdict (&verdict, counts, error);
  return 0;
}
