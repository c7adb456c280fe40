/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CRASHED 9

static struct {
  guint from, to; /* the steps that are met; from 0: none is */
  int error_number;
  gboolean crashes;
} fault;
static guint n_steps; /* since the fault was set */

static void
set_fault (guint from, guint to, int error_number)
{
  fault.from = from;
  fault.to = to;
  fault.error_number = error_number;
  n_steps = 0;
}

/** disk_fail_at: from now on the step of this number, counted from here, fails. */
void
disk_fail_at (guint step, int error_number)
{
  set_fault (step, step, error_number);
}

/** disk_fail_from: likewise, and all that come after it. */
void
disk_fail_from (guint step, int error_number)
{
  set_fault (step, G_MAXUINT, error_number);
}

/** disk_was_met: Returns: whether the step that was to fail has come. */
gboolean
disk_was_met (void)
{
  return fault.from != 0 && n_steps >= fault.from;
}

/** disk_is_well: from now on nothing fails. */
void
disk_is_well (void)
{
  set_fault (0, 0, 0);
}

/**
 * disk_crashes:
 * @step: before which step.
 * @act: what another process does.
 *
 * Returns: whether that process ended there; %FALSE: it came to its end before.
 */
gboolean
disk_crashes (guint step, void (*act) (gconstpointer), gconstpointer data)
{
  int status;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    fault.crashes = TRUE;
    set_fault (step, step, 0);
    act (data);
    _exit (0);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFEXITED (status));
  g_assert_true (WEXITSTATUS (status) == 0 || WEXITSTATUS (status) == CRASHED);
  return WEXITSTATUS (status) == CRASHED;
}

/* Returns: whether this step fails, errno being set then. */
static gboolean
is_met (void)
{
  if (fault.from == 0 || ++n_steps < fault.from || n_steps > fault.to)
    return FALSE;
  if (fault.crashes)
    _exit (CRASHED);
  errno = fault.error_number;
  return TRUE;
}

/* A pipe is no disk, and what the test says of itself may go to a file. */
static gboolean
is_on_disk (int fd)
{
  struct stat status;

  return fd > STDERR_FILENO && fstat (fd, &status) == 0 && S_ISREG (status.st_mode);
}

/* A half of it is there when it crashes. */
ssize_t
write (int fd, const void *bytes, size_t size)
{
  ssize_t (*real) (int, const void *, size_t) = dlsym (RTLD_NEXT, "write");

  if (is_on_disk (fd) && fault.crashes && n_steps + 1 == fault.from)
    real (fd, bytes, size / 2);
  return is_on_disk (fd) && is_met () ? -1 : real (fd, bytes, size);
}

int
fsync (int fd)
{
  int (*real) (int) = dlsym (RTLD_NEXT, "fsync");

  return is_met () ? -1 : real (fd);
}

int
rename (const char *from, const char *to)
{
  int (*real) (const char *, const char *) = dlsym (RTLD_NEXT, "rename");

  return is_met () ? -1 : real (from, to);
}

int
renameat2 (int from_folder, const char *from, int to_folder, const char *to, unsigned int flags)
{
  int (*real) (int, const char *, int, const char *, unsigned int) = dlsym (RTLD_NEXT, "renameat2");

  return is_met () ? -1 : real (from_folder, from, to_folder, to, flags);
}
