/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "puk-words.h"

#include "config.h"

#include <string.h>

#include "printable.h"
#include "profile-text.h"

#define GROUP "PUK"
#define PUK "PUK"

void
tokenctl_puk_words_free (TokenctlPukWords *words)
{
  g_free (words->name);
  g_free (words->source);
  g_free (words->loss);
  g_free (words);
}

/**
 * tokenctl_puk_words_load:
 * @profile: the status key `module-profile`; not trusted
 * @directory: the package's profiles
 * @admin_directory: the administrator's
 *
 * Returns: (transfer full) (nullable): the words; %NULL if the code is called PUK
 */
TokenctlPukWords *
tokenctl_puk_words_load (const char *profile, const char *directory, const char *admin_directory)
{
  g_autoptr (GKeyFile) key_file =
      tokend_profile_text_load (profile, GROUP, directory, admin_directory);
  g_autofree char *name = tokend_profile_text_get (key_file, GROUP, "Name");
  TokenctlPukWords *words;

  if (name == NULL || strstr (name, PUK) != NULL)
    return NULL;
  words = g_new0 (TokenctlPukWords, 1);
  words->name = tokenctl_printable (name);
  words->source = tokend_profile_text_get (key_file, GROUP, "Source");
  words->loss = tokend_profile_text_get (key_file, GROUP, "Loss");
  return words;
}

/**
 * tokenctl_puk_words:
 * @profile: the status key `module-profile`
 *
 * Reads each profile once in the life of the process.
 *
 * Returns: (transfer none) (nullable): see tokenctl_puk_words_load()
 */
const TokenctlPukWords *
tokenctl_puk_words (const char *profile)
{
  static GHashTable *known = NULL;
  gpointer words = NULL;

  if (*profile == '\0')
    return NULL;
  if (known == NULL)
    known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (!g_hash_table_lookup_extended (known, profile, NULL, &words)) {
    words = tokenctl_puk_words_load (profile, TOKEND_PROFILE_DIR, TOKEND_ADMIN_PROFILE_DIR);
    g_hash_table_insert (known, g_strdup (profile), words);
  }
  return words;
}

/* Tells whether the article before it is "an" in English. */
static gboolean
takes_an (const char *name)
{
  return strchr ("AEIO", *name) != NULL || g_str_has_prefix (name, "SO ");
}

static void
append_name (GString *text, const TokenctlPukWords *words)
{
  const gboolean has_article = g_str_has_suffix (text->str, " a ") || g_str_equal (text->str, "a ");

  if (has_article && takes_an (words->name))
    g_string_insert_c (text, (gssize) text->len - 1, 'n');
  g_string_append (text, words->name);
}

/**
 * tokenctl_name_puk:
 * @words: (nullable): what the token's owners call its PUK; %NULL for PUK
 * @text: a text of the catalogue, with nothing in it that a token says of itself
 *
 * Returns: (transfer full): the text in the owners' words
 */
char *
tokenctl_name_puk (const TokenctlPukWords *words, const char *text)
{
  g_autoptr (GString) named = g_string_new (NULL);
  const char *found;

  if (words == NULL)
    return g_strdup (text);
  while ((found = strstr (text, PUK)) != NULL) {
    g_string_append_len (named, text, found - text);
    append_name (named, words);
    text = found + strlen (PUK);
  }
  g_string_append (named, text);
  return g_string_free (g_steal_pointer (&named), FALSE);
}

/**
 * tokenctl_name_puk_beside:
 * @text: the same, with %TOKENCTL_VALUE in it
 * @value: what stands there in the end, as it is
 *
 * Returns: (transfer full): the text in the owners' words
 */
char *
tokenctl_name_puk_beside (const TokenctlPukWords *words, const char *text, const char *value)
{
  g_autofree char *named = tokenctl_name_puk (words, text);
  g_autoptr (GString) whole = g_string_new (named);

  g_string_replace (whole, TOKENCTL_VALUE, value, 0);
  return g_string_free (g_steal_pointer (&whole), FALSE);
}
