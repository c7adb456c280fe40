/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program tokend-reach: see reach.h. It is begun often, and so needs nothing but libpcsclite. */
#include "reach.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <time.h>
#include <winscard.h>

/* So often pcscd looks whether a transaction has ended that a connection waits for, in milliseconds. */
#define TRANSACTION_POLL_MS 100

static long
get_time_ms (void)
{
  struct timespec time;

  clock_gettime (CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Returns: how long it took, in milliseconds */
static long
connect_once (SCARDCONTEXT context, const char *reader)
{
  const long begun_at = get_time_ms ();
  SCARDHANDLE card;
  DWORD protocol;

  if (SCardConnect (context, reader, SCARD_SHARE_SHARED, SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1,
                    &card, &protocol)
      == SCARD_S_SUCCESS)
    SCardDisconnect (card, SCARD_LEAVE_CARD);
  return get_time_ms () - begun_at;
}

int
main (int argc, char **argv)
{
  TokendReachAnswer answer = TOKEND_REACH_AT_ONCE;
  SCARDCONTEXT context;

  if (argc != 2) {
    fputs ("tokend-reach is started by tokend-module, with the name of a reader.\n", stderr);
    return EX_USAGE;
  }
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (SCardEstablishContext (SCARD_SCOPE_SYSTEM, NULL, NULL, &context) != SCARD_S_SUCCESS)
    return TOKEND_REACH_AT_ONCE;
  putchar ('\n');
  fflush (stdout);
  if (connect_once (context, argv[1]) >= TRANSACTION_POLL_MS)
    answer = TOKEND_REACH_AFTER_OTHERS;
  SCardReleaseContext (context);
  return (int) answer;
}
