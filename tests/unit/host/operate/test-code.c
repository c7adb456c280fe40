/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-private.h"

#include "tokend-error.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static gboolean is_locked_out; /* no memory can be locked */
static guint n_unmapped;
static gboolean was_wiped; /* what was given back */

int __real_mlock (const void *address, size_t length);
int __real_munmap (void *address, size_t length);

int
__wrap_mlock (const void *address, size_t length)
{
  if (!is_locked_out)
    return __real_mlock (address, length);
  errno = ENOMEM;
  return -1;
}

int
__wrap_munmap (void *address, size_t length)
{
  static const TokendCode empty;

  g_assert_cmpuint (length, ==, sizeof empty);
  n_unmapped++;
  was_wiped = memcmp (address, &empty, length) == 0;
  return __real_munmap (address, length);
}

static void
set_code (TokendCode *code, const void *bytes, gsize length)
{
  memcpy (code->bytes, bytes, length);
  code->length = length;
}

static char *
digest_of (const TokendCode *code, const guint8 key[32])
{
  g_autoptr (GVariant) digest = g_variant_ref_sink (tokend_code_digest (code, key));
  GString *hex = g_string_new (NULL);
  gsize length;
  const guint8 *bytes = g_variant_get_fixed_array (digest, &length, 1);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (hex, "%02x", bytes[i]);
  return g_string_free (hex, FALSE);
}

/* RFC 4231, test case 2: its key, padded with zeros to 32 bytes, is the same key. */
static void
test_digest_of_the_rfc (void)
{
  g_autoptr (TokendCode) code = tokend_code_new (NULL);
  const guint8 key[32] = "Jefe";
  g_autofree char *digest = NULL;

  set_code (code, "what do ya want for nothing?", 28);
  digest = digest_of (code, key);
  g_assert_cmpstr (digest, ==, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void
test_digest_of_every_length (void)
{
  g_autoptr (TokendCode) code = tokend_code_new (NULL);
  guint8 key[32];

  for (gsize i = 0; i < sizeof key; i++)
    key[i] = (guint8) (200 + 7 * i);
  for (gsize length = 0; length <= TOKEND_CODE_MAX; length++) {
    g_autofree char *ours = NULL, *theirs = NULL;

    memset (code->bytes, 'a' + (int) (length % 26), length);
    code->length = length;
    ours = digest_of (code, key);
    theirs = g_compute_hmac_for_data (G_CHECKSUM_SHA256, key, sizeof key,
                                      (const guchar *) code->bytes, length);
    g_assert_cmpstr (ours, ==, theirs);
  }
}

static void
test_equal (void)
{
  g_autoptr (TokendCode) code = tokend_code_new (NULL);
  g_autoptr (TokendCode) same = tokend_code_new (NULL);
  g_autoptr (TokendCode) longer = tokend_code_new (NULL);
  g_autoptr (TokendCode) other = tokend_code_new (NULL);

  set_code (code, "1234", 4);
  set_code (same, "1234", 4);
  set_code (longer, "12345", 5);
  set_code (other, "1235", 4);
  g_assert_true (tokend_code_equal (code, same));
  g_assert_false (tokend_code_equal (code, longer));
  g_assert_false (tokend_code_equal (longer, code));
  g_assert_false (tokend_code_equal (code, other));
}

static void
test_wipe (void)
{
  g_autoptr (TokendCode) code = tokend_code_new (NULL);
  const TokendCode empty = { 0 };

  set_code (code, "12345678", 8);
  tokend_code_wipe (code);
  g_assert_cmpmem (code, sizeof *code, &empty, sizeof empty);
}

/* Whoever leaves a code behind leaves it wiped. */
static void
test_free (void)
{
  TokendCode *code = tokend_code_new (NULL);

  n_unmapped = 0;
  set_code (code, "12345678", 8);
  tokend_code_free (code);
  g_assert_cmpuint (n_unmapped, ==, 1);
  g_assert_true (was_wiped);
}

/* Without memory that stays out of the swap there is no code. */
static void
test_not_locked (void)
{
  g_autoptr (GError) error = NULL;

  n_unmapped = 0;
  is_locked_out = TRUE;
  g_assert_null (tokend_code_new (&error));
  is_locked_out = FALSE;
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED);
  g_assert_cmpuint (n_unmapped, ==, 1);
}

/* The kernel's own word: locked (lo), left out of core dumps (dd), wiped in a child (wf). */
static void
test_memory_is_locked (void)
{
  g_autoptr (TokendCode) code = tokend_code_new (NULL);
  g_autofree char *maps = NULL;
  g_autofree char *start = g_strdup_printf ("\n%08lx-", (gulong) code);
  const char *map, *flags;
  g_autofree char *line = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &maps, NULL, NULL));
  map = strstr (maps, start);
  g_assert_nonnull (map);
  flags = strstr (map, "VmFlags:");
  line = g_strndup (flags, strcspn (flags, "\n"));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* their mlock() does nothing */
  g_assert_nonnull (strstr (line, " lo"));
#endif
  g_assert_nonnull (strstr (line, " dd"));
  g_assert_nonnull (strstr (line, " wf"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/code/digest-of-the-rfc", test_digest_of_the_rfc);
  g_test_add_func ("/code/digest-of-every-length", test_digest_of_every_length);
  g_test_add_func ("/code/equal", test_equal);
  g_test_add_func ("/code/wipe", test_wipe);
  g_test_add_func ("/code/free", test_free);
  g_test_add_func ("/code/not-locked", test_not_locked);
  g_test_add_func ("/code/memory-is-locked", test_memory_is_locked);
  return g_test_run ();
}
