/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile.h"

#include "enum-nick.h"
#include "tokend-enums.h"

static gboolean
matches (GStrv patterns, const char *text)
{
  if (patterns == NULL)
    return TRUE;
  for (guint i = 0; patterns[i] != NULL; i++)
    if (text != NULL && g_pattern_match_simple (patterns[i], text))
      return TRUE;
  return FALSE;
}

static guint
strictness (const TokendProfile *profile)
{
  if (profile->issuers != NULL)
    return 0;
  return (profile->files != NULL) + (profile->manufacturers != NULL) + (profile->models != NULL)
         + (profile->atrs != NULL);
}

/**
 * tokend_profiles_match:
 * @profiles: (element-type TokendProfile): the profiles.
 * @module_path: the module's library.
 * @manufacturer: (nullable): of the token.
 * @model: (nullable): of the token.
 * @atr: (nullable): of its card, in hexadecimal.
 *
 * Returns: (transfer none) (nullable): the profile with the most matching keys; of several the
 *   first by name.
 */
const TokendProfile *
tokend_profiles_match (GPtrArray *profiles, const char *module_path, const char *manufacturer,
                       const char *model, const char *atr)
{
  g_autofree char *file = g_path_get_basename (module_path);
  const TokendProfile *best = NULL;

  for (guint i = 0; i < profiles->len; i++) {
    const TokendProfile *profile = profiles->pdata[i];
    guint above = best != NULL ? strictness (best) : 0;

    if (strictness (profile) > above && matches (profile->files, file)
        && matches (profile->manufacturers, manufacturer) && matches (profile->models, model)
        && matches (profile->atrs, atr))
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
add_reason (GVariantBuilder *reasons, const char *name, GStrv patterns, const char *text)
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
                              const char *manufacturer, const char *model, const char *atr)
{
  g_autofree char *file = g_path_get_basename (module_path);
  g_autofree char *shown = g_filename_display_name (file);
  g_auto (GVariantBuilder) reasons = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("a{ss}"));

  if (profile == NULL)
    return NULL;
  add_reason (&reasons, "file", profile->files, shown);
  add_reason (&reasons, "manufacturer", profile->manufacturers, manufacturer);
  add_reason (&reasons, "model", profile->models, model);
  add_reason (&reasons, "atr", profile->atrs, atr);
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

static int
by_strictness (gconstpointer a, gconstpointer b)
{
  const TokendProfile *one = *(const TokendProfile *const *) a;
  const TokendProfile *two = *(const TokendProfile *const *) b;

  return (int) strictness (two) - (int) strictness (one);
}

static GVariant *
describe_patterns (GStrv patterns)
{
  return g_variant_new_strv ((const char *const *) patterns, patterns != NULL ? -1 : 0);
}

/* An empty list matches nothing, and would be any to a host. */
static gboolean
is_empty (GStrv patterns)
{
  return patterns != NULL && *patterns == NULL;
}

static gboolean
may_match (const TokendProfile *profile, const char *file)
{
  return strictness (profile) > 0 && matches (profile->files, file)
         && !is_empty (profile->manufacturers) && !is_empty (profile->models)
         && !is_empty (profile->atrs);
}

/**
 * tokend_profiles_list_questions:
 * @profiles: (element-type TokendProfile): the profiles.
 * @module_path: the module's library.
 *
 * Lists how the cards of a module are asked, so that a host comes to the profile that
 * tokend_profiles_match() comes to.
 *
 * Returns: (transfer floating): of TOKEND_QUESTIONS_TYPE; empty if there is no card to be asked
 */
GVariant *
tokend_profiles_list_questions (GPtrArray *profiles, const char *module_path)
{
  g_autofree char *file = g_path_get_basename (module_path);
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();
  g_auto (GVariantBuilder) list = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE (TOKEND_QUESTIONS_TYPE));
  gboolean is_any_asked = FALSE;

  for (guint i = 0; i < profiles->len; i++)
    if (may_match (profiles->pdata[i], file))
      g_ptr_array_add (sorted, profiles->pdata[i]);
  /* Leaves those that are as strict in the order of their names. */
  g_ptr_array_sort (sorted, by_strictness);
  for (guint i = 0; i < sorted->len; i++) {
    const TokendProfile *profile = sorted->pdata[i];

    is_any_asked = is_any_asked || profile->ask_method != TOKEND_ASK_METHOD_NONE;
    g_variant_builder_add (
        &list, "(@as@as@ass)", describe_patterns (profile->manufacturers),
        describe_patterns (profile->models), describe_patterns (profile->atrs),
        tokend_enum_get_nick (TOKEND_TYPE_ASK_METHOD, (int) profile->ask_method));
  }
  if (!is_any_asked)
    return g_variant_new_array (G_VARIANT_TYPE ("(asasass)"), NULL, 0);
  return g_variant_builder_end (&list);
}
