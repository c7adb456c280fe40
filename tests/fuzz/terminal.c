/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PROMPT "PUK: "
/* Below what a terminal's line holds. */
#define TYPED_MAX 1024
/* Control and V. */
#define QUOTE 0x16

static int keyboard;

/* Whoever loses the terminal is told so. */
int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  setsid ();
  signal (SIGHUP, SIG_IGN);
  return 0;
}

/* A terminal of our own to sit at, another one for each input: main.py starts this in a session
 * without one. */
static int
sit_down (void)
{
  int terminal;

  keyboard = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  g_assert_cmpint (keyboard, >=, 0);
  g_assert_cmpint (grantpt (keyboard), ==, 0);
  g_assert_cmpint (unlockpt (keyboard), ==, 0);
  terminal = open (ptsname (keyboard), O_RDWR | O_NOCTTY | O_CLOEXEC);
  g_assert_cmpint (terminal, >=, 0);
  g_assert_cmpint (ioctl (terminal, TIOCSCTTY, 0), ==, 0);
  return terminal;
}

/* Waits for the prompt: what is typed before it is thrown away. */
static gpointer
type (gpointer typed)
{
  GString *seen = g_string_new (NULL);
  GBytes *bytes = typed;
  char shown[256];

  while (strstr (seen->str, PROMPT) == NULL) {
    gssize n = read (keyboard, shown, sizeof shown);

    g_assert_cmpint (n, >, 0);
    g_string_append_len (seen, shown, n);
  }
  g_string_free (seen, TRUE);
  g_assert_cmpint (write (keyboard, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes)), ==,
                   (gssize) g_bytes_get_size (bytes));
  return NULL;
}

/* Not the keys that the kernel itself acts on: those that end or stop the program, and those that
 * stop its output. The one that takes the next key as it is must not come last, before the Enter
 * that ends the line. */
static GBytes *
make_typed (const guint8 *data, gsize size, gboolean *is_plain)
{
  static const char keys[] = { 0x03, 0x1c, 0x1a, 0x13, 0x11 };
  GByteArray *typed = g_byte_array_new ();

  *is_plain = TRUE;
  for (gsize i = 0; i < MIN (size, TYPED_MAX); i++) {
    const gboolean is_last = i + 1 == MIN (size, TYPED_MAX);
    guint8 byte = data[i];

    if (memchr (keys, byte, sizeof keys) != NULL || (is_last && byte == QUOTE))
      byte = 'x';
    *is_plain = *is_plain && byte >= 0x20 && byte < 0x7f;
    g_byte_array_append (typed, &byte, 1);
  }
  g_byte_array_append (typed, (const guint8 *) "\n", 1);
  return g_byte_array_free_to_bytes (typed);
}

static void
ask_code (TokenctlTerminal *terminal, GBytes *typed, gboolean is_plain)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokenctlCode) code = tokenctl_code_new (&error);
  const gsize size = g_bytes_get_size (typed) - 1;
  gboolean answered;

  g_assert_no_error (error);
  answered = tokenctl_terminal_ask_code (terminal, PROMPT, code, &error);
  g_assert_true (answered == (error == NULL));
  g_assert_cmpuint (tokenctl_code_length (code), <=, answered ? TOKENCTL_CODE_ROOM : 0);
  g_assert_cmpint (tokenctl_code_bytes (code)[tokenctl_code_length (code)], ==, '\0');
  if (is_plain) {
    g_assert_true (answered);
    g_assert_cmpmem (tokenctl_code_bytes (code), tokenctl_code_length (code),
                     g_bytes_get_data (typed, NULL), MIN (size, TOKENCTL_CODE_ROOM));
  }
}

static void
ask_line (TokenctlTerminal *terminal, GBytes *typed, gboolean is_plain)
{
  g_autofree char *line = tokenctl_terminal_ask_line (terminal, PROMPT, NULL);

  if (is_plain)
    g_assert_cmpmem (line, strlen (line), g_bytes_get_data (typed, NULL),
                     g_bytes_get_size (typed) - 1);
}

/* What a person types when a code is asked for, or a line. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const gboolean is_line = fuzz_take_flag (&input);
  gboolean is_plain;
  g_autoptr (GBytes) typed = make_typed (input.data, input.size, &is_plain);
  TokenctlTerminal *terminal;
  const int fd = sit_down ();
  GThread *person;

  terminal = tokenctl_terminal_open ();
  g_assert_nonnull (terminal);
  person = g_thread_new ("person", type, typed);
  if (is_line)
    ask_line (terminal, typed, is_plain);
  else
    ask_code (terminal, typed, is_plain);
  g_thread_join (person);
  tokenctl_terminal_close (terminal);
  close (fd);
  close (keyboard);
  return 0;
}
