/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "provider.h"

#include <string.h>

#define GROUP "Provider"

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
put_above (GKeyFile *key_file, GKeyFile *above)
{
  g_auto (GStrv) keys = g_key_file_get_keys (above, GROUP, NULL, NULL);

  for (guint i = 0; keys != NULL && keys[i] != NULL; i++) {
    g_autofree char *value = g_key_file_get_value (above, GROUP, keys[i], NULL);

    g_key_file_set_value (key_file, GROUP, keys[i], value);
  }
}

/* Returns: (nullable): the text; NULL for an empty one, so that the administrator can remove one.
 */
static char *
get_text (GKeyFile *key_file, const char *key)
{
  g_autofree char *text = g_key_file_get_locale_string (key_file, GROUP, key, NULL, NULL);

  if (text == NULL || *g_strstrip (text) == '\0')
    return NULL;
  return g_steal_pointer (&text);
}

static gboolean
has_control_character (const char *text)
{
  while (*text != '\0' && !g_ascii_iscntrl (*text))
    text++;
  return *text != '\0';
}

/* Accepts a page's address alone, never a file or a command: whatever opens addresses on this
 * desktop gets it. */
static char *
get_page (GKeyFile *key_file, const char *key)
{
  g_autofree char *page = get_text (key_file, key);

  if (page == NULL || !g_str_has_prefix (page, "https://") || strpbrk (page, " \"'<>`") != NULL
      || has_control_character (page) || !g_uri_is_valid (page, G_URI_FLAGS_NONE, NULL))
    return NULL;
  return g_steal_pointer (&page);
}

/**
 * tokend_provider_load:
 * @name: the status key `provider`; not trusted
 * @directory: the package's profiles
 * @admin_directory: the administrator's
 *
 * Returns: (transfer full) (nullable): what is known of the provider, in the language of the
 *   environment; %NULL if there is no such provider
 */
TokendProvider *
tokend_provider_load (const char *name, const char *directory, const char *admin_directory)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GKeyFile) above = g_key_file_new ();
  g_autoptr (TokendProvider) provider = g_new0 (TokendProvider, 1);

  if (!is_name (name))
    return NULL;
  load (key_file, directory, name);
  if (load (above, admin_directory, name))
    put_above (key_file, above);

  provider->name = get_text (key_file, "Name");
  if (provider->name == NULL)
    return NULL;
  provider->puk_page = get_page (key_file, "PukPage");
  provider->puk_help = get_text (key_file, "PukHelp");
  provider->support_line = get_text (key_file, "SupportLine");
  provider->loss = get_text (key_file, "Loss");
  return g_steal_pointer (&provider);
}

void
tokend_provider_free (TokendProvider *provider)
{
  g_free (provider->name);
  g_free (provider->puk_page);
  g_free (provider->puk_help);
  g_free (provider->support_line);
  g_free (provider->loss);
  g_free (provider);
}
