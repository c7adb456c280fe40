/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "warnings.h"

#include <glib/gstdio.h>
#include <string.h>

#define WEEK TOKEND_NOTIFY_STAGE_WEEK
#define DAY TOKEND_NOTIFY_STAGE_DAY
#define BIT(stage) (1u << (stage))

typedef struct {
  char *home;
  char *folder;
  char *path;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->home = g_dir_make_tmp ("warnings-XXXXXX", NULL);
  fixture->folder = g_build_filename (fixture->home, "tokend-notify", NULL);
  fixture->path = g_build_filename (fixture->folder, "certificates", NULL);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_remove (fixture->path);
  g_remove (fixture->folder);
  g_remove (fixture->home);
  g_free (fixture->path);
  g_free (fixture->folder);
  g_free (fixture->home);
}

static void
assert_told (Fixture *fixture, const char *certificate, guint expected)
{
  g_autoptr (TokendNotifyWarnings) told = tokend_notify_warnings_new (fixture->path);

  g_assert_cmpuint (tokend_notify_warnings_get (told, certificate), ==, expected);
}

/* In the next session it is known; each certificate and stage for itself. */
static void
test_kept (Fixture *fixture, gconstpointer data)
{
  g_autoptr (TokendNotifyWarnings) told = tokend_notify_warnings_new (fixture->path);
  GStatBuf folder, file;

  g_assert_cmpuint (tokend_notify_warnings_get (told, "a1"), ==, 0);
  g_assert_false (g_file_test (fixture->folder, G_FILE_TEST_EXISTS));
  tokend_notify_warnings_add (told, "a1", WEEK);
  tokend_notify_warnings_add (told, "b2", TOKEND_NOTIFY_STAGE_ENDED);
  tokend_notify_warnings_add (told, "a1", DAY);
  tokend_notify_warnings_add (told, "a1", DAY);
  assert_told (fixture, "a1", BIT (WEEK) | BIT (DAY));
  assert_told (fixture, "b2", BIT (TOKEND_NOTIFY_STAGE_ENDED));
  assert_told (fixture, "c3", 0);

  g_assert_cmpint (g_stat (fixture->folder, &folder), ==, 0);
  g_assert_cmpint (g_stat (fixture->path, &file), ==, 0);
  g_assert_cmpuint (folder.st_mode & 07777, ==, 0700);
  g_assert_cmpuint (file.st_mode & 07777, ==, 0600);
}

/* Two sessions of one person at a time know of each other, and neither undoes what the other
 * wrote. */
static void
test_two_sessions (Fixture *fixture, gconstpointer data)
{
  g_autoptr (TokendNotifyWarnings) first = tokend_notify_warnings_new (fixture->path);
  g_autoptr (TokendNotifyWarnings) second = tokend_notify_warnings_new (fixture->path);

  tokend_notify_warnings_add (first, "a1", WEEK);
  g_assert_cmpuint (tokend_notify_warnings_get (second, "a1"), ==, BIT (WEEK));
  tokend_notify_warnings_add (second, "a1", DAY);
  tokend_notify_warnings_add (first, "b2", WEEK);
  assert_told (fixture, "a1", BIT (WEEK) | BIT (DAY));
  assert_told (fixture, "b2", BIT (WEEK));
}

/* What cannot be written is known for the session. */
static void
test_unwritable (Fixture *fixture, gconstpointer data)
{
  g_autoptr (TokendNotifyWarnings) told = tokend_notify_warnings_new (fixture->path);

  g_assert_true (g_file_set_contents (fixture->folder, "", 0, NULL)); /* it is in the way */
  tokend_notify_warnings_add (told, "a1", WEEK);
  g_assert_cmpuint (tokend_notify_warnings_get (told, "a1"), ==, BIT (WEEK));
  assert_told (fixture, "a1", 0);
}

/* The certificates told of last stay. */
static void
test_bounded (Fixture *fixture, gconstpointer data)
{
  g_autoptr (TokendNotifyWarnings) told = tokend_notify_warnings_new (fixture->path);

  for (guint i = 0; i < 64; i++) {
    g_autofree char *certificate = g_strdup_printf ("n%u", i);

    tokend_notify_warnings_add (told, certificate, WEEK);
  }
  assert_told (fixture, "n0", BIT (WEEK));
  tokend_notify_warnings_add (told, "n0", DAY);
  tokend_notify_warnings_add (told, "n64", WEEK);
  assert_told (fixture, "n0", BIT (WEEK) | BIT (DAY));
  assert_told (fixture, "n1", 0);
  assert_told (fixture, "n2", BIT (WEEK));
  assert_told (fixture, "n64", BIT (WEEK));
}

/* A file in which a certificate stands many times is none of ours either, and does not grow. */
static void
test_repeated (Fixture *fixture, gconstpointer data)
{
  g_autoptr (TokendNotifyWarnings) told = tokend_notify_warnings_new (fixture->path);
  g_autoptr (GString) text = g_string_new ("[Told]\n");
  g_autofree char *written = NULL;

  for (guint i = 0; i < 100; i++)
    g_string_append (text, "a1=7;\n");
  g_assert_cmpint (g_mkdir (fixture->folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (fixture->path, text->str, -1, NULL));
  tokend_notify_warnings_add (told, "b2", DAY);
  assert_told (fixture, "a1", BIT (WEEK));
  assert_told (fixture, "b2", BIT (DAY));
  g_assert_true (g_file_get_contents (fixture->path, &written, NULL, NULL));
  g_assert_cmpstr (written, ==, "[Told]\na1=7;\nb2=1;\n");
}

/* A file that is none of ours, or damaged, says nothing and is replaced. */
static void
test_damaged (Fixture *fixture, gconstpointer data)
{
  static const struct {
    const char *text;
    guint told;
  } rows[] = {
    { "", 0 },
    { "[Told", 0 },
    { "[Told]\na1=7;soon;", 0 },
    { "[Told]\na1=7;7;8;-1;", BIT (WEEK) },
    { "[Other]\na1=7;", 0 },
    { "\xff\xfe", 0 },
  };
  g_autofree char *long_text = g_strnfill (100000, '#');

  g_assert_cmpint (g_mkdir (fixture->folder, 0700), ==, 0);
  g_assert_true (g_file_set_contents (fixture->path, long_text, -1, NULL));
  assert_told (fixture, "a1", 0);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendNotifyWarnings) told = tokend_notify_warnings_new (fixture->path);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_true (g_file_set_contents (fixture->path, rows[i].text, -1, NULL));
    g_assert_cmpuint (tokend_notify_warnings_get (told, "a1"), ==, rows[i].told);
    tokend_notify_warnings_add (told, "a1", DAY);
    assert_told (fixture, "a1", rows[i].told | BIT (DAY));
  }
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *path;
    void (*test) (Fixture *fixture, gconstpointer data);
  } tests[] = {
    { "/notify/told/kept", test_kept },
    { "/notify/told/two-sessions", test_two_sessions },
    { "/notify/told/unwritable", test_unwritable },
    { "/notify/told/bounded", test_bounded },
    { "/notify/told/repeated", test_repeated },
    { "/notify/told/damaged", test_damaged },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
