/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module host as a process: whom it answers and when, what it loads and waits for, and when it
 * ends. */
#include "host-fixture.h"
#include "softhsm-token.h"
#include "tokend-error.h"
#include "tokend-module.h"

#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

static void
test_order (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  softhsm_create (fixture->folder);
  host_assert_answer (host, "Read", g_variant_new ("(b)", TRUE), TOKEND_ERROR_INVALID_ARGS);
  host_assert_answer (host, "Commit", NULL, TOKEND_ERROR_INVALID_ARGS);
  host_load_softhsm (host, fixture);
  host_assert_answer (host, "Load", host_load_arguments (SOFTHSM2, (const char *[]){ NULL }),
                      TOKEND_ERROR_INVALID_ARGS);
  host_assert_answer (host, "Commit", NULL, TOKEND_ERROR_INVALID_ARGS);

  host_assert_prepares (host, "set-pin", SOFTHSM_PIN);
  reading = host_read_one_token (host);
  reply = host_prepare (host, host_request_for (reading, "set-pin"), pipe_with ("1", 1),
                        pipe_with ("1", 1), pipe_with ("1", 1), &error);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
  host_commits (host, "done", TRUE, "C_SetPIN: CKR_OK");
  host_assert_answer (host, "Commit", NULL, TOKEND_ERROR_INVALID_ARGS);
}

static void
test_watching (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) label = NULL;
  const void *bytes;
  gsize length;

  softhsm_create (fixture->folder);
  host_load_softhsm (host, fixture);
  /* SoftHSM2 always shows a second token, which is not initialised. */
  reading = host_read_one_token (host);
  label = g_variant_lookup_value (reading, "label", G_VARIANT_TYPE_BYTESTRING);
  bytes = g_variant_get_fixed_array (label, &length, 1);
  g_assert_cmpmem (bytes, length, SOFTHSM_LABEL, strlen (SOFTHSM_LABEL));
  g_assert_cmpuint (host_flags_of (reading), ==, TOKEND_TOKEN_PIN_INITIALIZED);

  g_assert_false (softhsm_accepts_pin ("0000"));
  g_assert_cmpuint (host_read_flags (host), ==,
                    TOKEND_TOKEN_PIN_INITIALIZED | TOKEND_TOKEN_PIN_COUNT_LOW);

  reply = host_call (host, "Commit", NULL, NULL, &error);
  g_assert_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD);
}

static void
test_load_fails (HostFixture *fixture, gconstpointer data)
{
  const struct {
    const char *path;
    const char *variable;
    TokendError expected;
  } rows[] = {
    { "libsofthsm2.so", "A", TOKEND_ERROR_INVALID_ARGS },
    { "/nonexistent/module.so", "A", TOKEND_ERROR_MODULE_FAILED },
    { fixture->folder, "A", TOKEND_ERROR_MODULE_FAILED },
    { "/etc/passwd", "A", TOKEND_ERROR_MODULE_FAILED },
    { SOFTHSM2, "A=B", TOKEND_ERROR_INVALID_ARGS },
    { SOFTHSM2, "", TOKEND_ERROR_INVALID_ARGS },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (HostClient) host = host_start ("--watch");

    host_assert_answer (
        host, "Load",
        host_load_arguments (rows[i].path, (const char *[]){ rows[i].variable, "1", NULL }),
        rows[i].expected);
    host_assert_answer (host, "Read", g_variant_new ("(b)", TRUE), TOKEND_ERROR_INVALID_ARGS);
  }
}

static void
test_initialize_without_arguments (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");

  host_load (
      host, host_load_arguments (STUB_MODULE,
                                 (const char *[]){ "STUB_INITIALIZE", "without-arguments", NULL }));
  host_assert_answer (host, "WaitForChange", NULL, TOKEND_ERROR_NOT_SUPPORTED);
}

static void
test_busy (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");

  host_load (host, host_stub_arguments (fixture, "C_GetSlotList", FALSE));
  host_call_and_forget (host, "Read", g_variant_new ("(b)", TRUE));
  host_fixture_wait_for_log (fixture, "C_GetSlotList");
  host_assert_answer (host, "Read", g_variant_new ("(b)", TRUE), TOKEND_ERROR_BUSY);
}

/* What waits for a slot event is in nobody's way. */
static void
test_wait (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");
  g_autoptr (GVariant) tokens = NULL;
  g_autoptr (GVariant) stopped = NULL;
  g_autoptr (GError) error = NULL;

  host_assert_answer (host, "WaitForChange", NULL, TOKEND_ERROR_NOT_SUPPORTED);
  host_load (host, host_stub_arguments (fixture, "C_WaitForSlotEvent", TRUE));
  host_call_and_forget (host, "WaitForChange", NULL);
  host_fixture_wait_for_log (fixture, "C_WaitForSlotEvent");
  host_assert_answer (host, "WaitForChange", NULL, TOKEND_ERROR_BUSY);
  /* The module cannot be stopped; nothing else is held up by that. */
  stopped = host_call (host, "StopWaiting", NULL, NULL, &error);
  g_assert_no_error (error);
  tokens = host_call (host, "Read", g_variant_new ("(b)", TRUE), NULL, &error);
  g_assert_no_error (error);

  host_close (host);
  host_assert_leaves (host, EX_OK);
}

static void
test_wait_answers (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");
  g_autoptr (HostClient) operating = host_start ("--operate");
  g_autoptr (GError) error = NULL;

  host_load (host, host_stub_arguments (fixture, "", FALSE));
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GVariant) reply = host_call (host, "WaitForChange", NULL, NULL, &error);

    g_assert_no_error (error);
  }
  host_load (operating, host_stub_arguments (fixture, "", FALSE));
  host_assert_answer (operating, "WaitForChange", NULL, TOKEND_ERROR_NOT_SUPPORTED);
}

static void
test_peer_leaves (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");

  host_close (host);
  host_assert_leaves (host, EX_OK);
}

/* All that authenticates, and no more, in one go: GDBus may have seen the end before the host knows
 * of the connection. */
static void
test_peer_leaves_at_once (HostFixture *fixture, gconstpointer data)
{
  g_autofree char *uid = g_strdup_printf ("%u", getuid ());
  g_autoptr (GString) hello = g_string_new ("AUTH EXTERNAL ");

  for (const char *digit = uid; *digit != '\0'; digit++)
    g_string_append_printf (hello, "%02x", *digit);
  g_string_append (hello, "\r\nBEGIN\r\n");
  for (guint i = 0; i < 10; i++) {
    g_autoptr (HostClient) host = host_start_with ("--watch", getuid (), NULL);

    g_assert_cmpint (send (host->socket, "\0", 1, 0), ==, 1);
    g_assert_cmpint (send (host->socket, hello->str, hello->len, 0), ==, (gssize) hello->len);
    g_assert_cmpint (shutdown (host->socket, SHUT_WR), ==, 0);
    host_assert_leaves (host, EX_OK);
  }
}

/* The module hangs in the function that @data names. */
static void
test_peer_leaves_hanging_module (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  const char *function = data;

  if (g_str_equal (function, "C_GetSlotList")) {
    host_load (host, host_stub_arguments (fixture, function, FALSE));
    host_call_and_forget (host, "Read", g_variant_new ("(b)", TRUE));
  } else {
    host_call_and_forget (host, "Load", host_stub_arguments (fixture, function, FALSE));
  }
  host_fixture_wait_for_log (fixture, function);
  host_close (host);
  host_assert_leaves (host, EX_OK);
}

/* What has begun is brought to its end, whoever leaves. */
static void
test_peer_leaves_after_commit (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  pid_t pid = (pid_t) strtol (g_subprocess_get_identifier (host->process), NULL, 10);

  host_load (host, host_stub_arguments (fixture, "C_Login", TRUE));
  host_assert_prepares (host, "unlock", SOFTHSM_PUK);
  host_call_and_forget (host, "Commit", NULL);
  host_fixture_wait_for_log (fixture, "C_Login");
  host_close (host);
  g_assert_cmpint (kill (pid, SIGTERM), ==, 0);
  g_assert_false (host_exits_within (host, 1, NULL));

  host_fixture_open_gate (fixture);
  host_assert_leaves (host, EX_OK);
  g_assert_true (host_fixture_log_has (fixture, "C_InitPIN"));
  g_assert_true (host_fixture_log_has (fixture, "C_Logout"));
}

/* What was opened is closed although nobody asks for that any more. */
static void
test_peer_leaves_before_close (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  host_load (host, host_stub_arguments (fixture, "C_Logout", TRUE));
  host_assert_prepares (host, "unlock", SOFTHSM_PUK);
  host_commits (host, "done", TRUE, "C_InitPIN: CKR_OK");
  g_assert_false (host_fixture_log_has (fixture, "C_Logout"));
  host_close (host);
  host_fixture_wait_for_log (fixture, "C_Logout");
  g_assert_false (host_exits_within (host, 1, NULL));

  host_fixture_open_gate (fixture);
  host_assert_leaves (host, EX_OK);
}

static void
test_peer_leaves_after_close (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  host_load (host, host_stub_arguments (fixture, "C_Logout", TRUE));
  host_assert_prepares (host, "unlock", SOFTHSM_PUK);
  host_commits (host, "done", TRUE, "C_InitPIN: CKR_OK");
  host_call_and_forget (host, "Close", NULL);
  host_fixture_wait_for_log (fixture, "C_Logout");
  host_close (host);
  g_assert_false (host_exits_within (host, 1, NULL));

  host_fixture_open_gate (fixture);
  host_assert_leaves (host, EX_OK);
}

static void
test_silence (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autofree char *output = NULL;
  g_autofree char *errors = NULL;

  host_load (host, host_stub_arguments (fixture, "nowhere", FALSE));
  host_assert_prepares (host, "unlock", SOFTHSM_PUK);
  host_commits (host, "done", TRUE, "C_InitPIN: CKR_OK");
  host_close (host);
  g_assert_true (g_subprocess_communicate_utf8 (host->process, NULL, NULL, &output, &errors, NULL));
  g_assert_cmpstr (output, ==, "");
  g_assert_cmpstr (errors, ==, "");
}

static void
test_foreign_peer (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start_with ("--watch", getuid () + 1, NULL);

  host_connect (host);
  g_assert_null (host->connection);
  host_assert_leaves (host, EX_NOPERM);
}

static void
test_authentication (HostFixture *fixture, gconstpointer data)
{
  static const char *const mechanisms[] = { "ANONYMOUS", "DBUS_COOKIE_SHA1 726f6f74" };

  for (gsize i = 0; i < G_N_ELEMENTS (mechanisms); i++) {
    g_autoptr (HostClient) host = host_start_with ("--watch", getuid (), NULL);
    g_autofree char *hello = g_strdup_printf ("AUTH %s\r\n", mechanisms[i]);
    char answer[128] = { 0 };

    g_assert_cmpint (send (host->socket, "\0", 1, 0), ==, 1);
    g_assert_cmpint (send (host->socket, hello, strlen (hello), 0), ==, (gssize) strlen (hello));
    g_assert_cmpint (recv (host->socket, answer, sizeof answer - 1, 0), >, 0);
    g_assert_cmpstr (answer, ==, "REJECTED EXTERNAL\r\n");
  }
}

static void
test_peer_that_says_nothing (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start_with ("--watch", getuid (), NULL);

  host_assert_leaves (host, EX_NOPERM);
}

/* The program as it is installed has one peer, whom we are not. */
static void
test_program (HostFixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) usage = host_spawn ((const char *[]){ TOKEND_MODULE, "--all", NULL });
  g_autoptr (HostClient) host = host_spawn ((const char *[]){ TOKEND_MODULE, "--watch", NULL });

  host_assert_leaves (usage, EX_USAGE);
  host_connect (host);
  g_assert_null (host->connection);
  host_assert_leaves (host, getpwnam ("tokend") != NULL ? EX_NOPERM : EX_NOUSER);
}

#define ADD(path, data, func)                                                                      \
  g_test_add (path, HostFixture, data, host_fixture_set_up, func, host_fixture_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/host/order", NULL, test_order);
  ADD ("/host/watching", NULL, test_watching);
  ADD ("/host/load-fails", NULL, test_load_fails);
  ADD ("/host/initialize-without-arguments", NULL, test_initialize_without_arguments);
  ADD ("/host/busy", NULL, test_busy);
  ADD ("/host/wait", NULL, test_wait);
  ADD ("/host/wait-answers", NULL, test_wait_answers);
  ADD ("/host/peer-leaves", NULL, test_peer_leaves);
  ADD ("/host/peer-leaves-at-once", NULL, test_peer_leaves_at_once);
  ADD ("/host/peer-leaves-hanging-constructor", "constructor", test_peer_leaves_hanging_module);
  ADD ("/host/peer-leaves-hanging-initialize", "C_Initialize", test_peer_leaves_hanging_module);
  ADD ("/host/peer-leaves-hanging-read", "C_GetSlotList", test_peer_leaves_hanging_module);
  ADD ("/host/peer-leaves-after-commit", NULL, test_peer_leaves_after_commit);
  ADD ("/host/peer-leaves-before-close", NULL, test_peer_leaves_before_close);
  ADD ("/host/peer-leaves-after-close", NULL, test_peer_leaves_after_close);
  ADD ("/host/silence", NULL, test_silence);
  ADD ("/host/foreign-peer", NULL, test_foreign_peer);
  ADD ("/host/authentication", NULL, test_authentication);
  ADD ("/deadline/peer-that-says-nothing", NULL, test_peer_that_says_nothing);
  ADD ("/host/program", NULL, test_program);
  return g_test_run ();
}
