/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon.h"
#include "journal.h"
#include "tokend-error.h"

#include <locale.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

int
main (void)
{
  const struct rlimit no_core = { 0, 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GDBusConnection) bus = NULL;
  g_autoptr (TokendDaemon) daemon = NULL;

  /* The descriptors that pass through hold codes: no process of the same user may take them out of
   * /proc. */
  if (prctl (PR_SET_DUMPABLE, 0) != 0 || setrlimit (RLIMIT_CORE, &no_core) != 0)
    return EXIT_FAILURE;
  umask (077);
  /* Labels of tokens are UTF-8 in the log, whatever the locale of who started it. */
  setlocale (LC_CTYPE, "C.UTF-8");
  tokend_error_quark ();

  bus = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, &error);
  if (bus != NULL)
    daemon = tokend_daemon_new (bus, &error);
  if (daemon != NULL && tokend_daemon_run (daemon, &error))
    return EXIT_SUCCESS;
  tokend_warning ("%s", error->message);
  return EXIT_FAILURE;
}
