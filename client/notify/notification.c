/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notification.h"

#include <glib/gi18n.h>
#include <libnotify/notify.h>

#define UNLOCK "unlock"
#define HELP "puk-help"

struct _TokendNotifyNotification {
  TokendNotifyNotificationListener listener;
  gpointer user_data;

  NotifyNotification *notification; /* NULL: nothing is shown */
  guint idle;                       /* tells of an action, or frees what was closed */
  gboolean chosen;
  TokendNotifyAction action;
  char *activation_token;
};

/**
 * tokend_notify_notification_new:
 * @listener: whom to tell of an action
 *
 * Returns: (transfer full): a notification that is not shown
 */
TokendNotifyNotification *
tokend_notify_notification_new (TokendNotifyNotificationListener listener, gpointer user_data)
{
  TokendNotifyNotification *self = g_new0 (TokendNotifyNotification, 1);

  self->listener = listener;
  self->user_data = user_data;
  return self;
}

/**
 * tokend_notify_notification_forget:
 *
 * Forgets what is shown and tells the server nothing: for a new server the number may be another
 * program's.
 */
void
tokend_notify_notification_forget (TokendNotifyNotification *self)
{
  if (self->notification != NULL)
    g_signal_handlers_disconnect_by_data (self->notification, self);
  g_clear_object (&self->notification);
  g_clear_handle_id (&self->idle, g_source_remove);
  g_clear_pointer (&self->activation_token, g_free);
  self->chosen = FALSE;
}

void
tokend_notify_notification_close (TokendNotifyNotification *self)
{
  if (self->notification != NULL)
    notify_notification_close (self->notification, NULL);
  tokend_notify_notification_forget (self);
}

void
tokend_notify_notification_free (TokendNotifyNotification *self)
{
  tokend_notify_notification_close (self);
  g_free (self);
}

gboolean
tokend_notify_notification_is_shown (TokendNotifyNotification *self)
{
  return self->notification != NULL;
}

/* Waits until libnotify's callback has ended, which goes on to use the notification. Tells of a
 * choice once the notification is gone, so that the next one is new: a server may close the chosen
 * one later. */
static gboolean
on_idle (gpointer user_data)
{
  TokendNotifyNotification *self = user_data;
  g_autofree char *activation_token = g_steal_pointer (&self->activation_token);
  gboolean chosen = self->chosen;

  self->idle = 0;
  tokend_notify_notification_close (self);
  if (chosen)
    self->listener (self->action, activation_token, self->user_data);
  return G_SOURCE_REMOVE;
}

static void
wait_for_idle (TokendNotifyNotification *self)
{
  if (self->idle == 0)
    self->idle = g_idle_add (on_idle, self);
}

static void
on_closed (NotifyNotification *notification, gpointer user_data)
{
  wait_for_idle (user_data);
}

static void
on_action (NotifyNotification *notification, char *action, gpointer user_data)
{
  TokendNotifyNotification *self = user_data;

  self->chosen = TRUE;
  self->action =
      g_str_equal (action, UNLOCK) ? TOKEND_NOTIFY_ACTION_UNLOCK : TOKEND_NOTIFY_ACTION_HELP;
  g_free (self->activation_token);
  self->activation_token = g_strdup (notify_notification_get_activation_token (notification));
  wait_for_idle (self);
}

static void
set_actions (TokendNotifyNotification *self, const TokendNotifyMessage *message)
{
  notify_notification_clear_actions (self->notification);
  if (message->offer_unlock)
    notify_notification_add_action (self->notification, UNLOCK, _ ("Unlock…"), on_action, self,
                                    NULL);
  if (message->offer_help)
    notify_notification_add_action (self->notification, HELP, message->help, on_action, self, NULL);
}

/**
 * tokend_notify_notification_show:
 * @message: what it says
 * @markup: whether the server takes the body for markup
 * @error: the server cannot show it
 *
 * Shows it, or changes it in place.
 *
 * Returns: whether it is shown
 */
gboolean
tokend_notify_notification_show (TokendNotifyNotification *self, const TokendNotifyMessage *message,
                                 gboolean markup, GError **error)
{
  g_autofree char *body =
      markup ? g_markup_escape_text (message->body, -1) : g_strdup (message->body);

  if (self->idle != 0)
    tokend_notify_notification_close (self);
  if (self->notification == NULL) {
    self->notification = notify_notification_new (message->title, body, message->icon);
    g_signal_connect (self->notification, "closed", G_CALLBACK (on_closed), self);
    notify_notification_set_category (self->notification, "device");
  } else {
    notify_notification_update (self->notification, message->title, body, message->icon);
  }
  notify_notification_set_urgency (self->notification, message->critical ? NOTIFY_URGENCY_CRITICAL
                                                                         : NOTIFY_URGENCY_NORMAL);
  notify_notification_set_timeout (self->notification, message->critical ? NOTIFY_EXPIRES_NEVER
                                                                         : NOTIFY_EXPIRES_DEFAULT);
  set_actions (self, message);

  if (notify_notification_show (self->notification, error))
    return TRUE;
  tokend_notify_notification_forget (self);
  return FALSE;
}
