/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-reader-private.h"

#include "tokend-error.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

gssize __real_read (int fd, void *buffer, gsize length);

/* What the kernel says instead, one after the other: how much is read at most, or the error. */
static struct {
  gssize most; /* 0: no more of these */
  int error;
} replies[4];
static guint n_replies;

gssize
__wrap_read (int fd, void *buffer, gsize length)
{
  const guint i = n_replies;

  /* There is no room for more. */
  g_assert_cmpuint (length, <=, TOKEND_CODE_MAX + 1);
  if (i == G_N_ELEMENTS (replies) || (replies[i].most == 0 && replies[i].error == 0))
    return __real_read (fd, buffer, length);
  n_replies++;
  if (replies[i].error == 0)
    return __real_read (fd, buffer, MIN (length, (gsize) replies[i].most));
  errno = replies[i].error;
  return -1;
}

static void
forget_replies (void)
{
  memset (replies, 0, sizeof replies);
  n_replies = 0;
}

static int
pipe_with (const char *bytes, gsize length)
{
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  g_assert_cmpint (write (ends[1], bytes, length), ==, (gssize) length);
  close (ends[1]);
  return ends[0];
}

static void
assert_reads (int fd, const char *expected, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendCode) code = tokend_code_read (fd, TOKEND_CODE_PUK, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (code->bytes, code->length, expected, length);
}

static void
assert_refuses (int fd, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendCode) code = tokend_code_read (fd, TOKEND_CODE_PUK, &error);

  g_assert_null (code);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
  g_assert_nonnull (strstr (error->message, "PUK"));
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_lengths (void)
{
  static const gsize lengths[] = { 0, 1, 8, TOKEND_CODE_MAX, TOKEND_CODE_MAX + 1, 4096 };
  char bytes[4096];

  memset (bytes, '1', sizeof bytes);
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
    int fd = pipe_with (bytes, lengths[i]);
    char rest[4096];

    assert_reads (fd, bytes, MIN (lengths[i], TOKEND_CODE_MAX + 1));
    /* No more is taken than shows that it is too long. */
    g_assert_cmpint (__real_read (fd, rest, sizeof rest), ==,
                     lengths[i] - MIN (lengths[i], TOKEND_CODE_MAX + 1));
    close (fd);
  }
}

/* The kernel may give less than there is, or be interrupted: that is no end. */
static void
test_in_pieces (void)
{
  int fd = pipe_with ("12345678", 8);

  forget_replies ();
  replies[0].most = 3;
  replies[1].error = EINTR;
  replies[2].most = 1;
  assert_reads (fd, "12345678", 8);
  close (fd);
  g_assert_cmpuint (n_replies, ==, 3);
}

/* Half of a code comes, and then an error in the place of the rest. */
static void
test_that_fails (void)
{
  static const int errors[] = { EIO, EAGAIN };

  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++) {
    int fd = pipe_with ("12345678", 8);

    forget_replies ();
    replies[0].most = 4;
    replies[1].error = errors[i];
    assert_refuses (fd, "cannot be read");
    close (fd);
  }
  forget_replies ();
}

static void
test_that_has_not_ended (void)
{
  int ends[2];

  g_assert_cmpint (pipe (ends), ==, 0);
  assert_refuses (ends[0], "is not closed");
  g_assert_cmpint (write (ends[1], "12345678", 8), ==, 8);
  assert_refuses (ends[0], "is not closed");
  assert_refuses (ends[1], "no end of a pipe to be read");
  close (ends[1]);
  assert_reads (ends[0], "12345678", 8);
  close (ends[0]);
}

static void
test_other_kinds (void)
{
  static const char *const paths[] = { "/dev/zero", "/dev/null", "/", "/proc/self/status" };
  int ends[2];

  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++) {
    int fd = open (paths[i], O_RDONLY | O_NOCTTY);

    assert_refuses (fd, "no end of a pipe to be read");
    close (fd);
  }
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), ==, 0);
  g_assert_cmpint (write (ends[1], "12345678", 8), ==, 8);
  close (ends[1]);
  assert_refuses (ends[0], "no end of a pipe to be read");
  close (ends[0]);
  assert_refuses (-1, "cannot be read");
}

/* Of a FIFO even, that has ended. */
static void
test_path_only (void)
{
  int fd = pipe_with ("12345678", 8);
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int other = open (path, O_PATH);

  assert_refuses (other, "no end of a pipe to be read");
  close (other);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/code-reader/lengths", test_lengths);
  g_test_add_func ("/code-reader/in-pieces", test_in_pieces);
  g_test_add_func ("/code-reader/that-fails", test_that_fails);
  g_test_add_func ("/code-reader/that-has-not-ended", test_that_has_not_ended);
  g_test_add_func ("/code-reader/other-kinds", test_other_kinds);
  g_test_add_func ("/code-reader/path-only", test_path_only);
  return g_test_run ();
}
