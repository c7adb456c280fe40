/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile.h"

static gboolean
matches (GPtrArray *patterns, const char *text)
{
  if (patterns == NULL)
    return TRUE;
  for (guint i = 0; i < patterns->len; i++)
    if (text != NULL && g_pattern_spec_match_string (patterns->pdata[i], text))
      return TRUE;
  return FALSE;
}

static guint
strictness (const TokendProfile *profile)
{
  if (profile->issuers != NULL)
    return 0;
  return (profile->files != NULL) + (profile->manufacturers != NULL) + (profile->models != NULL);
}

/**
 * tokend_profiles_match:
 * @profiles: (element-type TokendProfile): the profiles.
 * @module_path: the module's library.
 * @manufacturer: (nullable): of the token.
 * @model: (nullable): of the token.
 *
 * Returns: (transfer none) (nullable): the profile with the most matching keys; of several the
 *   first by name.
 */
const TokendProfile *
tokend_profiles_match (GPtrArray *profiles, const char *module_path, const char *manufacturer,
                       const char *model)
{
  g_autofree char *file = g_path_get_basename (module_path);
  const TokendProfile *best = NULL;

  for (guint i = 0; i < profiles->len; i++) {
    const TokendProfile *profile = profiles->pdata[i];
    guint above = best != NULL ? strictness (best) : 0;

    if (strictness (profile) > above && matches (profile->files, file)
        && matches (profile->manufacturers, manufacturer) && matches (profile->models, model))
      best = profile;
  }
  return best;
}

/**
 * tokend_profiles_match_provider:
 * @profiles: (element-type TokendProfile): the profiles.
 * @issuer: of the certificate on the token.
 *
 * Returns: (transfer none) (nullable): the provider's profile; of several the first by name.
 */
const TokendProfile *
tokend_profiles_match_provider (GPtrArray *profiles, const char *issuer)
{
  for (guint i = 0; i < profiles->len; i++) {
    const TokendProfile *profile = profiles->pdata[i];

    if (profile->issuers != NULL && matches (profile->issuers, issuer))
      return profile;
  }
  return NULL;
}

/**
 * tokend_profiles_match_module:
 * @profiles: (element-type TokendProfile): the profiles.
 * @module_path: the module's library.
 *
 * Selects the profile of the host's environment, which must be known before the module can tell
 * anything.
 *
 * Returns: (transfer none) (nullable): the profile that the file name alone selects; of several the
 *   one with the fewest other keys.
 */
const TokendProfile *
tokend_profiles_match_module (GPtrArray *profiles, const char *module_path)
{
  g_autofree char *file = g_path_get_basename (module_path);
  const TokendProfile *best = NULL;

  for (guint i = 0; i < profiles->len; i++) {
    const TokendProfile *profile = profiles->pdata[i];

    if (profile->issuers == NULL && profile->files != NULL && matches (profile->files, file)
        && (best == NULL || strictness (profile) < strictness (best)))
      best = profile;
  }
  return best;
}

static void
add_reason (GVariantBuilder *reasons, const char *name, GPtrArray *patterns, const char *text)
{
  if (patterns != NULL)
    g_variant_builder_add (reasons, "{ss}", name, text);
}

/**
 * tokend_profile_explain_match:
 * @profile: (nullable): what tokend_profiles_match() returned for the other arguments.
 *
 * Returns: (transfer floating) (nullable): why it matches, an a{ss} as Token.GetStatus of
 *   org.tokend.Tokend1.xml describes it.
 */
GVariant *
tokend_profile_explain_match (const TokendProfile *profile, const char *module_path,
                              const char *manufacturer, const char *model)
{
  g_autofree char *file = g_path_get_basename (module_path);
  g_autofree char *shown = g_filename_display_name (file);
  g_auto (GVariantBuilder) reasons = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));

  if (profile == NULL)
    return NULL;
  add_reason (&reasons, "file", profile->files, shown);
  add_reason (&reasons, "manufacturer", profile->manufacturers, manufacturer);
  add_reason (&reasons, "model", profile->models, model);
  return g_variant_builder_end (&reasons);
}

/**
 * tokend_profile_explain_provider:
 * @provider: (nullable): what tokend_profiles_match_provider() returned for @issuer.
 * @issuer: (nullable): made printable.
 *
 * Returns: (transfer floating) (nullable): the same as tokend_profile_explain_match().
 */
GVariant *
tokend_profile_explain_provider (const TokendProfile *provider, const char *issuer)
{
  g_auto (GVariantBuilder) reasons = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));

  if (provider == NULL)
    return NULL;
  add_reason (&reasons, "issuer", provider->issuers, issuer);
  return g_variant_builder_end (&reasons);
}
