/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include <glib/gi18n.h>

#include "code-fd.h"
#include "operation.h"

static TokenctlExit
run (const TokenctlCommand *command, int argc, char **argv)
{
  TokenctlRequest request = { .role = TOKEND_ROLE_PUK,
                              .code_option = "--puk-fd",
                              .code_fd = TOKENCTL_FD_NOT_GIVEN,
                              .new_pin_fd = TOKENCTL_FD_NOT_GIVEN };
  g_auto (GStrv) words = NULL;
  TokenctlExit status;
  const GOptionEntry options[] = {
    { "puk-fd", 0, 0, G_OPTION_ARG_INT, &request.code_fd,
      N_ ("Read the PUK from this file descriptor"), N_ ("N") },
    { "new-pin-fd", 0, 0, G_OPTION_ARG_INT, &request.new_pin_fd,
      N_ ("Read the new PIN from this file descriptor"), N_ ("N") },
    { "final-attempt", 0, 0, G_OPTION_ARG_NONE, &request.final_attempt,
      N_ ("Send the PUK even if this may be the last try"), NULL },
    { "send-refused-code", 0, 0, G_OPTION_ARG_NONE, &request.send_refused_code,
      N_ ("Send the PUK even if the token has refused it before"), NULL },
    { "send-unusual-code", 0, 0, G_OPTION_ARG_NONE, &request.send_unusual_code,
      N_ ("Send the PUK even if it looks like a mistake"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  if (!tokenctl_command_parse (command, options, argc, argv, &words, &status))
    return status;
  request.wanted.words = (const char *const *) words;
  return tokenctl_operation_run (&request);
}

const TokenctlCommand tokenctl_command_unlock = {
  "unlock",
  N_ ("[TOKEN…]"),
  N_ ("Set a new PIN with the PUK; keys and certificates stay"),
  run,
};
