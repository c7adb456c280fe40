/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <sys/types.h>

G_BEGIN_DECLS

/**
 * TokendHostMode:
 *
 * What a module host is for.
 */
typedef enum {
  TOKEND_HOST_WATCH,
  TOKEND_HOST_OPERATE,
} TokendHostMode;

/* An operating host ends after this time, whatever it does. In seconds. */
#define TOKEND_HOST_OPERATION_DEADLINE 120

void tokend_host_run (int socket, TokendHostMode mode, uid_t peer) G_GNUC_NORETURN;

G_END_DECLS
