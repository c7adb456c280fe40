/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-private.h"

#include "tokend-error.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define SHA256_BLOCK 64
#define SHA256_LENGTH 32

/**
 * tokend_code_new:
 * @error: Failed, where memory cannot be locked
 *
 * Returns: (transfer full): an empty code
 */
TokendCode *
tokend_code_new (GError **error)
{
  TokendCode *code =
      mmap (NULL, sizeof (TokendCode), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (code == MAP_FAILED) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED, "There is no memory for a code: %s",
                 g_strerror (errno));
    return NULL;
  }
  if (mlock (code, sizeof *code) != 0 || madvise (code, sizeof *code, MADV_DONTDUMP) != 0
      || madvise (code, sizeof *code, MADV_WIPEONFORK) != 0) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED, "Memory for a code cannot be locked: %s",
                 g_strerror (errno));
    munmap (code, sizeof *code);
    return NULL;
  }

  return code;
}

void
tokend_code_wipe (TokendCode *code)
{
  explicit_bzero (code, sizeof *code);
}

void
tokend_code_free (TokendCode *code)
{
  tokend_code_wipe (code);
  munmap (code, sizeof *code);
}

gboolean
tokend_code_equal (const TokendCode *a, const TokendCode *b)
{
  return a->length == b->length && memcmp (a->bytes, b->bytes, a->length) == 0;
}

static void
pad_key (guint8 block[SHA256_BLOCK], const guint8 key[32], guint8 pad)
{
  for (gsize i = 0; i < SHA256_BLOCK; i++)
    block[i] = (i < 32 ? key[i] : 0) ^ pad;
}

/**
 * tokend_code_digest:
 * @key: 32 bytes
 *
 * Returns: (transfer floating): HMAC-SHA-256 (RFC 2104) of the code under @key, of type ay
 */
GVariant *
tokend_code_digest (const TokendCode *code, const guint8 key[32])
{
  /* Avoids GHmac, which frees the end of its message without wiping it. */
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 block[SHA256_BLOCK];
  guint8 digest[SHA256_LENGTH];
  gsize length = sizeof digest;

  pad_key (block, key, 0x36);
  g_checksum_update (checksum, block, sizeof block);
  g_checksum_update (checksum, (const guchar *) code->bytes, (gssize) code->length);
  g_checksum_get_digest (checksum, digest, &length);

  /* The first block of the outer hash overwrites the code in the checksum's buffer. */
  g_checksum_reset (checksum);
  pad_key (block, key, 0x5c);
  g_checksum_update (checksum, block, sizeof block);
  g_checksum_update (checksum, digest, (gssize) length);
  g_checksum_get_digest (checksum, digest, &length);

  explicit_bzero (block, sizeof block);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, digest, length, sizeof (guint8));
}
