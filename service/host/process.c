/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The connection and the lock. */
#define KEPT_MAX 2

static int kept[KEPT_MAX];
static guint n_kept;

static gboolean
keep_memory_private (void)
{
  const struct rlimit none = { 0, 0 };

  return prctl (PR_SET_DUMPABLE, 0) == 0 && setrlimit (RLIMIT_CORE, &none) == 0;
}

/* Redirects standard input, output and error: modules print, and what they print may be a code. */
static gboolean
silence (void)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  return null >= 0 && dup2 (null, STDIN_FILENO) >= 0 && dup2 (null, STDOUT_FILENO) >= 0
         && dup2 (null, STDERR_FILENO) >= 0 && close (null) == 0;
}

/**
 * tokend_process_seal:
 *
 * Drops the environment, descriptors, standard output and error that the process was started with,
 * and makes its memory unreadable for others. Must be called before anything else.
 *
 * Returns: the descriptor that was standard input, or -1
 */
int
tokend_process_seal (void)
{
  int input;

  umask (077);
  if (clearenv () != 0 || !keep_memory_private ())
    return -1;
  if (close_range (STDERR_FILENO + 1, ~0U, 0) != 0)
    return -1;

  input = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  return input >= 0 && silence () ? input : -1;
}

static void
close_kept (void)
{
  for (guint i = 0; i < n_kept; i++)
    close (kept[i]);
}

/**
 * tokend_process_keep_from_children:
 * @fd: stays open until the process ends; one of at most two
 *
 * Closes @fd in processes that a module forks and that outlive this one, so that @fd ends with this
 * process. A process that becomes another program has none of our descriptors anyway.
 */
void
tokend_process_keep_from_children (int fd)
{
  g_assert (n_kept < KEPT_MAX);
  kept[n_kept] = fd;
  if (n_kept++ == 0)
    pthread_atfork (NULL, NULL, close_kept);
}
