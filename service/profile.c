/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile.h"

#include "journal.h"
#include "service-enums.h"
#include "tokend-enums.h"
#include "tokend-error.h"

#include <string.h>

#define SUFFIX ".conf"

static const TokendCounterRules no_rules = { .maximum = TOKEND_RETRIES_UNKNOWN };

/* The value of an optional key; @fallback if it is absent; an error only if it is there and cannot
 * be read. */
static gboolean
get_enum (GKeyFile *key_file, const char *group, const char *key, GType type, int fallback,
          gpointer value, GError **error)
{
  g_autofree char *nick = NULL;
  g_autoptr (GEnumClass) values = g_type_class_ref (type);
  GEnumValue *found;

  *(int *) value = fallback;
  if (!g_key_file_has_key (key_file, group, key, NULL))
    return TRUE;
  nick = g_key_file_get_value (key_file, group, key, NULL);
  found = g_enum_get_value_by_nick (values, nick);
  if (found == NULL) {
    g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                 "[%s] %s=%s: no such value", group, key, nick);
    return FALSE;
  }
  *(int *) value = found->value;
  return TRUE;
}

static gboolean
get_count (GKeyFile *key_file, const char *group, const char *key, int *value, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  *value = -1;
  if (!g_key_file_has_key (key_file, group, key, NULL))
    return TRUE;
  *value = g_key_file_get_integer (key_file, group, key, &local_error);
  if (local_error != NULL || *value < 1 || *value > 255) {
    g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                 "[%s] %s must be a whole number from 1 to 255", group, key);
    return FALSE;
  }
  return TRUE;
}

static gboolean
get_boolean (GKeyFile *key_file, const char *group, const char *key, gboolean fallback,
             gboolean *value, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  *value = fallback;
  if (!g_key_file_has_key (key_file, group, key, NULL))
    return TRUE;
  *value = g_key_file_get_boolean (key_file, group, key, &local_error);
  if (local_error != NULL) {
    g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE,
                 "[%s] %s must be true or false", group, key);
    return FALSE;
  }
  return TRUE;
}

/* A list that cannot be read must not pass for an absent one, which matches whatever it is. */
static gboolean
get_patterns (GKeyFile *key_file, const char *key, GPtrArray **patterns, GError **error)
{
  g_auto (GStrv) globs = NULL;
  GError *local_error = NULL;

  if (!g_key_file_has_key (key_file, "Match", key, NULL))
    return TRUE;
  globs = g_key_file_get_string_list (key_file, "Match", key, NULL, &local_error);
  if (local_error != NULL) {
    g_propagate_prefixed_error (error, local_error, "[Match] %s: ", key);
    return FALSE;
  }
  *patterns = g_ptr_array_new_with_free_func ((GDestroyNotify) g_pattern_spec_free);
  for (guint i = 0; globs[i] != NULL; i++)
    g_ptr_array_add (*patterns, g_pattern_spec_new (globs[i]));
  return TRUE;
}

static gboolean
get_rules (GKeyFile *key_file, const char *group, TokendCounterRules *rules, GError **error)
{
  return get_enum (key_file, group, "Flags", TOKEND_TYPE_FLAGS_MEANING, TOKEND_FLAGS_MEANING_NONE,
                   &rules->flags, error)
         && get_count (key_file, group, "Maximum", &rules->maximum, error)
         && get_boolean (key_file, group, "NeverLocks", FALSE, &rules->never_locks, error);
}

/* It goes to the module host as a string, which is UTF-8; GKeyFile looks at values alone. */
static gboolean
check_variable (const char *name, GError **error)
{
  if (g_utf8_validate (name, -1, NULL))
    return TRUE;
  g_set_error_literal (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_UNKNOWN_ENCODING,
                       "[Environment]: a variable's name is not UTF-8");
  return FALSE;
}

static gboolean
get_environment (GKeyFile *key_file, GHashTable **environment, GError **error)
{
  g_auto (GStrv) names = g_key_file_get_keys (key_file, "Environment", NULL, NULL);

  *environment = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    GError *local_error = NULL;
    g_autofree char *value = NULL;

    if (!check_variable (names[i], error))
      return FALSE;
    value = g_key_file_get_string (key_file, "Environment", names[i], &local_error);
    if (local_error != NULL) {
      g_propagate_prefixed_error (error, local_error, "[Environment] %s: ", names[i]);
      return FALSE;
    }
    g_hash_table_insert (*environment, g_strdup (names[i]), g_steal_pointer (&value));
  }
  return TRUE;
}

/* A key that is not known may be a misspelt one that was meant to make us more careful. */
static gboolean
check_keys (GKeyFile *key_file, GError **error)
{
  static const struct {
    const char *group;
    const char *keys[8];
  } known[] = {
    { "Match", { "Files", "Manufacturers", "Models", "Issuers" } },
    { "Unlock", { "Way" } },
    { "Watch", { "Way" } },
    { "PIN",
      { "Flags", "Maximum", "NeverLocks", "MinimumLength", "MaximumLength", "Characters",
        "ChangeCounts" } },
    { "PUK", { "Flags", "Maximum", "NeverLocks" } },
    { "Environment", { NULL } },
    { "Provider", { NULL } },
  };
  g_auto (GStrv) groups = g_key_file_get_groups (key_file, NULL);

  for (guint i = 0; groups[i] != NULL; i++) {
    g_auto (GStrv) keys = g_key_file_get_keys (key_file, groups[i], NULL, NULL);
    guint k = 0;

    while (k < G_N_ELEMENTS (known) && !g_str_equal (known[k].group, groups[i]))
      k++;
    if (k == G_N_ELEMENTS (known)) {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_GROUP_NOT_FOUND, "[%s]: no such group",
                   groups[i]);
      return FALSE;
    }
    for (guint j = 0; known[k].keys[0] != NULL && keys != NULL && keys[j] != NULL; j++) {
      if (!g_strv_contains (known[k].keys, keys[j])) {
        g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_KEY_NOT_FOUND,
                     "[%s] %s: no such key", groups[i], keys[j]);
        return FALSE;
      }
    }
  }
  return TRUE;
}

/**
 * tokend_profile_parse:
 * @name: the profile's name.
 * @key_file: its content; the format is described at #TokendProfile.
 * @error: #GKeyFileError, naming group and key.
 *
 * Returns: (transfer full) (nullable): the profile.
 */
TokendProfile *
tokend_profile_parse (const char *name, GKeyFile *key_file, GError **error)
{
  g_autoptr (TokendProfile) profile = g_new0 (TokendProfile, 1);

  profile->name = g_strdup (name);
  profile->rules[TOKEND_ROLE_PIN] = no_rules;
  profile->rules[TOKEND_ROLE_PUK] = no_rules;
  if (!check_keys (key_file, error))
    return NULL;

  if (!get_patterns (key_file, "Files", &profile->files, error)
      || !get_patterns (key_file, "Manufacturers", &profile->manufacturers, error)
      || !get_patterns (key_file, "Models", &profile->models, error)
      || !get_patterns (key_file, "Issuers", &profile->issuers, error)
      || !get_environment (key_file, &profile->environment, error)
      || !get_enum (key_file, "Unlock", "Way", TOKEND_TYPE_UNLOCK_WAY, TOKEND_UNLOCK_WAY_NONE,
                    &profile->unlock_way, error)
      || !get_enum (key_file, "Watch", "Way", TOKEND_TYPE_WATCH_WAY, TOKEND_WATCH_WAY_POLL,
                    &profile->watch_way, error)
      || !get_rules (key_file, "PIN", &profile->rules[TOKEND_ROLE_PIN], error)
      || !get_rules (key_file, "PUK", &profile->rules[TOKEND_ROLE_PUK], error)
      || !get_count (key_file, "PIN", "MinimumLength", &profile->pin_minimum_length, error)
      || !get_count (key_file, "PIN", "MaximumLength", &profile->pin_maximum_length, error)
      || !get_enum (key_file, "PIN", "Characters", TOKEND_TYPE_CHARACTERS, TOKEND_CHARACTERS_ANY,
                    &profile->pin_characters, error)
      || !get_boolean (key_file, "PIN", "ChangeCounts", TRUE, &profile->change_counts, error))
    return NULL;

  return g_steal_pointer (&profile);
}

/** tokend_profile_free: frees @profile, which may be partly filled. */
void
tokend_profile_free (TokendProfile *profile)
{
  g_free (profile->name);
  g_clear_pointer (&profile->files, g_ptr_array_unref);
  g_clear_pointer (&profile->manufacturers, g_ptr_array_unref);
  g_clear_pointer (&profile->models, g_ptr_array_unref);
  g_clear_pointer (&profile->issuers, g_ptr_array_unref);
  g_clear_pointer (&profile->environment, g_hash_table_unref);
  g_free (profile);
}

static void
override_key_by_key (GKeyFile *key_file, GKeyFile *above)
{
  g_auto (GStrv) groups = g_key_file_get_groups (above, NULL);

  for (guint i = 0; groups[i] != NULL; i++) {
    g_auto (GStrv) keys = g_key_file_get_keys (above, groups[i], NULL, NULL);
    for (guint j = 0; keys != NULL && keys[j] != NULL; j++) {
      g_autofree char *value = g_key_file_get_value (above, groups[i], keys[j], NULL);
      g_key_file_set_value (key_file, groups[i], keys[j], value);
    }
  }
}

static void
collect_names (const char *directory, GHashTable *names)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (entry, SUFFIX) && entry[0] != '.')
      g_hash_table_add (names, g_strndup (entry, strlen (entry) - strlen (SUFFIX)));
}

static gboolean
load_key_file (const char *directory, const char *name, GKeyFile *key_file, GError **error)
{
  g_autofree char *file = g_strconcat (name, SUFFIX, NULL);
  g_autofree char *path = g_build_filename (directory, file, NULL);

  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  if (!g_key_file_load_from_file (key_file, path, G_KEY_FILE_NONE, error)) {
    g_prefix_error (error, "%s: ", path);
    return FALSE;
  }
  return TRUE;
}

static TokendProfile *
load_profile (const char *name, const char *directory, const char *admin_directory, GError **error)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GKeyFile) above = g_key_file_new ();

  /* It is a status key's value, and so a string on the bus. */
  if (!g_utf8_validate (name, -1, NULL)) {
    g_set_error_literal (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_UNKNOWN_ENCODING,
                         "its name is not UTF-8");
    return NULL;
  }
  if (!load_key_file (directory, name, key_file, error)
      || !load_key_file (admin_directory, name, above, error))
    return NULL;
  override_key_by_key (key_file, above);
  return tokend_profile_parse (name, key_file, error);
}

/**
 * tokend_profiles_load:
 * @directory: the package's profiles.
 * @admin_directory: the administrator's.
 *
 * A profile that cannot be read is named in the journal and left out; the others stand.
 *
 * Returns: (transfer full) (element-type TokendProfile): in the order of their names.
 */
GPtrArray *
tokend_profiles_load (const char *directory, const char *admin_directory)
{
  GPtrArray *profiles = g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_profile_free);
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GList) sorted = NULL;

  collect_names (directory, names);
  collect_names (admin_directory, names);
  sorted = g_list_sort (g_hash_table_get_keys (names), (GCompareFunc) strcmp);
  for (GList *l = sorted; l != NULL; l = l->next) {
    g_autoptr (GError) error = NULL;
    g_autofree char *shown = g_filename_display_name (l->data);
    TokendProfile *profile = load_profile (l->data, directory, admin_directory, &error);

    if (profile != NULL)
      g_ptr_array_add (profiles, profile);
    else
      tokend_warning ("The profile “%s” is left out: %s", shown, error->message);
  }
  return profiles;
}

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
 * Returns: (transfer none) (nullable): the profile with the most keys that match, the first by name
 * of several such.
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
 * Returns: (transfer none) (nullable): the provider's profile, the first by name of several.
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
 * Returns: (transfer none) (nullable): the profile that the file name alone selects: it has the
 * host's environment, which must be known before the module can tell anything.
 */
const TokendProfile *
tokend_profiles_match_module (GPtrArray *profiles, const char *module_path)
{
  g_autofree char *file = g_path_get_basename (module_path);

  for (guint i = 0; i < profiles->len; i++) {
    const TokendProfile *profile = profiles->pdata[i];

    if (profile->issuers == NULL && profile->files != NULL && matches (profile->files, file))
      return profile;
  }
  return NULL;
}
