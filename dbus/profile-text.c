/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-text.h"

#include <string.h>

/* Checks the name, which comes over the bus and becomes a part of a path. */
static gboolean
is_name (const char *name)
{
  return *name != '\0' && *name != '.'
         && strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.") == strlen (name);
}

/* Returns: whether the file is there and can be read. */
static gboolean
load (GKeyFile *key_file, const char *directory, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".conf", NULL);
  g_autofree char *path = g_build_filename (directory, file, NULL);

  return g_key_file_load_from_file (key_file, path, G_KEY_FILE_KEEP_TRANSLATIONS, NULL);
}

static void
put_above (GKeyFile *key_file, GKeyFile *above, const char *group)
{
  g_auto (GStrv) keys = g_key_file_get_keys (above, group, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++) {
    g_autofree char *value = g_key_file_get_value (above, group, keys[i], NULL);

    g_key_file_set_value (key_file, group, keys[i], value);
  }
}

/**
 * tokend_profile_text_load:
 * @name: of a profile, as a status has it; not trusted
 * @group: the one that has the texts
 * @directory: the package's profiles
 * @admin_directory: the administrator's; a file of the same name there overrides it key by key
 *
 * Returns: (transfer full): what the profile says in @group; nothing if there is none
 */
GKeyFile *
tokend_profile_text_load (const char *name, const char *group, const char *directory,
                          const char *admin_directory)
{
  GKeyFile *key_file = g_key_file_new ();
  g_autoptr (GKeyFile) above = g_key_file_new ();

  if (!is_name (name))
    return key_file;
  load (key_file, directory, name);
  if (load (above, admin_directory, name))
    put_above (key_file, above, group);
  return key_file;
}

/**
 * tokend_profile_text_get:
 *
 * Returns: (transfer full) (nullable): the text, in the language of the environment; %NULL for an
 *   empty one, so that the administrator can remove one
 */
char *
tokend_profile_text_get (GKeyFile *key_file, const char *group, const char *key)
{
  g_autofree char *text = g_key_file_get_locale_string (key_file, group, key, NULL, NULL);

  if (text == NULL || *g_strstrip (text) == '\0')
    return NULL;
  return g_steal_pointer (&text);
}
