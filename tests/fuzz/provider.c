/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "provider.h"

#include "fuzz.h"

#include <string.h>

/* Nothing but a page of the web is ever handed to what opens addresses. */
static void
check_page (const char *page)
{
  g_assert_true (g_str_has_prefix (page, "https://"));
  g_assert_null (strpbrk (page, " \"'<>`\n\r\t"));
  g_assert_true (g_uri_is_valid (page, G_URI_FLAGS_NONE, NULL));
}

static void
check_text (const char *text)
{
  if (text == NULL)
    return;
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_true (*text != '\0' && !g_ascii_isspace (*text));
}

/* A name as it comes over the bus, up to the first newline; then the file that has it. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *path = g_build_filename (fuzz_folder (), "x.conf", NULL);
  const guint8 *end = memchr (data, '\n', size);
  const gsize length = end != NULL ? (gsize) (end - data) : 0;
  const gsize rest = end != NULL ? length + 1 : 0;
  g_autofree char *raw = g_strndup ((const char *) data, length);
  g_autofree char *name = g_utf8_make_valid (raw, -1);
  g_autoptr (TokendProvider) provider = NULL;

  /* GLib 2.74 leaks its own error for an escape that is none. */
  if (memchr (data, '\\', size) != NULL)
    return 0;
  fuzz_write (path, data + rest, size - rest);
  provider = tokend_provider_load (name, fuzz_folder (), "/nonexistent");
  if (provider == NULL)
    return 0;
  g_assert_cmpstr (name, ==, "x");
  if (provider->puk_page != NULL)
    check_page (provider->puk_page);
  g_assert_nonnull (provider->name);
  check_text (provider->name);
  check_text (provider->puk_help);
  check_text (provider->support_line);
  check_text (provider->loss);
  return 0;
}
