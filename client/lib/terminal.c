/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gi18n.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include "exit-code.h"

struct _TokenctlTerminal {
  int fd;
  int interrupt_fd; /* while Ctrl-C is caught */
};

/* The terminal's modes when it was opened, for the signal handler. */
static int saved_fd = -1;
static struct termios saved_modes;
static const char *volatile last_words;
static volatile sig_atomic_t was_asked;
static volatile sig_atomic_t interrupt_fd = -1;

/* Held while the modes change. Whoever ends the program keeps it, so that nobody hides the typing
 * afterwards. */
static atomic_flag modes_lock = ATOMIC_FLAG_INIT;

static const int deadly_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static struct sigaction old_actions[G_N_ELEMENTS (deadly_signals)];

static void
write_all (int fd, const char *text)
{
  gsize left = strlen (text);

  while (left > 0) {
    gssize n = write (fd, text, left);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;
    text += n;
    left -= n;
  }
}

static void
add_deadly_signals (sigset_t *set)
{
  sigemptyset (set);
  for (gsize i = 0; i < G_N_ELEMENTS (deadly_signals); i++)
    sigaddset (set, deadly_signals[i]);
}

static void
lock_modes (void)
{
  while (atomic_flag_test_and_set (&modes_lock))
    sched_yield ();
}

static void
change_modes (int fd, const struct termios *modes, gboolean forget_typed)
{
  if (forget_typed)
    tcflush (fd, TCIFLUSH);
  tcsetattr (fd, TCSANOW, modes);
}

/* Blocks signals: their handler waits for the lock, which this thread holds. */
static void
set_modes (int fd, const struct termios *modes, gboolean forget_typed)
{
  sigset_t deadly;
  sigset_t before;

  add_deadly_signals (&deadly);
  pthread_sigmask (SIG_BLOCK, &deadly, &before);
  lock_modes ();
  change_modes (fd, modes, forget_typed);
  atomic_flag_clear (&modes_lock);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
}

static void restore_and_die (int signal_number);

static void catch (int signal_number, struct sigaction *old)
{
  struct sigaction action = { .sa_handler = restore_and_die, .sa_flags = (int) SA_RESETHAND };

  add_deadly_signals (&action.sa_mask);
  sigaction (signal_number, &action, old);
}

/* Returns: whether somebody waits for Ctrl-C, and decides what to do. */
static gboolean
tell_of_interrupt (void)
{
  const guint64 one = 1;
  const int fd = interrupt_fd;

  interrupt_fd = -1;
  if (fd < 0 || write (fd, &one, sizeof one) != sizeof one)
    return FALSE;
  catch (SIGINT, NULL);
  return TRUE;
}

/* Restores the terminal, even if the polkit agent has the echo off: its thread goes on, and its
 * helper, which the same Ctrl-C ends, makes it hide the typing again. Then lets the signal take
 * effect. */
static void
restore_and_die (int signal_number)
{
  const char *words = last_words;

  if (signal_number == SIGINT && tell_of_interrupt ())
    return;
  lock_modes ();
  if (saved_fd >= 0)
    change_modes (saved_fd, &saved_modes, was_asked);
  if (saved_fd >= 0 && words != NULL) {
    /* A stopped terminal must not hold up the end. */
    fcntl (saved_fd, F_SETFL, O_RDWR | O_NONBLOCK);
    write_all (saved_fd, "\n");
    write_all (saved_fd, words);
    write_all (saved_fd, "\n");
  }
  raise (signal_number);
}

/**
 * tokenctl_terminal_open:
 *
 * Makes a signal that ends the program restore the terminal first, until it is closed.
 *
 * Returns: (transfer full) (nullable): the controlling terminal; %NULL if there is none, or if this
 *   program is in its background
 */
TokenctlTerminal *
tokenctl_terminal_open (void)
{
  int fd = open ("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  TokenctlTerminal *terminal;

  if (fd < 0)
    return NULL;
  if (tcgetpgrp (fd) != getpgrp () || tcgetattr (fd, &saved_modes) != 0) {
    close (fd);
    return NULL;
  }

  terminal = g_new0 (TokenctlTerminal, 1);
  terminal->fd = fd;
  saved_fd = fd;
  for (gsize i = 0; i < G_N_ELEMENTS (deadly_signals); i++) {
    sigaction (deadly_signals[i], NULL, &old_actions[i]);
    if (old_actions[i].sa_handler != SIG_IGN)
      catch (deadly_signals[i], NULL);
  }
  return terminal;
}

/**
 * tokenctl_terminal_leave:
 *
 * Restores the terminal, and frees nothing that another thread may use. Drops what was typed for a
 * prompt that is gone, so that the shell does not get it.
 */
void
tokenctl_terminal_leave (TokenctlTerminal *terminal)
{
  set_modes (terminal->fd, &saved_modes, was_asked);
  for (gsize i = 0; i < G_N_ELEMENTS (deadly_signals); i++)
    sigaction (deadly_signals[i], &old_actions[i], NULL);
  saved_fd = -1;
  last_words = NULL;
  was_asked = FALSE;
}

void
tokenctl_terminal_close (TokenctlTerminal *terminal)
{
  tokenctl_terminal_leave (terminal);
  close (terminal->fd);
  g_free (terminal);
}

int
tokenctl_terminal_get_fd (TokenctlTerminal *terminal)
{
  return terminal->fd;
}

/**
 * tokenctl_terminal_hide_typing:
 *
 * Hides what is typed until tokenctl_terminal_show_typing(). Turns suspending off, because a shell
 * that takes over shows it. Drops what was typed before. Call this before the prompt is written, so
 * that somebody who types at once neither sees nor loses it.
 */
void
tokenctl_terminal_hide_typing (TokenctlTerminal *terminal)
{
  struct termios silent = saved_modes;

  silent.c_lflag &= ~(tcflag_t) (ECHO | ECHOE | ECHOK | ECHONL);
  silent.c_lflag |= ICANON | ISIG;
  silent.c_cc[VSUSP] = _POSIX_VDISABLE;
  was_asked = TRUE;
  set_modes (terminal->fd, &silent, TRUE);
}

/**
 * tokenctl_terminal_show_typing:
 *
 * Restores the modes, and drops what was typed before.
 */
void
tokenctl_terminal_show_typing (TokenctlTerminal *terminal)
{
  was_asked = TRUE;
  set_modes (terminal->fd, &saved_modes, TRUE);
}

/**
 * tokenctl_terminal_write:
 * @text: printable text
 *
 * Writes @text without a line end.
 */
void
tokenctl_terminal_write (TokenctlTerminal *terminal, const char *text)
{
  write_all (terminal->fd, text);
}

/**
 * tokenctl_terminal_say:
 * @text: printable text, without a line end
 *
 * Writes @text as a line.
 */
void
tokenctl_terminal_say (TokenctlTerminal *terminal, const char *text)
{
  write_all (terminal->fd, text);
  write_all (terminal->fd, "\n");
}

/**
 * tokenctl_terminal_set_last_words:
 * @words: (transfer none) (nullable): printable text without a line end, which lasts as long as the
 *   program
 *
 * Sets what the person is told if a signal ends the program.
 */
void
tokenctl_terminal_set_last_words (TokenctlTerminal *terminal, const char *words)
{
  last_words = words;
}

/**
 * tokenctl_terminal_catch_interrupt:
 *
 * Catches the next Ctrl-C; another one ends the program.
 *
 * Returns: a descriptor that it makes readable; tokenctl_terminal_release_interrupt() closes it
 */
int
tokenctl_terminal_catch_interrupt (TokenctlTerminal *terminal)
{
  terminal->interrupt_fd = eventfd (0, EFD_CLOEXEC);
  interrupt_fd = terminal->interrupt_fd;
  return terminal->interrupt_fd;
}

/**
 * tokenctl_terminal_release_interrupt:
 *
 * Lets Ctrl-C end the program again.
 */
void
tokenctl_terminal_release_interrupt (TokenctlTerminal *terminal)
{
  interrupt_fd = -1;
  close (terminal->interrupt_fd);
}

static gboolean
set_cancelled (GError **error)
{
  g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                       _ ("Cancelled. Nothing was sent to the token."));
  return FALSE;
}

/* Reads one line. Drops what does not fit, which the length shows. */
static gboolean
read_line (int fd, char *bytes, gsize room, gsize *length, GError **error)
{
  gsize used = 0;
  char spill[64];
  gboolean ended = FALSE;

  while (!ended) {
    gboolean full = used == room;
    gssize n = full ? read (fd, spill, sizeof spill) : read (fd, bytes + used, room - used);
    const char *got = full ? spill : bytes + used;

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;

    if (!full)
      used += n;
    ended = got[n - 1] == '\n';
  }
  explicit_bzero (spill, sizeof spill);
  if (!ended)
    return set_cancelled (error);
  *length = tokenctl_code_without_newline (bytes, used);
  return TRUE;
}

/**
 * tokenctl_terminal_ask_code:
 * @prompt: what to ask
 * @code: gets the code
 * @error: cancelled
 *
 * Asks for a code without showing it.
 *
 * Returns: whether a line was typed
 */
gboolean
tokenctl_terminal_ask_code (TokenctlTerminal *terminal, const char *prompt, TokenctlCode *code,
                            GError **error)
{
  gsize length = 0;
  gboolean answered;

  tokenctl_terminal_hide_typing (terminal);
  write_all (terminal->fd, prompt);
  answered =
      read_line (terminal->fd, tokenctl_code_bytes (code), TOKENCTL_CODE_ROOM, &length, error);
  tokenctl_terminal_show_typing (terminal);
  write_all (terminal->fd, "\n");

  tokenctl_code_set_length (code, answered ? length : 0);
  return answered;
}

/**
 * tokenctl_terminal_ask_line:
 * @prompt: what to ask
 * @error: cancelled
 *
 * Returns: (transfer full): the line that was typed, or %NULL
 */
char *
tokenctl_terminal_ask_line (TokenctlTerminal *terminal, const char *prompt, GError **error)
{
  char line[1024];
  gsize length;

  tokenctl_terminal_show_typing (terminal);
  write_all (terminal->fd, prompt);
  if (!read_line (terminal->fd, line, sizeof line, &length, error)) {
    write_all (terminal->fd, "\n"); /* which Ctrl-D does not show */
    return NULL;
  }
  return g_strndup (line, length);
}
