/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card-reset.h"

#include "narrow-pcsc.h"

/* How long it may take, and how often it is tried until then. In microseconds. */
#define RESET_TIME (2 * G_TIME_SPAN_SECOND)
#define RESET_INTERVAL (50 * G_TIME_SPAN_MILLISECOND)

typedef struct {
  char *reader;
  gint64 deadline;
  GAsyncQueue *answers;
} Reset;

static LONG
try_reset (SCARDCONTEXT context, const char *reader)
{
  SCARDHANDLE card;
  DWORD protocol;
  const LONG rv = SCardConnect (context, reader, SCARD_SHARE_EXCLUSIVE,
                                SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1, &card, &protocol);

  return rv == SCARD_S_SUCCESS ? SCardDisconnect (card, SCARD_RESET_CARD) : rv;
}

/* A card that is not there any more has lost its power. */
static gboolean
is_closed (LONG rv)
{
  return rv == SCARD_S_SUCCESS || rv == (LONG) SCARD_E_NO_SMARTCARD
         || rv == (LONG) SCARD_W_REMOVED_CARD || rv == (LONG) SCARD_E_UNKNOWN_READER;
}

static gboolean
reset_by_deadline (const Reset *reset)
{
  SCARDCONTEXT context;
  LONG rv;

  if (SCardEstablishContext (SCARD_SCOPE_SYSTEM, NULL, NULL, &context) != SCARD_S_SUCCESS)
    return FALSE;
  while ((rv = try_reset (context, reset->reader)) == (LONG) SCARD_E_SHARING_VIOLATION
         && g_get_monotonic_time () < reset->deadline)
    g_usleep (RESET_INTERVAL);
  SCardReleaseContext (context);
  return is_closed (rv);
}

static gpointer
reset_thread (gpointer data)
{
  Reset *reset = data;

  g_async_queue_push (reset->answers, GINT_TO_POINTER (reset_by_deadline (reset) ? 1 : 2));
  g_async_queue_unref (reset->answers);
  g_free (reset->reader);
  g_free (reset);
  return NULL;
}

/**
 * tokend_card_reset:
 * @reader: the reader with the card, to which this process is not connected.
 *
 * Resets the card, so that it takes no code for verified any more. Does so only while nobody is
 * connected to it: a program that remembers the PIN would send it again, and it may be another by
 * now. Waits up to 2 seconds for others to leave; the watching hosts are told to. pcscd connects
 * nobody while another program has a transaction, however long, so this has a thread of its own,
 * which ends with the process.
 *
 * Returns: whether the card was reset, or is gone.
 */
gboolean
tokend_card_reset (const char *reader)
{
  Reset *reset = g_new0 (Reset, 1);
  GAsyncQueue *answers = g_async_queue_new ();
  gpointer answer;

  reset->reader = g_strdup (reader);
  reset->deadline = g_get_monotonic_time () + RESET_TIME;
  reset->answers = g_async_queue_ref (answers);
  g_thread_unref (g_thread_new ("card-reset", reset_thread, reset));
  answer = g_async_queue_timeout_pop (answers, RESET_TIME + 2 * RESET_INTERVAL);
  g_async_queue_unref (answers);
  return GPOINTER_TO_INT (answer) == 1;
}
