/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code.h"

G_BEGIN_DECLS

/* The value of a --…-fd option that is not given. */
#define TOKENCTL_FD_NOT_GIVEN G_MININT

gboolean tokenctl_claim_fds (const char *const options[], int *const fds[], gsize n,
                             GError **error);
TokenctlCode *tokenctl_code_from_fd (const char *option, int fd, const TokendCodeRules *rules,
                                     TokendCodeAnswer allowed, GError **error);

G_END_DECLS
