/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How long a code may wait in its pipe. The time is played: the linker puts it in the place of the
 * service's, see meson.build. */
#include "code-pipes-private.h"

#include <signal.h>
#include <unistd.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static guint n_timers; /* that were begun */
static guint seconds;  /* of the last */
static GSourceFunc expire;
static gpointer expire_data;
static guint timer_id;
static guint n_expired;
static gboolean is_over; /* what the clock says that also runs while the machine is suspended */

guint __wrap_tokend_deadline_add (guint interval, GSourceFunc function, gpointer data);

guint
__wrap_tokend_deadline_add (guint interval, GSourceFunc function, gpointer data)
{
  n_timers++;
  seconds = interval;
  expire = function;
  expire_data = data;
  /* A source that never comes, and can be removed. */
  timer_id = g_timeout_add (G_MAXUINT, function, data);
  return timer_id;
}

gboolean __wrap_tokend_deadline_is_over (gint64 deadline);

gboolean
__wrap_tokend_deadline_is_over (gint64 deadline)
{
  g_assert_cmpint (deadline, >, 0);
  return is_over;
}

static gboolean
on_expired (gpointer pipes)
{
  n_expired++;
  tokend_code_pipes_free (pipes);
  return G_SOURCE_REMOVE;
}

static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* From the first byte or the first end in either of them, and not anew from the next. */
static void
test_expiry (gconstpointer data)
{
  const int which = GPOINTER_TO_INT (data) % 2;
  const gboolean is_closed = GPOINTER_TO_INT (data) >= 2;
  g_autoptr (GUnixFDList) write_ends = NULL;
  TokendCodePipes *pipes = tokend_code_pipes_new ("PUK", &write_ends, NULL);
  g_autofree int *ends = g_unix_fd_list_steal_fds (write_ends, NULL);

  n_timers = n_expired = 0;
  tokend_code_pipes_watch (pipes, on_expired, pipes);
  settle ();
  g_assert_cmpuint (n_timers, ==, 0);
  if (is_closed)
    close (ends[which]);
  else
    g_assert_cmpint (write (ends[which], "1", 1), ==, 1);
  settle ();
  g_assert_cmpuint (n_timers, ==, 1);
  g_assert_cmpuint (seconds, ==, 60);
  g_assert_cmpint (write (ends[1 - which], "2", 1), ==, 1);
  settle ();
  g_assert_cmpuint (n_timers, ==, 1);
  g_assert_cmpuint (n_expired, ==, 0);

  g_source_remove_by_user_data (expire_data);
  g_assert_cmpint (expire (expire_data), ==, G_SOURCE_REMOVE);
  g_assert_cmpuint (n_expired, ==, 1);
  settle ();
  g_assert_cmpint (write (ends[1 - which], "3", 1), ==, -1);
  close (ends[1 - which]);
  if (!is_closed)
    close (ends[which]);
}

/* The call comes before the timer. */
static void
test_suspended (void)
{
  g_autoptr (GUnixFDList) write_ends = NULL;
  TokendCodePipes *pipes = tokend_code_pipes_new ("PUK", &write_ends, NULL);

  n_timers = n_expired = 0;
  is_over = TRUE;
  tokend_code_pipes_watch (pipes, on_expired, pipes);
  tokend_code_pipes_check_time (pipes);
  g_assert_cmpuint (n_expired, ==, 0);
  g_assert_cmpint (write (g_unix_fd_list_peek_fds (write_ends, NULL)[0], "1", 1), ==, 1);
  settle ();
  is_over = FALSE;
  tokend_code_pipes_check_time (pipes);
  g_assert_cmpuint (n_expired, ==, 0);
  is_over = TRUE;
  tokend_code_pipes_check_time (pipes);
  g_assert_cmpuint (n_expired, ==, 1);
}

/* Whoever has called Finish waits for its deadline alone. */
static void
test_no_expiry (void)
{
  g_autoptr (GUnixFDList) write_ends = NULL;
  g_autoptr (TokendCodePipes) pipes = tokend_code_pipes_new ("PUK", &write_ends, NULL);

  n_timers = n_expired = 0;
  tokend_code_pipes_watch (pipes, on_expired, pipes);
  g_assert_cmpint (write (g_unix_fd_list_peek_fds (write_ends, NULL)[0], "1", 1), ==, 1);
  settle ();
  g_assert_cmpuint (n_timers, ==, 1);
  tokend_code_pipes_collect_async (pipes, NULL, NULL, NULL);
  g_assert_null (g_main_context_find_source_by_id (NULL, timer_id));
  g_clear_object (&write_ends);
  settle ();
  g_assert_null (g_main_context_find_source_by_user_data (NULL, expire_data));
  g_assert_cmpuint (n_expired, ==, 0);
}

/* Nothing waits for pipes that are not there any more. */
static void
test_freed (void)
{
  g_autoptr (GUnixFDList) write_ends = NULL;
  TokendCodePipes *pipes = tokend_code_pipes_new ("PUK", &write_ends, NULL);

  tokend_code_pipes_watch (pipes, on_expired, pipes);
  tokend_code_pipes_free (pipes);
  g_assert_null (g_main_context_find_source_by_user_data (NULL, pipes));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGPIPE, SIG_IGN);
  for (int i = 0; i < 4; i++) {
    g_autofree char *path =
        g_strdup_printf ("/code-pipes-expiry/%s/%d", i < 2 ? "written" : "closed", i % 2);

    g_test_add_data_func (path, GINT_TO_POINTER (i), test_expiry);
  }
  g_test_add_func ("/code-pipes-expiry/suspended", test_suspended);
  g_test_add_func ("/code-pipes-expiry/none", test_no_expiry);
  g_test_add_func ("/code-pipes-expiry/freed", test_freed);
  return g_test_run ();
}
