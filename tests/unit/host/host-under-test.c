/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * tokend-module for the tests: the same but for the peer, which is the user with the number in the
 * second argument. With a third argument reading from a FIFO blocks: as it happens when somebody
 * else takes what poll() has just seen.
 */
#include "blind-poll.h"
#include "host.h"
#include "process.h"

#include <stdlib.h>

int
main (int argc, char **argv)
{
  TokendHostMode mode =
      g_str_equal (argv[1], "--operate") ? TOKEND_HOST_OPERATE : TOKEND_HOST_WATCH;
  uid_t peer = (uid_t) strtoul (argv[2], NULL, 10);

  if (argc > 3)
    blind_poll ();
  tokend_host_run (tokend_process_seal (), mode, peer);
}
