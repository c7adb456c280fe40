/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module-config.h"

#include "journal.h"

#include <string.h>

#define SUFFIX ".module"

/* Reads a .module file as pkcs11.conf(5) describes it. p11-kit cannot list modules without loading
 * them all, and one bad constructor would take all down. tests/integration holds this against
 * p11-kit's own answer. */

static GHashTable *
parse_file (const char *path, GError **error)
{
  g_autoptr (GHashTable) options = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!g_file_get_contents (path, &text, NULL, error))
    return NULL;

  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    char *line = g_strstrip (lines[i]);
    char *colon = strchr (line, ':');

    if (line[0] == '\0' || line[0] == '#')
      continue;
    if (colon == NULL || !g_utf8_validate (line, -1, NULL)) {
      g_set_error (error, G_KEY_FILE_ERROR, G_KEY_FILE_ERROR_PARSE,
                   "line %u is not of the form “name: value”", i + 1);
      return NULL;
    }
    *colon = '\0';
    g_hash_table_replace (options, g_strdup (g_strchomp (line)), g_strdup (g_strchug (colon + 1)));
  }
  return g_steal_pointer (&options);
}

/* Keeps what is there: the administrator's folder comes before the package's. */
static void
merge (GHashTable *options, GHashTable *below)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, below);
  while (g_hash_table_iter_next (&iter, &name, &value))
    if (!g_hash_table_contains (options, name))
      g_hash_table_insert (options, g_strdup (name), g_strdup (value));
}

/* Accepts the names that p11-kit accepts. */
static gboolean
is_module_file (const char *entry)
{
  return g_str_has_suffix (entry, SUFFIX) && g_ascii_isalnum (entry[0])
         && entry[strspn (entry, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-.")] == '\0';
}

/* Warns of a file, unless that was the last warning of it. @told: (inout): path → warning. */
static void
warn (GHashTable *told, const char *path, const char *problem)
{
  if (g_strcmp0 (g_hash_table_lookup (told, path), problem) == 0)
    return;
  g_hash_table_replace (told, g_strdup (path), g_strdup (problem));
  tokend_warning ("%s is left out: %s", path, problem);
}

static void
read_directory (const char *directory, GHashTable *modules, GHashTable *told)
{
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL) {
    g_autoptr (GError) error = NULL;
    g_autofree char *path = g_build_filename (directory, entry, NULL);
    g_autofree char *name = NULL;
    g_autoptr (GHashTable) options = NULL;
    GHashTable *known;

    if (!is_module_file (entry))
      continue;
    options = parse_file (path, &error);
    if (options == NULL) {
      warn (told, path, error->message);
      continue;
    }
    g_hash_table_remove (told, path);
    name = g_strndup (entry, strlen (entry) - strlen (SUFFIX));
    known = g_hash_table_lookup (modules, name);
    if (known != NULL)
      merge (known, options);
    else
      g_hash_table_insert (modules, g_steal_pointer (&name), g_steal_pointer (&options));
  }
}

static gboolean
list_contains (const char *list, const char *program)
{
  g_auto (GStrv) names = g_strsplit_set (list, ", \t", -1);

  return g_strv_contains ((const char *const *) names, program);
}

static gboolean
is_enabled (GHashTable *options, const char *program)
{
  const char *enable_in = g_hash_table_lookup (options, "enable-in");
  const char *disable_in = g_hash_table_lookup (options, "disable-in");

  if (enable_in != NULL)
    return list_contains (enable_in, program);
  return disable_in == NULL || !list_contains (disable_in, program);
}

/* Leaves out p11-kit's own modules. The trust store holds no person's token, and the proxy would
 * load every module into one host. */
static gboolean
is_p11_kit_own (const char *library)
{
  g_autofree char *file = g_path_get_basename (library);

  return g_str_has_prefix (file, "p11-kit-trust.so") || g_str_has_prefix (file, "p11-kit-proxy.so")
         || g_str_has_prefix (file, "libp11-kit.so");
}

static TokendModuleConfig *
config_new (const char *name, GHashTable *options, const char *library_directory)
{
  const char *library = g_hash_table_lookup (options, "module");
  const char *priority = g_hash_table_lookup (options, "priority");
  TokendModuleConfig *config = g_new0 (TokendModuleConfig, 1);

  config->name = g_strdup (name);
  config->path = g_path_is_absolute (library) ? g_strdup (library)
                                              : g_build_filename (library_directory, library, NULL);
  if (priority != NULL)
    config->priority = (int) CLAMP (g_ascii_strtoll (priority, NULL, 10), G_MININT, G_MAXINT);
  return config;
}

static int
by_priority (gconstpointer a, gconstpointer b)
{
  const TokendModuleConfig *one = *(const TokendModuleConfig *const *) a;
  const TokendModuleConfig *two = *(const TokendModuleConfig *const *) b;

  if (one->priority != two->priority)
    return one->priority > two->priority ? -1 : 1;
  return strcmp (one->name, two->name);
}

/**
 * tokend_module_configs_load:
 * @directories: (array zero-terminated=1): folders of .module files, the overriding one first.
 * @library_directory: of a module without a folder in its name.
 * @program: the name that enable-in and disable-in are compared with.
 * @told: (inout) (element-type utf8 utf8): the last warning of each file.
 *
 * Names a file that cannot be read in the journal, once, and leaves it out.
 *
 * Returns: (transfer full) (element-type TokendModuleConfig): the modules by priority, highest
 *   first, then by name.
 */
GPtrArray *
tokend_module_configs_load (const char *const *directories, const char *library_directory,
                            const char *program, GHashTable *told)
{
  GPtrArray *configs = g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_module_config_free);
  g_autoptr (GHashTable) modules =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_hash_table_unref);
  GHashTableIter iter;
  gpointer name, options;

  for (guint i = 0; directories[i] != NULL; i++)
    read_directory (directories[i], modules, told);

  g_hash_table_iter_init (&iter, modules);
  while (g_hash_table_iter_next (&iter, &name, &options)) {
    const char *library = g_hash_table_lookup (options, "module");

    if (library == NULL || library[0] == '\0' || !is_enabled (options, program)
        || is_p11_kit_own (library))
      continue;
    g_ptr_array_add (configs, config_new (name, options, library_directory));
  }
  g_ptr_array_sort (configs, by_priority);
  return configs;
}

void
tokend_module_config_free (TokendModuleConfig *config)
{
  g_free (config->name);
  g_free (config->path);
  g_free (config);
}
