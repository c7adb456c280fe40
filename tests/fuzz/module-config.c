/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module-config.h"

#include "fuzz.h"

#include <string.h>

#define LIBRARIES "/usr/lib/pkcs11"

static void
check_config (const TokendModuleConfig *config)
{
  g_assert_true (g_str_equal (config->name, "a") || g_str_equal (config->name, "b"));
  g_assert_true (g_path_is_absolute (config->path));
  /* It goes to a module host as a string. */
  g_assert_true (g_utf8_validate (config->path, -1, NULL));
}

/* a.module, and after a NUL b.module. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *directories[] = { fuzz_folder (), NULL };
  const gsize first = strnlen ((const char *) data, size);
  const gsize second = MIN (first + 1, size);
  g_autofree char *a = g_build_filename (directories[0], "a.module", NULL);
  g_autofree char *b = g_build_filename (directories[0], "b.module", NULL);
  g_autoptr (GHashTable) told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray) configs = NULL;

  fuzz_write (a, data, first);
  fuzz_write (b, data + second, size - second);
  configs = tokend_module_configs_load (directories, LIBRARIES, "tokend", told);
  g_assert_cmpuint (configs->len, <=, 2);
  for (guint i = 0; i < configs->len; i++)
    check_config (configs->pdata[i]);
  if (configs->len == 2)
    g_assert_cmpint (((TokendModuleConfig *) configs->pdata[0])->priority, >=,
                     ((TokendModuleConfig *) configs->pdata[1])->priority);
  return 0;
}
