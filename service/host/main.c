/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "host.h"
#include "process.h"
#include "reader-host.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* The user of tokend, and the only one that a host serves. */
#define PEER "tokend"

static gboolean
parse_arguments (int argc, char **argv, TokendHostMode *mode)
{
  if (argc != 2)
    return FALSE;

  *mode = strcmp (argv[1], "--operate") == 0 ? TOKEND_HOST_OPERATE : TOKEND_HOST_WATCH;
  return *mode == TOKEND_HOST_OPERATE || strcmp (argv[1], "--watch") == 0;
}

int
main (int argc, char **argv)
{
  TokendHostMode mode;
  const struct passwd *peer;
  int socket;

  if (argc == 2 && strcmp (argv[1], "--read") == 0)
    tokend_reader_host_run (tokend_process_seal ());
  if (!parse_arguments (argc, argv, &mode)) {
    fputs ("tokend-module is started by its socket units, as tokend-module --watch or --operate, "
           "with a connection of tokend as its standard input.\n",
           stderr);
    return EX_USAGE;
  }

  socket = tokend_process_seal ();
  if (socket < 0)
    return EX_OSERR;
  peer = getpwnam (PEER);
  if (peer == NULL)
    return EX_NOUSER;

  tokend_host_run (socket, mode, peer->pw_uid);
}
