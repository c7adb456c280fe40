/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "message.h"

G_BEGIN_DECLS

/**
 * TokendNotifyAction:
 *
 * What a person may choose on a notification.
 */
typedef enum {
  TOKEND_NOTIFY_ACTION_UNLOCK,
  TOKEND_NOTIFY_ACTION_HELP,
} TokendNotifyAction;

/**
 * TokendNotifyBubble:
 *
 * The one notification of a token, on the screen or not.
 */
typedef struct _TokendNotifyBubble TokendNotifyBubble;

/**
 * TokendNotifyBubbleListener:
 * @action: chosen
 * @activation_token: (nullable): lets what is opened take the focus
 */
typedef void (*TokendNotifyBubbleListener) (TokendNotifyAction action, const char *activation_token,
                                            gpointer user_data);

TokendNotifyBubble *tokend_notify_bubble_new (TokendNotifyBubbleListener listener,
                                              gpointer user_data);
void tokend_notify_bubble_free (TokendNotifyBubble *bubble);

gboolean tokend_notify_bubble_show (TokendNotifyBubble *bubble, const TokendNotifyMessage *message,
                                    gboolean markup, GError **error);
gboolean tokend_notify_bubble_is_shown (TokendNotifyBubble *bubble);
void tokend_notify_bubble_close (TokendNotifyBubble *bubble);
void tokend_notify_bubble_forget (TokendNotifyBubble *bubble);

G_END_DECLS
