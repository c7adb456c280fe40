/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "attempt-private.h"

#include "fuzz.h"
#include "tokend-error.h"

static const char *const option_keys[] = { TOKEND_OPTION_FINAL_ATTEMPT,
                                           TOKEND_OPTION_EXPECTED_RETRIES,
                                           TOKEND_OPTION_SEND_REFUSED_CODE,
                                           TOKEND_OPTION_SEND_UNUSUAL_CODE, NULL };

/* One after the other, the last one of a key counts; %FALSE for what is none of them. */
static gboolean
take_options (GVariant *options, gboolean opens, TokendAttempt *attempt)
{
  for (gsize i = 0; i < g_variant_n_children (options); i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (options, i);
    g_autoptr (GVariant) value = NULL;
    const char *key;

    g_variant_get (entry, "{&sv}", &key, &value);
    if (g_str_equal (key, TOKEND_OPTION_EXPECTED_RETRIES)
        && g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32)) {
      attempt->expects_retries = TRUE;
      attempt->expected_retries = g_variant_get_uint32 (value);
      continue;
    }
    if (opens || !g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN))
      return FALSE;
    if (g_str_equal (key, TOKEND_OPTION_FINAL_ATTEMPT))
      attempt->final_attempt = g_variant_get_boolean (value);
    else if (g_str_equal (key, TOKEND_OPTION_SEND_REFUSED_CODE))
      attempt->send_refused_code = g_variant_get_boolean (value);
    else if (g_str_equal (key, TOKEND_OPTION_SEND_UNUSUAL_CODE))
      attempt->send_unusual_code = g_variant_get_boolean (value);
    else
      return FALSE;
  }
  return TRUE;
}

/* What is sent is what the caller allowed, whatever else it wrote. */
static void
check_attempt (const TokendAttempt *attempt, FuzzInput *input)
{
  const gboolean was_refused = fuzz_take_flag (input);
  const TokendCounter counter = { .state = fuzz_take_byte (input) % (TOKEND_STATE_UNKNOWN + 1),
                                  .remaining = fuzz_take_byte (input) % 8 - 1,
                                  .another_remains = fuzz_take_flag (input) };

  if (!tokend_attempt_check_prepared (attempt, TOKEND_ROLE_PUK, &counter, was_refused, NULL))
    return;
  g_assert_true (counter.another_remains || attempt->final_attempt);
  g_assert_true (!was_refused || attempt->send_refused_code);
  g_assert_true (!attempt->expects_retries
                 || counter.remaining == (gint64) attempt->expected_retries);
}

/* The options of a call, and the counter that it is about. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  g_autoptr (GVariant) options = fuzz_take_dictionary (&input, option_keys);
  TokendAttempt wanted = { 0 };
  const gboolean opens = fuzz_take_flag (&input);
  const gboolean is_right = take_options (options, opens, &wanted);
  g_autoptr (GError) error = NULL;
  TokendAttempt attempt;

  g_assert_cmpint (tokend_attempt_parse (options, opens, &attempt, &error), ==, is_right);
  if (!is_right) {
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    return 0;
  }
  g_assert_no_error (error);
  g_assert_cmpint (attempt.final_attempt, ==, wanted.final_attempt);
  g_assert_cmpint (attempt.send_refused_code, ==, wanted.send_refused_code);
  g_assert_cmpint (attempt.send_unusual_code, ==, wanted.send_unusual_code);
  g_assert_cmpint (attempt.expects_retries, ==, wanted.expects_retries);
  g_assert_cmpuint (attempt.expected_retries, ==, wanted.expected_retries);
  check_attempt (&attempt, &input);
  return 0;
}
