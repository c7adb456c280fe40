/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "choice.h"
#include "exit-code.h"
#include "status.h"

G_BEGIN_DECLS

/**
 * TokenctlRequest:
 * @role: %TOKEND_ROLE_PUK to unlock, %TOKEND_ROLE_PIN to change the PIN
 * @wanted: which token
 * @code_option: the option that names @code_fd
 * @code_fd: the PUK's or present PIN's descriptor, or %TOKENCTL_FD_NOT_GIVEN: it is asked for
 * @new_pin_fd: the new PIN's, likewise
 * @final_attempt: whether the person allows the last try to be spent
 * @send_refused_code: whether the person says that a code is right now that the token has refused
 * @send_unusual_code: whether the person says that another program has set a code that looks like a
 *   mistake
 */
typedef struct {
  TokendRole role;
  TokenctlWanted wanted;
  const char *code_option;
  int code_fd;
  int new_pin_fd;
  gboolean final_attempt;
  gboolean send_refused_code;
  gboolean send_unusual_code;
} TokenctlRequest;

#define TOKENCTL_NEW_PIN_OPTION "--new-pin-fd"

TokenctlExit tokenctl_operation_run (TokenctlRequest *request);

G_END_DECLS
