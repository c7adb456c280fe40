/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <stdio.h>
#include <unistd.h>

#include "json.h"
#include "monitor.h"
#include "report.h"
#include "session.h"
#include "table.h"

typedef struct {
  GMainLoop *loop;
  gboolean json;
  gboolean colour;
  TokenctlExit status;
} Watch;

static void
on_event (const TokenctlEvent *event, gpointer user_data)
{
  Watch *watch = user_data;

  if (watch->json) {
    g_autoptr (GVariant) dictionary = tokenctl_event_to_dictionary (event);

    tokenctl_json_print (dictionary, FALSE);
  } else {
    g_autoptr (GDateTime) now = g_date_time_new_now_local ();
    g_autofree char *time = g_date_time_format (now, "%Y-%m-%d %H:%M:%S");
    g_autofree char *text = tokenctl_event_to_text (event, watch->colour);

    g_print ("%s  %s\n", time, text);
  }

  if (ferror (stdout))
    g_main_loop_quit (watch->loop);
}

static void
on_failed (const GError *error, gpointer user_data)
{
  Watch *watch = user_data;

  watch->status = tokenctl_report_error (error);
  g_main_loop_quit (watch->loop);
}

static void
on_waiting (const GError *error, gboolean was_there, gpointer user_data)
{
  if (!was_there)
    on_failed (error, user_data);
  else
    tokenctl_report (_ ("The tokend service went away. Waiting for it to come back."));
}

static gboolean
on_signal (gpointer user_data)
{
  g_main_loop_quit (user_data);
  return G_SOURCE_CONTINUE;
}

static const TokenctlMonitorListener listener = { on_event, on_waiting, on_failed, NULL, NULL };

static TokenctlExit
follow (GDBusConnection *connection, gboolean json)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Watch watch = { loop, json, tokenctl_colour_wanted (STDOUT_FILENO), TOKENCTL_EXIT_DONE };
  guint signals[] = { g_unix_signal_add (SIGINT, on_signal, loop),
                      g_unix_signal_add (SIGTERM, on_signal, loop) };
  g_autoptr (TokenctlMonitor) monitor = tokenctl_monitor_new (
      connection, G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, &listener, &watch);

  g_main_loop_run (loop);

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    g_source_remove (signals[i]);
  return watch.status;
}

static TokenctlExit
run (const TokenctlCommand *command, int argc, char **argv)
{
  g_autoptr (TokenctlSession) session = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) none = NULL;
  gboolean json = FALSE;
  TokenctlExit status;
  const GOptionEntry options[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print one JSON object a line"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  if (!tokenctl_command_parse (command, options, argc, argv, &none, &status))
    return status;
  session = tokenctl_session_open (&error);
  if (session == NULL)
    return tokenctl_report_error (error);
  return follow (tokenctl_bus_connection (session->bus), json);
}

const TokenctlCommand tokenctl_command_monitor = {
  "monitor",
  "",
  N_ ("Print a line whenever a token comes, leaves or changes"),
  run,
};
