/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static gboolean
is_null_device (int fd)
{
  struct stat ours, null;

  return fstat (fd, &ours) == 0 && stat ("/dev/null", &null) == 0 && ours.st_rdev == null.st_rdev;
}

static guint
count_descriptors (void)
{
  guint count = 0;

  for (int fd = 0; fd < 1024; fd++)
    count += fcntl (fd, F_GETFD) >= 0;
  return count;
}

/* The number of the first thing that is not as it should be, or 0. Runs in a child, which has no
 * way to say more. */
static int
find_fault (void)
{
  struct rlimit core;
  char byte = 0;
  int input = tokend_process_seal ();

  if (input <= STDERR_FILENO)
    return 1;
  if (read (input, &byte, 1) != 1 || byte != 'x')
    return 2;
  if ((fcntl (input, F_GETFD) & FD_CLOEXEC) == 0)
    return 3;
  if (!is_null_device (0) || !is_null_device (1) || !is_null_device (2))
    return 4;
  if (count_descriptors () != 4)
    return 5;
  if (environ != NULL && *environ != NULL)
    return 6;
  if (prctl (PR_GET_DUMPABLE) != 0)
    return 7;
  if (getrlimit (RLIMIT_CORE, &core) != 0 || core.rlim_cur != 0 || core.rlim_max != 0)
    return 8;
  if (umask (0) != 077)
    return 9;

  return 0;
}

static void
test_seal (void)
{
  int ends[2];
  int status;
  pid_t child;

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
  g_assert_cmpint (write (ends[1], "x", 1), ==, 1);
  g_setenv ("TOKEND_TEST_LEFTOVER", "1", TRUE);

  child = fork ();
  if (child == 0) {
    dup2 (ends[0], STDIN_FILENO);
    _exit (find_fault ());
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 0);
  close (ends[0]);
  close (ends[1]);
}

/* Which of the descriptors a process that this one forks has: a bit each. */
static int
ask_child (const int *fds, int n)
{
  const pid_t child = fork ();
  int status;

  if (child == 0) {
    int found = 0;

    for (int i = 0; i < n; i++)
      found |= (fcntl (fds[i], F_GETFD) >= 0) << i;
    _exit (found);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  return WEXITSTATUS (status);
}

static void
test_keep_from_children (void)
{
  int fds[3];

  for (int i = 0; i < 3; i++)
    fds[i] = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  g_assert_cmpint (ask_child (fds, 3), ==, 7);
  tokend_process_keep_from_children (fds[0]);
  tokend_process_keep_from_children (fds[2]);
  g_assert_cmpint (ask_child (fds, 3), ==, 2);
  for (int i = 0; i < 3; i++)
    g_assert_cmpint (close (fds[i]), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/process/seal", test_seal);
  g_test_add_func ("/process/keep-from-children", test_keep_from_children);
  return g_test_run ();
}
