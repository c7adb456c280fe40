/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "check.h"
#include "code-fd.h"
#include "fuzz.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A code that tokenctl lets through, with the newline that it takes off. */
static void
check_accepted (TokenctlCode *code, const guint8 *data, gsize size)
{
  const char *bytes = tokenctl_code_bytes (code);
  const gsize length = tokenctl_code_length (code);

  g_assert_true (length == size || (length + 1 == size && data[length] == '\n'));
  g_assert_cmpmem (bytes, length, data, length);
  g_assert_true (length > 0 && length <= TOKEND_CODE_MAX);
  g_assert_cmpuint (strlen (bytes), ==, length);
  g_assert_true (g_utf8_validate (bytes, -1, NULL));
  g_assert_false (bytes[0] == ' ' || bytes[length - 1] == ' ');
  for (gsize i = 0; i < length; i++)
    g_assert_false (g_ascii_iscntrl (bytes[i]));
}

static const TokendCodeRules no_rules = { .usual_characters = TOKEND_CHARACTERS_ANY };

/* Any bytes, in the pipe that --puk-fd names. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (TokenctlCode) code = NULL;
  g_autoptr (GError) error = NULL;
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (ends[1], data, size), ==, (gssize) size);
  close (ends[1]);
  code = tokenctl_code_from_fd ("--puk-fd", ends[0], &no_rules, TOKEND_CODE_SEND, &error);
  close (ends[0]);
  g_assert_true ((code == NULL) == (error != NULL));
  if (code != NULL)
    check_accepted (code, data, size);
  return 0;
}
