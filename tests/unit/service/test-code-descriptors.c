/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-descriptors.h"
#include "tokend-error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* Each kind of descriptor, and whether a code may be in it. */
typedef enum { FIFO, SOCKET, MEMFD, REGULAR, DEVICE, FOLDER, EPOLL, N_KINDS } Kind;

static const struct {
  const char *name;
  gboolean is_good;
} kinds[N_KINDS] = {
  [FIFO] = { "fifo", TRUE },       [SOCKET] = { "socket", TRUE },  [MEMFD] = { "memfd", TRUE },
  [REGULAR] = { "regular", TRUE }, [DEVICE] = { "device", FALSE }, [FOLDER] = { "folder", FALSE },
  [EPOLL] = { "epoll", FALSE },
};

static int
make_fd (Kind kind)
{
  int fds[2] = { -1, -1 };

  switch (kind) {
  case FIFO:
    g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
    break;
  case SOCKET:
    g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    break;
  case MEMFD:
    fds[0] = memfd_create ("code", MFD_CLOEXEC);
    break;
  case REGULAR:
    fds[0] = open ("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    break;
  case DEVICE:
    fds[0] = open ("/dev/zero", O_RDONLY | O_CLOEXEC);
    break;
  case FOLDER:
    fds[0] = open ("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    break;
  case EPOLL:
    fds[0] = epoll_create1 (EPOLL_CLOEXEC);
    break;
  case N_KINDS:
    g_assert_not_reached ();
  }
  if (fds[1] >= 0)
    close (fds[1]);
  g_assert_cmpint (fds[0], >=, 0);
  return fds[0];
}

static GUnixFDList *
make_list (Kind first, Kind second)
{
  int fds[2] = { make_fd (first), make_fd (second) };

  return g_unix_fd_list_new_from_array (fds, 2);
}

static void
assert_refused (GUnixFDList *fds, int code, int new_pin, const char *named)
{
  TokendCodeDescriptors descriptors;
  g_autoptr (GError) error = NULL;

  g_assert_false (tokend_code_descriptors_take (&descriptors, fds, code, new_pin, &error));
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
  g_assert_nonnull (strstr (error->message, named));
  g_assert_nonnull (strstr (error->message, "nothing was sent"));
  tokend_code_descriptors_close (&descriptors);
}

static void
test_kinds (void)
{
  for (Kind code = 0; code < N_KINDS; code++)
    for (Kind new_pin = 0; new_pin < N_KINDS; new_pin++) {
      g_autoptr (GUnixFDList) fds = make_list (code, new_pin);
      TokendCodeDescriptors descriptors;

      g_test_message ("%s, %s", kinds[code].name, kinds[new_pin].name);
      if (!kinds[code].is_good || !kinds[new_pin].is_good) {
        assert_refused (fds, 0, 1, kinds[code].is_good ? "new PIN" : "code");
        continue;
      }
      g_assert_true (tokend_code_descriptors_take (&descriptors, fds, 0, 1, NULL));
      g_assert_cmpint (descriptors.code, >=, 0);
      g_assert_cmpint (descriptors.new_pin, >=, 0);
      tokend_code_descriptors_close (&descriptors);
      g_assert_cmpint (descriptors.code, ==, -1);
      g_assert_cmpint (descriptors.new_pin, ==, -1);
    }
}

static void
test_handles (void)
{
  static const struct {
    int code, new_pin;
    const char *named;
  } rows[] = {
    { -1, 1, "code" },   { 2, 1, "code" },     { G_MAXINT, 1, "code" }, { G_MININT, 1, "code" },
    { 0, 2, "new PIN" }, { 0, -1, "new PIN" }, { 0, 0, "new PIN" }, /* one descriptor cannot hold both */
  };
  g_autoptr (GUnixFDList) empty = g_unix_fd_list_new ();

  assert_refused (NULL, 0, 1, "code");
  assert_refused (empty, 0, 1, "code");
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GUnixFDList) fds = make_list (FIFO, FIFO);

    assert_refused (fds, rows[i].code, rows[i].new_pin, rows[i].named);
  }
}

/* The message that came with the call lives until the reply, and must not keep the codes that long. */
static void
test_list_is_emptied (void)
{
  g_autoptr (GUnixFDList) fds = make_list (FIFO, MEMFD);
  TokendCodeDescriptors descriptors;

  g_assert_true (tokend_code_descriptors_take (&descriptors, fds, 1, 0, NULL));
  g_assert_cmpint (g_unix_fd_list_get_length (fds), ==, 0);
  tokend_code_descriptors_close (&descriptors);
}

/* A stream whose writer has not closed it when the call comes may be cut off by the writer's death. */
static void
test_unfinished (void)
{
  for (Kind kind = FIFO; kind <= REGULAR; kind++)
    for (guint n_open = 0; n_open < 2; n_open++) {
      g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
      TokendCodeDescriptors descriptors;
      int pipe_ends[2];
      int fd = make_fd (kind);

      g_assert_cmpint (pipe2 (pipe_ends, O_CLOEXEC), ==, 0);
      if (n_open == 0)
        close (pipe_ends[1]);
      g_assert_cmpint (g_unix_fd_list_append (list, fd, NULL), ==, 0);
      g_assert_cmpint (g_unix_fd_list_append (list, pipe_ends[0], NULL), ==, 1);
      close (fd);
      close (pipe_ends[0]);
      g_test_message ("%s, %u open", kinds[kind].name, n_open);
      g_assert_true (tokend_code_descriptors_take (&descriptors, list, 0, 1, NULL));
      g_assert_cmpint (descriptors.is_unfinished, ==, n_open > 0);
      tokend_code_descriptors_close (&descriptors);
      if (n_open > 0)
        close (pipe_ends[1]);
    }
}

/* Nor is half of a socket open that its writer has shut down. */
static void
test_shut_down (void)
{
  int ends[2];

  for (guint n_open = 0; n_open < 2; n_open++) {
    g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
    TokendCodeDescriptors descriptors;

    g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    if (n_open == 0)
      g_assert_cmpint (shutdown (ends[1], SHUT_WR), ==, 0);
    g_unix_fd_list_append (list, ends[0], NULL);
    g_unix_fd_list_append (list, ends[0], NULL);
    g_assert_true (tokend_code_descriptors_take (&descriptors, list, 0, 1, NULL));
    g_assert_cmpint (descriptors.is_unfinished, ==, n_open > 0);
    tokend_code_descriptors_close (&descriptors);
    close (ends[0]);
    close (ends[1]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/code-descriptors/kinds", test_kinds);
  g_test_add_func ("/code-descriptors/handles", test_handles);
  g_test_add_func ("/code-descriptors/list-is-emptied", test_list_is_emptied);
  g_test_add_func ("/code-descriptors/unfinished", test_unfinished);
  g_test_add_func ("/code-descriptors/shut-down", test_shut_down);
  return g_test_run ();
}
