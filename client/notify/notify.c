/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify.h"

#include "notification.h"
#include "certificates.h"
#include "follower.h"
#include "login-session.h"
#include "opener.h"
#include "provider-words.h"
#include "server.h"

struct _TokendNotify {
  TokendNotifyServer *server;
  TokendNotifyFollower *follower;
  TokendNotifyLoginSession *login_session;
  TokendNotifyCertificates *certificates;

  GPtrArray *views;     /* of TokenctlToken: what is plugged in and could be read */
  GHashTable *tokens;   /* identity → Token */
  gboolean is_complete; /* @views is complete */
};

/* A PIN that the person was told of, of a token that is plugged in or was. */
typedef struct {
  TokendNotify *notify;
  char *identity; /* by tokend_notify_pin_identity() */
  /* A set of all names that it had, by tokend_notify_pin_name(). */
  GHashTable *names;
  char *name;     /* as it is shown */
  char *provider; /* the last one known: the third wrong PUK may destroy the certificate */
  TokendNotifyTries told;
  TokendNotifyNotification *notification;
  gboolean waits; /* for a server that can show it */
} Token;

static void on_action (TokendNotifyAction action, const char *activation_token, gpointer user_data);

static void
token_free (gpointer data)
{
  Token *token = data;

  tokend_notify_notification_free (token->notification);
  g_free (token->identity);
  g_hash_table_unref (token->names);
  g_free (token->name);
  g_free (token->provider);
  g_free (token);
}

static gboolean
is_seen (TokendNotify *self, const char *identity)
{
  g_autoptr (TokendNotifySituation) situation =
      tokend_notify_situation_new (self->views, identity, NULL);

  return situation != NULL;
}

/* Returns: (nullable): the PIN that had another identity before a restart of the service, or before
 *   another module showed it. */
static Token *
find_by_name (TokendNotify *self, const char *name)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->tokens);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Token *token = value;

    if (g_hash_table_contains (token->names, name) && !is_seen (self, token->identity))
      return token;
  }
  return NULL;
}

static Token *
token_new (TokendNotify *self)
{
  Token *token = g_new0 (Token, 1);

  token->notify = self;
  token->names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  token->notification = tokend_notify_notification_new (on_action, token);
  return token;
}

static void
identify (TokendNotify *self, Token *token, const char *identity)
{
  if (token->identity != NULL)
    g_hash_table_steal (self->tokens, token->identity);
  g_free (token->identity);
  token->identity = g_strdup (identity);
  g_hash_table_insert (self->tokens, token->identity, token);
}

static Token *
get_token (TokendNotify *self, GVariant *status)
{
  g_autofree char *identity = tokend_notify_pin_identity (status);
  g_autofree char *name = tokend_notify_pin_name (status);
  Token *token = g_hash_table_lookup (self->tokens, identity);

  if (token == NULL) {
    token = find_by_name (self, name);
    identify (self, token != NULL ? token : (token = token_new (self)), identity);
  }
  g_hash_table_add (token->names, g_steal_pointer (&name));
  return token;
}

/* Fills in what is not known now from what was told and known before. */
static TokendNotifySituation *
situation_of (Token *token)
{
  TokendNotifySituation *situation =
      tokend_notify_situation_new (token->notify->views, token->identity, NULL);

  if (situation == NULL)
    return NULL;
  situation->tries = tokend_notify_decide (&token->told, &situation->tries).told;
  if (situation->provider == NULL)
    situation->provider = g_strdup (token->provider);
  return situation;
}

static TokendProvider *
provider_of (const TokendNotifySituation *situation)
{
  return situation->provider != NULL ? tokenctl_provider (situation->provider) : NULL;
}

static void
show_message (Token *token, const TokendNotifyMessage *message)
{
  TokendNotifyServer *server = token->notify->server;
  g_autoptr (GError) error = NULL;

  token->waits = !tokend_notify_notification_show (
      token->notification, message, tokend_notify_server_has (server, "body-markup"), &error);
  tokend_notify_server_note (server, error);
}

static void
show (Token *token)
{
  g_autoptr (TokendNotifySituation) situation = situation_of (token);
  g_autoptr (TokendProvider) provider = NULL;
  g_autoptr (TokendNotifyMessage) message = NULL;

  if (situation == NULL)
    return;
  provider = provider_of (situation);
  message = tokend_notify_message_new (situation, provider,
                                       tokend_notify_server_has (token->notify->server, "actions"));
  g_free (token->name);
  token->name = g_strdup (situation->name);
  show_message (token, message);
}

static void
close_notification (Token *token)
{
  tokend_notify_notification_close (token->notification);
  token->waits = FALSE;
}

/* Forgets what was not shown to anybody. */
static void
take_removal (Token *token)
{
  if (token->waits)
    token->told = (TokendNotifyTries){ { { 0 } } };
  close_notification (token);
}

/* Tells bad news at once, and good news once all is known. */
static void
reconsider (Token *token)
{
  g_autoptr (TokendNotifySituation) situation =
      tokend_notify_situation_new (token->notify->views, token->identity, NULL);
  TokendNotifyDecision decision;

  if (situation == NULL) {
    if (token->notify->is_complete)
      take_removal (token);
    return;
  }
  if (situation->provider != NULL) {
    g_free (token->provider);
    token->provider = g_strdup (situation->provider);
  }
  decision = tokend_notify_decide (&token->told, &situation->tries);
  if (!token->notify->is_complete && decision.act != TOKEND_NOTIFY_SHOW)
    return;

  token->told = decision.told;
  if (decision.act == TOKEND_NOTIFY_SHOW)
    show (token);
  else if (decision.act == TOKEND_NOTIFY_UPDATE
           && tokend_notify_notification_is_shown (token->notification))
    show (token);
  else if (decision.act == TOKEND_NOTIFY_CLOSE)
    close_notification (token);
}

/* Corrects the names of other tokens with the same label, after one came or left. */
static void
correct_names (TokendNotify *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->tokens);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Token *token = value;
    g_autoptr (TokendNotifySituation) situation = situation_of (token);

    if (situation != NULL && tokend_notify_notification_is_shown (token->notification)
        && g_strcmp0 (situation->name, token->name) != 0)
      show (token);
  }
}

static void
drop_view (TokendNotify *self, GVariant *status)
{
  TokenctlToken dropped = { NULL, status };

  for (guint i = self->views->len; i > 0; i--) {
    if (tokenctl_token_is_same_view (self->views->pdata[i - 1], &dropped))
      g_ptr_array_remove_index (self->views, i - 1);
  }
}

/* Carries over what the person was told, to the PIN's present identity. */
static void
carry_over (TokendNotify *self, GVariant *before, GVariant *status)
{
  g_autofree char *old = tokend_notify_pin_identity (before);
  g_autofree char *new = tokend_notify_pin_identity (status);
  Token *token = g_hash_table_lookup (self->tokens, old);

  if (token != NULL && !g_hash_table_contains (self->tokens, new))
    identify (self, token, new);
}

/* Looks again at the PIN's former identity, if it has another one now. */
static void
reconsider_before (TokendNotify *self, GVariant *status)
{
  g_autofree char *identity = tokend_notify_pin_identity (status);
  Token *token = g_hash_table_lookup (self->tokens, identity);

  if (token != NULL)
    reconsider (token);
}

static void
on_event (const TokenctlEvent *event, gpointer user_data)
{
  TokendNotify *self = user_data;

  if (event->status == NULL)
    return;
  if (event->before != NULL)
    drop_view (self, event->before);
  drop_view (self, event->status);
  if (event->kind != TOKENCTL_EVENT_REMOVED)
    g_ptr_array_add (self->views, tokenctl_token_new (event->path, event->status));

  if (event->before != NULL)
    carry_over (self, event->before, event->status);
  reconsider (get_token (self, event->status));
  if (event->before != NULL)
    reconsider_before (self, event->before);
  correct_names (self);
  if (self->is_complete)
    tokend_notify_certificates_consider (self->certificates);
}

static void
on_started (gpointer user_data)
{
  TokendNotify *self = user_data;

  g_ptr_array_set_size (self->views, 0);
  self->is_complete = FALSE;
  tokend_notify_certificates_stop (self->certificates);
}

static void
on_complete (gpointer user_data)
{
  TokendNotify *self = user_data;
  GHashTableIter iter;
  gpointer token;

  if (self->is_complete)
    return;
  self->is_complete = TRUE;
  g_hash_table_iter_init (&iter, self->tokens);
  while (g_hash_table_iter_next (&iter, NULL, &token))
    reconsider (token);
  tokend_notify_certificates_consider (self->certificates);
}

static void
on_server_ready (gpointer user_data)
{
  TokendNotify *self = user_data;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->tokens);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Token *token = value;
    g_autoptr (TokendNotifySituation) situation = situation_of (token);

    if (token->waits && situation != NULL)
      show (token);
  }
  if (self->is_complete)
    tokend_notify_certificates_consider (self->certificates);
}

static void
on_server_vanished (gpointer user_data)
{
  TokendNotify *self = user_data;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->tokens);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    tokend_notify_notification_forget (((Token *) value)->notification);
  tokend_notify_certificates_forget (self->certificates);
}

static void
show_help (Token *token, gboolean page_opened)
{
  g_autoptr (TokendNotifySituation) situation = situation_of (token);
  g_autoptr (TokendProvider) provider = NULL;
  g_autoptr (TokendNotifyMessage) message = NULL;

  if (situation == NULL)
    return;
  provider = provider_of (situation);
  message = tokend_notify_message_new_help (situation, provider, page_opened);
  show_message (token, message);
}

/* Looks the token up again when an action ends, since it may be gone. */
typedef struct {
  TokendNotify *notify;
  char *identity;
} Help;

static void
on_page_opened (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Help *help = user_data;
  g_autoptr (GError) error = NULL;
  gboolean opened = g_app_info_launch_default_for_uri_finish (result, &error);
  Token *token;

  if (!opened)
    g_info ("Cannot open the provider's page: %s", error->message);
  token = g_hash_table_lookup (help->notify->tokens, help->identity);
  if (token != NULL)
    show_help (token, opened);
  g_free (help->identity);
  g_free (help);
}

static void
help_to_puk (Token *token, const TokendNotifySituation *situation, const char *activation_token)
{
  g_autoptr (TokendProvider) provider = provider_of (situation);
  Help *help;

  if (provider == NULL || provider->puk_page == NULL) {
    show_help (token, FALSE);
    return;
  }
  help = g_new0 (Help, 1);
  help->notify = token->notify;
  help->identity = g_strdup (token->identity);
  tokend_notify_open_page (provider->puk_page, activation_token, on_page_opened, help);
}

static void
unlock (Token *token, const TokendNotifySituation *situation, const char *activation_token)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendNotifyMessage) message = NULL;

  if (tokend_notify_open_unlock ((const char *const *) situation->names, activation_token, &error))
    return;
  g_info ("Cannot open a terminal: %s", error->message);
  message = tokend_notify_message_new_no_terminal (situation);
  show_message (token, message);
}

static void
on_action (TokendNotifyAction action, const char *activation_token, gpointer user_data)
{
  Token *token = user_data;
  g_autoptr (TokendNotifySituation) situation = situation_of (token);

  if (situation == NULL)
    return;
  if (action == TOKEND_NOTIFY_ACTION_UNLOCK)
    unlock (token, situation, activation_token);
  else
    help_to_puk (token, situation, activation_token);
}

static void
on_login_session (gboolean active, gpointer user_data)
{
  TokendNotify *self = user_data;

  if (active) {
    tokend_notify_follower_start (self->follower);
    return;
  }
  tokend_notify_follower_stop (self->follower);
  /* Nobody would see a warning, which is given once. */
  self->is_complete = FALSE;
  tokend_notify_certificates_stop (self->certificates);
}

static const TokendNotifyServerListener server_listener = { on_server_ready, on_server_vanished };
static const TokendNotifyFollowerListener follower_listener = { on_started, on_event, on_complete };

/**
 * tokend_notify_new:
 * @session_bus: the session bus
 *
 * Returns: (transfer full): the notifier, which works in the default main context
 */
TokendNotify *
tokend_notify_new (GDBusConnection *session_bus)
{
  TokendNotify *self = g_new0 (TokendNotify, 1);

  self->views = g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);
  self->tokens = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, token_free);
  self->server = tokend_notify_server_new (session_bus, &server_listener, self);
  self->certificates = tokend_notify_certificates_new (self->server, self->views);
  self->follower = tokend_notify_follower_new (&follower_listener, self);
  self->login_session = tokend_notify_login_session_new (on_login_session, self);
  return self;
}

/**
 * tokend_notify_free:
 *
 * Closes all notifications with actions, to which nobody would react.
 */
void
tokend_notify_free (TokendNotify *self)
{
  tokend_notify_login_session_free (self->login_session);
  tokend_notify_follower_free (self->follower);
  g_hash_table_unref (self->tokens);
  tokend_notify_certificates_free (self->certificates);
  tokend_notify_server_free (self->server);
  g_ptr_array_unref (self->views);
  g_free (self);
}
