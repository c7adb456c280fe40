/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "printable.h"

#include "fuzz.h"

#include <string.h>

/* What is invisible or not assigned is U+FFFD, three bytes for each one at the most. */
#define GROWTH_MAX 3

/* Any bytes: a token's label. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) raw = g_bytes_new (data, size);
  g_autofree char *text = tokend_printable (raw);
  g_autoptr (GBytes) shown = g_bytes_new (text, strlen (text));
  g_autofree char *again = tokend_printable (shown);

  fuzz_assert_printable (text);
  g_assert_cmpuint (strlen (text), <=, size * GROWTH_MAX);
  g_assert_cmpstr (again, ==, text);
  return 0;
}
