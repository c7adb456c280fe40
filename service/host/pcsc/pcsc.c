/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcsc.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <winscard.h>

/* Answers when a reader came or went, but not if that was just before it was asked. */
#define NOTIFICATION "\\\\?PnP?\\Notification"
#define WAIT_MS 5000
/* How soon a pcscd that was started is noticed; asking for it is one look at a socket. */
#define RETRY_MS 500

struct _TokendPcsc {
  SCARDCONTEXT context;
  gboolean is_connected;
  char *names;     /* of the readers, each with its NUL, as pcscd gave them */
  GArray *readers; /* of SCARD_READERSTATE, as they were last; the names are in @names */
};

/** tokend_pcsc_new: Returns: (transfer full): not connected yet. */
TokendPcsc *
tokend_pcsc_new (void)
{
  TokendPcsc *self = g_new0 (TokendPcsc, 1);

  self->readers = g_array_new (FALSE, TRUE, sizeof (SCARD_READERSTATE));
  return self;
}

static void
forget_readers (TokendPcsc *self)
{
  g_array_set_size (self->readers, 0);
  g_clear_pointer (&self->names, g_free);
}

/* A context of a pcscd that has ended is good for nothing. */
static gboolean
disconnect (TokendPcsc *self)
{
  forget_readers (self);
  if (self->is_connected)
    SCardReleaseContext (self->context);
  self->is_connected = FALSE;
  return FALSE;
}

/** tokend_pcsc_free: @self: (transfer full): a connection; it is closed. */
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
  }
  rv = SCardListReaders (self->context, NULL, NULL, &length);
  if (rv == SCARD_S_SUCCESS) {
    /* pcscd may have found one more meanwhile; then the call fails, and is made again as for a pcscd that was restarted. */
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

/* With SCARD_STATE_UNAWARE, whether the card is connected to is told as it is now, and at once. */
static gboolean
query (TokendPcsc *self)
{
  LONG rv;

  if (!list_names (self))
    return FALSE;
  if (self->readers->len == 0)
    return TRUE;
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

/**
 * tokend_pcsc_list:
 *
 * Asks pcscd, and no card, for the state of all readers. Takes well under a millisecond.
 *
 * Returns: (transfer full) (element-type char * TokendReaderState): by name; without pcscd there is none.
 */
GHashTable *
tokend_pcsc_list (TokendPcsc *self)
{
  GHashTable *states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  const gboolean is_answered = query (self);

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
 * tokend_pcsc_wait:
 *
 * Waits until a reader or a card came or went since tokend_pcsc_list(), or for some seconds; without pcscd, for a moment.
 */
void
tokend_pcsc_wait (TokendPcsc *self)
{
  SCARD_READERSTATE notification = { .szReader = NOTIFICATION };
  g_autoptr (GArray) readers = NULL;
  LONG rv;

  if (!self->is_connected) {
    g_usleep (RETRY_MS * G_TIME_SPAN_MILLISECOND);
    return;
  }
  readers = g_array_copy (self->readers);
  for (guint i = 0; i < readers->len; i++) {
    SCARD_READERSTATE *reader = &g_array_index (readers, SCARD_READERSTATE, i);

    reader->dwCurrentState = reader->dwEventState & ~(DWORD) SCARD_STATE_CHANGED;
  }
  g_array_append_val (readers, notification);
  rv = SCardGetStatusChange (self->context, WAIT_MS, (SCARD_READERSTATE *) (void *) readers->data,
                             readers->len);
  if (rv != SCARD_S_SUCCESS && rv != SCARD_E_TIMEOUT) {
    disconnect (self);
    g_usleep (RETRY_MS * G_TIME_SPAN_MILLISECOND);
  }
}

typedef struct {
  char *reader;
  GAsyncQueue *answers;
} Reach;

/* In the folder of this process's own program */
static char *
find_reach (void)
{
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = self != NULL ? g_path_get_dirname (self) : g_strdup (".");

  return g_build_filename (folder, TOKEND_REACH, NULL);
}

/* libpcsclite (1.9.9) adds a connection to a list through which its other threads may be looking: one that is made beside
 * what the module does would crash it now and then. */
static gpointer
reach (gpointer data)
{
  Reach *arguments = data;
  g_autofree char *program = find_reach ();
  const char *const argv[] = { program, arguments->reader, NULL };
  TokendReachAnswer answer = TOKEND_REACH_AT_ONCE;
  GPid process;
  int output, status;
  char byte;

  /* Not GSubprocess: it handles SIGCHLD, which interrupts what a module waits for in another thread. */
  if (g_spawn_async_with_pipes (NULL, (char **) argv, NULL,
                                G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES, NULL, NULL,
                                &process, NULL, &output, NULL, NULL)) {
    if (TEMP_FAILURE_RETRY (read (output, &byte, 1)) == 1)
      g_async_queue_push (arguments->answers, GINT_TO_POINTER (TOKEND_REACH_BEGUN));
    close (output);
    if (TEMP_FAILURE_RETRY (waitpid (process, &status, 0)) == process && WIFEXITED (status)
        && WEXITSTATUS (status) == TOKEND_REACH_AFTER_OTHERS)
      answer = TOKEND_REACH_AFTER_OTHERS;
  }
  g_async_queue_push (arguments->answers, GINT_TO_POINTER (answer));
  g_async_queue_unref (arguments->answers);
  g_free (arguments->reader);
  g_free (arguments);
  return NULL;
}

/**
 * tokend_pcsc_reach:
 * @reader: with a card that others use.
 *
 * Connects to the card and lets go of it again, without a command to it: nobody can connect while another program has a
 * transaction with it. Neither can be given up, so this goes on in a process of its own, which ends with this one.
 *
 * Returns: (transfer full): where TOKEND_REACH_BEGUN comes when it is tried, and one more #TokendReachAnswer as soon as the
 *   card could be reached, or else is gone.
 */
GAsyncQueue *
tokend_pcsc_reach (const char *reader)
{
  Reach *arguments = g_new0 (Reach, 1);
  GAsyncQueue *answers = g_async_queue_new ();

  arguments->reader = g_strdup (reader);
  arguments->answers = g_async_queue_ref (answers);
  g_thread_unref (g_thread_new ("reach", reach, arguments));
  return answers;
}
