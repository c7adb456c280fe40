/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile.h"

#include "enum-nick.h"
#include "opensc-configuration.h"
#include "counter-enums.h"
#include "profile-enums.h"
#include "tokend-enums.h"
#include "tokend-error.h"
#include "tokend-module.h"

#include <string.h>

static const TokendCounterRules no_rules = { .maximum = TOKEND_RETRIES_UNKNOWN };

/* Lists every key; any other in a file is an error. A test holds tokend-profiles(5) against it. */
const TokendProfileKey tokend_profile_keys[] = {
  { "Match", "Files" },
  { "Match", "Manufacturers" },
  { "Match", "Models" },
  { "Match", "ATRs" },
  { "Match", "Issuers" },
  { "Module", "Library", tokend_library_get_type },
  { "Module", "LogoutCloses" },
  { "Unlock", "Way", tokend_unlock_method_get_type },
  { "Unlock", "SetsFirstPin" },
  { "Watch", "Way", tokend_watch_method_get_type },
  { "Ask", "Way", tokend_ask_method_get_type },
  { "PIN", "Flags", tokend_flags_meaning_get_type },
  { "PIN", "Maximum" },
  { "PIN", "NeverLocks" },
  { "PIN", "MinimumLength" },
  { "PIN", "MaximumLength" },
  { "PIN", "LengthDocument" },
  { "PIN", "Characters", tokend_characters_get_type },
  { "PIN", "ChangeCounts" },
  { "PIN", "ChangeProves" },
  { "PIN", "SharedBySlots" },
  { "PIN", "WrongCode", tokend_wrong_code_get_type },
  { "PUK", "Flags", tokend_flags_meaning_get_type },
  { "PUK", "Maximum" },
  { "PUK", "NeverLocks" },
  { "PUK", "WrongCode", tokend_wrong_code_get_type },
  { "PUK", "ShownAsPin" },
  { "PUK", "MinimumLength" },
  { "PUK", "MaximumLength" },
  { "PUK", "LengthDocument" },
  { "PUK", "UsualLength" },
  { "PUK", "Characters", tokend_characters_get_type },
  { "PUK", "Name", NULL, TRUE },
  { "PUK", "Source", NULL, TRUE },
  { "PUK", "Loss", NULL, TRUE },
  { "Environment", NULL },
  { "Provider", "Name", NULL, TRUE },
  { "Provider", "PukPage", NULL, TRUE },
  { "Provider", "PukHelp", NULL, TRUE },
  { "Provider", "SupportLine", NULL, TRUE },
  { "Provider", "Loss", NULL, TRUE },
};
const guint tokend_profile_n_keys = G_N_ELEMENTS (tokend_profile_keys);

typedef struct {
  GKeyFile *key_file;
  TokendProfileLocation *location; /* or NULL */
} Reader;

static gboolean
has_key (Reader *reader, const char *group, const char *key)
{
  return g_key_file_has_key (reader->key_file, group, key, NULL);
}

/* Records that @key is bad, or the whole group if it is %NULL. Returns: %FALSE. */
G_GNUC_PRINTF (5, 6)
static gboolean
set_bad (Reader *reader, const char *group, const char *key, GError **error, const char *format,
         ...)
{
  g_autofree char *shown = key != NULL ? g_utf8_make_valid (key, -1) : NULL;
  g_autofree char *message = NULL;
  va_list arguments;

  va_start (arguments, format);
  message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_INVALID_VALUE, "[%s]%s%s: %s", group,
               shown != NULL ? " " : "", shown != NULL ? shown : "", message);
  if (reader->location != NULL)
    *reader->location = (TokendProfileLocation){ g_strdup (group), g_strdup (key) };
  return FALSE;
}

/* Reads an optional key; takes @fallback if it is absent. Fails only if it is there and cannot be
 * read. */
static gboolean
get_enum (Reader *reader, const char *group, const char *key, GType type, int fallback,
          gpointer value, GError **error)
{
  g_autofree char *nick = NULL;

  *(int *) value = fallback;
  if (!has_key (reader, group, key))
    return TRUE;
  nick = g_key_file_get_value (reader->key_file, group, key, NULL);
  return tokend_enum_parse (type, nick, value)
         || set_bad (reader, group, key, error, "“%s” is none of its values", nick);
}

static gboolean
get_count (Reader *reader, const char *group, const char *key, int *value, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  *value = -1;
  if (!has_key (reader, group, key))
    return TRUE;
  *value = g_key_file_get_integer (reader->key_file, group, key, &local_error);
  if (local_error != NULL || *value < 1 || *value > 255)
    return set_bad (reader, group, key, error, "not a whole number from 1 to 255");
  return TRUE;
}

static gboolean
get_boolean (Reader *reader, const char *group, const char *key, gboolean fallback, gboolean *value,
             GError **error)
{
  g_autoptr (GError) local_error = NULL;

  *value = fallback;
  if (!has_key (reader, group, key))
    return TRUE;
  *value = g_key_file_get_boolean (reader->key_file, group, key, &local_error);
  if (local_error != NULL)
    return set_bad (reader, group, key, error, "neither true nor false");
  return TRUE;
}

/* Reads a list. One that cannot be read must not pass for an absent one, which matches everything.
 */
static gboolean
get_patterns (Reader *reader, const char *key, GStrv *patterns, GError **error)
{
  g_autoptr (GError) local_error = NULL;

  if (!has_key (reader, "Match", key))
    return TRUE;
  *patterns = g_key_file_get_string_list (reader->key_file, "Match", key, NULL, &local_error);
  if (local_error != NULL)
    return set_bad (reader, "Match", key, error, "%s", local_error->message);
  return TRUE;
}

static gboolean
get_rules (Reader *reader, const char *group, TokendCounterRules *rules, GError **error)
{
  return get_enum (reader, group, "Flags", TOKEND_TYPE_FLAGS_MEANING, TOKEND_FLAGS_MEANING_NONE,
                   &rules->flags, error)
         && get_count (reader, group, "Maximum", &rules->maximum, error)
         && get_boolean (reader, group, "NeverLocks", FALSE, &rules->never_locks, error);
}

/* Accepts a document that is named, or none. */
static gboolean
get_documented (Reader *reader, const char *group, gboolean *is_documented, GError **error)
{
  const char *key = "LengthDocument";
  g_autofree char *document = NULL;
  g_autoptr (GError) local_error = NULL;

  *is_documented = FALSE;
  if (!has_key (reader, group, key))
    return TRUE;
  document = g_key_file_get_string (reader->key_file, group, key, &local_error);
  if (local_error != NULL)
    return set_bad (reader, group, key, error, "%s", local_error->message);
  *is_documented = *g_strstrip (document) != '\0';
  return TRUE;
}

static gboolean
get_code (Reader *reader, const char *group, TokendProfileCode *code, GError **error)
{
  return get_count (reader, group, "MinimumLength", &code->minimum_length, error)
         && get_count (reader, group, "MaximumLength", &code->maximum_length, error)
         && get_documented (reader, group, &code->is_documented, error)
         && get_count (reader, group, "UsualLength", &code->usual_length, error)
         && get_enum (reader, group, "Characters", TOKEND_TYPE_CHARACTERS, TOKEND_CHARACTERS_ANY,
                      &code->characters, error);
}

static gboolean
get_wrong_codes (Reader *reader, TokendProfile *profile, GError **error)
{
  return get_enum (reader, "PIN", "WrongCode", TOKEND_TYPE_WRONG_CODE,
                   TOKEND_WRONG_CODE_PIN_INCORRECT, &profile->wrong_codes[TOKEND_ROLE_PIN], error)
         && get_enum (reader, "PUK", "WrongCode", TOKEND_TYPE_WRONG_CODE,
                      TOKEND_WRONG_CODE_PIN_INCORRECT, &profile->wrong_codes[TOKEND_ROLE_PUK],
                      error);
}

static gboolean
get_environment (Reader *reader, GHashTable **environment, GError **error)
{
  const char *group = "Environment";
  g_auto (GStrv) names = g_key_file_get_keys (reader->key_file, group, NULL, NULL);

  *environment = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; names != NULL && names[i] != NULL; i++) {
    g_autoptr (GError) local_error = NULL;
    g_autofree char *value = NULL;

    /* The name goes to the module host as a string, which is UTF-8; GKeyFile checks values alone.
     */
    if (!g_utf8_validate (names[i], -1, NULL))
      return set_bad (reader, group, names[i], error, "its name is not UTF-8");
    if (g_str_equal (names[i], TOKEND_OPENSC_VARIABLE))
      return set_bad (reader, group, names[i], error, "the module host brings its own");
    value = g_key_file_get_string (reader->key_file, group, names[i], &local_error);
    if (local_error != NULL)
      return set_bad (reader, group, names[i], error, "%s", local_error->message);
    g_hash_table_insert (*environment, g_strdup (names[i]), g_steal_pointer (&value));
  }
  return TRUE;
}

/* Keeps OpenSC's methods for OpenSC, and others for other libraries. */
static gboolean
get_unlock_method (Reader *reader, TokendProfile *profile, GError **error)
{
  TokendLibrary library;

  if (!get_enum (reader, "Unlock", "Way", TOKEND_TYPE_UNLOCK_METHOD, TOKEND_UNLOCK_METHOD_NONE,
                 &profile->unlock_method, error)
      || !get_enum (reader, "Module", "Library", TOKEND_TYPE_LIBRARY, TOKEND_LIBRARY_OTHER,
                    &library, error))
    return FALSE;
  profile->is_opensc = library == TOKEND_LIBRARY_OPENSC;
  if (profile->unlock_method == TOKEND_UNLOCK_METHOD_NONE
      || profile->is_opensc == tokend_unlock_method_is_opensc (profile->unlock_method))
    return TRUE;
  return set_bad (reader, "Unlock", "Way", error,
                  profile->is_opensc ? "with [Module] Library=opensc it is one of OpenSC's"
                                     : "it is OpenSC's: it needs [Module] Library=opensc");
}

static gboolean
is_known_key (const char *group, const char *key)
{
  const char *locale = strchr (key, '[');
  gsize length = locale != NULL ? (gsize) (locale - key) : strlen (key);

  for (guint i = 0; i < tokend_profile_n_keys; i++) {
    const TokendProfileKey *known = &tokend_profile_keys[i];

    if (!g_str_equal (known->group, group))
      continue;
    if (known->key == NULL || g_str_equal (known->key, key))
      return TRUE;
    if (known->is_translated && strlen (known->key) == length
        && strncmp (known->key, key, length) == 0)
      return TRUE;
  }
  return FALSE;
}

static gboolean
is_known_group (const char *group)
{
  for (guint i = 0; i < tokend_profile_n_keys; i++)
    if (g_str_equal (tokend_profile_keys[i].group, group))
      return TRUE;
  return FALSE;
}

/* Refuses an unknown key: it may be a misspelt one that was meant to make us more careful. */
static gboolean
check_keys (Reader *reader, GError **error)
{
  g_auto (GStrv) groups = g_key_file_get_groups (reader->key_file, NULL);

  for (guint i = 0; groups[i] != NULL; i++) {
    g_auto (GStrv) keys = g_key_file_get_keys (reader->key_file, groups[i], NULL, NULL);

    if (!is_known_group (groups[i]))
      return set_bad (reader, groups[i], NULL, error, "no such group");
    for (guint j = 0; keys != NULL && keys[j] != NULL; j++)
      if (!is_known_key (groups[i], keys[j]))
        return set_bad (reader, groups[i], keys[j], error, "no such key");
  }
  return TRUE;
}

/**
 * tokend_profile_parse:
 * @name: the profile's name.
 * @key_file: its content, as tokend-profiles(5) describes it.
 * @location: (out) (nullable): what the error is about; untouched without one.
 * @error: #GKeyFileError, naming group and key.
 *
 * Returns: (transfer full) (nullable): the profile.
 */
TokendProfile *
tokend_profile_parse (const char *name, GKeyFile *key_file, TokendProfileLocation *location,
                      GError **error)
{
  g_autoptr (TokendProfile) profile = g_new0 (TokendProfile, 1);
  Reader reader = { key_file, location };

  profile->name = g_strdup (name);
  profile->rules[TOKEND_ROLE_PIN] = no_rules;
  profile->rules[TOKEND_ROLE_PUK] = no_rules;
  if (!check_keys (&reader, error))
    return NULL;

  if (!get_patterns (&reader, "Files", &profile->files, error)
      || !get_patterns (&reader, "Manufacturers", &profile->manufacturers, error)
      || !get_patterns (&reader, "Models", &profile->models, error)
      || !get_patterns (&reader, "ATRs", &profile->atrs, error)
      || !get_patterns (&reader, "Issuers", &profile->issuers, error)
      || !get_environment (&reader, &profile->environment, error)
      || !get_unlock_method (&reader, profile, error)
      || !get_boolean (&reader, "Module", "LogoutCloses", FALSE, &profile->logout_closes, error)
      || !get_boolean (&reader, "Unlock", "SetsFirstPin", FALSE, &profile->sets_first_pin, error)
      || !get_enum (&reader, "Watch", "Way", TOKEND_TYPE_WATCH_METHOD, TOKEND_WATCH_METHOD_POLL,
                    &profile->watch_method, error)
      || !get_enum (&reader, "Ask", "Way", TOKEND_TYPE_ASK_METHOD, TOKEND_ASK_METHOD_NONE,
                    &profile->ask_method, error)
      || !get_rules (&reader, "PIN", &profile->rules[TOKEND_ROLE_PIN], error)
      || !get_rules (&reader, "PUK", &profile->rules[TOKEND_ROLE_PUK], error)
      || !get_wrong_codes (&reader, profile, error)
      || !get_code (&reader, "PIN", &profile->codes[TOKEND_ROLE_PIN], error)
      || !get_code (&reader, "PUK", &profile->codes[TOKEND_ROLE_PUK], error)
      || !get_boolean (&reader, "PIN", "ChangeCounts", TRUE, &profile->change_counts, error)
      || !get_boolean (&reader, "PIN", "ChangeProves", FALSE, &profile->change_proves, error)
      || !get_boolean (&reader, "PIN", "SharedBySlots", FALSE, &profile->shared_by_slots, error)
      || !get_boolean (&reader, "PUK", "ShownAsPin", FALSE, &profile->puk_shown_as_pin, error))
    return NULL;

  return g_steal_pointer (&profile);
}

void
tokend_profile_free (TokendProfile *profile)
{
  g_free (profile->name);
  g_strfreev (profile->files);
  g_strfreev (profile->manufacturers);
  g_strfreev (profile->models);
  g_strfreev (profile->atrs);
  g_strfreev (profile->issuers);
  g_clear_pointer (&profile->environment, g_hash_table_unref);
  g_free (profile->admin_path);
  g_free (profile);
}

void
tokend_profile_location_clear (TokendProfileLocation *location)
{
  g_clear_pointer (&location->group, g_free);
  g_clear_pointer (&location->key, g_free);
}
