/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcsc.h"

#include "narrow-pcsc.h"

#include <poll.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* The pseudo-reader that tells when a reader comes or goes. A change just before the question is
 * seen by the next one. */
#define NOTIFICATION "\\\\?PnP?\\Notification"
#define WAIT_MS 60000
/* How soon a pcscd that cannot be reached is tried again: at first, and in the end. Each time that
 * it refuses it writes to the journal. */
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 60000
/* The socket by which libpcsclite reaches pcscd. */
#define FOLDER_PARENT "/run"
#define FOLDER "pcscd"
#define SOCKET "pcscd.comm"

struct _TokendPcsc {
  SCARDCONTEXT context;
  TokendPcscState state;
  guint retry_ms;  /* how long the next wait for pcscd takes */
  int appearance;  /* an inotify descriptor, for pcscd's socket; -1: not watched */
  char *names;     /* of the readers, each with its NUL, as pcscd gave them */
  GArray *readers; /* of SCARD_READERSTATE, as last seen; the names are in @names */
};

TokendPcsc *
tokend_pcsc_new (void)
{
  TokendPcsc *self = g_new0 (TokendPcsc, 1);

  self->readers = g_array_new (FALSE, TRUE, sizeof (SCARD_READERSTATE));
  self->retry_ms = RETRY_MIN_MS;
  self->appearance = -1;
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
  if (self->state == TOKEND_PCSC_CONNECTED)
    SCardReleaseContext (self->context);
  self->state = TOKEND_PCSC_ABSENT;
  return FALSE;
}

static void
stop_watching (TokendPcsc *self)
{
  if (self->appearance >= 0)
    close (self->appearance);
  self->appearance = -1;
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
  stop_watching (self);
  g_array_unref (self->readers);
  g_free (self);
}

/* Connects. A pcscd that asks polkit closes the connection of a user who may not have it. */
static gboolean
connect_to_pcscd (TokendPcsc *self)
{
  const LONG rv = SCardEstablishContext (SCARD_SCOPE_SYSTEM, NULL, NULL, &self->context);

  if (rv == SCARD_S_SUCCESS)
    self->state = TOKEND_PCSC_CONNECTED;
  else
    self->state = rv == SCARD_E_NO_SERVICE ? TOKEND_PCSC_ABSENT : TOKEND_PCSC_REFUSES;
  return rv == SCARD_S_SUCCESS;
}

static gboolean
list_names (TokendPcsc *self)
{
  DWORD length = 0;
  LONG rv;

  forget_readers (self);
  if (self->state != TOKEND_PCSC_CONNECTED && !connect_to_pcscd (self))
    return FALSE;
  rv = SCardListReaders (self->context, NULL, NULL, &length);
  if (rv == SCARD_S_SUCCESS) {
    /* If pcscd has found one more meanwhile, this fails, as after its restart. */
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

  if (self->state != TOKEND_PCSC_CONNECTED)
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
  const gboolean was_connected = self->state == TOKEND_PCSC_CONNECTED;

  return take_states (self, (list_names (self) && query (self))
                                || (was_connected && list_names (self) && query (self)));
}

/**
 * tokend_pcsc_list_once:
 *
 * Does the same by a connection of its own.
 */
GHashTable *
tokend_pcsc_list_once (void)
{
  TokendPcsc *self = tokend_pcsc_new ();
  GHashTable *states = tokend_pcsc_list (self);

  tokend_pcsc_free (self);
  return states;
}

/** tokend_pcsc_get_state: Returns: what the last list has found. */
TokendPcscState
tokend_pcsc_get_state (TokendPcsc *self)
{
  return self->state;
}

/**
 * tokend_pcsc_get_atr:
 * @reader: of the last list
 *
 * Returns: (transfer full): the answer to reset of its card, in hexadecimal; empty: not known
 */
char *
tokend_pcsc_get_atr (TokendPcsc *self, const char *reader)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < self->readers->len; i++) {
    const SCARD_READERSTATE *state = &g_array_index (self->readers, SCARD_READERSTATE, i);

    if (!g_str_equal (state->szReader, reader) || !(state->dwEventState & SCARD_STATE_PRESENT))
      continue;
    for (DWORD j = 0; j < MIN (state->cbAtr, sizeof state->rgbAtr); j++)
      g_string_append_printf (text, "%02X", state->rgbAtr[j]);
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
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

/* Watches for the socket, or for its folder until that is there. */
static void
watch_for_socket (TokendPcsc *self)
{
  const guint32 events = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;

  self->appearance = inotify_init1 (IN_CLOEXEC | IN_NONBLOCK);
  if (inotify_add_watch (self->appearance, FOLDER_PARENT "/" FOLDER, events) < 0)
    inotify_add_watch (self->appearance, FOLDER_PARENT, events);
}

/* Returns: whether pcscd's folder or socket has appeared. */
static gboolean
has_appeared (TokendPcsc *self)
{
  _Alignas(struct inotify_event) char buffer[4096];
  const gssize size = read (self->appearance, buffer, sizeof buffer);
  const struct inotify_event *event;

  for (gssize i = 0; i < size; i += (gssize) (sizeof *event + event->len)) {
    event = (const struct inotify_event *) (const void *) (buffer + i);
    if ((event->mask & (IN_IGNORED | IN_Q_OVERFLOW)) != 0
        || (event->len > 0
            && (g_str_equal (event->name, SOCKET) || g_str_equal (event->name, FOLDER))))
      return TRUE;
  }
  return FALSE;
}

/* Waits for the next try. Returns at once when the watch begins: the next try finds a socket that
 * came before it. */
static void
wait_for_pcscd (TokendPcsc *self)
{
  const gint64 until = g_get_monotonic_time () + self->retry_ms * G_TIME_SPAN_MILLISECOND;
  gint64 left;

  if (self->appearance < 0) {
    watch_for_socket (self);
    if (self->appearance >= 0)
      return;
  }
  while ((left = (until - g_get_monotonic_time ()) / G_TIME_SPAN_MILLISECOND) > 0) {
    struct pollfd appearance = { .fd = self->appearance, .events = POLLIN };

    if (poll (&appearance, 1, (int) left + 1) > 0 && has_appeared (self)) {
      stop_watching (self);
      self->retry_ms = RETRY_MIN_MS;
      return;
    }
  }
  self->retry_ms = MIN (2 * self->retry_ms, RETRY_MAX_MS);
}

/**
 * tokend_pcsc_wait:
 *
 * Waits until a reader or a card comes or goes since tokend_pcsc_list(), for a minute at most;
 * without pcscd, until its socket appears, or for ever longer, up to a minute. pcscd does not tell
 * by itself whether a card is in use.
 */
void
tokend_pcsc_wait (TokendPcsc *self)
{
  SCARD_READERSTATE notification = { .szReader = NOTIFICATION };
  g_autoptr (GArray) readers = NULL;
  LONG rv;

  if (self->state != TOKEND_PCSC_CONNECTED) {
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
    return;
  }
  stop_watching (self);
  self->retry_ms = RETRY_MIN_MS;
}
