/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into tokend by a test: when it gets SIGRTMIN, the file /run/sandbox/heap, which must be
 * there, gets what malloc_info() says. A thread of GLib's pools ends when it has nothing to do: how
 * many rest would be a matter of time.
 */
#include <errno.h>
#include <glib.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>

#define HEAP_FILE "/run/sandbox/heap"

static sigset_t signals;

static gpointer
tell (gpointer data)
{
  int number;

  while (sigwait (&signals, &number) == 0) {
    FILE *file = fopen (HEAP_FILE, "r+e");

    if (file == NULL)
      g_error ("%s: %s", HEAP_FILE, g_strerror (errno));
    malloc_info (0, file);
    fclose (file);
  }
  return NULL;
}

__attribute__ ((constructor)) static void
begin (void)
{
  /* Threads have the mask of who starts them: none but this one takes the signal. */
  sigemptyset (&signals);
  sigaddset (&signals, SIGRTMIN);
  pthread_sigmask (SIG_BLOCK, &signals, NULL);
  g_thread_pool_set_max_unused_threads (0);
  g_thread_unref (g_thread_new ("heap", tell, NULL));
}
