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
 * TokendNotifyNotification:
 *
 * The one notification of a token, on the screen or not.
 */
typedef struct _TokendNotifyNotification TokendNotifyNotification;

/**
 * TokendNotifyNotificationListener:
 * @action: the chosen one
 * @activation_token: (nullable): lets what is opened take the focus
 */
typedef void (*TokendNotifyNotificationListener) (TokendNotifyAction action,
                                                  const char *activation_token, gpointer user_data);

TokendNotifyNotification *tokend_notify_notification_new (TokendNotifyNotificationListener listener,
                                                          gpointer user_data);
void tokend_notify_notification_free (TokendNotifyNotification *notification);

gboolean tokend_notify_notification_show (TokendNotifyNotification *notification,
                                          const TokendNotifyMessage *message, gboolean markup,
                                          GError **error);
gboolean tokend_notify_notification_is_shown (TokendNotifyNotification *notification);
void tokend_notify_notification_close (TokendNotifyNotification *notification);
void tokend_notify_notification_forget (TokendNotifyNotification *notification);

G_END_DECLS
