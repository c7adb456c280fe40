/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "event.h"

G_BEGIN_DECLS

/**
 * TokendNotifyFollower:
 *
 * Follows the tokens while it is started, whatever happens to service and bus.
 */
typedef struct _TokendNotifyFollower TokendNotifyFollower;

/**
 * TokendNotifyFollowerListener:
 * @started: what was told before does not count any more; each token that is there follows
 * @event: what happened
 * @complete: everything that is there has been told
 */
typedef struct {
  void (*started) (gpointer user_data);
  void (*event) (const TokenctlEvent *event, gpointer user_data);
  void (*complete) (gpointer user_data);
} TokendNotifyFollowerListener;

TokendNotifyFollower *tokend_notify_follower_new (const TokendNotifyFollowerListener *listener,
                                                  gpointer user_data);
void tokend_notify_follower_free (TokendNotifyFollower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifyFollower, tokend_notify_follower_free)

void tokend_notify_follower_start (TokendNotifyFollower *follower);
void tokend_notify_follower_stop (TokendNotifyFollower *follower);

G_END_DECLS
