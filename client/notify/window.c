/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program tokend-notify-unlock: see window.h. */
#include "window.h"

#include "config.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns the words that mean this window's token, and removes what was made for the window; NULL
 * if the program was run otherwise. */
static GStrv
take_names (const char *command)
{
  g_autofree char *name = g_path_get_basename (command);
  g_autofree char *link = g_build_filename (g_get_user_runtime_dir (), name, NULL);
  g_autofree char *file = g_strdup (link);
  g_autofree char *text = NULL;

  if (!g_str_has_suffix (file, TOKEND_NOTIFY_WINDOW_SUFFIX))
    return NULL;
  file[strlen (file) - strlen (TOKEND_NOTIFY_WINDOW_SUFFIX)] = '\0';
  if (g_file_get_contents (file, &text, NULL, NULL))
    g_unlink (file);
  g_unlink (link);
  return text != NULL ? g_strsplit (text, "\n", -1) : NULL;
}

/* Lets Ctrl-C end tokenctl, and not the window in which the person reads the end. */
static void
on_interrupt (int number)
{
}

static void
unlock (GStrv names)
{
  g_autoptr (GStrvBuilder) argv = g_strv_builder_new ();
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;

  g_strv_builder_add_many (argv, "tokenctl", "unlock", "--", NULL);
  if (names != NULL)
    g_strv_builder_addv (argv, (const char **) names);
  words = g_strv_builder_end (argv);

  signal (SIGINT, on_interrupt);
  if (!g_spawn_sync (NULL, words, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL,
                     NULL, NULL, NULL, NULL, &error))
    g_printerr ("%s\n", error->message);
  signal (SIGINT, SIG_DFL);
}

static void
wait_for_enter (void)
{
  int character;

  g_print ("\n%s ", _ ("Press Enter to close this window."));
  do
    character = getchar ();
  while (character != '\n' && character != EOF);
}

int
main (int argc, char **argv)
{
  g_auto (GStrv) names = NULL;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, TOKEND_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  names = take_names (argv[0]);
  unlock (names);
  wait_for_enter ();
  return EXIT_SUCCESS;
}
