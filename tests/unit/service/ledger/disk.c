/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "disk.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
  guint from, to; /* the steps that fail; from 0: none does */
  int error_number;
  guint death; /* the step before which the process is killed; 0: it is not */
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

/**
 * disk_fail_at:
 *
 * From now on the step of this number, counted from here, fails.
 */
void
disk_fail_at (guint step, int error_number)
{
  set_fault (step, step, error_number);
}

/**
 * disk_fail_from:
 *
 * Likewise, and all that come after it.
 */
void
disk_fail_from (guint step, int error_number)
{
  set_fault (step, G_MAXUINT, error_number);
}

/**
 * disk_was_met:
 *
 * Returns: whether the step that was to fail has come.
 */
gboolean
disk_was_met (void)
{
  return fault.from != 0 && n_steps >= fault.from;
}

/**
 * disk_is_well:
 *
 * From now on nothing fails.
 */
void
disk_is_well (void)
{
  set_fault (0, 0, 0);
}

/**
 * disk_kills:
 * @failing: which step fails, with @error_number; 0: none does.
 * @death: before which step the process is killed; 0: it is not.
 * @act: what another process does.
 *
 * Returns: whether that process was killed there; %FALSE: it came to its end before.
 */
gboolean
disk_kills (guint failing, int error_number, guint death, void (*act) (gpointer), gpointer data)
{
  int status;
  pid_t child = fork ();

  g_assert_cmpint (child, >=, 0);
  if (child == 0) {
    set_fault (failing, failing, error_number);
    fault.death = death;
    act (data);
    _exit (0);
  }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  if (WIFSIGNALED (status))
    g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
  else
    g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  return WIFSIGNALED (status);
}

/* Whether the step of this number fails. */
static gboolean
fails_at (guint step)
{
  return fault.from != 0 && step >= fault.from && step <= fault.to;
}

/* Returns: whether this step fails, errno being set then. */
static gboolean
is_met (void)
{
  n_steps++;
  if (n_steps == fault.death)
    kill (getpid (), SIGKILL);
  if (!fails_at (n_steps))
    return FALSE;
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

/* Whoever only reads changes nothing. With files of any size it has the name open64 for the linker,
 * in GLib too. */
int
open (const char *path, int flags, ...)
{
  int (*real) (const char *, int, ...) = dlsym (RTLD_NEXT, "open64");
  const gboolean makes = (flags & O_CREAT) != 0;
  va_list arguments;
  mode_t mode;

  va_start (arguments, flags);
  mode = makes ? va_arg (arguments, mode_t) : 0;
  va_end (arguments);
  return makes && is_met () ? -1 : real (path, flags, mode);
}

/* It is closed all the same, as Linux does. */
int
close (int fd)
{
  int (*real) (int) = dlsym (RTLD_NEXT, "close");
  const int flags = fcntl (fd, F_GETFL);
  const int fails = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && is_on_disk (fd) && is_met ();
  const int error_number = errno;
  const int result = real (fd);

  if (!fails)
    return result;
  errno = error_number;
  return -1;
}

/* A half of it is there when it fails, or the process is killed. */
ssize_t
write (int fd, const void *bytes, size_t size)
{
  ssize_t (*real) (int, const void *, size_t) = dlsym (RTLD_NEXT, "write");

  if (is_on_disk (fd) && (fails_at (n_steps + 1) || n_steps + 1 == fault.death))
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
unlink (const char *path)
{
  int (*real) (const char *) = dlsym (RTLD_NEXT, "unlink");

  return is_met () ? -1 : real (path);
}

int
link (const char *from, const char *to)
{
  int (*real) (const char *, const char *) = dlsym (RTLD_NEXT, "link");

  return is_met () ? -1 : real (from, to);
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
