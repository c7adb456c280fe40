/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "outcome-private.h"

#include "fuzz.h"
#include "tokend-error.h"

static const char *const keys[] = { "result", "sent", "accepted", "reason", "token", NULL };

static void
check_result (const TokendTryEffect *result, gboolean counts, const GError *error)
{
  g_assert_cmpint (result->try_result == TOKEND_TRY_SUCCEEDED, ==, error == NULL);
  if (error != NULL) {
    g_assert_cmpuint (error->domain, ==, TOKEND_ERROR);
    fuzz_assert_printable (error->message);
  }
  /* What may have been sent is forgotten only by the token's own word: it refused its length, or
   * the code or the new PIN where it does not count. */
  if (result->try_result == TOKEND_TRY_NOT_SPENT && result->sent)
    g_assert_true (
        (!counts
         && (result->refused || g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_PIN_POLICY)))
        || g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS));
  if (result->refused)
    g_assert_true (result->sent);
  if (result->try_result != TOKEND_TRY_NOT_SPENT)
    g_assert_true (result->sent);
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
  TokendTryEffect result = tokend_outcome_interpret (outcome, role, counts, &error);

  check_result (&result, counts, error);
  return 0;
}
