/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>

#include "code.h"
#include "command.h"
#include "report.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  TokenctlExit status;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, TOKEND_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  if (!tokenctl_code_harden_process (&error))
    return (int) tokenctl_report_error (error);
  status = tokenctl_run (argc, argv);

  /* What was to be told and could not be written was not told. */
  if ((fflush (stdout) != 0 || ferror (stdout)) && status == TOKENCTL_EXIT_DONE)
    status = TOKENCTL_EXIT_FAILED;
  return (int) status;
}
