/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "report.h"

#include "outcome.h"

/**
 * tokenctl_report:
 * @words: what went wrong, for people
 *
 * Prints @words to stderr.
 */
void
tokenctl_report (const char *words)
{
  g_printerr ("tokenctl: %s\n", words);
}

/**
 * tokenctl_report_error:
 * @error: an error of anything but an operation
 *
 * Prints @error to stderr.
 *
 * Returns: its exit status
 */
TokenctlExit
tokenctl_report_error (const GError *error)
{
  g_autofree char *words = tokenctl_words_for_error (error);

  tokenctl_report (words);
  return tokenctl_explain_error (error, FALSE).exit;
}
