/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile.h"

#include "journal.h"

#include <string.h>

#define SUFFIX ".conf"

/* One of the two files that a profile is made of. */
typedef struct {
  char *path;
  char *text; /* NULL: there is no such file */
  gsize length;
  GKeyFile *key_file;
} Source;

static void
source_clear (Source *source)
{
  g_free (source->path);
  g_free (source->text);
  g_clear_pointer (&source->key_file, g_key_file_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Source, source_clear)

static gsize
end_of_lines (const Source *source, guint n_lines)
{
  const char *end = source->text;
  const char *limit = source->text + source->length;

  for (guint i = 0; i < n_lines && end < limit; i++) {
    const char *newline = memchr (end, '\n', (gsize) (limit - end));

    end = newline != NULL ? newline + 1 : limit;
  }
  return (gsize) (end - source->text);
}

static guint
count_lines (const Source *source)
{
  guint n_lines = 0;

  while (end_of_lines (source, n_lines) < source->length)
    n_lines++;
  return n_lines;
}

/* Finds the first line that makes what comes before it unreadable: GKeyFile does not say where it
 * stopped. */
static guint
find_unreadable_line (const Source *source)
{
  guint good = 0, bad = count_lines (source);

  while (bad - good > 1) {
    guint middle = good + (bad - good) / 2;
    g_autoptr (GKeyFile) key_file = g_key_file_new ();

    if (g_key_file_load_from_data (key_file, source->text, end_of_lines (source, middle),
                                   G_KEY_FILE_KEEP_TRANSLATIONS, NULL))
      good = middle;
    else
      bad = middle;
  }
  return bad;
}

static gboolean
is_group_line (const char *line, const char *group)
{
  gsize length = strlen (group);

  return line[0] == '[' && strncmp (line + 1, group, length) == 0 && line[1 + length] == ']';
}

static gboolean
is_key_line (const char *line, const char *key)
{
  gsize length = strlen (key);

  if (strncmp (line, key, length) != 0)
    return FALSE;
  line += length;
  return line[strspn (line, " \t")] == '=';
}

/* Returns: the last line of @key in @group, which is the one that counts, or the first of @group;
 *   0: there is none. */
static guint
find_line (const Source *source, const TokendProfileLocation *location)
{
  g_auto (GStrv) lines = source->text != NULL ? g_strsplit (source->text, "\n", -1) : NULL;
  gboolean is_inside = FALSE;
  guint found = 0;

  for (guint i = 0; lines != NULL && lines[i] != NULL; i++) {
    const char *line = g_strstrip (lines[i]);

    if (line[0] == '[')
      is_inside = is_group_line (line, location->group);
    if (!is_inside)
      continue;
    if (location->key == NULL)
      return i + 1;
    if (is_key_line (line, location->key))
      found = i + 1;
  }
  return found;
}

/* Tells whether there is no file. A file that cannot be opened, or a link to nowhere, is not
 * absent: somebody wrote it to be heeded. */
static gboolean
is_absent (const char *path, const GError *error)
{
  return g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)
         && !g_file_test (path, G_FILE_TEST_IS_SYMLINK);
}

static gboolean
source_load (Source *source, const char *directory, const char *name, GError **error)
{
  g_autofree char *file = g_strconcat (name, SUFFIX, NULL);
  g_autoptr (GError) problem = NULL;

  source->path = g_build_filename (directory, file, NULL);
  source->key_file = g_key_file_new ();
  if (!g_file_get_contents (source->path, &source->text, &source->length, &problem)) {
    if (is_absent (source->path, problem))
      return TRUE;
    g_propagate_error (error, g_steal_pointer (&problem));
    return FALSE;
  }
  if (g_key_file_load_from_data (source->key_file, source->text, source->length,
                                 G_KEY_FILE_KEEP_TRANSLATIONS, error))
    return TRUE;
  g_prefix_error (error, "%s, line %u: ", source->path, find_unreadable_line (source));
  return FALSE;
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

/* Names the administrator's line where that file has the key, since it overrides the package's. */
static void
prefix_with_line (GError **error, const Source *package, const Source *admin,
                  const TokendProfileLocation *location)
{
  const Source *source = admin;
  guint line = find_line (admin, location);

  if (line == 0) {
    source = package;
    line = find_line (package, location);
  }
  g_prefix_error (error, "%s, line %u: ", source->path, line);
}

static TokendProfile *
load_profile (const char *name, const char *directory, const char *admin_directory, GError **error)
{
  g_auto (Source) package = { NULL };
  g_auto (Source) admin = { NULL };
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_auto (TokendProfileLocation) location = { NULL };
  TokendProfile *profile;

  /* The name is the value of a status key, a string on the bus. */
  if (!g_utf8_validate (name, -1, NULL)) {
    g_set_error_literal (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_UNKNOWN_ENCODING,
                         "its name is not UTF-8");
    return NULL;
  }
  if (!source_load (&package, directory, name, error)
      || !source_load (&admin, admin_directory, name, error))
    return NULL;

  override_key_by_key (key_file, package.key_file);
  override_key_by_key (key_file, admin.key_file);
  profile = tokend_profile_parse (name, key_file, &location, error);
  if (profile == NULL)
    prefix_with_line (error, &package, &admin, &location);
  else if (admin.text != NULL)
    profile->admin_path = g_steal_pointer (&admin.path);
  return profile;
}

static void
collect_names (const char *directory, GHashTable *names)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &error);
  const char *entry;

  if (dir == NULL && !is_absent (directory, error))
    tokend_warning ("Profiles that only this folder has are not known: %s", error->message);
  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (entry, SUFFIX) && entry[0] != '.')
      g_hash_table_add (names, g_strndup (entry, strlen (entry) - strlen (SUFFIX)));
}

/**
 * tokend_profiles_load:
 * @directory: the package's profiles.
 * @admin_directory: the administrator's.
 *
 * Names each profile that cannot be read in the journal, with file and line, and leaves it out as a
 * whole. The package's part alone may promise tries that there are not: the administrator's was
 * meant to correct it.
 *
 * Returns: (transfer full) (element-type TokendProfile): the others, in the order of their names.
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
      tokend_journal (G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_PROFILE_LEFT_OUT, "TOKEND_PROFILE", shown,
                      "TOKEND_REASON", error->message, "MESSAGE",
                      "The profile “%s” is left out: %s", shown, error->message);
  }
  return profiles;
}
