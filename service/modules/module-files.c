/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module-files.h"

#include "journal.h"
#include "relate.h"

/* How long changes are collected: a package writes a file in several steps. */
#define PAUSE_MS 500

static const char *const directories[] = { P11_SYSTEM_CONFIG_MODULES, P11_PACKAGE_CONFIG_MODULES,
                                           NULL };

struct _TokendModuleFiles {
  TokendService *service;
  TokendModuleAddedFunc added;
  gpointer data;
  GPtrArray *monitors; /* of GFileMonitor; empty: not watched */
  guint pause;
  GHashTable *told; /* the last warning of each file */
};

/**
 * tokend_module_files_new:
 * @service: outlives it.
 * @added: is called for each module, before it is started.
 *
 * Returns: (transfer full): with nothing loaded.
 */
TokendModuleFiles *
tokend_module_files_new (TokendService *service, TokendModuleAddedFunc added, gpointer data)
{
  TokendModuleFiles *self = g_new0 (TokendModuleFiles, 1);

  self->service = service;
  self->added = added;
  self->data = data;
  self->monitors = g_ptr_array_new_with_free_func (g_object_unref);
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return self;
}

/**
 * tokend_module_files_free:
 *
 * Frees @self; the modules stay.
 */
void
tokend_module_files_free (TokendModuleFiles *self)
{
  g_clear_handle_id (&self->pause, g_source_remove);
  g_ptr_array_unref (self->monitors);
  g_hash_table_unref (self->told);
  g_free (self);
}

static gboolean
is_configured (TokendModule *module, const GPtrArray *configs)
{
  for (guint i = 0; i < configs->len; i++)
    if (tokend_module_has_config (module, configs->pdata[i]))
      return TRUE;
  return FALSE;
}

/**
 * tokend_module_files_load:
 *
 * Starts the modules that are new, and drops those that are configured no more, as if their tokens
 * had been taken out.
 */
void
tokend_module_files_load (TokendModuleFiles *self)
{
  GPtrArray *modules = self->service->modules;
  g_autoptr (GPtrArray) configs =
      tokend_module_configs_load (directories, P11_MODULE_PATH, "tokend", self->told);
  g_autoptr (GPtrArray) dropped = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (GPtrArray) added = g_ptr_array_new ();

  for (guint i = modules->len; i > 0; i--)
    if (!is_configured (modules->pdata[i - 1], configs))
      g_ptr_array_add (dropped, g_ptr_array_steal_index (modules, i - 1));
  /* Those that stay are in the order of their files. */
  for (guint i = 0; i < configs->len; i++) {
    if (i < modules->len && tokend_module_has_config (modules->pdata[i], configs->pdata[i]))
      continue;
    g_ptr_array_insert (modules, (gint) i, tokend_module_new (self->service, configs->pdata[i]));
    g_ptr_array_add (added, modules->pdata[i]);
  }
  for (guint i = 0; i < dropped->len; i++)
    tokend_module_stop (dropped->pdata[i]);
  if (dropped->len > 0)
    tokend_relate (self->service);
  for (guint i = 0; i < added->len; i++) {
    self->added (added->pdata[i], self->data);
    tokend_module_start (added->pdata[i]);
  }
}

static void on_changed (TokendModuleFiles *self);

/* Watches a folder, or the nearest one above it as long as it is not there. */
static void
watch (TokendModuleFiles *self, const char *directory)
{
  g_autoptr (GFile) file = g_file_new_for_path (directory);
  g_autoptr (GError) error = NULL;
  GFileMonitor *monitor;

  while (!g_file_query_exists (file, NULL) && g_file_has_parent (file, NULL)) {
    GFile *parent = g_file_get_parent (file);

    g_object_unref (file);
    file = parent;
  }
  monitor = g_file_monitor_directory (file, G_FILE_MONITOR_WATCH_MOVES, NULL, &error);
  if (monitor == NULL) {
    tokend_warning ("%s is not watched: %s", directory, error->message);
    return;
  }
  g_signal_connect_swapped (monitor, "changed", G_CALLBACK (on_changed), self);
  g_ptr_array_add (self->monitors, monitor);
}

static void
watch_all (TokendModuleFiles *self)
{
  g_ptr_array_set_size (self->monitors, 0);
  for (guint i = 0; directories[i] != NULL; i++)
    watch (self, directories[i]);
}

static gboolean
on_pause_over (gpointer user_data)
{
  TokendModuleFiles *self = user_data;

  self->pause = 0;
  watch_all (self);
  tokend_module_files_load (self);
  return G_SOURCE_REMOVE;
}

static void
on_changed (TokendModuleFiles *self)
{
  if (self->pause == 0)
    self->pause = g_timeout_add (PAUSE_MS, on_pause_over, self);
}

/**
 * tokend_module_files_set_watched:
 * @is_watched: whether changes are to be noticed from now on.
 *
 * Begins or ends to watch the files. At the beginning it takes over what has changed until then.
 */
void
tokend_module_files_set_watched (TokendModuleFiles *self, gboolean is_watched)
{
  if (is_watched == (self->monitors->len > 0))
    return;
  g_clear_handle_id (&self->pause, g_source_remove);
  g_ptr_array_set_size (self->monitors, 0);
  if (!is_watched)
    return;
  watch_all (self);
  tokend_module_files_load (self);
}
