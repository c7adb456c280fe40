/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Preloaded into the sandbox's polkitd, whose version 122 (Debian 12's) misses a signal now and
 * then: the thread that runs a rule sets its result and signals without the mutex, so that a signal
 * sent just before the wait is lost, and polkitd, with all who ask it, sleeps for 15 s. Seen twice
 * in 80,000 checks on a loaded machine; mended in polkit 123 ("duktape: prevent wrongful
 * termination of runaway thread").
 *
 * Here the wait ends early, as POSIX lets every wait do, and polkitd looks at the result again.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#define WAKE_AFTER_NS (20 * 1000 * 1000)
#define NS_PER_S (1000 * 1000 * 1000)

/* polkitd's one condition variable goes by the monotonic clock. */
int
pthread_cond_timedwait (pthread_cond_t *cond, pthread_mutex_t *mutex,
                        const struct timespec *deadline)
{
  struct timespec wake;
  int result;

  clock_gettime (CLOCK_MONOTONIC, &wake);
  wake.tv_nsec += WAKE_AFTER_NS;
  if (wake.tv_nsec >= NS_PER_S) {
    wake.tv_nsec -= NS_PER_S;
    wake.tv_sec++;
  }
  if (wake.tv_sec >= deadline->tv_sec)
    return pthread_cond_clockwait (cond, mutex, CLOCK_MONOTONIC, deadline);

  result = pthread_cond_clockwait (cond, mutex, CLOCK_MONOTONIC, &wake);
  return result == ETIMEDOUT ? 0 : result;
}
