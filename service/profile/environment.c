/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "environment.h"

#include "opensc-configuration.h"

static void
add_variables (GHashTable *environment, const TokendProfile *profile)
{
  GHashTableIter iter;
  gpointer name, value;

  if (profile == NULL)
    return;
  g_hash_table_iter_init (&iter, profile->environment);
  while (g_hash_table_iter_next (&iter, &name, &value))
    g_hash_table_insert (environment, g_strdup (name), g_strdup (value));
}

/**
 * tokend_environment_new:
 * @of_file: (nullable): the profile that the module's file name selects; the library needs its
 *   variables for any token.
 * @of_token: (nullable): the token's profile, which overrides @of_file; %NULL for a watching host.
 * @method: how the token is about to be unlocked; none for a host that does not unlock.
 *
 * Returns: (transfer full): a module host's environment, of char * → char *
 */
GHashTable *
tokend_environment_new (const TokendProfile *of_file, const TokendProfile *of_token,
                        TokendUnlockMethod method)
{
  GHashTable *environment = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  add_variables (environment, of_file);
  add_variables (environment, of_token);
  if ((of_file != NULL && of_file->is_opensc) || (of_token != NULL && of_token->is_opensc))
    g_hash_table_insert (environment, g_strdup (TOKEND_OPENSC_VARIABLE),
                         g_strdup (tokend_opensc_configuration (method)));
  return environment;
}
