/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-child-private.h"

#include "reader-host.h"
#include "tokend-module.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct _TokendReaderChild {
  const TokendReaderEvents *events;
  gpointer data;
  GPid process;
  int socket;
  GSource *readable;
  GSource *ended;
};

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  TokendReaderChild *self = user_data;
  g_autoptr (GVariant) answer = NULL;
  g_autoptr (GVariant) tokens = NULL;
  g_autoptr (GVariant) certificates = NULL;
  const char *failure;

  switch (tokend_reader_receive (fd, MSG_DONTWAIT, TOKEND_READER_ANSWER_TYPE, &answer)) {
  case TOKEND_READER_MESSAGE_BEGUN:
    self->events->begun (self->data);
    break;
  case TOKEND_READER_MESSAGE_CONTENT:
    g_variant_get_child (answer, 0, "&s", &failure);
    tokens = g_variant_get_child_value (answer, 1);
    certificates = g_variant_get_child_value (answer, 2);
    self->events->answered (self->data, failure, tokens, certificates);
    break;
  case TOKEND_READER_MESSAGE_END:
    tokend_reader_child_kill (self);
    return G_SOURCE_REMOVE;
  default:
    break;
  }
  return G_SOURCE_CONTINUE;
}

static void
on_ended (GPid process, int status, gpointer user_data)
{
  TokendReaderChild *self = user_data;

  self->process = 0;
  self->events->ended (self->data);
}

static GSource *
attach (GSource *source, const TokendReaderSetup *setup, GSourceFunc callback, gpointer data)
{
  g_source_set_callback (source, callback, data, NULL);
  g_source_attach (source, setup->context);
  return source;
}

/* Starts this process's own program, also if its file was replaced meanwhile. */
static GPid
spawn (int socket)
{
  static const char *const argv[] = { "/proc/self/exe", "tokend-module", "--read", NULL };
  GPid process = 0;

  g_spawn_async_with_fds (NULL, (char **) argv, NULL,
                          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_FILE_AND_ARGV_ZERO, NULL, NULL,
                          &process, socket, -1, -1, NULL);
  return process;
}

/**
 * tokend_reader_child_new:
 * @setup: outlives it
 * @reader: the name of the reader
 *
 * Starts the process. Must be called in a thread that lives as long as this process: the process
 * ends with it.
 *
 * Returns: (transfer full) (nullable): %NULL: it could not be started
 */
TokendReaderChild *
tokend_reader_child_new (const TokendReaderSetup *setup, const char *reader,
                         const TokendReaderEvents *events, gpointer data)
{
  TokendReaderChild *self;
  int sockets[2];
  GPid process;

  if (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) != 0)
    return NULL;
  process = spawn (sockets[1]);
  close (sockets[1]);
  if (process == 0) {
    close (sockets[0]);
    return NULL;
  }
  self = g_new0 (TokendReaderChild, 1);
  self->events = events;
  self->data = data;
  self->process = process;
  self->socket = sockets[0];
  self->readable = attach (g_unix_fd_source_new (self->socket, G_IO_IN), setup,
                           G_SOURCE_FUNC (on_readable), self);
  self->ended = attach (g_child_watch_source_new (process), setup, G_SOURCE_FUNC (on_ended), self);
  tokend_reader_send (self->socket, MSG_DONTWAIT,
                      g_variant_new ("(ss@a{ss}@" TOKEND_QUESTIONS_TYPE ")", setup->module, reader,
                                     setup->environment, setup->questions));
  return self;
}

static void
destroy (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

/**
 * tokend_reader_child_free:
 *
 * Frees a child that has ended.
 */
void
tokend_reader_child_free (TokendReaderChild *self)
{
  destroy (self->readable);
  destroy (self->ended);
  close (self->socket);
  g_free (self);
}

/**
 * tokend_reader_child_ask:
 * @certificates: (nullable): what it last told of them.
 *
 * Asks it to read the card. It ends if it does not listen any more.
 */
void
tokend_reader_child_ask (TokendReaderChild *self, GVariant *certificates)
{
  tokend_reader_send (self->socket, MSG_DONTWAIT, certificates);
}

/**
 * tokend_reader_child_end:
 *
 * Asks it to let go of the card, and to end.
 */
void
tokend_reader_child_end (TokendReaderChild *self)
{
  shutdown (self->socket, SHUT_WR);
}

/**
 * tokend_reader_child_kill:
 *
 * Kills a child that hangs.
 */
void
tokend_reader_child_kill (TokendReaderChild *self)
{
  if (self->process != 0)
    kill (self->process, SIGKILL);
}
