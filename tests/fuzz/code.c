/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-reader-private.h"

#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Of which somebody else has written and closed the other end. */
static int
make_pipe (const guint8 *data, gsize size)
{
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (ends[1], data, size), ==, (gssize) size);
  close (ends[1]);
  return ends[0];
}

static TokendCodeLimits
take_limits (FuzzInput *input)
{
  return (TokendCodeLimits){ fuzz_take_byte (input), fuzz_take_byte (input) };
}

static void
check_accepted (const TokendCode *code, gsize size, const TokendCodeLimits *bytes)
{
  g_assert_cmpuint (code->length, ==, size);
  g_assert_cmpuint (code->length, >, 0);
  g_assert_cmpuint (code->length, <=, TOKEND_CODE_MAX);
  g_assert_true (code->length >= bytes->minimum
                 && (bytes->maximum == 0 || code->length <= bytes->maximum));
  g_assert_true (g_utf8_validate (code->bytes, (gssize) code->length, NULL));
  for (gsize i = 0; i < code->length; i++)
    g_assert_false (g_ascii_iscntrl (code->bytes[i]));
}

static const TokendCodeLimits any_length;

/* A code as it comes to an operating host: first what is wanted of it, then what is in the pipe. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const TokendNewPinRules policy = { take_limits (&input), take_limits (&input),
                                     fuzz_take_flag (&input) ? TOKEND_CHARACTERS_DIGITS
                                                             : TOKEND_CHARACTERS_ANY };
  const int fd = make_pipe (input.data, input.size);
  g_autoptr (TokendCode) code = tokend_code_read (fd, TOKEND_CODE_PUK, NULL);

  g_assert_nonnull (code);
  g_assert_cmpuint (code->length, ==, MIN (input.size, TOKEND_CODE_MAX + 1));
  g_assert_cmpmem (code->bytes, code->length, input.data, code->length);
  if (tokend_code_check (code->bytes, code->length, TOKEND_CODE_PUK, &policy.bytes_limits, FALSE,
                         NULL))
    check_accepted (code, input.size, &policy.bytes_limits);
  if (tokend_code_check (code->bytes, code->length, TOKEND_CODE_PUK, &policy.bytes_limits, TRUE,
                         NULL))
    check_accepted (code, input.size, &any_length);
  if (tokend_new_pin_check (code->bytes, code->length, &policy, NULL)) {
    check_accepted (code, input.size, &policy.bytes_limits);
    if (policy.characters == TOKEND_CHARACTERS_DIGITS)
      for (gsize i = 0; i < code->length; i++)
        g_assert_true (g_ascii_isdigit (code->bytes[i]));
  }
  close (fd);
  return 0;
}
