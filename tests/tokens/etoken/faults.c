/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a test tells the token to do wrong, and what the token tells the test. */
#include "etoken.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* How often a paused call looks whether it may go on, in microseconds. */
#define PAUSE_POLL_INTERVAL 2000

/**
 * etoken_record:
 *
 * Appends a line to the record of calls. Never an argument: they hold codes.
 */
void
etoken_record (EtokenFunction function, const char *result)
{
  g_autofree char *path = etoken_file ("calls");
  g_autofree char *line = g_strdup_printf ("%d %u %s %s\n", (int) getpid (), (guint) getuid (),
                                           etoken_function_name (function), result);
  int fd = open (path, O_WRONLY | O_APPEND | O_CLOEXEC);

  if (fd < 0)
    return;
  if (write (fd, line, strlen (line)) < 0)
    abort ();
  close (fd);
}

/* What this process is to tokend: "watch", "operate", or something else. */
static const char *
own_kind (void)
{
  static const char *kind;

  if (g_once_init_enter (&kind)) {
    g_autofree char *arguments = NULL;
    const char *found = "other";
    gsize length = 0;

    if (g_file_get_contents ("/proc/self/cmdline", &arguments, &length, NULL)
        && memmem (arguments, length, "--watch", sizeof "--watch") != NULL)
      found = "watch";
    else if (arguments != NULL
             && memmem (arguments, length, "--operate", sizeof "--operate") != NULL)
      found = "operate";
    g_once_init_leave (&kind, found);
  }
  return kind;
}

/* The words of a fault that concerns this process; NULL if it does not. */
static GStrv
parse_fault (const char *line)
{
  g_auto (GStrv) given = g_strsplit (line, " ", -1);
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  for (char **word = given; *word != NULL; word++) {
    gboolean is_kind = g_str_equal (*word, "watch") || g_str_equal (*word, "operate");

    if (is_kind && !g_str_equal (*word, own_kind ()))
      return NULL;
    if (!is_kind)
      g_strv_builder_add (words, *word);
  }
  return g_strv_builder_end (words);
}

/* The lines of the file of faults as they are now, each as words. */
static GPtrArray *
read_faults (void)
{
  g_autofree char *path = etoken_file ("fault");
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  GPtrArray *faults = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return faults;
  lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != NULL; line++) {
    GStrv words = *g_strstrip (*line) != '\0' ? parse_fault (*line) : NULL;

    if (words != NULL)
      g_ptr_array_add (faults, words);
  }
  return faults;
}

/**
 * etoken_fault:
 * @name: a fault without arguments: "vanish".
 */
gboolean
etoken_fault (const char *name)
{
  g_autoptr (GPtrArray) faults = read_faults ();

  for (guint i = 0; i < faults->len; i++) {
    GStrv words = faults->pdata[i];
    if (g_str_equal (words[0], name))
      return TRUE;
  }
  return FALSE;
}

static void
hang (EtokenFunction function)
{
  etoken_record (function, "HANG");
  for (;;)
    pause ();
}

static void
crash (EtokenFunction function)
{
  etoken_record (function, "CRASH");
  signal (SIGSEGV, SIG_DFL);
  raise (SIGSEGV);
}

/* A process that outlives this one, and whoever asks it to end */
static void
leave_child (void)
{
  if (fork () != 0)
    return;
  signal (SIGTERM, SIG_IGN);
  for (;;)
    pause ();
}

/* KIND FUNCTION [N|*] …: whether it speaks of the @n-th call of @function. */
static gboolean
is_meant (GStrv words, EtokenFunction function, guint n)
{
  if (g_strcmp0 (words[1], etoken_function_name (function)) != 0)
    return FALSE;
  return words[2] == NULL || !g_ascii_isdigit (*words[2]) || strtoul (words[2], NULL, 10) == n;
}

/* "after" as the last word: once the call has had its effect. */
static gboolean
is_after (GStrv words)
{
  return g_str_equal (words[g_strv_length (words) - 1], "after");
}

static gboolean
is_paused (EtokenFunction function, guint n, gboolean after)
{
  g_autoptr (GPtrArray) faults = read_faults ();

  for (guint i = 0; i < faults->len; i++) {
    GStrv words = faults->pdata[i];
    if (g_str_equal (words[0], "pause") && is_after (words) == after
        && is_meant (words, function, n))
      return TRUE;
  }
  return FALSE;
}

static void
pause_while_told (EtokenFunction function, guint n, gboolean after)
{
  g_autofree char *marker = NULL;
  g_autofree char *text = NULL;

  if (!is_paused (function, n, after))
    return;
  marker = etoken_file ("paused");
  text = g_strdup_printf ("%d %s\n", (int) getpid (), etoken_function_name (function));
  g_file_set_contents (marker, text, -1, NULL);
  while (is_paused (function, n, after))
    g_usleep (PAUSE_POLL_INTERVAL);
  unlink (marker);
}

/* Pulls the token out: from now on, and for every process, there is the fault "vanish". */
static void
remove_token (void)
{
  g_autofree char *path = etoken_file ("fault");
  g_autofree char *text = NULL;
  g_autofree char *vanished = NULL;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return;
  vanished = g_strconcat (text, "vanish\n", NULL);
  g_file_set_contents (path, vanished, -1, NULL);
}

static gboolean
apply_faults (EtokenFunction function, guint n, gboolean after, CK_RV *result)
{
  g_autoptr (GPtrArray) faults = read_faults ();

  for (guint i = 0; i < faults->len; i++) {
    GStrv words = faults->pdata[i];

    if (g_str_equal (words[0], "hang-on-load") && function == ETOKEN_C_Initialize && !after)
      hang (function);
    if (is_after (words) != after || words[1] == NULL)
      continue;
    if (g_str_equal (words[0], "delay") && g_str_equal (words[1], etoken_function_name (function))
        && words[2] != NULL)
      g_usleep (strtoul (words[2], NULL, 10) * 1000);
    else if (!is_meant (words, function, n))
      continue;
    else if (g_str_equal (words[0], "hang"))
      hang (function);
    else if (g_str_equal (words[0], "crash"))
      crash (function);
    else if (g_str_equal (words[0], "child"))
      leave_child ();
    else if (g_str_equal (words[0], "remove")) {
      remove_token ();
      *result = after ? CKR_DEVICE_REMOVED : CKR_OK;
      return after;
    } else if (g_str_equal (words[0], "error") && words[2] != NULL && words[3] != NULL) {
      *result = etoken_result_from_name (words[3]);
      return TRUE;
    }
  }
  return FALSE;
}

/**
 * etoken_fault_before:
 * @n: which call of @function in this process it is, from 1.
 * @result: (out): what to answer.
 *
 * Pauses, waits, hangs or crashes as told.
 * Returns: whether the call is to answer @result, without any effect.
 */
gboolean
etoken_fault_before (EtokenFunction function, guint n, CK_RV *result)
{
  pause_while_told (function, n, FALSE);
  return apply_faults (function, n, FALSE, result);
}

/**
 * etoken_fault_after:
 *
 * The same for a call that has had its effect.
 */
gboolean
etoken_fault_after (EtokenFunction function, guint n, CK_RV *result)
{
  pause_while_told (function, n, TRUE);
  return apply_faults (function, n, TRUE, result);
}

/**
 * etoken_fault_garbage:
 * @n: which call of @function in this process it is, from 1.
 *
 * Returns: (transfer full) (nullable): the kind of garbage that the call is to answer.
 */
char *
etoken_fault_garbage (EtokenFunction function, guint n)
{
  g_autoptr (GPtrArray) faults = read_faults ();

  for (guint i = 0; i < faults->len; i++) {
    GStrv words = faults->pdata[i];

    if (g_str_equal (words[0], "garbage") && is_meant (words, function, n) && words[2] != NULL)
      return g_strdup (words[3]);
  }
  return NULL;
}
