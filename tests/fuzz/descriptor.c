/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-reader.h"

#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_SECONDS 10

/* A file whose offset is at its end, a pipe, or a socket, of which somebody else has written and closed the other end. */
static int
make_descriptor (guint kind, const guint8 *data, gsize size)
{
  int ends[2];

  switch (kind % 3) {
  case 0:
    ends[0] = memfd_create ("fuzz", MFD_CLOEXEC);
    g_assert_cmpint (write (ends[0], data, size), ==, (gssize) size);
    return ends[0];
  case 1:
    g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
    break;
  default:
    g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    break;
  }
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

/* A code as it comes to an operating host: first what is wanted of it, then the descriptor's bytes. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const guint kind = fuzz_take_byte (&input);
  const TokendPinPolicy policy = { take_limits (&input), take_limits (&input),
                                   fuzz_take_flag (&input) ? TOKEND_CHARACTERS_DIGITS
                                                           : TOKEND_CHARACTERS_ANY };
  const int fd = make_descriptor (kind, input.data, input.size);
  const off_t offset = lseek (fd, 0, SEEK_CUR);
  const gint64 deadline = g_get_monotonic_time () + DEADLINE_SECONDS * G_TIME_SPAN_SECOND;
  g_autoptr (TokendCode) code = tokend_code_read (fd, TOKEND_CODE_PUK, deadline, NULL);

  g_assert_nonnull (code);
  g_assert_cmpuint (code->length, ==, MIN (input.size, TOKEND_CODE_MAX + 1));
  g_assert_cmpmem (code->bytes, code->length, input.data, code->length);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, offset);
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
