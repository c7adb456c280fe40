/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "opener.h"

#include <glib/gi18n.h>

/* The token's name is an argument of its own: a shell never reads it as words of its language. */
#define SCRIPT "text=$1; shift; tokenctl unlock -- \"$@\"; printf '\\n%s ' \"$text\"; read -r _"

/* In the order of preference, and how each is told what to run. */
static const struct {
  const char *program;
  const char *option; /* or NULL for none */
} terminals[] = {
  { "xdg-terminal-exec", NULL }, { "x-terminal-emulator", "-e" }, { "gnome-terminal", "--" },
  { "konsole", "-e" },           { "xfce4-terminal", "-x" },      { "xterm", "-e" },
};

/**
 * tokend_notify_open_unlock:
 * @names: (array zero-terminated=1): the words that mean the token to tokenctl
 * @activation_token: (nullable): of the notification
 * @error: there is no terminal, or it does not start
 *
 * Opens a terminal that runs `tokenctl unlock`, and stays until the person has read how it ended.
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
    g_autoptr (GPtrArray) argv = g_ptr_array_new ();

    if (program == NULL)
      continue;
    g_ptr_array_add (argv, program);
    if (terminals[i].option != NULL)
      g_ptr_array_add (argv, (char *) terminals[i].option);
    g_ptr_array_add (argv, "sh");
    g_ptr_array_add (argv, "-c");
    g_ptr_array_add (argv, SCRIPT);
    g_ptr_array_add (argv, "tokend-notify");
    g_ptr_array_add (argv, (char *) _ ("Press Enter to close this window."));
    for (guint j = 0; names[j] != NULL; j++)
      g_ptr_array_add (argv, (char *) names[j]);
    g_ptr_array_add (argv, NULL);
    return g_spawn_async (NULL, (char **) argv->pdata, environment, G_SPAWN_DEFAULT, NULL, NULL,
                          NULL, error);
  }

  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "There is no terminal");
  return FALSE;
}

/**
 * tokend_notify_open_page:
 * @address: of a page
 * @activation_token: (nullable): of the notification
 * @callback: calls g_app_info_launch_default_for_uri_finish()
 * @user_data: for @callback
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
