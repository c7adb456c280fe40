/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "code.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "exit-code.h"

struct _TokenctlCode {
  gsize length;
  char bytes[TOKENCTL_CODE_ROOM + 1]; /* always ends with a NUL */
};

/* A pipe takes it in one write, whole or not at all. */
G_STATIC_ASSERT (TOKENCTL_CODE_ROOM < PIPE_BUF);

static void
set_errno_error (GError **error, const char *what)
{
  g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_FAILED, "%s: %s", what, g_strerror (errno));
}

/**
 * tokenctl_code_harden_process:
 *
 * Prevents core files, and keeps others of the same user from looking into this process,
 * /proc/PID/fd included.
 *
 * Returns: whether that worked
 */
gboolean
tokenctl_code_harden_process (GError **error)
{
  const struct rlimit none = { 0, 0 };

  if (prctl (PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || setrlimit (RLIMIT_CORE, &none) != 0) {
    set_errno_error (error, _ ("Cannot protect the codes from other programs"));
    return FALSE;
  }
  return TRUE;
}

/**
 * tokenctl_code_new:
 *
 * Returns: (transfer full): room for a code, or %NULL if its memory cannot be protected
 */
TokenctlCode *
tokenctl_code_new (GError **error)
{
  void *memory = mmap (NULL, sizeof (TokenctlCode), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (memory == MAP_FAILED) {
    set_errno_error (error, _ ("Cannot protect the codes from other programs"));
    return NULL;
  }
  if (mlock (memory, sizeof (TokenctlCode)) != 0
      || madvise (memory, sizeof (TokenctlCode), MADV_DONTDUMP) != 0
      || madvise (memory, sizeof (TokenctlCode), MADV_WIPEONFORK) != 0) {
    set_errno_error (error, _ ("Cannot protect the codes from other programs"));
    munmap (memory, sizeof (TokenctlCode));
    return NULL;
  }
  return memory;
}

void
tokenctl_code_free (TokenctlCode *code)
{
  explicit_bzero (code, sizeof *code);
  munmap (code, sizeof *code);
}

/**
 * tokenctl_code_bytes:
 *
 * Returns: (transfer none): its #TOKENCTL_CODE_ROOM bytes, with a NUL after those in use
 */
char *
tokenctl_code_bytes (TokenctlCode *code)
{
  return code->bytes;
}

gsize
tokenctl_code_length (const TokenctlCode *code)
{
  return code->length;
}

/**
 * tokenctl_code_set_length:
 * @length: how many of its bytes are in use, up to #TOKENCTL_CODE_ROOM
 *
 * Wipes the others.
 */
void
tokenctl_code_set_length (TokenctlCode *code, gsize length)
{
  g_return_if_fail (length <= TOKENCTL_CODE_ROOM);

  code->length = length;
  explicit_bzero (code->bytes + length, sizeof code->bytes - length);
}

gboolean
tokenctl_code_equal (TokenctlCode *a, TokenctlCode *b)
{
  return a->length == b->length && memcmp (a->bytes, b->bytes, a->length) == 0;
}

/**
 * tokenctl_code_as_seen:
 * @code: a code of valid UTF-8
 *
 * Returns: (transfer full): @code without blanks and invisible characters
 */
TokenctlCode *
tokenctl_code_as_seen (TokenctlCode *code, GError **error)
{
  TokenctlCode *seen = tokenctl_code_new (error);

  if (seen == NULL)
    return NULL;
  for (const char *p = code->bytes; *p != '\0'; p = g_utf8_next_char (p)) {
    const gsize size = (gsize) (g_utf8_next_char (p) - p);

    if (!tokend_code_is_seen (g_utf8_get_char (p)))
      continue;
    memcpy (seen->bytes + seen->length, p, size);
    seen->length += size;
  }
  return seen;
}

TokendCodeResult
tokenctl_code_validate (const TokenctlCode *code, TokendCodeKind kind)
{
  return tokend_code_validate (code->bytes, code->length, kind);
}

TokendCodeResult
tokenctl_code_validate_by_rules (const TokenctlCode *code, const TokendCodeRules *rules)
{
  return tokend_code_validate_by_rules (code->bytes, code->length, rules);
}

/**
 * tokenctl_code_without_newline:
 * @bytes: what was read
 * @length: how much
 *
 * Returns: @length without one trailing newline, if there is one
 */
gsize
tokenctl_code_without_newline (const char *bytes, gsize length)
{
  return length > 0 && bytes[length - 1] == '\n' ? length - 1 : length;
}

/**
 * tokenctl_code_read:
 * @code: gets the code
 * @fd: a readable descriptor
 *
 * Reads to the end, but at most #TOKENCTL_CODE_ROOM bytes, so that the length shows a code that is
 * too long. Removes one trailing newline.
 *
 * Returns: whether it could be read
 */
gboolean
tokenctl_code_read (TokenctlCode *code, int fd, GError **error)
{
  gsize length = 0;

  while (length < TOKENCTL_CODE_ROOM) {
    gssize n = read (fd, code->bytes + length, TOKENCTL_CODE_ROOM - length);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      g_set_error_literal (error, G_IO_ERROR, g_io_error_from_errno (errno), g_strerror (errno));
      return FALSE;
    }
    if (n == 0)
      break;
    length += n;
  }
  tokenctl_code_set_length (code, tokenctl_code_without_newline (code->bytes, length));
  return TRUE;
}

static gssize
write_without_signal (int fd, const char *bytes, gsize length)
{
  const struct sigaction ignore = { .sa_handler = SIG_IGN };
  struct sigaction old;
  gssize n;
  int code;

  sigaction (SIGPIPE, &ignore, &old);
  n = write (fd, bytes, length);
  code = errno;
  sigaction (SIGPIPE, &old, NULL);
  errno = code;
  return n;
}

/**
 * tokenctl_code_write:
 * @fd: a pipe of the service's
 * @is_closed: (inout): set if its reader has closed it, so that nobody can take the code
 *
 * Hands @code over.
 *
 * Returns: whether there was no other error
 */
gboolean
tokenctl_code_write (TokenctlCode *code, int fd, gboolean *is_closed, GError **error)
{
  gssize n = write_without_signal (fd, code->bytes, code->length);

  if (n == (gssize) code->length)
    return TRUE;
  if (n < 0 && errno == EPIPE) {
    *is_closed = TRUE;
    return TRUE;
  }
  set_errno_error (error, _ ("Cannot write to a pipe"));
  return FALSE;
}
