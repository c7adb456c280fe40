/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <libnotify/notify.h>
#include <locale.h>

#include "notify.h"

/* The name that only one program of the session can own. */
#define SESSION_NAME "org.tokend.Notify"

typedef struct {
  GMainLoop *loop;
  TokendNotify *notify;
} Program;

static void
on_name_acquired (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Program *program = user_data;

  program->notify = tokend_notify_new (connection);
}

static void
on_name_lost (GDBusConnection *connection, const char *name, gpointer user_data)
{
  Program *program = user_data;

  if (connection == NULL)
    g_info ("There is no session bus");
  g_main_loop_quit (program->loop);
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

static void
run (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Program program = { loop, NULL };
  guint signals[] = { g_unix_signal_add (SIGINT, on_signal, loop),
                      g_unix_signal_add (SIGTERM, on_signal, loop) };
  guint name =
      g_bus_own_name (G_BUS_TYPE_SESSION, SESSION_NAME, G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, NULL,
                      on_name_acquired, on_name_lost, &program, NULL);

  g_main_loop_run (loop);

  g_clear_pointer (&program.notify, tokend_notify_free);
  g_bus_unown_name (name);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    g_source_remove (signals[i]);
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;
  gboolean version = FALSE;
  const GOptionEntry options[] = {
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, N_ ("Show the version and exit"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, TOKEND_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  g_option_context_set_summary (
      context,
      _ ("Warns on the desktop when an e-signature token is about to lock, or is locked."));
  g_option_context_add_main_entries (context, options, GETTEXT_PACKAGE);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("tokend-notify: %s\n", error->message);
    return 2;
  }
  if (version) {
    g_print ("tokend-notify %s\n", TOKEND_VERSION);
    return 0;
  }

  if (!notify_init (_ ("e-Signature token"))) {
    g_printerr ("tokend-notify: %s\n", _ ("Notifications cannot be shown."));
    return 1;
  }
  run ();
  notify_uninit ();
  return 0;
}
