/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <fcntl.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#include "code.h"
#include "command.h"
#include "report.h"

/* Opens closed standard descriptors. A descriptor that the caller left closed would become the next
 * file that is opened, perhaps the connection to the bus. Using it stays an error. */
static gboolean
fill_standard_descriptors (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl (fd, F_GETFD) < 0
        && open ("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
      return FALSE;
  }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  TokenctlExit status;

  if (!fill_standard_descriptors ())
    return TOKENCTL_EXIT_FAILED;

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, TOKEND_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  if (!tokenctl_code_harden_process (&error))
    return (int) tokenctl_report_error (error);
  status = tokenctl_run (argc, argv);

  /* Fails if the output could not be written. */
  if ((fflush (stdout) != 0 || ferror (stdout)) && status == TOKENCTL_EXIT_DONE)
    status = TOKENCTL_EXIT_FAILED;
  return (int) status;
}
