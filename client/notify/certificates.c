/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificates.h"

#include "alarm.h"
#include "notification.h"
#include "expiry.h"
#include "provider-words.h"
#include "rows.h"
#include "warnings.h"

struct _TokendNotifyCertificates {
  TokendNotifyServer *server;
  GPtrArray *views; /* of TokenctlToken: what is plugged in */
  TokendNotifyWarnings *warnings;
  TokendNotifyAlarm *alarm;
  GHashTable *notifications; /* name_bearer() → TokendNotifyNotification */
};

static void
on_alarm (gpointer user_data)
{
  tokend_notify_certificates_consider (user_data);
}

/* Never called: the warning offers no action. */
static void
on_action (TokendNotifyAction action, const char *activation_token, gpointer user_data)
{
}

/* Leaves the warning on the screen. It stays true when this program ends or the token is taken out,
 * and it is not told again. */
static void
leave_notification (gpointer data)
{
  tokend_notify_notification_forget (data);
  tokend_notify_notification_free (data);
}

/**
 * tokend_notify_certificates_new:
 * @server: (transfer none): where to show it; must outlive the warnings
 * @views: (element-type TokenctlToken): what is plugged in; its owner keeps it up to date
 *
 * Returns: (transfer full): warnings that say nothing before tokend_notify_certificates_consider()
 */
TokendNotifyCertificates *
tokend_notify_certificates_new (TokendNotifyServer *server, GPtrArray *views)
{
  TokendNotifyCertificates *self = g_new0 (TokendNotifyCertificates, 1);
  g_autofree char *path =
      g_build_filename (g_get_user_state_dir (), "tokend-notify", "certificates", NULL);

  self->server = server;
  self->views = g_ptr_array_ref (views);
  self->warnings = tokend_notify_warnings_new (path);
  self->alarm = tokend_notify_alarm_new (on_alarm, self);
  self->notifications = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, leave_notification);
  return self;
}

void
tokend_notify_certificates_free (TokendNotifyCertificates *self)
{
  tokend_notify_alarm_free (self->alarm);
  g_hash_table_unref (self->notifications);
  tokend_notify_warnings_free (self->warnings);
  g_ptr_array_unref (self->views);
  g_free (self);
}

/* Adds the label: a card of several labels has a certificate for each. */
static char *
name_bearer (const char *identity, const char *label)
{
  return g_strdup_printf ("%s %s", identity, label);
}

/* Names the certificate without its label, since two labels may show the same one. Hashes it, so
 * that the file is no list of a person's tokens. */
static char *
name_certificate (const char *identity, GDateTime *not_after)
{
  g_autofree char *text =
      g_strdup_printf ("%s %" G_GINT64_FORMAT, identity, g_date_time_to_unix (not_after));

  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, text, -1);
}

static TokendNotifyNotification *
get_notification (TokendNotifyCertificates *self, const char *bearer)
{
  TokendNotifyNotification *notification = g_hash_table_lookup (self->notifications, bearer);

  if (notification == NULL) {
    notification = tokend_notify_notification_new (on_action, self);
    g_hash_table_insert (self->notifications, g_strdup (bearer), notification);
  }
  return notification;
}

static gboolean
show (TokendNotifyCertificates *self, const char *bearer, const TokendNotifySituation *situation,
      GDateTime *now)
{
  g_autoptr (TokendProvider) provider =
      situation->provider != NULL ? tokenctl_provider (situation->provider) : NULL;
  g_autoptr (TokendNotifyMessage) message =
      tokend_notify_message_new_expiry (situation, provider, now);
  g_autoptr (GError) error = NULL;
  gboolean shown;

  shown = tokend_notify_notification_show (get_notification (self, bearer), message,
                                           tokend_notify_server_has (self->server, "body-markup"),
                                           &error);
  tokend_notify_server_note (self->server, error);
  return shown;
}

/* Records a warning only once it was shown. */
static void
consider_bearer (TokendNotifyCertificates *self, const char *bearer, const char *identity,
                 const TokendNotifySituation *situation, GDateTime *now)
{
  TokendNotifyStage stage = tokend_notify_stage (situation->not_after, now);
  g_autofree char *certificate = NULL;

  if (stage == TOKEND_NOTIFY_STAGE_FAR) {
    /* The certificate was renewed. */
    tokend_notify_notification_close (get_notification (self, bearer));
    return;
  }
  certificate = name_certificate (identity, situation->not_after);
  if (tokend_notify_stage_is_news (stage, tokend_notify_warnings_get (self->warnings, certificate))
      && show (self, bearer, situation, now))
    tokend_notify_warnings_add (self->warnings, certificate, stage);
}

static void
take_earlier (GDateTime **moment, GDateTime *other)
{
  if (other == NULL || (*moment != NULL && g_date_time_compare (*moment, other) <= 0))
    return;
  g_clear_pointer (moment, g_date_time_unref);
  *moment = g_date_time_ref (other);
}

/**
 * tokend_notify_certificates_consider:
 *
 * Warns after a change of what is plugged in, or of the notification server. Later stages follow by
 * themselves, without asking the service.
 */
void
tokend_notify_certificates_consider (TokendNotifyCertificates *self)
{
  g_autoptr (GHashTable) considered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) rows = tokenctl_rows_new (self->views);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autoptr (GDateTime) moment = NULL;

  for (guint i = 0; i < rows->len; i++) {
    TokenctlToken *view = ((TokenctlRow *) rows->pdata[i])->token;
    const char *label = tokenctl_status_string (view->status, TOKEND_STATUS_LABEL);
    g_autofree char *identity = tokend_notify_identity (view->status);
    g_autofree char *bearer = name_bearer (identity, label);
    g_autoptr (TokendNotifySituation) situation =
        tokend_notify_situation_new (self->views, identity, label);
    g_autoptr (GDateTime) next = NULL;

    if (situation->not_after == NULL || g_hash_table_contains (considered, bearer))
      continue;
    consider_bearer (self, bearer, identity, situation, now);
    next = tokend_notify_next_stage (situation->not_after, now);
    take_earlier (&moment, next);
    g_hash_table_add (considered, g_steal_pointer (&bearer));
  }
  tokend_notify_alarm_set (self->alarm, moment);
}

/**
 * tokend_notify_certificates_stop:
 *
 * Warns no more until tokend_notify_certificates_consider(), as it is not known what is plugged in.
 */
void
tokend_notify_certificates_stop (TokendNotifyCertificates *self)
{
  tokend_notify_alarm_set (self->alarm, NULL);
}

/**
 * tokend_notify_certificates_forget:
 *
 * Forgets what is shown, since the server has vanished.
 */
void
tokend_notify_certificates_forget (TokendNotifyCertificates *self)
{
  GHashTableIter iter;
  gpointer notification;

  g_hash_table_iter_init (&iter, self->notifications);
  while (g_hash_table_iter_next (&iter, NULL, &notification))
    tokend_notify_notification_forget (notification);
}
