/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code-pipes-private.h"

#include "tokend-error.h"
#include "tokend-status.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define PUK 0
#define NEW_PIN 1
#define FINE (-1)

/* The pipes, and the caller's ends of them. */
typedef struct {
  TokendCodePipes *pipes;
  int ends[2];
  GCancellable *cancellable;
  gboolean has_answer;
  GError *error;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GUnixFDList) write_ends = NULL;
  g_autofree int *ends = NULL;
  int n;

  signal (SIGPIPE, SIG_IGN);
  fixture->pipes = tokend_code_pipes_new ("PUK", &write_ends, &fixture->error);
  g_assert_no_error (fixture->error);
  ends = g_unix_fd_list_steal_fds (write_ends, &n);
  g_assert_cmpint (n, ==, 2);
  memcpy (fixture->ends, ends, sizeof fixture->ends);
  fixture->cancellable = g_cancellable_new ();
}

static void
close_end (Fixture *fixture, int which)
{
  if (fixture->ends[which] >= 0)
    close (fixture->ends[which]);
  fixture->ends[which] = -1;
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  close_end (fixture, PUK);
  close_end (fixture, NEW_PIN);
  g_clear_pointer (&fixture->pipes, tokend_code_pipes_free);
  g_clear_error (&fixture->error);
  g_object_unref (fixture->cancellable);
}

static void
write_code (Fixture *fixture, int which, gsize length)
{
  g_autofree char *code = g_strnfill (length, '1');

  g_assert_cmpint (write (fixture->ends[which], code, length), ==, length);
}

static void
on_collected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->has_answer = TRUE;
  g_assert_cmpint (tokend_code_pipes_collect_finish (result, &fixture->error), ==,
                   fixture->error == NULL);
}

static void
collect (Fixture *fixture)
{
  fixture->has_answer = FALSE;
  tokend_code_pipes_collect_async (fixture->pipes, fixture->cancellable, on_collected, fixture);
}

/* Nothing waits for the pipes then. */
static void
wait_for_answer (Fixture *fixture, int expected, const char *words)
{
  /* Whatever has ended is seen at once. */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpint (fixture->has_answer, ==, expected != TOKEND_ERROR_TIMED_OUT);
  while (!fixture->has_answer)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (g_main_context_find_source_by_user_data (NULL, fixture->pipes));
  if (expected == FINE) {
    g_assert_no_error (fixture->error);
    return;
  }
  g_assert_error (fixture->error, TOKEND_ERROR, expected);
  g_assert_nonnull (strstr (fixture->error->message, words));
  g_assert_nonnull (strstr (fixture->error->message, "nothing was sent"));
}

/* No other process gets them by an exec, and the caller's end is for writing alone and never waits.
 */
static void
test_ends (Fixture *fixture, gconstpointer data)
{
  for (int i = 0; i < 2; i++) {
    long n_written = 0;
    char byte;

    g_assert_cmpint (fcntl (fixture->ends[i], F_GETFD) & FD_CLOEXEC, !=, 0);
    g_assert_cmpint (fcntl (fixture->ends[i], F_GETFL) & O_ACCMODE, ==, O_WRONLY);
    g_assert_cmpint (fcntl (fixture->ends[i], F_GETFL) & O_NONBLOCK, !=, 0);
    g_assert_cmpint (read (fixture->ends[i], &byte, 1), ==, -1);
    for (; write (fixture->ends[i], "0123456789abcdef", 16) == 16; n_written += 16)
      ;
    g_assert_cmpint (errno, ==, EAGAIN);
    g_assert_cmpint (n_written, ==, sysconf (_SC_PAGESIZE));
  }
  g_clear_pointer (&fixture->pipes, tokend_code_pipes_free);
  g_assert_cmpint (write (fixture->ends[PUK], "1", 1), ==, -1);
  g_assert_cmpint (errno, ==, EPIPE);
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
  char code[16];

  g_assert_cmpint (write (fixture->ends[PUK], "puk", 3), ==, 3);
  g_assert_cmpint (write (fixture->ends[NEW_PIN], "new", 3), ==, 3);
  g_assert_true (tokend_code_pipes_append (fixture->pipes, list, NULL));
  g_assert_cmpint (g_unix_fd_list_get_length (list), ==, 2);
  for (int i = 0; i < 2; i++) {
    g_assert_cmpint (read (g_unix_fd_list_peek_fds (list, NULL)[i], code, sizeof code), ==, 3);
    g_assert_cmpint (memcmp (code, i == PUK ? "puk" : "new", 3), ==, 0);
  }
}

/* Of each how much is in it, and which one is closed before the end is waited for, which after it
 * begins. */
typedef struct {
  const char *what;
  gsize lengths[2];
  gboolean closed_before[2], closed_after[2];
  int error;
  const char *words;
} Row;

#define LONGEST TOKEND_CODE_MAX

static const Row rows[] = {
  { "closed before", { 8, 4 }, { TRUE, TRUE }, { 0 }, FINE, NULL },
  { "closed after", { 8, 4 }, { 0 }, { TRUE, TRUE }, FINE, NULL },
  { "one before, one after", { 8, 4 }, { TRUE, FALSE }, { FALSE, TRUE }, FINE, NULL },
  { "one after, one before", { 8, 4 }, { FALSE, TRUE }, { TRUE, FALSE }, FINE, NULL },
  { "empty", { 0, 0 }, { TRUE, TRUE }, { 0 }, FINE, NULL },
  { "the longest", { LONGEST, LONGEST }, { TRUE, TRUE }, { 0 }, FINE, NULL },
  { "a long PUK", { LONGEST + 1, 4 }, { TRUE, TRUE }, { 0 }, TOKEND_ERROR_INVALID_ARGS, "PUK" },
  { "a long PIN", { 8, LONGEST + 1 }, { TRUE, TRUE }, { 0 }, TOKEND_ERROR_INVALID_ARGS, "new PIN" },
  { "a long one, later",
    { 8, LONGEST + 1 },
    { 0 },
    { TRUE, TRUE },
    TOKEND_ERROR_INVALID_ARGS,
    "new PIN" },
  { "the PUK is not closed",
    { 8, 4 },
    { FALSE, TRUE },
    { 0 },
    TOKEND_ERROR_TIMED_OUT,
    "pipe of the PUK was not closed within 2 seconds" },
  { "the PIN is not closed", { 8, 4 }, { TRUE, FALSE }, { 0 }, TOKEND_ERROR_TIMED_OUT, "new PIN" },
  { "the PIN is not closed later",
    { 8, 4 },
    { 0 },
    { TRUE, FALSE },
    TOKEND_ERROR_TIMED_OUT,
    "new PIN" },
  { "nothing", { 0, 0 }, { 0 }, { 0 }, TOKEND_ERROR_TIMED_OUT, "PUK" },
};

static void
test_collect (Fixture *fixture, gconstpointer data)
{
  const Row *row = data;

  for (int i = 0; i < 2; i++) {
    if (row->lengths[i] > 0)
      write_code (fixture, i, row->lengths[i]);
    if (row->closed_before[i])
      close_end (fixture, i);
  }
  collect (fixture);
  for (int i = 0; i < 2; i++)
    if (row->closed_after[i])
      close_end (fixture, i);
  wait_for_answer (fixture, row->error, row->words);
  /* It is over: whoever gives up now comes too late. */
  g_cancellable_cancel (fixture->cancellable);
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* What a caller has closed, a process that it has made may still have open. */
static void
test_copy (Fixture *fixture, gconstpointer data)
{
  int copy = dup (fixture->ends[PUK]);

  close_end (fixture, PUK);
  close_end (fixture, NEW_PIN);
  collect (fixture);
  wait_for_answer (fixture, TOKEND_ERROR_TIMED_OUT, "PUK");
  close (copy);
}

static gboolean
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return G_SOURCE_REMOVE;
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  collect (fixture);
  g_idle_add (cancel, fixture->cancellable);
  while (!fixture->has_answer)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (fixture->error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

static gboolean
forbid (gpointer user_data)
{
  g_assert_not_reached ();
}

/* Until a pipe is written to or closed its end may wait in the bus. */
static void
test_taken (Fixture *fixture, gconstpointer which)
{
  const int i = GPOINTER_TO_INT (which) % 2;

  tokend_code_pipes_watch (fixture->pipes, forbid, NULL);
  g_assert_false (tokend_code_pipes_were_taken (fixture->pipes));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (tokend_code_pipes_were_taken (fixture->pipes));
  if (GPOINTER_TO_INT (which) < 2)
    write_code (fixture, i, 1);
  else
    close_end (fixture, i);
  g_assert_true (tokend_code_pipes_were_taken (fixture->pipes));
  while (g_main_context_iteration (NULL, FALSE))
    ;
  /* It is seen once, and not again and again. */
  g_assert_false (g_main_context_pending (NULL));
  g_assert_true (tokend_code_pipes_were_taken (fixture->pipes));
}

/* Returns: the descriptor that is opened next. */
static int
get_next_fd (void)
{
  const int fd = open ("/dev/null", O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  return fd;
}

/* Lets no more than so many be opened; -1: as before. */
static void
limit_fds (int n)
{
  static struct rlimit before;
  struct rlimit now;

  if (n >= 0) {
    g_assert_cmpint (getrlimit (RLIMIT_NOFILE, &before), ==, 0);
    now = before;
    now.rlim_cur = (rlim_t) (get_next_fd () + n);
  } else {
    now = before;
  }
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &now), ==, 0);
}

/* Whatever cannot be opened is said, and nothing stays open of what could. */
static void
test_no_room (Fixture *fixture, gconstpointer data)
{
  for (int n = 0; n < 4; n++) {
    g_autoptr (GUnixFDList) write_ends = NULL;
    g_autoptr (GError) error = NULL;
    const int next = get_next_fd ();
    TokendCodePipes *pipes;

    limit_fds (n);
    pipes = tokend_code_pipes_new ("PUK", &write_ends, &error);
    limit_fds (-1);
    g_assert_null (pipes);
    g_assert_null (write_ends);
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED);
    g_assert_nonnull (strstr (error->message, "nothing was sent"));
    g_assert_cmpint (get_next_fd (), ==, next);
  }
  for (int n = 0; n < 3; n++) {
    g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
    g_autoptr (GError) error = NULL;
    gboolean is_appended;

    limit_fds (n);
    is_appended = tokend_code_pipes_append (fixture->pipes, list, &error);
    limit_fds (-1);
    g_assert_cmpint (is_appended, ==, n == 2);
    g_assert_cmpint (error == NULL, ==, is_appended);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/code-pipes/ends", Fixture, NULL, set_up, test_ends, tear_down);
  g_test_add ("/code-pipes/order", Fixture, NULL, set_up, test_order, tear_down);
  g_test_add ("/code-pipes/no-room", Fixture, NULL, set_up, test_no_room, tear_down);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/code-pipes/collect/%s", rows[i].what);

    g_test_add (path, Fixture, &rows[i], set_up, test_collect, tear_down);
  }
  g_test_add ("/code-pipes/copy", Fixture, NULL, set_up, test_copy, tear_down);
  g_test_add ("/code-pipes/cancel", Fixture, NULL, set_up, test_cancel, tear_down);
  for (int i = 0; i < 4; i++) {
    g_autofree char *path = g_strdup_printf ("/code-pipes/taken/%d", i);

    g_test_add (path, Fixture, GINT_TO_POINTER (i), set_up, test_taken, tear_down);
  }
  return g_test_run ();
}
