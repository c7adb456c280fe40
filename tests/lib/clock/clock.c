/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into tokend by a test: its wall clock, and no other, is off by as many seconds as
 * /run/sandbox/clock says at that moment.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

static time_t
offset (void)
{
  FILE *file = fopen ("/run/sandbox/clock", "re");
  long seconds = 0;

  if (file != NULL) {
    if (fscanf (file, "%ld", &seconds) != 1)
      seconds = 0;
    fclose (file);
  }
  return seconds;
}

int
clock_gettime (clockid_t clock, struct timespec *now)
{
  int (*real) (clockid_t, struct timespec *) = dlsym (RTLD_NEXT, "clock_gettime");
  int result = real (clock, now);

  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    now->tv_sec += offset ();
  return result;
}

int
gettimeofday (struct timeval *restrict now, void *restrict zone)
{
  int (*real) (struct timeval *, void *) = dlsym (RTLD_NEXT, "gettimeofday");
  int result = real (now, zone);

  if (result == 0)
    now->tv_sec += offset ();
  return result;
}

time_t
time (time_t *now)
{
  struct timeval moment;

  gettimeofday (&moment, NULL);
  if (now != NULL)
    *now = moment.tv_sec;
  return moment.tv_sec;
}
