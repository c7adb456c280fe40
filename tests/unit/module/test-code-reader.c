/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-reader.h"

#include "tokend-error.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOON (500 * G_TIME_SPAN_MILLISECOND)
#define LATER (10 * G_TIME_SPAN_SECOND)

static TokendCode *
read_within (int fd, gint64 time, GError **error)
{
  return tokend_code_read (fd, TOKEND_CODE_PUK, g_get_monotonic_time () + time, error);
}

static void
assert_reads (int fd, const char *expected, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendCode) code = read_within (fd, LATER, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (code->bytes, code->length, expected, length);
}

static void
assert_refuses (int fd, gint64 time, TokendError expected, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendCode) code = read_within (fd, time, &error);

  g_assert_null (code);
  g_assert_error (error, TOKEND_ERROR, (gint) expected);
  g_assert_nonnull (strstr (error->message, "PUK"));
  g_assert_nonnull (strstr (error->message, words));
}

static void
write_all (int fd, const char *bytes, gsize length)
{
  g_assert_cmpint (write (fd, bytes, length), ==, (gssize) length);
}

static int
memfd_with (const char *bytes, gsize length)
{
  int fd = memfd_create ("code", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  write_all (fd, bytes, length);
  return fd;
}

static void
test_pipe (void)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  write_all (fds[1], "12345678", 8);
  close (fds[1]);
  assert_reads (fds[0], "12345678", 8);
  close (fds[0]);
}

static gpointer
write_slowly (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);

  for (const char *p = "12345678"; *p != '\0'; p++) {
    g_usleep (10 * G_TIME_SPAN_MILLISECOND);
    write_all (fd, p, 1);
  }
  close (fd);
  return NULL;
}

static void
test_pipe_in_pieces (void)
{
  GThread *writer;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  writer = g_thread_new ("writer", write_slowly, GINT_TO_POINTER (fds[1]));
  assert_reads (fds[0], "12345678", 8);
  g_thread_join (writer);
  close (fds[0]);
}

static void
test_pipe_empty (void)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  close (fds[1]);
  assert_reads (fds[0], "", 0);
  close (fds[0]);
}

/* Somebody who wrote but does not close; and the descriptor's flags are as they were. */
static void
test_pipe_that_does_not_end (void)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  write_all (fds[1], "1234", 4);
  assert_refuses (fds[0], SOON, TOKEND_ERROR_TIMED_OUT, "close its other end");
  g_assert_cmpint (fcntl (fds[0], F_GETFL) & O_NONBLOCK, ==, 0);
  close (fds[0]);
  close (fds[1]);
}

static void
test_pipe_written_to (void)
{
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  assert_refuses (fds[1], LATER, TOKEND_ERROR_INVALID_ARGS, "not open for reading");
  close (fds[0]);
  close (fds[1]);
}

/* 4 KiB: no more is taken than shows that it is too long. */
static void
test_pipe_too_long (void)
{
  char bytes[4096], rest[4096];
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendCode) code = NULL;
  int fds[2];

  memset (bytes, '1', sizeof bytes);
  g_assert_cmpint (pipe (fds), ==, 0);
  write_all (fds[1], bytes, sizeof bytes);
  code = read_within (fds[0], LATER, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (code->length, ==, TOKEND_CODE_MAX + 1);
  g_assert_cmpint (read (fds[0], rest, sizeof rest), ==, sizeof rest - TOKEND_CODE_MAX - 1);
  close (fds[0]);
  close (fds[1]);
}

static void
test_named_fifo (void)
{
  g_autofree char *folder = g_dir_make_tmp ("tokend-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "code", NULL);
  int reader, writer;

  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  reader = open (path, O_RDONLY | O_NONBLOCK);
  writer = open (path, O_WRONLY);
  write_all (writer, "4711", 4);
  close (writer);
  assert_reads (reader, "4711", 4);
  close (reader);
  unlink (path);
  rmdir (folder);
}

static void
test_socket (int type)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, type, 0, fds), ==, 0);
  write_all (fds[1], "1234", 4);
  write_all (fds[1], "5678", 4);
  g_assert_cmpint (shutdown (fds[1], SHUT_WR), ==, 0);
  assert_reads (fds[0], "12345678", 8);
  close (fds[0]);
  close (fds[1]);
}

static void
test_socket_stream (void)
{
  test_socket (SOCK_STREAM);
}

static void
test_socket_seqpacket (void)
{
  test_socket (SOCK_SEQPACKET);
}

static void
test_socket_that_does_not_end (void)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  write_all (fds[1], "1234", 4);
  assert_refuses (fds[0], SOON, TOKEND_ERROR_TIMED_OUT, "close its other end");
  g_assert_cmpint (fcntl (fds[0], F_GETFL) & O_NONBLOCK, ==, 0);
  close (fds[0]);
  close (fds[1]);
}

static gpointer
write_for_ever (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);

  while (send (fd, "11111111", 8, MSG_NOSIGNAL) == 8)
    ;
  return NULL;
}

static void
test_socket_endless (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendCode) code = NULL;
  GThread *writer;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  writer = g_thread_new ("writer", write_for_ever, GINT_TO_POINTER (fds[1]));
  code = read_within (fds[0], LATER, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (code->length, ==, TOKEND_CODE_MAX + 1);
  close (fds[0]);
  g_thread_join (writer);
  close (fds[1]);
}

static void
test_file_offset_untouched (void)
{
  int fd = memfd_with ("12345678", 8);

  g_assert_cmpint (lseek (fd, 3, SEEK_SET), ==, 3);
  assert_reads (fd, "12345678", 8);
  g_assert_cmpint (lseek (fd, 0, SEEK_CUR), ==, 3);
  /* The end of what was written is not the end of what is read. */
  g_assert_cmpint (lseek (fd, 0, SEEK_END), ==, 8);
  assert_reads (fd, "12345678", 8);
  close (fd);
}

static void
test_file_on_disk (void)
{
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp ("tokend-XXXXXX", &path, NULL);

  write_all (fd, "4711", 4);
  assert_reads (fd, "4711", 4);
  close (fd);
  unlink (path);
}

static void
test_file_empty (void)
{
  int fd = memfd_with ("", 0);

  assert_reads (fd, "", 0);
  close (fd);
}

static void
test_file_too_long (void)
{
  char bytes[4096];
  g_autoptr (TokendCode) code = NULL;
  int fd;

  memset (bytes, '1', sizeof bytes);
  fd = memfd_with (bytes, sizeof bytes);
  code = read_within (fd, LATER, NULL);
  g_assert_nonnull (code);
  g_assert_cmpuint (code->length, ==, TOKEND_CODE_MAX + 1);
  close (fd);
}

static void
test_other_kinds (void)
{
  static const char *const paths[] = { "/dev/zero", "/dev/null", "/dev/ptmx", "/" };

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    int fd = open (paths[i], O_RDONLY | O_NOCTTY);

    g_assert_cmpint (fd, >=, 0);
    assert_refuses (fd, LATER, TOKEND_ERROR_INVALID_ARGS, "not a FIFO, socket, memfd or regular");
    close (fd);
  }
}

static void
test_path_only (void)
{
  int fd = open ("/proc/self/status", O_PATH);

  assert_refuses (fd, LATER, TOKEND_ERROR_INVALID_ARGS, "not open for reading");
  close (fd);
}

static void
test_closed (void)
{
  assert_refuses (-1, LATER, TOKEND_ERROR_INVALID_ARGS, "cannot be read");
}

static void
test_socket_unconnected (void)
{
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  assert_refuses (fd, LATER, TOKEND_ERROR_INVALID_ARGS, "cannot be read");
  close (fd);
}

/* A regular file that fails to be read; what was read before is no code. */
static void
test_file_that_fails (void)
{
  int fd = open ("/proc/self/mem", O_RDONLY);

  g_assert_cmpint (fd, >=, 0);
  assert_refuses (fd, LATER, TOKEND_ERROR_INVALID_ARGS, "cannot be read");
  close (fd);
}

/* Half of a code comes, and then an error in the place of the rest. */
static void
test_socket_that_fails (void)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  write_all (fds[1], "1234", 4);
  write_all (fds[0], "x", 1);
  /* A socket that is closed with something unread in it is reset. */
  close (fds[1]);
  assert_refuses (fds[0], LATER, TOKEND_ERROR_INVALID_ARGS, "cannot be read");
  close (fds[0]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/code-reader/pipe", test_pipe);
  g_test_add_func ("/code-reader/pipe-in-pieces", test_pipe_in_pieces);
  g_test_add_func ("/code-reader/pipe-empty", test_pipe_empty);
  g_test_add_func ("/code-reader/pipe-that-does-not-end", test_pipe_that_does_not_end);
  g_test_add_func ("/code-reader/pipe-written-to", test_pipe_written_to);
  g_test_add_func ("/code-reader/pipe-too-long", test_pipe_too_long);
  g_test_add_func ("/code-reader/named-fifo", test_named_fifo);
  g_test_add_func ("/code-reader/socket-stream", test_socket_stream);
  g_test_add_func ("/code-reader/socket-seqpacket", test_socket_seqpacket);
  g_test_add_func ("/code-reader/socket-that-does-not-end", test_socket_that_does_not_end);
  g_test_add_func ("/code-reader/socket-endless", test_socket_endless);
  g_test_add_func ("/code-reader/file-offset-untouched", test_file_offset_untouched);
  g_test_add_func ("/code-reader/file-on-disk", test_file_on_disk);
  g_test_add_func ("/code-reader/file-empty", test_file_empty);
  g_test_add_func ("/code-reader/file-too-long", test_file_too_long);
  g_test_add_func ("/code-reader/file-that-fails", test_file_that_fails);
  g_test_add_func ("/code-reader/socket-that-fails", test_socket_that_fails);
  g_test_add_func ("/code-reader/other-kinds", test_other_kinds);
  g_test_add_func ("/code-reader/path-only", test_path_only);
  g_test_add_func ("/code-reader/closed", test_closed);
  g_test_add_func ("/code-reader/socket-unconnected", test_socket_unconnected);
  return g_test_run ();
}
