/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcsc.h"

#include <string.h>
#include <winscard.h>

/* The pseudo-reader that tells when a reader comes or goes. A change just before the question is
 * seen by the next one. */
#define NOTIFICATION "\\\\?PnP?\\Notification"
#define WAIT_MS 60000
/* How soon a pcscd that was started is noticed: at first, and when it has been away for long. */
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 8000

struct _TokendPcsc {
  SCARDCONTEXT context;
  gboolean is_connected;
  guint retry_ms;  /* how long the next wait for pcscd takes */
  char *names;     /* of the readers, each with its NUL, as pcscd gave them */
  GArray *readers; /* of SCARD_READERSTATE, as last seen; the names are in @names */
};

TokendPcsc *
tokend_pcsc_new (void)
{
  TokendPcsc *self = g_new0 (TokendPcsc, 1);

  self->readers = g_array_new (FALSE, TRUE, sizeof (SCARD_READERSTATE));
  self->retry_ms = RETRY_MIN_MS;
  return self;
}

static void
forget_readers (TokendPcsc *self)
{
  g_array_set_size (self->readers, 0);
  g_clear_pointer (&self->names, g_free);
}

/* Drops the context of a pcscd that has ended. */
static gboolean
disconnect (TokendPcsc *self)
{
  forget_readers (self);
  if (self->is_connected)
    SCardReleaseContext (self->context);
  self->is_connected = FALSE;
  return FALSE;
}

/**
 * tokend_pcsc_free:
 *
 * Closes the connection.
 */
void
tokend_pcsc_free (TokendPcsc *self)
{
  disconnect (self);
  g_array_unref (self->readers);
  g_free (self);
}

static gboolean
list_names (TokendPcsc *self)
{
  DWORD length = 0;
  LONG rv;

  forget_readers (self);
  if (!self->is_connected) {
    if (SCardEstablishContext (SCARD_SCOPE_SYSTEM, NULL, NULL, &self->context) != SCARD_S_SUCCESS)
      return FALSE;
    self->is_connected = TRUE;
    self->retry_ms = RETRY_MIN_MS;
  }
  rv = SCardListReaders (self->context, NULL, NULL, &length);
  if (rv == SCARD_S_SUCCESS) {
    /* If pcscd has found one more meanwhile, the call fails, and is repeated as for a restarted
     * pcscd. */
    self->names = g_malloc0 (length + 2);
    rv = SCardListReaders (self->context, NULL, self->names, &length);
  }
  if (rv != SCARD_S_SUCCESS && rv != SCARD_E_NO_READERS_AVAILABLE)
    return disconnect (self);
  for (const char *name = self->names; name != NULL && *name != '\0'; name += strlen (name) + 1) {
    SCARD_READERSTATE reader = { .szReader = name, .dwCurrentState = SCARD_STATE_UNAWARE };

    g_array_append_val (self->readers, reader);
  }
  return TRUE;
}

/* Asks with SCARD_STATE_UNAWARE, which tells at once whether the card is connected to. */
static gboolean
query (TokendPcsc *self)
{
  LONG rv;

  if (!self->is_connected)
    return FALSE;
  if (self->readers->len == 0)
    return TRUE;
  for (guint i = 0; i < self->readers->len; i++)
    g_array_index (self->readers, SCARD_READERSTATE, i).dwCurrentState = SCARD_STATE_UNAWARE;
  rv = SCardGetStatusChange (self->context, 0, (SCARD_READERSTATE *) (void *) self->readers->data,
                             self->readers->len);
  return rv == SCARD_S_SUCCESS || rv == SCARD_E_TIMEOUT || disconnect (self);
}

static TokendCardUse
get_use (DWORD state)
{
  if ((state & SCARD_STATE_PRESENT) == 0)
    return TOKEND_CARD_ABSENT;
  if (state & SCARD_STATE_EXCLUSIVE)
    return TOKEND_CARD_EXCLUSIVE;
  return state & SCARD_STATE_INUSE ? TOKEND_CARD_SHARED : TOKEND_CARD_FREE;
}

static GHashTable *
take_states (TokendPcsc *self, gboolean is_answered)
{
  GHashTable *states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (guint i = 0; is_answered && i < self->readers->len; i++) {
    const SCARD_READERSTATE *reader = &g_array_index (self->readers, SCARD_READERSTATE, i);
    TokendReaderState *state = g_new (TokendReaderState, 1);

    state->use = get_use (reader->dwEventState);
    state->insertions = (guint) (reader->dwEventState >> 16 & 0xffff);
    g_hash_table_replace (states, g_strdup (reader->szReader), state);
  }
  return states;
}

/**
 * tokend_pcsc_list:
 *
 * Asks pcscd, and no card, for the state of all readers. Takes well under a millisecond.
 *
 * Returns: (transfer full) (element-type char * TokendReaderState): by name; empty without pcscd.
 */
GHashTable *
tokend_pcsc_list (TokendPcsc *self)
{
  return take_states (self, list_names (self) && query (self));
}

/**
 * tokend_pcsc_list_again:
 *
 * Does the same at less cost for the readers that were there before; for all if one has gone.
 */
GHashTable *
tokend_pcsc_list_again (TokendPcsc *self)
{
  return query (self) ? take_states (self, TRUE) : tokend_pcsc_list (self);
}

static void
wait_for_pcscd (TokendPcsc *self)
{
  g_usleep (self->retry_ms * G_TIME_SPAN_MILLISECOND);
  self->retry_ms = MIN (2 * self->retry_ms, RETRY_MAX_MS);
}

/**
 * tokend_pcsc_wait:
 *
 * Waits until a reader or a card comes or goes since tokend_pcsc_list(), for a minute at most;
 * without pcscd, for a moment. pcscd does not tell by itself whether a card is in use.
 */
void
tokend_pcsc_wait (TokendPcsc *self)
{
  SCARD_READERSTATE notification = { .szReader = NOTIFICATION };
  g_autoptr (GArray) readers = NULL;
  LONG rv;

  if (!self->is_connected) {
    wait_for_pcscd (self);
    return;
  }
  readers = g_array_copy (self->readers);
  for (guint i = 0; i < readers->len; i++) {
    SCARD_READERSTATE *reader = &g_array_index (readers, SCARD_READERSTATE, i);

    reader->dwCurrentState =
        reader->dwEventState
        & ~(DWORD) (SCARD_STATE_CHANGED | SCARD_STATE_INUSE | SCARD_STATE_EXCLUSIVE);
  }
  g_array_append_val (readers, notification);
  rv = SCardGetStatusChange (self->context, WAIT_MS, (SCARD_READERSTATE *) (void *) readers->data,
                             readers->len);
  if (rv != SCARD_S_SUCCESS && rv != SCARD_E_TIMEOUT) {
    disconnect (self);
    wait_for_pcscd (self);
  }
}
