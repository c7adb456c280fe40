/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "warnings.h"

#include "fuzz.h"

#define CERTIFICATE "0a1b"
#define OTHER "2c3d"
#define STAGES ((1u << TOKEND_NOTIFY_N_STAGES) - (1u << TOKEND_NOTIFY_STAGE_MONTH))
#define ENTRIES_MAX 64

static guint
read_again (const char *path, const char *certificate)
{
  g_autoptr (TokendNotifyWarnings) told = tokend_notify_warnings_new (path);

  return tokend_notify_warnings_get (told, certificate);
}

static void
check_file (const char *path)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) keys = NULL;
  gsize n_keys;

  g_assert_true (g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL));
  keys = g_key_file_get_keys (file, "Told", &n_keys, NULL);
  g_assert_nonnull (keys);
  g_assert_cmpuint (n_keys, <=, ENTRIES_MAX);
}

/* The stage that the person is told of, and then the file as another session, or anybody, has left
 * it. What is told is remembered besides whatever can be made of that. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const TokendNotifyStage stage =
      TOKEND_NOTIFY_STAGE_MONTH + fuzz_take_byte (&input) % (TOKEND_NOTIFY_N_STAGES - 1);
  g_autofree char *path = g_build_filename (fuzz_folder (), "certificates", NULL);
  g_autoptr (TokendNotifyWarnings) told = tokend_notify_warnings_new (path);
  guint before, other;

  fuzz_write (path, input.data, input.size);
  before = tokend_notify_warnings_get (told, CERTIFICATE);
  other = tokend_notify_warnings_get (told, OTHER);
  g_assert_cmpuint (before & ~STAGES, ==, 0);
  g_assert_cmpuint (read_again (path, CERTIFICATE), ==, before);

  tokend_notify_warnings_add (told, CERTIFICATE, stage);
  g_assert_cmpuint (tokend_notify_warnings_get (told, CERTIFICATE), ==, before | 1u << stage);
  check_file (path);
  g_assert_cmpuint (read_again (path, CERTIFICATE), ==, before | 1u << stage);
  g_assert_cmpuint (read_again (path, OTHER) & ~other, ==, 0);
  return 0;
}
