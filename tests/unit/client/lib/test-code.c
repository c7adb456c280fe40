/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code.h"

#include "exit-code.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
test_newline (void)
{
  static const struct {
    const char *bytes;
    gsize length;
    gsize without;
  } rows[] = {
    { "", 0, 0 },         { "\n", 1, 0 },       { "1234", 4, 4 },   { "1234\n", 5, 4 },
    { "1234\n\n", 6, 5 }, { "1234\r\n", 6, 5 }, { "\n1234", 5, 5 }, { "1234 ", 5, 5 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    g_assert_cmpuint (tokenctl_code_without_newline (rows[i].bytes, rows[i].length), ==,
                      rows[i].without);
}

static int
pipe_with (const char *bytes, gsize length)
{
  int ends[2];

  g_assert_no_errno (pipe2 (ends, O_CLOEXEC));
  g_assert_cmpint (write (ends[1], bytes, length), ==, (gssize) length);
  close (ends[1]);
  return ends[0];
}

static TokenctlCode *
read_from (const char *bytes, gsize length)
{
  g_autoptr (GError) error = NULL;
  TokenctlCode *code = tokenctl_code_new (&error);
  int fd = pipe_with (bytes, length);

  g_assert_no_error (error);
  g_assert_true (tokenctl_code_read (code, fd, &error));
  g_assert_no_error (error);
  close (fd);
  return code;
}

static void
test_read (void)
{
  g_autofree char *huge = g_strnfill (4096, '1');
  g_autoptr (TokenctlCode) code = read_from ("1234\n", 5);
  g_autoptr (TokenctlCode) same = read_from ("1234", 4);
  g_autoptr (TokenctlCode) other = read_from ("1235", 4);
  g_autoptr (TokenctlCode) longest = read_from (huge, TOKEND_CODE_MAX);
  g_autoptr (TokenctlCode) longer = read_from (huge, TOKEND_CODE_MAX + 1);
  g_autoptr (TokenctlCode) endless = read_from (huge, 4096);

  g_assert_cmpstr (tokenctl_code_bytes (code), ==, "1234");
  g_assert_cmpuint (tokenctl_code_length (code), ==, 4);
  g_assert_true (tokenctl_code_equal (code, same));
  g_assert_false (tokenctl_code_equal (code, other));
  g_assert_cmpuint (tokenctl_code_length (longest), ==, TOKEND_CODE_MAX);
  g_assert_cmpuint (tokenctl_code_length (longer), >, TOKEND_CODE_MAX);
  g_assert_cmpuint (tokenctl_code_length (endless), >, TOKEND_CODE_MAX);
}

static void
test_pipe (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokenctlCode) code = read_from ("12345678", 8);
  gboolean is_closed = FALSE;
  char bytes[16];
  int ends[2];

  g_assert_true (g_unix_open_pipe (ends, FD_CLOEXEC, NULL));
  g_assert_true (tokenctl_code_write (code, ends[1], &is_closed, &error));
  g_assert_no_error (error);
  g_assert_false (is_closed);
  g_assert_cmpint (read (ends[0], bytes, sizeof bytes), ==, 8);
  g_assert_cmpmem (bytes, 8, "12345678", 8);
  close (ends[0]);
  close (ends[1]);
}

/* Finish says why the service has closed it; a signal would say nothing, and leaves this program's
 * others as they were. */
static void
test_pipe_that_is_closed (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokenctlCode) code = read_from ("12345678", 8);
  struct sigaction after;
  gboolean is_closed = FALSE;
  int ends[2];

  g_assert_true (g_unix_open_pipe (ends, FD_CLOEXEC, NULL));
  close (ends[0]);
  g_assert_true (tokenctl_code_write (code, ends[1], &is_closed, &error));
  g_assert_no_error (error);
  g_assert_true (is_closed);
  close (ends[1]);
  sigaction (SIGPIPE, NULL, &after);
  g_assert_true (after.sa_handler == SIG_DFL);
}

/* What does not fit is told, and none of it is in the pipe. */
static void
test_pipe_that_is_full (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokenctlCode) code = read_from ("12345678", 8);
  const char filling[4096] = { 0 };
  gboolean is_closed = FALSE;
  int ends[2];

  g_assert_true (g_unix_open_pipe (ends, FD_CLOEXEC, NULL));
  g_assert_true (g_unix_set_fd_nonblocking (ends[1], TRUE, NULL));
  while (write (ends[1], filling, sizeof filling) > 0)
    ;
  g_assert_false (tokenctl_code_write (code, ends[1], &is_closed, &error));
  g_assert_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_FAILED);
  close (ends[0]);
  close (ends[1]);
}

/* What the kernel says of the mapping that holds the code: locked, not dumped, not forked. */
static void
test_memory (void)
{
  g_autoptr (TokenctlCode) code = read_from ("1234", 4);
  g_autofree char *maps = NULL;
  g_auto (GStrv) lines = NULL;
  guintptr address = GPOINTER_TO_SIZE (tokenctl_code_bytes (code));
  gboolean inside = FALSE;
  const char *flags = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/smaps", &maps, NULL, NULL));
  lines = g_strsplit (maps, "\n", -1);
  for (gsize i = 0; lines[i] != NULL; i++) {
    gulong start, end;

    if (sscanf (lines[i], "%lx-%lx ", &start, &end) == 2)
      inside = start <= address && address < end;
    else if (inside && g_str_has_prefix (lines[i], "VmFlags:"))
      flags = lines[i];
  }
  g_assert_nonnull (flags);
#ifndef __SANITIZE_ADDRESS__ /* which makes mlock() do nothing */
  g_assert_nonnull (strstr (flags, " lo"));
#endif
  g_assert_nonnull (strstr (flags, " dd"));
  g_assert_nonnull (strstr (flags, " wf"));
}

static void
test_as_seen (void)
{
  static const struct {
    const char *code, *seen;
  } rows[] = {
    { "12345678", "12345678" }, { "1234 5678", "12345678" },
    { " 12  34 ", "1234" },     { "\u200e1234\u00a05678\ufeff", "12345678" },
    { "ş \u3164ı", "şı" },      { "   ", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokenctlCode) code = tokenctl_code_new (NULL);
    g_autoptr (TokenctlCode) seen = NULL;

    strcpy (tokenctl_code_bytes (code), rows[i].code);
    tokenctl_code_set_length (code, strlen (rows[i].code));
    seen = tokenctl_code_as_seen (code, NULL);
    g_assert_cmpstr (tokenctl_code_bytes (seen), ==, rows[i].seen);
    g_assert_cmpuint (tokenctl_code_length (seen), ==, strlen (rows[i].seen));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/code/newline", test_newline);
  g_test_add_func ("/code/as-seen", test_as_seen);
  g_test_add_func ("/code/read", test_read);
  g_test_add_func ("/code/pipe", test_pipe);
  g_test_add_func ("/code/pipe/closed", test_pipe_that_is_closed);
  g_test_add_func ("/code/pipe/full", test_pipe_that_is_full);
  g_test_add_func ("/code/memory", test_memory);
  return g_test_run ();
}
