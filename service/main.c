/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon.h"
#include "journal.h"
#include "tokend-error.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>

static gboolean no_timeout;

static const GOptionEntry options[] = {
  { "no-timeout", 0, 0, G_OPTION_ARG_NONE, &no_timeout, "Stay, also if nobody needs the service",
    NULL },
  { NULL },
};

int
main (int argc, char **argv)
{
  const struct rlimit no_core = { 0, 0 };
  g_autoptr (GOptionContext) context = g_option_context_new ("- PIN administration of tokens");
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = NULL;
  g_autoptr (TokendDaemon) daemon = NULL;

  /* The process holds descriptors of codes, which no process of the same user may take out of
   * /proc. */
  if (prctl (PR_SET_DUMPABLE, 0) != 0 || setrlimit (RLIMIT_CORE, &no_core) != 0)
    return EXIT_FAILURE;
  umask (077);
  /* Labels of tokens are UTF-8 in the log, whatever the locale. */
  setlocale (LC_CTYPE, "C.UTF-8");
  tokend_error_quark ();

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    g_printerr ("tokend: %s\n", error->message);
    return EX_USAGE;
  }

  bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &error);
  if (bus != NULL)
    daemon = tokend_daemon_new (bus, !no_timeout, &error);
  if (daemon != NULL && tokend_daemon_run (daemon, &error))
    return EXIT_SUCCESS;
  tokend_warning ("%s", error->message);
  return EXIT_FAILURE;
}
