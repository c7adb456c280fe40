/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "event.h"

G_BEGIN_DECLS

/**
 * TokendNotifyFollower:
 *
 * Follows the tokens as long as it shall, whatever befalls service and bus.
 */
typedef struct _TokendNotifyFollower TokendNotifyFollower;

/**
 * TokendNotifyFollowerListener:
 * @started: all that was told before no longer counts; each token that is there will be told of
 * @event: what happened
 * @settled: all that is there has been told, for now
 */
typedef struct {
  void (*started) (gpointer user_data);
  void (*event) (const TokenctlEvent *event, gpointer user_data);
  void (*settled) (gpointer user_data);
} TokendNotifyFollowerListener;

TokendNotifyFollower *tokend_notify_follower_new (const TokendNotifyFollowerListener *listener,
                                                  gpointer user_data);
void tokend_notify_follower_free (TokendNotifyFollower *follower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifyFollower, tokend_notify_follower_free)

void tokend_notify_follower_start (TokendNotifyFollower *follower);
void tokend_notify_follower_stop (TokendNotifyFollower *follower);

G_END_DECLS
