/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The module host as a process: what it answers to its peer, what reaches the token, and when it ends. */
#include "host-client.h"
#include "softhsm-token.h"
#include "tokend-error.h"
#include "tokend-module.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define NEW_PIN "471147"

typedef struct {
  char *folder;
  char *log;  /* of the stub module */
  char *gate; /* FIFO */
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->folder = g_dir_make_tmp ("tokend-XXXXXX", NULL);
  fixture->log = g_build_filename (fixture->folder, "log", NULL);
  fixture->gate = g_build_filename (fixture->folder, "gate", NULL);
  g_assert_cmpint (mkfifo (fixture->gate, 0600), ==, 0);
}

static void
remove_tree (const char *path)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK)) {
    g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name (dir)) != NULL) {
      g_autofree char *child = g_build_filename (path, name, NULL);
      remove_tree (child);
    }
  }
  g_remove (path);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  remove_tree (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->log);
  g_free (fixture->gate);
}

static int
memfd_with (const char *text, gsize length)
{
  int fd = memfd_create ("code", MFD_CLOEXEC);

  g_assert_cmpint (write (fd, text, length), ==, (gssize) length);
  return fd;
}

static void
assert_answer (HostClient *host, const char *method, GVariant *arguments, TokendError expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = host_call (host, method, arguments, NULL, &error);

  g_assert_null (reply);
  g_assert_error (error, TOKEND_ERROR, (gint) expected);
}

/* Environment: names and values, then NULL. */
static GVariant *
load_arguments (const char *path, const char *const *environment)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{ss}"));
  for (; environment[0] != NULL; environment += 2)
    g_variant_builder_add (&builder, "{ss}", environment[0], environment[1]);
  return g_variant_new ("(sa{ss})", path, &builder);
}

static GVariant *
stub_arguments (Fixture *fixture, const char *hang, gboolean with_gate)
{
  return load_arguments (STUB_MODULE,
                         (const char *[]){ "STUB_LOG", fixture->log, "STUB_HANG", hang,
                                           with_gate ? "STUB_GATE" : NULL, fixture->gate, NULL });
}

static void
load (HostClient *host, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = host_call (host, "Load", arguments, NULL, &error);

  g_assert_no_error (error);
}

static void
load_softhsm (HostClient *host, Fixture *fixture)
{
  g_autofree char *configuration = softhsm_configuration (fixture->folder);

  load (host, load_arguments (SOFTHSM2, (const char *[]){ "SOFTHSM2_CONF", configuration, NULL }));
}

static GVariant *
read_one_token (HostClient *host)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = host_call (host, "Read", NULL, NULL, &error);
  g_autoptr (GVariant) tokens = NULL;

  g_assert_no_error (error);
  tokens = g_variant_get_child_value (reply, 0);
  g_assert_cmpuint (g_variant_n_children (tokens), ==, 1);
  return g_variant_get_child_value (tokens, 0);
}

static guint
flags_of (GVariant *reading)
{
  guint flags;

  g_assert_true (g_variant_lookup (reading, "flags", "u", &flags));
  return flags;
}

static guint
read_flags (HostClient *host)
{
  g_autoptr (GVariant) reading = read_one_token (host);

  return flags_of (reading);
}

static GVariant *
request_for (GVariant *reading, const char *operation)
{
  static const char *const identity[] = { "manufacturer", "model", "serial", "label" };
  static const guint8 key[32] = "key";
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (identity); i++) {
    g_autoptr (GVariant) value = g_variant_lookup_value (reading, identity[i], NULL);
    g_variant_dict_insert_value (&dict, identity[i], value);
  }
  g_variant_dict_insert (&dict, "operation", "s", operation);
  if (g_str_equal (operation, "unlock"))
    g_variant_dict_insert (&dict, "way", "s", "so-login-init-pin");
  g_variant_dict_insert (&dict, "code-minimum-length", "u", 4);
  g_variant_dict_insert (&dict, "code-maximum-length", "u", 255);
  g_variant_dict_insert (&dict, "new-pin-minimum-length", "u", 4);
  g_variant_dict_insert (&dict, "new-pin-maximum-length", "u", 8);
  g_variant_dict_insert (&dict, "new-pin-characters", "s", "digits");
  g_variant_dict_insert_value (&dict, "digest-key",
                               g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, key, sizeof key, 1));
  return g_variant_dict_end (&dict);
}

/* Closes the three descriptors. */
static GVariant *
prepare (HostClient *host, GVariant *request, int code, int new_pin, int lock, GError **error)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new_from_array ((int[]){ code, new_pin, lock }, 3);

  return host_call (host, "Prepare", g_variant_new ("(@a{sv}hhh)", request, 0, 1, 2), fds, error);
}

/* Returns the reply to Prepare. */
static GVariant *
prepare_with (HostClient *host, const char *operation, const char *code, const char *new_pin,
              GError **error)
{
  g_autoptr (GVariant) reading = read_one_token (host);

  return prepare (host, request_for (reading, operation), memfd_with (code, strlen (code)),
                  memfd_with (new_pin, strlen (new_pin)), memfd_with ("", 0), error);
}

static void
assert_prepares (HostClient *host, const char *operation, const char *code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = prepare_with (host, operation, code, NEW_PIN, &error);

  g_assert_no_error (error);
}

/* Returns the outcome. */
static GVariant *
assert_commits (HostClient *host, const char *expected, gboolean expected_sent,
                const char *expected_reason)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = host_call (host, "Commit", NULL, NULL, &error);
  GVariant *outcome;
  const char *result, *reason;
  gboolean sent;

  g_assert_no_error (error);
  outcome = g_variant_get_child_value (reply, 0);
  g_assert_true (g_variant_lookup (outcome, "result", "&s", &result));
  g_assert_true (g_variant_lookup (outcome, "sent", "b", &sent));
  g_assert_true (g_variant_lookup (outcome, "reason", "&s", &reason));
  g_assert_cmpstr (result, ==, expected);
  g_assert_cmpint (sent, ==, expected_sent);
  g_assert_cmpstr (reason, ==, expected_reason);
  return outcome;
}

static void
commits (HostClient *host, const char *result, gboolean sent, const char *reason)
{
  g_variant_unref (assert_commits (host, result, sent, reason));
}

static gboolean
log_has (Fixture *fixture, const char *function)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (fixture->log, &text, NULL, NULL) && strstr (text, function) != NULL;
}

static void
wait_for_log (Fixture *fixture, const char *function)
{
  gint64 deadline = g_get_monotonic_time () + HOST_PATIENCE * G_USEC_PER_SEC;

  while (!log_has (fixture, function)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (G_TIME_SPAN_MILLISECOND);
  }
}

static void
assert_leaves (HostClient *host, int expected_status)
{
  int status;

  g_assert_true (host_exits_within (host, HOST_PATIENCE, &status));
  g_assert_cmpint (status, ==, expected_status);
}

static void
test_order (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;

  softhsm_create (fixture->folder);
  assert_answer (host, "Read", NULL, TOKEND_ERROR_INVALID_ARGS);
  assert_answer (host, "Commit", NULL, TOKEND_ERROR_INVALID_ARGS);
  load_softhsm (host, fixture);
  assert_answer (host, "Load", load_arguments (SOFTHSM2, (const char *[]){ NULL }),
                 TOKEND_ERROR_INVALID_ARGS);
  assert_answer (host, "Commit", NULL, TOKEND_ERROR_INVALID_ARGS);

  assert_prepares (host, "set-pin", SOFTHSM_PIN);
  reading = read_one_token (host);
  reply = prepare (host, request_for (reading, "set-pin"), memfd_with ("1", 1), memfd_with ("1", 1),
                   memfd_with ("1", 1), &error);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
  commits (host, "done", TRUE, "C_SetPIN: CKR_OK");
  assert_answer (host, "Commit", NULL, TOKEND_ERROR_INVALID_ARGS);
}

static void
test_watching (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) label = NULL;
  const void *bytes;
  gsize length;

  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  /* SoftHSM2 always shows a second token, which is not initialised. */
  reading = read_one_token (host);
  label = g_variant_lookup_value (reading, "label", G_VARIANT_TYPE_BYTESTRING);
  bytes = g_variant_get_fixed_array (label, &length, 1);
  g_assert_cmpmem (bytes, length, SOFTHSM_LABEL, strlen (SOFTHSM_LABEL));
  g_assert_cmpuint (flags_of (reading), ==, TOKEND_TOKEN_PIN_INITIALIZED);

  g_assert_false (softhsm_accepts_pin ("0000"));
  g_assert_cmpuint (read_flags (host), ==,
                    TOKEND_TOKEN_PIN_INITIALIZED | TOKEND_TOKEN_PIN_COUNT_LOW);

  reply = host_call (host, "Commit", NULL, NULL, &error);
  g_assert_error (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD);
}

static void
test_load_fails (Fixture *fixture, gconstpointer data)
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

    assert_answer (host, "Load",
                   load_arguments (rows[i].path, (const char *[]){ rows[i].variable, "1", NULL }),
                   rows[i].expected);
    assert_answer (host, "Read", NULL, TOKEND_ERROR_INVALID_ARGS);
  }
}

static void
test_initialize_without_arguments (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");

  load (host, load_arguments (STUB_MODULE,
                              (const char *[]){ "STUB_INITIALIZE", "without-arguments", NULL }));
  assert_answer (host, "WaitForSlotEvent", NULL, TOKEND_ERROR_NOT_SUPPORTED);
}

static void
test_set_pin (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  assert_prepares (host, "set-pin", SOFTHSM_PIN);
  g_assert_true (softhsm_accepts_pin (SOFTHSM_PIN));
  commits (host, "done", TRUE, "C_SetPIN: CKR_OK");
  g_assert_cmpuint (read_flags (host), ==, TOKEND_TOKEN_PIN_INITIALIZED);
  g_assert_true (softhsm_accepts_pin (NEW_PIN));
}

static void
test_set_pin_with_wrong_pin (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  assert_prepares (host, "set-pin", "9999");
  g_assert_false (softhsm_pin_count_low ());
  commits (host, "code-incorrect", TRUE, "C_SetPIN: CKR_PIN_INCORRECT");
  g_assert_true (softhsm_accepts_pin (SOFTHSM_PIN));
}

static void
test_unlock (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  assert_prepares (host, "unlock", SOFTHSM_PUK);
  commits (host, "done", TRUE, "C_InitPIN: CKR_OK");
  g_assert_true (softhsm_accepts_pin (NEW_PIN));
  g_assert_true (softhsm_accepts_puk (SOFTHSM_PUK));
}

static void
test_unlock_with_wrong_puk (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");

  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  assert_prepares (host, "unlock", "99999999");
  g_assert_false (softhsm_puk_count_low ());
  commits (host, "code-incorrect", TRUE, "C_Login: CKR_PIN_INCORRECT");
  g_assert_true (softhsm_puk_count_low ());
  g_assert_cmpuint (read_flags (host), ==,
                    TOKEND_TOKEN_PIN_INITIALIZED | TOKEND_TOKEN_PUK_COUNT_LOW);
  g_assert_true (softhsm_accepts_pin (SOFTHSM_PIN));
}

/* Another program spends a try between Prepare and Commit. */
static void
test_changed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) outcome = NULL;
  g_autoptr (GVariant) reading = NULL;

  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  assert_prepares (host, "unlock", SOFTHSM_PUK);
  g_assert_false (softhsm_accepts_puk ("00000000"));
  outcome = assert_commits (host, "changed", FALSE, "C_GetTokenInfo: CKR_OK");
  reading = g_variant_lookup_value (outcome, "token", G_VARIANT_TYPE_VARDICT);
  g_assert_cmpuint (flags_of (reading), ==,
                    TOKEND_TOKEN_PIN_INITIALIZED | TOKEND_TOKEN_PUK_COUNT_LOW);
  g_assert_true (softhsm_accepts_pin (SOFTHSM_PIN));
}

static void
test_digest (Fixture *fixture, gconstpointer data)
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
  load_softhsm (host, fixture);
  reply = prepare_with (host, "unlock", SOFTHSM_PUK, NEW_PIN, NULL);
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
test_prepare_refuses (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *operation, *code, *new_pin;
    TokendError expected;
    const char *words;
  } rows[] = {
    { "unlock", "", NEW_PIN, TOKEND_ERROR_INVALID_ARGS, "The PUK is empty" },
    { "set-pin", "1234\n", NEW_PIN, TOKEND_ERROR_INVALID_ARGS, "The PIN ends with a newline" },
    { "unlock", SOFTHSM_PUK, "12", TOKEND_ERROR_PIN_POLICY, "The new PIN is too short" },
    { "unlock", SOFTHSM_PUK, "abcd", TOKEND_ERROR_PIN_POLICY, "digits only" },
  };

  softhsm_create (fixture->folder);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (HostClient) host = host_start ("--operate");
    g_autoptr (GError) error = NULL;
    g_autoptr (GVariant) reply = NULL;

    load_softhsm (host, fixture);
    reply = prepare_with (host, rows[i].operation, rows[i].code, rows[i].new_pin, &error);
    g_assert_error (error, TOKEND_ERROR, (gint) rows[i].expected);
    g_assert_nonnull (strstr (error->message, rows[i].words));
    assert_answer (host, "Commit", NULL, TOKEND_ERROR_INVALID_ARGS);
  }
  g_assert_false (softhsm_pin_count_low ());
  g_assert_false (softhsm_puk_count_low ());
}

static void
test_prepare_for_another_token (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GVariant) other = NULL;
  g_autoptr (GError) error = NULL;
  GVariantDict dict;

  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  reading = read_one_token (host);
  g_variant_dict_init (&dict, reading);
  g_variant_dict_insert_value (&dict, "serial", g_variant_new_bytestring ("other"));
  other = g_variant_ref_sink (g_variant_dict_end (&dict));
  reply = prepare (host, request_for (other, "unlock"), memfd_with (SOFTHSM_PUK, 8),
                   memfd_with (NEW_PIN, 6), memfd_with ("", 0), &error);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND);
}

static void
test_descriptors_missing (Fixture *fixture, gconstpointer data)
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
        (int[]){ memfd_with (SOFTHSM_PUK, 8), memfd_with (NEW_PIN, 6), memfd_with ("", 0) }, 3);

    load_softhsm (host, fixture);
    reading = read_one_token (host);
    reply = host_call (host, "Prepare",
                       g_variant_new ("(@a{sv}hhh)", request_for (reading, "unlock"), rows[i].code,
                                      rows[i].new_pin, rows[i].lock),
                       rows[i].with_list ? fds : NULL, &error);
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
    g_assert_nonnull (strstr (error->message, rows[i].words));
  }
}

static void
test_descriptor_slow (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start;
  int fds[2];

  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  reading = read_one_token (host);
  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_cmpint (write (fds[1], SOFTHSM_PUK, 8), ==, 8);
  start = g_get_monotonic_time ();
  reply = prepare (host, request_for (reading, "unlock"), fds[0], memfd_with (NEW_PIN, 6),
                   memfd_with ("", 0), &error);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 4 * G_USEC_PER_SEC);
  close (fds[1]);
}

/* Somebody else takes what the host has just seen, so that it hangs in its read: it answers and ends all the same. */
static void
test_descriptor_blocking (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start_with ("--operate", getuid (), "blind");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  softhsm_create (fixture->folder);
  host_connect (host);
  load_softhsm (host, fixture);
  reading = read_one_token (host);
  g_assert_cmpint (pipe (fds), ==, 0);
  reply = prepare (host, request_for (reading, "unlock"), fds[0], memfd_with (NEW_PIN, 6),
                   memfd_with ("", 0), &error);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT);
  assert_leaves (host, EX_OK);
  close (fds[1]);
}

/* The host's own copies of the descriptors are closed when Prepare has answered: a writer sees it. */
static void
test_descriptors_are_closed (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autoptr (GVariant) reading = NULL;
  g_autoptr (GVariant) reply = NULL;
  g_autoptr (GError) error = NULL;
  int fds[2];

  signal (SIGPIPE, SIG_IGN);
  softhsm_create (fixture->folder);
  load_softhsm (host, fixture);
  reading = read_one_token (host);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
  g_assert_cmpint (write (fds[1], SOFTHSM_PUK, 8), ==, 8);
  g_assert_cmpint (shutdown (fds[1], SHUT_WR), ==, 0);
  reply = prepare (host, request_for (reading, "unlock"), fds[0], memfd_with (NEW_PIN, 6),
                   memfd_with ("", 0), &error);
  g_assert_no_error (error);
  g_assert_cmpint (recv (fds[1], (char[1]){ 0 }, 1, MSG_DONTWAIT), ==, 0);
  close (fds[1]);
}

static void
test_lock (Fixture *fixture, gconstpointer data)
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
  load_softhsm (host, fixture);
  reading = read_one_token (host);
  reply = prepare (host, request_for (reading, "unlock"), memfd_with (SOFTHSM_PUK, 8),
                   memfd_with (NEW_PIN, 6), ours, &error);
  g_assert_no_error (error);
  g_assert_cmpint (flock (other, LOCK_EX | LOCK_NB), ==, -1);
  commits (host, "done", TRUE, "C_InitPIN: CKR_OK");
  g_assert_cmpint (flock (other, LOCK_EX | LOCK_NB), ==, -1);
  host_close (host);
  assert_leaves (host, EX_OK);
  g_assert_cmpint (flock (other, LOCK_EX | LOCK_NB), ==, 0);
  close (other);
}

static void
test_busy (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");

  load (host, stub_arguments (fixture, "C_GetSlotList", FALSE));
  host_call_and_forget (host, "Read", NULL);
  wait_for_log (fixture, "C_GetSlotList");
  assert_answer (host, "Read", NULL, TOKEND_ERROR_BUSY);
}

/* What waits for a slot event is in nobody's way. */
static void
test_wait (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");
  g_autoptr (GVariant) tokens = NULL;
  g_autoptr (GError) error = NULL;

  assert_answer (host, "WaitForSlotEvent", NULL, TOKEND_ERROR_NOT_SUPPORTED);
  load (host, stub_arguments (fixture, "C_WaitForSlotEvent", TRUE));
  host_call_and_forget (host, "WaitForSlotEvent", NULL);
  wait_for_log (fixture, "C_WaitForSlotEvent");
  assert_answer (host, "WaitForSlotEvent", NULL, TOKEND_ERROR_BUSY);
  tokens = host_call (host, "Read", NULL, NULL, &error);
  g_assert_no_error (error);

  host_close (host);
  assert_leaves (host, EX_OK);
}

static void
test_wait_answers (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");
  g_autoptr (HostClient) operating = host_start ("--operate");
  g_autoptr (GError) error = NULL;

  load (host, stub_arguments (fixture, "", FALSE));
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GVariant) reply = host_call (host, "WaitForSlotEvent", NULL, NULL, &error);

    g_assert_no_error (error);
  }
  load (operating, stub_arguments (fixture, "", FALSE));
  assert_answer (operating, "WaitForSlotEvent", NULL, TOKEND_ERROR_NOT_SUPPORTED);
}

static void
test_peer_leaves (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--watch");

  host_close (host);
  assert_leaves (host, EX_OK);
}

/* The module hangs in the function that @data names. */
static void
test_peer_leaves_hanging_module (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  const char *function = data;

  if (g_str_equal (function, "C_GetSlotList")) {
    load (host, stub_arguments (fixture, function, FALSE));
    host_call_and_forget (host, "Read", NULL);
  } else {
    host_call_and_forget (host, "Load", stub_arguments (fixture, function, FALSE));
  }
  wait_for_log (fixture, function);
  host_close (host);
  assert_leaves (host, EX_OK);
}

static void
open_gate (Fixture *fixture)
{
  int gate = open (fixture->gate, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (gate, >=, 0);
  close (gate);
}

/* What has begun is brought to its end, whoever leaves. */
static void
test_peer_leaves_after_commit (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  pid_t pid = (pid_t) strtol (g_subprocess_get_identifier (host->process), NULL, 10);

  load (host, stub_arguments (fixture, "C_Login", TRUE));
  assert_prepares (host, "unlock", SOFTHSM_PUK);
  host_call_and_forget (host, "Commit", NULL);
  wait_for_log (fixture, "C_Login");
  host_close (host);
  g_assert_cmpint (kill (pid, SIGTERM), ==, 0);
  g_assert_false (host_exits_within (host, 1, NULL));

  open_gate (fixture);
  assert_leaves (host, EX_OK);
  g_assert_true (log_has (fixture, "C_InitPIN"));
}

static void
test_silence (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start ("--operate");
  g_autofree char *output = NULL;
  g_autofree char *errors = NULL;

  load (host, stub_arguments (fixture, "nowhere", FALSE));
  assert_prepares (host, "unlock", SOFTHSM_PUK);
  commits (host, "done", TRUE, "C_InitPIN: CKR_OK");
  host_close (host);
  g_assert_true (g_subprocess_communicate_utf8 (host->process, NULL, NULL, &output, &errors, NULL));
  g_assert_cmpstr (output, ==, "");
  g_assert_cmpstr (errors, ==, "");
}

static void
test_foreign_peer (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start_with ("--watch", getuid () + 1, NULL);

  host_connect (host);
  g_assert_null (host->connection);
  assert_leaves (host, EX_NOPERM);
}

static void
test_authentication (Fixture *fixture, gconstpointer data)
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
test_peer_that_says_nothing (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) host = host_start_with ("--watch", getuid (), NULL);

  assert_leaves (host, EX_NOPERM);
}

/* The program as it is installed has one peer, whom we are not. */
static void
test_program (Fixture *fixture, gconstpointer data)
{
  g_autoptr (HostClient) usage = host_spawn ((const char *[]){ TOKEND_MODULE, "--all", NULL });
  g_autoptr (HostClient) host = host_spawn ((const char *[]){ TOKEND_MODULE, "--watch", NULL });

  assert_leaves (usage, EX_USAGE);
  host_connect (host);
  g_assert_null (host->connection);
  assert_leaves (host, getpwnam ("tokend") != NULL ? EX_NOPERM : EX_NOUSER);
}

#define ADD(path, data, func) g_test_add (path, Fixture, data, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/host/order", NULL, test_order);
  ADD ("/host/watching", NULL, test_watching);
  ADD ("/host/load-fails", NULL, test_load_fails);
  ADD ("/host/initialize-without-arguments", NULL, test_initialize_without_arguments);
  ADD ("/host/set-pin", NULL, test_set_pin);
  ADD ("/host/set-pin-with-wrong-pin", NULL, test_set_pin_with_wrong_pin);
  ADD ("/host/unlock", NULL, test_unlock);
  ADD ("/host/unlock-with-wrong-puk", NULL, test_unlock_with_wrong_puk);
  ADD ("/host/changed", NULL, test_changed);
  ADD ("/host/digest", NULL, test_digest);
  ADD ("/host/prepare-refuses", NULL, test_prepare_refuses);
  ADD ("/host/prepare-for-another-token", NULL, test_prepare_for_another_token);
  ADD ("/host/descriptors-missing", NULL, test_descriptors_missing);
  ADD ("/deadline/descriptor-slow", NULL, test_descriptor_slow);
  ADD ("/deadline/descriptor-blocking", NULL, test_descriptor_blocking);
  ADD ("/host/descriptors-are-closed", NULL, test_descriptors_are_closed);
  ADD ("/host/lock", NULL, test_lock);
  ADD ("/host/busy", NULL, test_busy);
  ADD ("/host/wait", NULL, test_wait);
  ADD ("/host/wait-answers", NULL, test_wait_answers);
  ADD ("/host/peer-leaves", NULL, test_peer_leaves);
  ADD ("/host/peer-leaves-hanging-constructor", "constructor", test_peer_leaves_hanging_module);
  ADD ("/host/peer-leaves-hanging-initialize", "C_Initialize", test_peer_leaves_hanging_module);
  ADD ("/host/peer-leaves-hanging-read", "C_GetSlotList", test_peer_leaves_hanging_module);
  ADD ("/host/peer-leaves-after-commit", NULL, test_peer_leaves_after_commit);
  ADD ("/host/silence", NULL, test_silence);
  ADD ("/host/foreign-peer", NULL, test_foreign_peer);
  ADD ("/host/authentication", NULL, test_authentication);
  ADD ("/deadline/peer-that-says-nothing", NULL, test_peer_that_says_nothing);
  ADD ("/host/program", NULL, test_program);
  return g_test_run ();
}
