/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-fd.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <unistd.h>

#include "check.h"
#include "exit-code.h"

static gboolean
set_usage_error (GError **error, const char *option, const char *problem)
{
  g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE, "%s: %s", option, problem);
  return FALSE;
}

static gboolean
check_fd (const char *option, int fd, GError **error)
{
  int flags;

  if (fd == TOKENCTL_FD_NOT_GIVEN)
    return TRUE;

  flags = fcntl (fd, F_GETFL);
  if (flags < 0)
    return set_usage_error (error, option, _ ("this file descriptor is not open"));
  if ((flags & O_ACCMODE) == O_WRONLY)
    return set_usage_error (error, option, _ ("this file descriptor cannot be read"));
  if (isatty (fd))
    return set_usage_error (error, option,
                            _ ("this is a terminal, which would show the code. Leave the option "
                               "out, and the code is asked for without showing it"));
  return TRUE;
}

static gboolean
take_fd (const char *option, int *fd, GError **error)
{
  int claimed;

  if (*fd == TOKENCTL_FD_NOT_GIVEN)
    return TRUE;

  claimed = fcntl (*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (claimed < 0)
    return set_usage_error (error, option, g_strerror (errno));
  if (*fd > STDERR_FILENO)
    close (*fd);
  *fd = claimed;
  return TRUE;
}

/**
 * tokenctl_claim_fds:
 * @options: (array length=n): the options that named the descriptors
 * @fds: (array length=n) (inout): the descriptors, or %TOKENCTL_FD_NOT_GIVEN
 * @n: how many
 * @error: usage
 *
 * Duplicates the descriptors. Must come before anything else is opened: a number that the caller
 * left closed could become somebody's connection. Checks all before it duplicates any, since a
 * duplicate may get just such a number.
 *
 * Returns: whether all are open
 */
gboolean
tokenctl_claim_fds (const char *const options[], int *const fds[], gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++) {
    if (!check_fd (options[i], *fds[i], error))
      return FALSE;
  }
  for (gsize i = 0; i < n; i++) {
    if (!take_fd (options[i], fds[i], error))
      return FALSE;
  }
  return TRUE;
}

static void
set_refused (GError **error, const char *option, const TokendCodeResult *result)
{
  g_autofree char *mistake = tokenctl_check_describe (result);

  if (result->answer == TOKEND_CODE_NEVER)
    g_set_error (error, TOKENCTL_ERROR,
                 result->finding < TOKEND_CODE_BLANK ? TOKENCTL_EXIT_USAGE : TOKENCTL_EXIT_REFUSED,
                 _ ("%s: the code %s. Nothing was sent; no try was spent."), option, mistake);
  else
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                 _ ("%s: the code %s. Nothing was sent; no try was spent. If you are sure that it "
                    "was set so: --send-unusual-code"),
                 option, mistake);
}

static gboolean
take_result (const char *option, TokendCodeResult result, TokendCodeAnswer allowed, GError **error)
{
  if (result.answer <= allowed)
    return TRUE;
  set_refused (error, option, &result);
  return FALSE;
}

/**
 * tokenctl_code_from_fd:
 * @option: the option that named the descriptor
 * @fd: the descriptor
 * @rules: (nullable): of the token, for a PUK or present PIN; %NULL for a new PIN
 * @allowed: the strictest answer that is accepted
 * @error: usage; or refused, if the code looks like a mistake
 *
 * Returns: (transfer full): the code that @fd holds
 */
TokenctlCode *
tokenctl_code_from_fd (const char *option, int fd, const TokendCodeRules *rules,
                       TokendCodeAnswer allowed, GError **error)
{
  const TokendCodeKind kind = rules != NULL ? TOKEND_CODE_KIND_PRESENT : TOKEND_CODE_KIND_NEW;
  g_autoptr (GError) problem = NULL;
  g_autoptr (TokenctlCode) code = tokenctl_code_new (error);

  if (code == NULL)
    return NULL;
  if (!tokenctl_code_read (code, fd, &problem)) {
    set_usage_error (error, option, problem->message);
    return NULL;
  }
  if (!take_result (option, tokenctl_code_validate (code, kind), allowed, error)
      || (rules != NULL
          && !take_result (option, tokenctl_code_validate_by_rules (code, rules), allowed, error)))
    return NULL;
  return g_steal_pointer (&code);
}
