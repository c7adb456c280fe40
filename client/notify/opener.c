/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opener.h"

#include "window.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

/* By preference, with how each is told what to run. */
static const struct {
  const char *program;
  const char *option; /* or NULL for none */
} terminals[] = {
  { "xdg-terminal-exec", NULL }, { "x-terminal-emulator", "-e" }, { "gnome-terminal", "--" },
  { "konsole", "-e" },           { "xfce4-terminal", "-x" },      { "xterm", "-e" },
};

/* Returns: the program in the folder of this process's own. */
static char *
find_window_program (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : g_strdup (".");

  return g_build_filename (folder, TOKEND_NOTIFY_WINDOW_PROGRAM, NULL);
}

/* Makes a link to the window's program, and beside it a file with the words that mean the token, a
 * line each. Some terminals join what they are told to run and give it to a shell, some run the
 * first word alone, and some run it without our environment and descriptors. */
static char *
make_command (const char *const *names, GError **error)
{
  g_autofree char *text = g_strjoinv ("\n", (char **) names);
  g_autofree char *program = find_window_program ();
  g_autofree char *file =
      g_build_filename (g_get_user_runtime_dir (), "tokend-unlock-XXXXXX", NULL);
  g_autofree char *command = NULL;
  int fd = g_mkstemp (file);

  if (fd < 0) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s cannot be made: %s", file,
                 g_strerror (errno));
    return NULL;
  }
  close (fd);
  command = g_strconcat (file, TOKEND_NOTIFY_WINDOW_SUFFIX, NULL);
  if (g_file_set_contents_full (file, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error)) {
    if (symlink (program, command) == 0)
      return g_steal_pointer (&command);
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s cannot be made: %s", command,
                 g_strerror (errno));
  }
  g_unlink (file);
  return NULL;
}

/**
 * tokend_notify_open_unlock:
 * @names: (array zero-terminated=1): the words that mean the token to tokenctl
 * @activation_token: (nullable): of the notification
 * @error: there is no terminal, or it does not start
 *
 * Opens a terminal that runs `tokenctl unlock`, and stays until the person has read the end. The
 * terminal's command line has nothing of the token's.
 *
 * Returns: whether it was opened
 */
gboolean
tokend_notify_open_unlock (const char *const *names, const char *activation_token, GError **error)
{
  g_auto (GStrv) environment = g_get_environ ();

  if (activation_token != NULL)
    environment = g_environ_setenv (environment, "XDG_ACTIVATION_TOKEN", activation_token, TRUE);

  for (gsize i = 0; i < G_N_ELEMENTS (terminals); i++) {
    g_autofree char *program = g_find_program_in_path (terminals[i].program);
    g_autofree char *command = NULL;
    const char *argv[] = { program, terminals[i].option, NULL, NULL };

    if (program == NULL)
      continue;
    command = make_command (names, error);
    argv[terminals[i].option != NULL ? 2 : 1] = command;
    return command != NULL
           && g_spawn_async (NULL, (char **) argv, environment, G_SPAWN_DEFAULT, NULL, NULL, NULL,
                             error);
  }

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "There is no terminal");
  return FALSE;
}

/**
 * tokend_notify_open_page:
 * @address: of a page
 * @activation_token: (nullable): of the notification
 * @callback: calls g_app_info_launch_default_for_uri_finish()
 *
 * Opens the page in the person's browser.
 */
void
tokend_notify_open_page (const char *address, const char *activation_token,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GAppLaunchContext) context = g_app_launch_context_new ();

  if (activation_token != NULL)
    g_app_launch_context_setenv (context, "XDG_ACTIVATION_TOKEN", activation_token);
  g_app_info_launch_default_for_uri_async (address, context, NULL, callback, user_data);
}
