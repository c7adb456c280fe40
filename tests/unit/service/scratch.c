/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scratch.h"

#include <glib/gstdio.h>

/**
 * scratch_set_up:
 *
 * Makes the folder; a fixture's set-up function.
 */
void
scratch_set_up (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (GError) error = NULL;

  scratch->path = g_dir_make_tmp ("tokend-test-XXXXXX", &error);
  g_assert_no_error (error);
}

static void
remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *entry;

  while (dir != NULL && (entry = g_dir_read_name (dir)) != NULL) {
    g_autofree char *below = g_build_filename (path, entry, NULL);
    remove_tree (below);
  }
  g_remove (path);
}

/**
 * scratch_tear_down:
 *
 * Removes the folder and all in it; a fixture's tear-down function.
 */
void
scratch_tear_down (Scratch *scratch, gconstpointer user_data)
{
  remove_tree (scratch->path);
  g_free (scratch->path);
}

/**
 * scratch_add_test:
 *
 * Adds a test that has a folder of its own.
 */
void
scratch_add_test (const char *path, void (*test) (Scratch *, gconstpointer))
{
  g_test_add (path, Scratch, NULL, scratch_set_up, test, scratch_tear_down);
}

/**
 * scratch_path:
 *
 * Returns: (transfer full): where @name, which may have folders in it, is.
 */
char *
scratch_path (const Scratch *scratch, const char *name)
{
  return g_build_filename (scratch->path, name, NULL);
}

/**
 * scratch_write:
 *
 * Makes the file @name, and the folders in its name, with @content.
 */
void
scratch_write (const Scratch *scratch, const char *name, const char *content)
{
  g_autofree char *path = scratch_path (scratch, name);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (g_mkdir_with_parents (folder, 0700), ==, 0);
  g_file_set_contents (path, content, -1, &error);
  g_assert_no_error (error);
}

/**
 * scratch_read:
 *
 * Returns: (transfer full) (nullable): the content of @name; %NULL if it is not there.
 */
char *
scratch_read (const Scratch *scratch, const char *name)
{
  g_autofree char *path = scratch_path (scratch, name);
  char *content = NULL;

  g_file_get_contents (path, &content, NULL, NULL);
  return content;
}
