/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An operation of the module host, from the descriptors that it gets to what reaches the token. */
#include "host-fixture.h"
#include "softhsm-token.h"
#include "tokend-error.h"
#include "tokend-module.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <gio/gunixfdlist.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

static void
test_set_pin (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  host_assert_prepares (host, "set-pin", SOFTHSM_PIN);
  g_assert_true (softhsm_accepts_pin (SOFTHSM_PIN));
  host_commits (host, "done", TRUE, "C_SetPIN: CKR_OK");
  g_assert_cmpuint (host_read_flags (host), ==, TOKEND_TOKEN_PIN_INITIALIZED);
  g_assert_true (softhsm_accepts_pin (HOST_NEW_PIN));
}

static void
test_set_pin_with_wrong_pin (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  host_assert_prepares (host, "set-pin", "9999");
  g_assert_false (softhsm_pin_count_low ());
  host_commits (host, "code-incorrect", TRUE, "C_SetPIN: CKR_PIN_INCORRECT");
  g_assert_true (softhsm_accepts_pin (SOFTHSM_PIN));
}

static void
test_unlock (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  host_assert_prepares (host, "unlock", SOFTHSM_PUK);
  host_commits (host, "done", TRUE, "C_InitPIN: CKR_OK");
  g_assert_true (softhsm_accepts_pin (HOST_NEW_PIN));
  g_assert_true (softhsm_accepts_puk (SOFTHSM_PUK));
}

static void
test_unlock_with_wrong_puk (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  host_assert_prepares (host, "unlock", "99999999");
  g_assert_false (softhsm_puk_count_low ());
  host_commits (host, "code-incorrect", TRUE, "C_Login: CKR_PIN_INCORRECT");
  g_assert_true (softhsm_puk_count_low ());
  g_assert_cmpuint (host_read_flags (host), ==,
                    TOKEND_TOKEN_PIN_INITIALIZED | TOKEND_TOKEN_PUK_COUNT_LOW);
  g_assert_true (softhsm_accepts_pin (SOFTHSM_PIN));
}

/* Once, and last. Where nothing was opened, there is nothing to do. */
static void
test_close (HostFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *operation, *code, *result, *reason;
    gboolean may_be_open;
  } rows[] = {
    { "unlock", SOFTHSM_PUK, "done", "C_InitPIN: CKR_OK", TRUE },
    { "unlock", "99999999", "code-incorrect", "C_Login: CKR_PIN_INCORRECT", FALSE },
    { "set-pin", "9999", "code-incorrect", "C_SetPIN: CKR_PIN_INCORRECT", FALSE },
  };

  softhsm_create (fixture->folder);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (HostClient) host = host_start ("--operate");
    g_autoptr (GVariant) outcome = NULL;
    g_autoptr (GVariant) reply = NULL;
    g_autoptr (GError) error = NULL;
    gboolean may_be_open, is_left_open;

    host_load_softhsm (host, fixture);
    host_assert_answer (host, "Close", NULL, TOKEND_ERROR_INVALID_ARGS);
    host_assert_prepares (host, rows[i].operation, rows[i].code);
    host_assert_answer (host, "Close", NULL, TOKEND_ERROR_INVALID_ARGS);
    outcome = host_assert_commits (host, rows[i].result, TRUE, rows[i].reason);
    g_assert_true (g_variant_lookup (outcome, "may-be-open", "b", &may_be_open));
    g_assert_cmpint (may_be_open, ==, rows[i].may_be_open);
    reply = host_call (host, "Close", NULL, NULL, &error);
    g_assert_no_error (error);
    g_variant_get (reply, "(b)", &is_left_open);
    g_assert_false (is_left_open);
    host_assert_answer (host, "Close", NULL, TOKEND_ERROR_INVALID_ARGS);
    host_assert_answer (host, "Read", g_variant_new ("(b)", TRUE), TOKEND_ERROR_INVALID_ARGS);
  }
}

/* Another program spends a try between Prepare and Commit. */
static void
test_changed (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) outcome = NULL;
  g_autoptr (GVariant) reading = NULL;

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  host_assert_prepares (host, "unlock", SOFTHSM_PUK);
  g_assert_false (softhsm_accepts_puk ("00000000"));
  outcome = host_assert_commits (host, "changed", FALSE, "C_GetTokenInfo: CKR_OK");
  reading = g_variant_lookup_value (outcome, "token", G_VARIANT_TYPE_VARDICT);
  g_assert_cmpuint (host_flags_of (reading), ==,
                    TOKEND_TOKEN_PIN_INITIALIZED | TOKEND_TOKEN_PUK_COUNT_LOW);
  g_assert_true (softhsm_accepts_pin (SOFTHSM_PIN));
}

static void
test_digest (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) digest = NULL;
  g_autoptr (GHmac) hmac = NULL;
  guint8 expected[32];
  gsize expected_length = sizeof expected;
  const void *bytes;
  gsize length;

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  reply = host_prepare_with (host, "unlock", SOFTHSM_PUK, HOST_NEW_PIN, NULL);
  digest = g_variant_get_child_value (reply, 1);
  bytes = g_variant_get_fixed_array (digest, &length, 1);

  hmac = g_hmac_new (G_CHECKSUM_SHA256,
                     (const guchar *) "key\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
                     32);
  g_hmac_update (hmac, (const guchar *) SOFTHSM_PUK, strlen (SOFTHSM_PUK));
  g_hmac_get_digest (hmac, expected, &expected_length);
  g_assert_cmpmem (bytes, length, expected, expected_length);
}

static void
test_prepare_refuses (HostFixture *fixture, gconstpointer data)
{
  static const struct {
    const char *operation, *code, *new_pin;
    TokendError expected;
    const char *words;
  } rows[] = {
    { "unlock", "", HOST_NEW_PIN, TOKEND_ERROR_INVALID_ARGS, "The PUK is empty" },
    { "set-pin", "1234\n", HOST_NEW_PIN, TOKEND_ERROR_INVALID_ARGS, "The PIN ends with a newline" },
    { "unlock", SOFTHSM_PUK, "12", TOKEND_ERROR_PIN_POLICY, "The new PIN is too short" },
    { "unlock", SOFTHSM_PUK, "abcd", TOKEND_ERROR_PIN_POLICY, "digits only" },
  };

  softhsm_create (fixture->folder);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (HostClient) host = host_start ("--operate");
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply = NULL;

    host_load_softhsm (host, fixture);
    reply = host_prepare_with (host, rows[i].operation, rows[i].code, rows[i].new_pin, &error);
    g_assert_error (error, TOKEND_ERROR, (gint) rows[i].expected);
    g_assert_nonnull (strstr (error->message, rows[i].words));
    host_assert_answer (host, "Commit", NULL, TOKEND_ERROR_INVALID_ARGS);
  }
  g_assert_false (softhsm_pin_count_low ());
  g_assert_false (softhsm_puk_count_low ());
}

static void
test_prepare_for_another_token (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) other = NULL;
  g_autoptr (GError) error = NULL;
  GVariantDict dict;

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  reading = host_read_one_token (host);
  g_variant_dict_init (&dict, reading);
  g_variant_dict_insert_value (&dict, "serial", g_variant_new_bytestring ("other"));
  other = g_variant_ref_sink (g_variant_dict_end (&dict));
  reply = host_prepare (host, host_request_for (other, "unlock"), pipe_with (SOFTHSM_PUK, 8),
                        pipe_with (HOST_NEW_PIN, 6), pipe_with ("", 0), &error);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND);
}

static void
test_descriptors_missing (HostFixture *fixture, gconstpointer data)
{
  static const struct {
    gboolean with_list;
    int code, new_pin, lock;
    const char *words;
  } rows[] = {
    { FALSE, 0, 1, 2, "The descriptor of the PUK is missing" },
    { TRUE, 7, 1, 2, "The descriptor of the PUK is missing" },
    { TRUE, -1, 1, 2, "The descriptor of the PUK is missing" },
    { TRUE, 0, 3, 2, "The descriptor of the new PIN is missing" },
    { TRUE, 0, 1, G_MAXINT, "The descriptor of the lock is missing" },
  };

  softhsm_create (fixture->folder);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (HostClient) host = host_start ("--operate");
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply = NULL;
    g_autoptr (GVariant) reading = NULL;
    g_autoptr (GUnixFDList) fds = g_unix_fd_list_new_from_array (
        (int[]){ pipe_with (SOFTHSM_PUK, 8), pipe_with (HOST_NEW_PIN, 6), pipe_with ("", 0) }, 3);

    host_load_softhsm (host, fixture);
    reading = host_read_one_token (host);
    reply = host_call (host, "Prepare",
                       g_variant_new ("(@a{sv}hhh)", host_request_for (reading, "unlock"),
                                      rows[i].code, rows[i].new_pin, rows[i].lock),
                       rows[i].with_list ? fds : NULL, &error);
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    g_assert_nonnull (strstr (error->message, rows[i].words));
  }
}

/* tokend waits for the end; what has not ended is no code, and is not waited for. */
static void
test_pipe_that_has_not_ended (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  reading = host_read_one_token (host);
  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_cmpint (write (fds[1], SOFTHSM_PUK, 8), ==, 8);
  reply = host_prepare (host, host_request_for (reading, "unlock"), fds[0],
                        pipe_with (HOST_NEW_PIN, 6), pipe_with ("", 0), &error);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
  g_assert_nonnull (strstr (error->message, "is not closed"));
  close (fds[1]);
}

/* The pipe seems to have ended, and blocks all the same: the host answers, and ends. */
static void
test_descriptor_blocking (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start_with ("--operate", getuid (), "blind");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  softhsm_create (fixture->folder);
  host_connect (host);
  host_load_softhsm (host, fixture);
  reading = host_read_one_token (host);
  g_assert_cmpint (pipe (fds), ==, 0);
  reply = host_prepare (host, host_request_for (reading, "unlock"), fds[0],
                        pipe_with (HOST_NEW_PIN, 6), pipe_with ("", 0), &error);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT);
  host_assert_leaves (host, EX_OK);
  close (fds[1]);
}

/* The host's own copies of the pipes are closed when Prepare has answered: nobody could read a FIFO
 * any more. */
static void
test_descriptors_are_closed (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autofree char *path = g_build_filename (fixture->folder, "fifo", NULL);
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  int reader, writer;

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  reading = host_read_one_token (host);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  reader = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  writer = open (path, O_WRONLY | O_CLOEXEC);
  g_assert_cmpint (write (writer, SOFTHSM_PUK, 8), ==, 8);
  close (writer);
  reply = host_prepare (host, host_request_for (reading, "unlock"), reader,
                        pipe_with (HOST_NEW_PIN, 6), pipe_with ("", 0), &error);
  g_assert_no_error (error);
  g_assert_cmpint (open (path, O_WRONLY | O_NONBLOCK), ==, -1);
  g_assert_cmpint (errno, ==, ENXIO);
}

static void
test_lock (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autofree char *path = g_build_filename (fixture->folder, "lock", NULL);
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  int ours = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  int other = open (path, O_RDWR | O_CLOEXEC);

  g_assert_cmpint (flock (ours, LOCK_EX | LOCK_NB), ==, 0);
  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  reading = host_read_one_token (host);
  reply = host_prepare (host, host_request_for (reading, "unlock"), pipe_with (SOFTHSM_PUK, 8),
                        pipe_with (HOST_NEW_PIN, 6), ours, &error);
  g_assert_no_error (error);
  g_assert_cmpint (flock (other, LOCK_EX | LOCK_NB), ==, -1);
  host_commits (host, "done", TRUE, "C_InitPIN: CKR_OK");
  g_assert_cmpint (flock (other, LOCK_EX | LOCK_NB), ==, -1);
  host_close (host);
  host_assert_leaves (host, EX_OK);
  g_assert_cmpint (flock (other, LOCK_EX | LOCK_NB), ==, 0);
  close (other);
}

#define ADD(path, data, func)                                                                      \
  g_test_add (path, HostFixture, data, host_fixture_set_up, func, host_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/host/set-pin", NULL, test_set_pin);
  ADD ("/host/set-pin-with-wrong-pin", NULL, test_set_pin_with_wrong_pin);
  ADD ("/host/unlock", NULL, test_unlock);
  ADD ("/host/unlock-with-wrong-puk", NULL, test_unlock_with_wrong_puk);
  ADD ("/host/close", NULL, test_close);
  ADD ("/host/changed", NULL, test_changed);
  ADD ("/host/digest", NULL, test_digest);
  ADD ("/host/prepare-refuses", NULL, test_prepare_refuses);
  ADD ("/host/prepare-for-another-token", NULL, test_prepare_for_another_token);
  ADD ("/host/descriptors-missing", NULL, test_descriptors_missing);
  ADD ("/deadline/pipe-that-has-not-ended", NULL, test_pipe_that_has_not_ended);
  ADD ("/deadline/descriptor-blocking", NULL, test_descriptor_blocking);
  ADD ("/host/descriptors-are-closed", NULL, test_descriptors_are_closed);
  ADD ("/host/lock", NULL, test_lock);
  return g_test_run ();
}
