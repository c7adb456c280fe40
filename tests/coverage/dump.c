/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Part of every program of the coverage build. A module host leaves by _exit(), at which nothing is
 * counted by itself, and in a sandbox the programs run as users who may not write in each other's
 * files: each has a folder of its own there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "/run/sandbox/build/coverage"

void __gcov_dump (void);
_Noreturn void __real__exit (int status);
_Noreturn void __wrap__exit (int status);

__attribute__ ((constructor)) static void
choose_folder (void)
{
  char folder[sizeof FOLDER + 16];

  if (access (FOLDER, W_OK) != 0)
    return;
  snprintf (folder, sizeof folder, FOLDER "/%u", (unsigned) geteuid ());
  setenv ("GCOV_PREFIX", folder, 1);
}

_Noreturn void
__wrap__exit (int status)
{
  choose_folder (); /* a host has cleared its environment */
  __gcov_dump ();
  __real__exit (status);
}
