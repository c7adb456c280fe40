/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host-fixture.h"

#include "softhsm-token.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
host_fixture_set_up (HostFixture *fixture, gconstpointer data)
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

void
host_fixture_tear_down (HostFixture *fixture, gconstpointer data)
{
  remove_tree (fixture->folder);
  g_free (fixture->folder);
  g_free (fixture->log);
  g_free (fixture->gate);
}

gboolean
host_fixture_log_has (HostFixture *fixture, const char *function)
{
  g_autofree char *text = NULL;

  return g_file_get_contents (fixture->log, &text, NULL, NULL) && strstr (text, function) != NULL;
}

void
host_fixture_wait_for_log (HostFixture *fixture, const char *function)
{
  gint64 deadline = g_get_monotonic_time () + HOST_PATIENCE * G_USEC_PER_SEC;

  while (!host_fixture_log_has (fixture, function)) {
    g_assert_cmpint (g_get_monotonic_time (), <, deadline);
    g_usleep (G_TIME_SPAN_MILLISECOND);
  }
}

void
host_fixture_open_gate (HostFixture *fixture)
{
  int gate = open (fixture->gate, O_WRONLY | O_CLOEXEC);

  g_assert_cmpint (gate, >=, 0);
  close (gate);
}

int
pipe_with (const char *text, gsize length)
{
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (ends[1], text, length), ==, (gssize) length);
  close (ends[1]);
  return ends[0];
}

/* Environment: names and values, then NULL. */
GVariant *
host_load_arguments (const char *path, const char *const *environment)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a{ss}"));
  for (; environment[0] != NULL; environment += 2)
    g_variant_builder_add (&builder, "{ss}", environment[0], environment[1]);
  return g_variant_new ("(sa{ss}ss@a(asasass))", path, &builder, "poll", "",
                        g_variant_new_array (G_VARIANT_TYPE ("(asasass)"), NULL, 0));
}

GVariant *
host_stub_arguments (HostFixture *fixture, const char *hang, gboolean with_gate)
{
  return host_load_arguments (STUB_MODULE, (const char *[]){ "STUB_LOG", fixture->log, "STUB_HANG",
                                                             hang, with_gate ? "STUB_GATE" : NULL,
                                                             fixture->gate, NULL });
}

void
host_load (HostClient *host, GVariant *arguments)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = host_call (host, "Load", arguments, NULL, &error);

  g_assert_no_error (error);
}

void
host_load_softhsm (HostClient *host, HostFixture *fixture)
{
  g_autofree char *configuration = softhsm_configuration (fixture->folder);

  host_load (host, host_load_arguments (SOFTHSM2,
                                        (const char *[]){ "SOFTHSM2_CONF", configuration, NULL }));
}

void
host_assert_answer (HostClient *host, const char *method, GVariant *arguments, TokendError expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = host_call (host, method, arguments, NULL, &error);

  g_assert_null (reply);
  g_assert_error (error, TOKEND_ERROR, (gint) expected);
}

GVariant *
host_read_one_token (HostClient *host)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = host_call (host, "Read", g_variant_new ("(b)", TRUE), NULL, &error);
  g_autoptr (GVariant) tokens = NULL;

  g_assert_no_error (error);
  tokens = g_variant_get_child_value (reply, 0);
  g_assert_cmpuint (g_variant_n_children (tokens), ==, 1);
  return g_variant_get_child_value (tokens, 0);
}

guint
host_flags_of (GVariant *reading)
{
  guint flags;

  g_assert_true (g_variant_lookup (reading, "flags", "u", &flags));
  return flags;
}

guint
host_read_flags (HostClient *host)
{
  g_autoptr (GVariant) reading = host_read_one_token (host);

  return host_flags_of (reading);
}

GVariant *
host_request_for (GVariant *reading, const char *operation)
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
  else
    g_variant_dict_insert (&dict, "login-first", "b", FALSE);
  g_variant_dict_insert (&dict, "wrong-code", "s", "pin-incorrect");
  g_variant_dict_insert (&dict, "code-minimum-length", "u", 4);
  g_variant_dict_insert (&dict, "code-maximum-length", "u", 255);
  g_variant_dict_insert (&dict, "new-pin-minimum-length", "u", 4);
  g_variant_dict_insert (&dict, "new-pin-maximum-length", "u", 8);
  g_variant_dict_insert (&dict, "new-pin-characters", "s", "digits");
  g_variant_dict_insert (&dict, "send-unusual-code", "b", FALSE);
  g_variant_dict_insert (&dict, "logout-closes", "b", FALSE);
  g_variant_dict_insert_value (&dict, "digest-key",
                               g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, key, sizeof key, 1));
  return g_variant_dict_end (&dict);
}

/* Closes the three descriptors. */
GVariant *
host_prepare (HostClient *host, GVariant *request, int code, int new_pin, int lock, GError **error)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new_from_array ((int[]){ code, new_pin, lock }, 3);

  return host_call (host, "Prepare", g_variant_new ("(@a{sv}hhh)", request, 0, 1, 2), fds, error);
}

/* Returns the reply to Prepare. */
GVariant *
host_prepare_with (HostClient *host, const char *operation, const char *code, const char *new_pin,
                   GError **error)
{
  g_autoptr (GVariant) reading = host_read_one_token (host);

  return host_prepare (host, host_request_for (reading, operation), pipe_with (code, strlen (code)),
                       pipe_with (new_pin, strlen (new_pin)), pipe_with ("", 0), error);
}

void
host_assert_prepares (HostClient *host, const char *operation, const char *code)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = host_prepare_with (host, operation, code, HOST_NEW_PIN, &error);

  g_assert_no_error (error);
}

/* Returns the outcome. */
GVariant *
host_assert_commits (HostClient *host, const char *expected, gboolean expected_sent,
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

void
host_commits (HostClient *host, const char *result, gboolean sent, const char *reason)
{
  g_variant_unref (host_assert_commits (host, result, sent, reason));
}

void
host_assert_leaves (HostClient *host, int expected_status)
{
  int status;

  g_assert_true (host_exits_within (host, HOST_PATIENCE, &status));
  g_assert_cmpint (status, ==, expected_status);
}
