/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "claims.h"
#include "scratch.h"
#include "tokend-error.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CARD "0c7ad1"
#define OTHER_CARD "b4e011"
#define ONLY(card) ((const char *const[]){ card, NULL })
/* The same token by another name. */
#define ALIAS "c0ffee"
#define BOTH ((const char *const[]){ CARD, ALIAS, NULL })

static TokendClaims *
make_claims (const Scratch *scratch)
{
  g_autofree char *directory = scratch_path (scratch, "locks");

  return tokend_claims_new (directory);
}

static int
take (TokendClaims *claims, const char *card)
{
  g_autoptr (GError) error = NULL;
  int fd = tokend_claims_take (claims, ONLY (card), &error);

  g_assert_no_error (error);
  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static void
assert_busy (TokendClaims *claims, const char *card)
{
  g_autoptr (GError) check_error = NULL;
  g_autoptr (GError) take_error = NULL;

  g_assert_false (tokend_claims_check_free (claims, ONLY (card), &check_error));
  g_assert_error (check_error, TOKEND_ERROR, TOKEND_ERROR_BUSY);
  g_assert_cmpint (tokend_claims_take (claims, ONLY (card), &take_error), ==, -1);
  g_assert_error (take_error, TOKEND_ERROR, TOKEND_ERROR_BUSY);
}

static void
assert_free (TokendClaims *claims, const char *card)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (tokend_claims_check_free (claims, ONLY (card), &error));
  g_assert_no_error (error);
  tokend_claims_release (claims, card, take (claims, card), TRUE);
}

static void
test_taken_twice (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  int fd, other;

  assert_free (claims, CARD);
  fd = take (claims, CARD);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 1);
  assert_busy (claims, CARD);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 1);

  other = take (claims, OTHER_CARD);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 2);
  tokend_claims_release (claims, CARD, fd, TRUE);
  assert_free (claims, CARD);
  assert_busy (claims, OTHER_CARD);
  tokend_claims_release (claims, OTHER_CARD, other, TRUE);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 0);
}

/* What this service has taken it knows without the lock, which somebody may have removed. */
static void
test_lock_removed (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autofree char *path = scratch_path (scratch, "locks/" CARD);
  int fd = take (claims, CARD);

  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_false (tokend_claims_check_free (claims, ONLY (CARD), NULL));
  g_assert_cmpint (tokend_claims_take (claims, ONLY (CARD), NULL), ==, -1);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 1);
  tokend_claims_release (claims, CARD, fd, TRUE);
  assert_free (claims, CARD);
}

/* To ask whether it is free takes nothing, and makes nothing. */
static void
test_check_takes_nothing (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autofree char *directory = scratch_path (scratch, "locks");
  gint64 begun_at;

  g_assert_true (tokend_claims_check_free (claims, ONLY (CARD), NULL));
  g_assert_true (tokend_claims_check_free (claims, ONLY (CARD), NULL));
  begun_at = g_get_monotonic_time ();
  tokend_claims_look (claims);
  g_assert_true (tokend_claims_was_free_since (claims, CARD, begun_at));
  g_assert_cmpuint (tokend_claims_count (claims), ==, 0);
  g_assert_false (g_file_test (directory, G_FILE_TEST_EXISTS));
}

/* The service dies; the operating host holds the descriptor that it was handed. */
static void
test_successor (Scratch *scratch, gconstpointer user_data)
{
  TokendClaims *dead = make_claims (scratch);
  g_autoptr (TokendClaims) successor = make_claims (scratch);
  int fd = take (dead, CARD);
  int hosts = dup (fd);

  assert_busy (successor, CARD);
  g_object_unref (dead);
  close (fd);
  assert_busy (successor, CARD);
  assert_free (successor, OTHER_CARD);
  close (hosts);
  assert_free (successor, CARD);
}

/* A token that is claimed by one of its names is claimed by all, and so is one that has any of
 * them. */
static void
test_alias (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  gint64 begun_at = g_get_monotonic_time ();
  int fd = tokend_claims_take (claims, BOTH, NULL);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 1);
  g_assert_true (tokend_claims_is_held (claims, CARD));
  g_assert_true (tokend_claims_is_held (claims, ALIAS));
  g_assert_false (tokend_claims_is_held (claims, OTHER_CARD));
  assert_busy (claims, CARD);
  assert_busy (claims, ALIAS);
  assert_free (claims, OTHER_CARD);
  tokend_claims_release (claims, CARD, fd, TRUE);
  g_assert_false (tokend_claims_was_free_since (claims, ALIAS, begun_at));

  fd = take (claims, ALIAS);
  g_assert_false (tokend_claims_check_free (claims, BOTH, NULL));
  g_assert_cmpint (tokend_claims_take (claims, BOTH, NULL), ==, -1);
  tokend_claims_release (claims, ALIAS, fd, TRUE);
  assert_free (claims, ALIAS);
  g_assert_true (tokend_claims_check_free (claims, BOTH, NULL));
}

/* The service dies, and its successor does not know yet that both are one. */
static void
test_successor_of_alias (Scratch *scratch, gconstpointer user_data)
{
  TokendClaims *dead = make_claims (scratch);
  g_autoptr (TokendClaims) successor = make_claims (scratch);
  int fd = tokend_claims_take (dead, BOTH, NULL);
  int hosts = dup (fd);
  gint64 begun_at;

  g_object_unref (dead);
  close (fd);
  assert_busy (successor, ALIAS);
  assert_free (successor, OTHER_CARD);
  begun_at = g_get_monotonic_time ();
  tokend_claims_look (successor);
  close (hosts);
  g_assert_false (tokend_claims_was_free_since (successor, ALIAS, begun_at));
  assert_free (successor, ALIAS);
  assert_free (successor, CARD);
}

/* The host of another service has what is the same token by another name. */
static void
test_alias_of_another (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autoptr (TokendClaims) another = make_claims (scratch);
  int fd = take (another, ALIAS);

  g_assert_cmpint (tokend_claims_take (claims, BOTH, NULL), ==, -1);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 0);
  tokend_claims_release (another, ALIAS, fd, TRUE);
  assert_free (claims, CARD);
}

/* Who cannot say all that is claimed claims nothing. */
static void
test_names_not_written (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autoptr (GError) error = NULL;
  struct rlimit limit, none;

  assert_free (claims, CARD);
  signal (SIGXFSZ, SIG_IGN);
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  none = limit;
  none.rlim_cur = 0;
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &none), ==, 0);
  g_assert_cmpint (tokend_claims_take (claims, BOTH, &error), ==, -1);
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &limit), ==, 0);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 0);
  assert_free (claims, CARD);
}

/* The next one that is claimed by the same file may have no other name. */
static void
test_alias_no_more (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autoptr (TokendClaims) another = make_claims (scratch);
  int fd = tokend_claims_take (claims, BOTH, NULL);
  gint64 begun_at;

  tokend_claims_release (claims, CARD, fd, TRUE);
  g_usleep (1);
  begun_at = g_get_monotonic_time ();
  tokend_claims_look (claims);
  g_assert_true (tokend_claims_was_free_since (claims, ALIAS, begun_at));
  fd = take (claims, CARD);
  assert_free (another, ALIAS);
  assert_busy (another, CARD);
  tokend_claims_release (claims, CARD, fd, TRUE);
}

/* No outcome came: the host may still be at it, and holds the lock until it ends. */
static void
test_host_not_done (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  int fd = take (claims, CARD);
  int hosts = dup (fd);

  tokend_claims_release (claims, CARD, fd, FALSE);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 0);
  assert_busy (claims, CARD);
  close (hosts);
  assert_free (claims, CARD);
}

/* The outcome came: whoever hears the reply may begin the next, though the host has yet to end. */
static void
test_host_done (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  int fd = take (claims, CARD);
  int hosts = dup (fd);

  tokend_claims_release (claims, CARD, fd, TRUE);
  assert_free (claims, CARD);

  fd = take (claims, CARD);
  close (hosts);
  assert_busy (claims, CARD);
  tokend_claims_release (claims, CARD, fd, TRUE);
}

/* What a service that was started again reads while its predecessor's host is still at it may be of
 * before the code. */
static void
test_held_meanwhile (Scratch *scratch, gconstpointer user_data)
{
  TokendClaims *dead = make_claims (scratch);
  g_autoptr (TokendClaims) successor = make_claims (scratch);
  int fd = take (dead, CARD);
  int hosts = dup (fd);
  gint64 begun_at;

  g_object_unref (dead);
  close (fd);
  begun_at = g_get_monotonic_time ();
  tokend_claims_look (successor);
  g_assert_false (tokend_claims_was_free_since (successor, CARD, begun_at));
  g_assert_true (tokend_claims_was_free_since (successor, OTHER_CARD, begun_at));
  close (hosts);
  assert_free (successor, CARD);
  g_assert_false (tokend_claims_was_free_since (successor, CARD, begun_at));

  g_usleep (1);
  begun_at = g_get_monotonic_time ();
  tokend_claims_look (successor);
  g_assert_true (tokend_claims_was_free_since (successor, CARD, begun_at));
}

/* Whoever held it when the read began may have let go of it when it ends. */
static void
test_held_at_first (Scratch *scratch, gconstpointer user_data)
{
  TokendClaims *dead = make_claims (scratch);
  g_autoptr (TokendClaims) successor = make_claims (scratch);
  int fd = take (dead, CARD);
  gint64 begun_at = g_get_monotonic_time ();

  g_object_unref (dead);
  tokend_claims_look (successor);
  close (fd);
  g_assert_false (tokend_claims_was_free_since (successor, CARD, begun_at));
  g_assert_true (tokend_claims_was_free_since (successor, OTHER_CARD, begun_at));
}

/* Likewise a service itself, in the moment before it looks. */
static void
test_released_at_first (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  int fd = take (claims, CARD);
  gint64 begun_at;

  g_usleep (1);
  begun_at = g_get_monotonic_time ();
  tokend_claims_release (claims, CARD, fd, TRUE);
  tokend_claims_look (claims);
  g_assert_false (tokend_claims_was_free_since (claims, CARD, begun_at));
}

/* It is another process that has taken it since, and holds it. */
static void
test_taken_by_others_meanwhile (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autoptr (TokendClaims) others = make_claims (scratch);
  gint64 begun_at = g_get_monotonic_time ();
  int fd;

  tokend_claims_look (claims);
  fd = take (others, CARD);
  g_assert_false (tokend_claims_was_free_since (claims, CARD, begun_at));
  tokend_claims_release (others, CARD, fd, TRUE);
}

static int
get_next_fd (void)
{
  int fd = dup (STDERR_FILENO);

  close (fd);
  return fd;
}

/* Whoever is told "busy" again and again uses nothing up. */
static void
test_busy_keeps_nothing_open (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autoptr (TokendClaims) others = make_claims (scratch);
  int fd = take (others, CARD);
  int next = get_next_fd ();

  assert_busy (claims, CARD);
  tokend_claims_look (claims);
  g_assert_cmpint (get_next_fd (), ==, next);
  tokend_claims_release (others, CARD, fd, TRUE);
}

/* It was not held when the read began, and is when it ends. */
static void
test_taken_meanwhile (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  gint64 begun_at = g_get_monotonic_time ();
  int fd;

  tokend_claims_look (claims);
  fd = take (claims, CARD);
  g_assert_false (tokend_claims_was_free_since (claims, CARD, begun_at));
  tokend_claims_release (claims, CARD, fd, TRUE);
  g_assert_false (tokend_claims_was_free_since (claims, CARD, begun_at));
}

/* Who cannot look does not know. */
static void
test_look_in_vain (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autofree char *directory = scratch_path (scratch, "locks");
  gint64 begun_at = g_get_monotonic_time ();

  scratch_write (scratch, "locks", "a file where the folder should be");
  tokend_claims_look (claims);
  g_assert_cmpint (g_unlink (directory), ==, 0);
  g_assert_false (tokend_claims_was_free_since (claims, CARD, begun_at));
}

static void
test_lock_file (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autofree char *directory = scratch_path (scratch, "locks");
  g_autofree char *path = g_build_filename (directory, CARD, NULL);
  int fd = take (claims, CARD);
  GStatBuf status;

  g_assert_cmpint (g_stat (directory, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0700);
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  g_assert_cmpint (status.st_mode & 0777, ==, 0600);
  g_assert_true ((fcntl (fd, F_GETFD) & FD_CLOEXEC) != 0);
  /* A host could write other names into it. */
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_ACCMODE, ==, O_RDONLY);
  tokend_claims_release (claims, CARD, fd, TRUE);
}

static void
test_impossible (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autoptr (GError) error = NULL;

  scratch_write (scratch, "locks", "a file where the folder should be");
  g_assert_cmpint (tokend_claims_take (claims, ONLY (CARD), &error), ==, -1);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 0);
}

/* The service is about to end: nothing new begins, and what is under way completes. */
static void
test_stopped (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autoptr (GError) error = NULL;
  int fd = take (claims, CARD);

  tokend_claims_stop (claims);
  g_assert_cmpint (tokend_claims_take (claims, ONLY (OTHER_CARD), &error), ==, -1);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_BUSY);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 1);
  tokend_claims_release (claims, CARD, fd, TRUE);
  g_assert_cmpuint (tokend_claims_count (claims), ==, 0);
}

static void
test_symbolic_link (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (TokendClaims) claims = make_claims (scratch);
  g_autofree char *path = scratch_path (scratch, "locks/" CARD);
  g_autoptr (GError) error = NULL;

  scratch_write (scratch, "locks/elsewhere", "");
  g_assert_cmpint (symlink ("elsewhere", path), ==, 0);
  g_assert_false (tokend_claims_check_free (claims, ONLY (CARD), NULL));
  g_assert_cmpint (tokend_claims_take (claims, ONLY (CARD), &error), ==, -1);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_FAILED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  scratch_add_test ("/claims/held-at-first", test_held_at_first);
  scratch_add_test ("/claims/released-at-first", test_released_at_first);
  scratch_add_test ("/claims/taken-by-others-meanwhile", test_taken_by_others_meanwhile);
  scratch_add_test ("/claims/busy-keeps-nothing-open", test_busy_keeps_nothing_open);
  scratch_add_test ("/claims/taken-twice", test_taken_twice);
  scratch_add_test ("/claims/lock-removed", test_lock_removed);
  scratch_add_test ("/claims/check-takes-nothing", test_check_takes_nothing);
  scratch_add_test ("/claims/successor", test_successor);
  scratch_add_test ("/claims/alias/held", test_alias);
  scratch_add_test ("/claims/alias/successor", test_successor_of_alias);
  scratch_add_test ("/claims/alias/of-another", test_alias_of_another);
  scratch_add_test ("/claims/alias/not-written", test_names_not_written);
  scratch_add_test ("/claims/alias/no-more", test_alias_no_more);
  scratch_add_test ("/claims/release/host-not-done", test_host_not_done);
  scratch_add_test ("/claims/release/host-done", test_host_done);
  scratch_add_test ("/claims/look/held-meanwhile", test_held_meanwhile);
  scratch_add_test ("/claims/look/taken-meanwhile", test_taken_meanwhile);
  scratch_add_test ("/claims/look/in-vain", test_look_in_vain);
  scratch_add_test ("/claims/lock-file", test_lock_file);
  scratch_add_test ("/claims/impossible", test_impossible);
  scratch_add_test ("/claims/stopped", test_stopped);
  scratch_add_test ("/claims/symbolic-link", test_symbolic_link);
  return g_test_run ();
}
