/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opensc-words.h"

#include "fuzz.h"

#include <string.h>

/* No word has in it what would end it, or the line, in what OpenSC is told. */
static void
check (GPtrArray *words)
{
  for (guint i = 0; i < words->len; i++)
    g_assert_true (strpbrk (words->pdata[i], "\r\n") == NULL);
}

/* An opensc.conf, of any bytes. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *text = g_strndup (size > 0 ? (const char *) data : "", size);
  g_autoptr (TokendOpenscWords) words = tokend_opensc_words_parse (text);

  check (words->ignored_readers);
  check (words->card_drivers);
  tokend_opensc_words_ignore (words, "Reader 00 00");
  return 0;
}
