/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "provider.h"

#include "profile-text.h"

#include <string.h>

#define GROUP "Provider"

static char *
get_text (GKeyFile *key_file, const char *key)
{
  return tokend_profile_text_get (key_file, GROUP, key);
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
  g_autoptr (GKeyFile) key_file =
      tokend_profile_text_load (name, GROUP, directory, admin_directory);
  g_autoptr (TokendProvider) provider = g_new0 (TokendProvider, 1);

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
