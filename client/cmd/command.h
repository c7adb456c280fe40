/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "exit-code.h"

G_BEGIN_DECLS

/**
 * TokenctlCommand:
 * @name: its name
 * @parameters: its arguments for the help: "" for none, else what names a token, see
 *   #TokenctlWanted
 * @summary: what it does, one line, untranslated
 * @run: runs it
 */
typedef struct _TokenctlCommand TokenctlCommand;
struct _TokenctlCommand {
  const char *name;
  const char *parameters;
  const char *summary;
  TokenctlExit (*run) (const TokenctlCommand *command, int argc, char **argv);
};

extern const TokenctlCommand tokenctl_command_status;
extern const TokenctlCommand tokenctl_command_unlock;
extern const TokenctlCommand tokenctl_command_set_pin;
extern const TokenctlCommand tokenctl_command_modules;
extern const TokenctlCommand tokenctl_command_monitor;

gboolean tokenctl_command_parse (const TokenctlCommand *command, const GOptionEntry *options,
                                 int argc, char **argv, char ***words, TokenctlExit *status);

TokenctlExit tokenctl_run (int argc, char **argv);

G_END_DECLS
