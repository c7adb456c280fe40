/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What there is to be reached: each socket that takes a connection, each device that opens, each
 * folder, FIFO and file that can be written. Nothing is written, and nothing sent. */
#include "reach.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define DEPTH_MAX 32

static int
can_connect (const struct sockaddr_un *address, socklen_t size)
{
  static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
  int connected = 0;

  for (size_t i = 0; i < sizeof types / sizeof *types && !connected; i++) {
    int fd = socket (AF_UNIX, types[i] | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    /* Whose queue is full would take it later. */
    connected =
        fd >= 0 && (connect (fd, (const struct sockaddr *) address, size) == 0 || errno == EAGAIN);
    if (fd >= 0)
      close (fd);
  }
  return connected;
}

static void
try_socket (FILE *report, const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (strlen (path) >= sizeof address.sun_path)
    return;
  strcpy (address.sun_path, path);
  if (can_connect (&address, sizeof address))
    fprintf (report, "socket %s\n", path);
}

static void
try_abstract_socket (FILE *report, const char *name)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  const size_t length = strlen (name);

  if (length >= sizeof address.sun_path)
    return;
  /* The first byte is 0; the kernel shows it as "@". */
  memcpy (address.sun_path + 1, name + 1, length - 1);
  if (can_connect (&address, offsetof (struct sockaddr_un, sun_path) + length))
    fprintf (report, "socket %s\n", name);
}

/* They are in no folder. */
static void
try_abstract_sockets (FILE *report)
{
  FILE *sockets = fopen ("/proc/self/net/unix", "re");
  char line[512];

  while (sockets != NULL && fgets (line, sizeof line, sockets) != NULL) {
    char *name = strstr (line, " @");

    line[strcspn (line, "\n")] = '\0';
    if (name != NULL)
      try_abstract_socket (report, name + 1);
  }
  if (sockets != NULL)
    fclose (sockets);
}

static void
try_device (FILE *report, const char *path)
{
  int fd = open (path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

  /* Where there is no driver now, there may be one later. */
  if (fd < 0 && errno != ENODEV)
    return;
  if (fd >= 0)
    close (fd);
  fprintf (report, "device %s\n", path);
}

static int
can_write (const char *path)
{
  return faccessat (AT_FDCWD, path, W_OK, AT_EACCESS) == 0;
}

static const char *
name_kind (mode_t mode)
{
  if (S_ISDIR (mode))
    return "folder";
  return S_ISFIFO (mode) ? "fifo" : "file";
}

static void walk (FILE *report, const char *folder, int depth);

static void
try_entry (FILE *report, const char *path, int depth)
{
  struct stat entry;

  if (lstat (path, &entry) != 0)
    return;
  if (S_ISSOCK (entry.st_mode))
    try_socket (report, path);
  else if (S_ISCHR (entry.st_mode) || S_ISBLK (entry.st_mode))
    try_device (report, path);
  else if (!S_ISLNK (entry.st_mode) && can_write (path))
    fprintf (report, "%s %s\n", name_kind (entry.st_mode), path);
  if (S_ISDIR (entry.st_mode) && depth < DEPTH_MAX)
    walk (report, path, depth + 1);
}

/* The kernel's own files have other tests, and no end. */
static int
is_kernels (const char *path)
{
  return strcmp (path, "/proc") == 0 || strcmp (path, "/sys") == 0;
}

static void
walk (FILE *report, const char *folder, int depth)
{
  DIR *entries = opendir (*folder != '\0' ? folder : "/");
  const struct dirent *entry;

  while (entries != NULL && (entry = readdir (entries)) != NULL) {
    char path[PATH_MAX];

    if (strcmp (entry->d_name, ".") == 0 || strcmp (entry->d_name, "..") == 0)
      continue;
    snprintf (path, sizeof path, "%s/%s", folder, entry->d_name);
    if (!is_kernels (path))
      try_entry (report, path, depth);
  }
  if (entries != NULL)
    closedir (entries);
}

/**
 * hostile_reach:
 * @report: gets a line for each thing that can be reached: "socket", "device", "folder", "fifo" or
 *   "file", a blank, and its path; of an abstract socket its name, with "@" before it
 */
void
hostile_reach (FILE *report)
{
  walk (report, "", 0);
  try_abstract_sockets (report);
}
