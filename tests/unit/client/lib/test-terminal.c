/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define ROUNDS 10
/* Microseconds in which the other thread hides the typing again, if it can */
#define LATER (10 * 1000)

/* Instead of the C library's: whoever shows the typing takes long over what comes next. */
int
tcsetattr (int fd, int when, const struct termios *modes)
{
  static int (*real) (int, int, const struct termios *);
  int answer;

  if (real == NULL)
    real = (int (*) (int, int, const struct termios *)) dlsym (RTLD_NEXT, "tcsetattr");
  answer = real (fd, when, modes);
  if ((modes->c_lflag & ECHO) != 0)
    usleep (LATER);
  return answer;
}

/* As the polkit agent's thread does, whose helper the same Ctrl-C has ended. */
static gpointer
hide_always (gpointer terminal)
{
  while (TRUE)
    tokenctl_terminal_hide_typing (terminal);
  return NULL;
}

/* In a process of its own: sits at a terminal until it is interrupted. */
static void
sit_at (int keyboard)
{
  TokenctlTerminal *terminal;
  int fd;

  setsid ();
  fd = open (ptsname (keyboard), O_RDWR | O_NOCTTY);
  ioctl (fd, TIOCSCTTY, 0);
  close (keyboard);
  signal (SIGINT, SIG_DFL);
  terminal = tokenctl_terminal_open ();
  tokenctl_terminal_set_last_words (terminal, "The end.");
  tokenctl_terminal_hide_typing (terminal);
  g_thread_unref (g_thread_new ("hide", hide_always, terminal));
  while (TRUE)
    pause ();
}

static gboolean
is_echoing (int fd)
{
  struct termios modes;

  g_assert_cmpint (tcgetattr (fd, &modes), ==, 0);
  return (modes.c_lflag & ECHO) != 0;
}

/* The other end of the terminal stays open: without one the modes are told no more. */
static void
interrupt_once (void)
{
  int keyboard = posix_openpt (O_RDWR | O_NOCTTY);
  int screen;
  int status;
  pid_t child;

  g_assert_cmpint (keyboard, >=, 0);
  g_assert_cmpint (grantpt (keyboard) + unlockpt (keyboard), ==, 0);
  screen = open (ptsname (keyboard), O_RDWR | O_NOCTTY);
  child = fork ();
  if (child == 0)
    sit_at (keyboard);
  while (is_echoing (screen))
    g_usleep (1000);
  /* Not typed: of what the thread throws away that could be a part. */
  g_assert_cmpint (kill (child, SIGINT), ==, 0);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_true (WIFSIGNALED (status));
  g_assert_cmpint (WTERMSIG (status), ==, SIGINT);
  g_assert_true (is_echoing (screen));
  close (screen);
  close (keyboard);
}

/* Whatever another thread does with the terminal, it shows what is typed once the program is
 * gone. */
static void
test_interrupted_while_a_thread_hides (void)
{
  for (guint i = 0; i < ROUNDS; i++)
    interrupt_once ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/terminal/interrupted-while-a-thread-hides",
                   test_interrupted_while_a_thread_hides);
  return g_test_run ();
}
