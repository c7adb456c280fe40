/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef void (*TokenctlBackoffFunc) (gpointer user_data);

/**
 * TokenctlBackoff:
 * @first: the first delay, in seconds
 * @last: the longest delay, in seconds
 * @func: tries again
 * @user_data: for @func
 *
 * Tries something again, each time after twice the delay. At rest at first, all zero but for these.
 */
typedef struct {
  guint first;
  guint last;
  TokenctlBackoffFunc func;
  gpointer user_data;

  guint delay; /* the next one; 0: the first */
  guint timer;
} TokenctlBackoff;

void tokenctl_backoff_wait (TokenctlBackoff *backoff);
void tokenctl_backoff_stop (TokenctlBackoff *backoff);
void tokenctl_backoff_reset (TokenctlBackoff *backoff);

G_END_DECLS
