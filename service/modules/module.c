/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module.h"

#include <glib/gi18n.h>

#include "environment.h"
#include "journal.h"
#include "module-private.h"
#include "tokend-error.h"

static void tokend_module_source_init (TokendTokenSourceInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TokendModule, tokend_module, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (TOKEND_TYPE_TOKEN_SOURCE,
                                                      tokend_module_source_init))

enum {
  SIGNAL_LOAD_ENDED,
  SIGNAL_SHOWS,
  SIGNAL_CHANGED,
  N_SIGNALS,
};
static guint signals[N_SIGNALS];

static void
tokend_module_init (TokendModule *self)
{
  self->tokens = g_ptr_array_new_with_free_func (g_object_unref);
  self->readers = g_ptr_array_new_with_free_func (g_object_unref);
  self->next_readers = g_ptr_array_new_with_free_func (g_object_unref);
  self->cancellable = g_cancellable_new ();
}

/* Closes the host, since a wait in it may hold it for ever. */
static void
drop_host (TokendModule *self)
{
  if (self->host != NULL)
    tokend_host_close (self->host);
  g_clear_object (&self->host);
}

static void
tokend_module_dispose (GObject *object)
{
  TokendModule *self = TOKEND_MODULE (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->restart_source, g_source_remove);
  g_clear_handle_id (&self->poll, g_source_remove);
  drop_host (self);
  for (guint i = 0; i < self->tokens->len; i++)
    tokend_token_remove (self->tokens->pdata[i]);
  g_ptr_array_set_size (self->tokens, 0);
  G_OBJECT_CLASS (tokend_module_parent_class)->dispose (object);
}

static void
tokend_module_finalize (GObject *object)
{
  TokendModule *self = TOKEND_MODULE (object);

  g_free (self->name);
  g_free (self->path);
  g_free (self->reason);
  tokend_health_clear (&self->health);
  g_object_unref (self->cancellable);
  g_ptr_array_unref (self->tokens);
  g_ptr_array_unref (self->readers);
  g_ptr_array_unref (self->next_readers);
  G_OBJECT_CLASS (tokend_module_parent_class)->finalize (object);
}

static void
tokend_module_class_init (TokendModuleClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = tokend_module_dispose;
  G_OBJECT_CLASS (klass)->finalize = tokend_module_finalize;
  signals[SIGNAL_LOAD_ENDED] =
      g_signal_new ("load-ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                    G_TYPE_NONE, 0);
  signals[SIGNAL_SHOWS] = g_signal_new ("shows", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                        NULL, NULL, NULL, G_TYPE_NONE, 1, TOKEND_TYPE_TOKEN);
  signals[SIGNAL_CHANGED] = g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                          0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

TokendModule *
tokend_module_new (TokendService *service, const TokendModuleConfig *config)
{
  TokendModule *self = g_object_new (TOKEND_TYPE_MODULE, NULL);

  self->service = service;
  self->name = g_strdup (config->name);
  self->path = g_strdup (config->path);
  self->priority = config->priority;
  return self;
}

/**
 * tokend_module_has_config:
 *
 * Returns: whether it is what @config says.
 */
gboolean
tokend_module_has_config (TokendModule *self, const TokendModuleConfig *config)
{
  return g_str_equal (self->name, config->name) && g_str_equal (self->path, config->path)
         && self->priority == config->priority;
}

static const char *
get_name (TokendTokenSource *source)
{
  return TOKEND_MODULE (source)->name;
}

static const char *
get_path (TokendTokenSource *source)
{
  return TOKEND_MODULE (source)->path;
}

static const TokendProfile *
get_profile (TokendTokenSource *source)
{
  TokendModule *self = TOKEND_MODULE (source);

  return tokend_profiles_match_module (self->service->profiles, self->path);
}

static gboolean
is_ready (TokendTokenSource *source)
{
  return TOKEND_MODULE (source)->state == TOKEND_MODULE_STATE_READY;
}

static gboolean
has_hidden (TokendTokenSource *source)
{
  const TokendModule *self = TOKEND_MODULE (source);

  return self->host != NULL && tokend_host_get_doubt (self->host) == TOKEND_DOUBT_HIDDEN_CARD;
}

static gboolean
is_unchanged (TokendTokenSource *source)
{
  return tokend_module_is_unchanged (TOKEND_MODULE (source));
}

/* @reason: (nullable): why tokens could not be read. @is_busy: another program is using a card. */
static void
take_reason (TokendModule *self, const char *reason, gboolean is_busy)
{
  g_free (self->reason);
  self->reason = g_strdup (reason);
  self->is_busy = is_busy;
}

static void
set_state (TokendModule *self, TokendModuleState state)
{
  gboolean settles = self->state == TOKEND_MODULE_STATE_LOADING;

  self->state = state;
  if (settles && state != TOKEND_MODULE_STATE_LOADING)
    g_signal_emit (self, signals[SIGNAL_LOAD_ENDED], 0);
}

static void
answer_readers (GPtrArray **readers, const GError *error)
{
  g_autoptr (GPtrArray) tasks = g_ptr_array_new_with_free_func (g_object_unref);

  g_ptr_array_extend_and_steal (tasks, g_steal_pointer (readers));
  *readers = g_ptr_array_new_with_free_func (g_object_unref);
  for (guint i = 0; i < tasks->len; i++) {
    if (error != NULL)
      g_task_return_error (tasks->pdata[i], g_error_copy (error));
    else
      g_task_return_boolean (tasks->pdata[i], TRUE);
  }
}

static void
remove_token (TokendModule *self, guint index)
{
  tokend_token_remove (self->tokens->pdata[index]);
  g_ptr_array_remove_index (self->tokens, index);
}

static gboolean
on_restart (gpointer user_data)
{
  TokendModule *self = user_data;

  self->restart_source = 0;
  tokend_module_start (self);
  return G_SOURCE_REMOVE;
}

/* Marks the tokens: until the next host has read them, it is not known whether they are there. */
static void
lose_sight (TokendModule *self)
{
  for (guint i = 0; i < self->tokens->len; i++)
    tokend_token_mark_unseen (self->tokens->pdata[i]);
}

/* Keeps the tokens at the first failure, which may be a crash, for the restart. Removes them at the
 * second in a row, since they cannot be reached. */
static void
fail (TokendModule *self, const GError *error)
{
  const gboolean is_news =
      tokend_health_fail (&self->health, error->message, g_get_monotonic_time ());

  tokend_module_stop_watch (self, error);
  drop_host (self);
  self->reading = FALSE;
  if (self->health.n_in_a_row > 1)
    while (self->tokens->len > 0)
      remove_token (self, self->tokens->len - 1);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);

  if (is_news)
    tokend_journal (G_LOG_LEVEL_WARNING, TOKEND_MESSAGE_MODULE_FAILED, "TOKEND_MODULE", self->name,
                    "TOKEND_REASON", error->message, "MESSAGE", "Module %s failed: %s", self->name,
                    error->message);
  take_reason (self, error->message, FALSE);
  set_state (self, TOKEND_MODULE_STATE_FAILED);

  tokend_module_give_up_reads (self, error);
  /* Comes last, and tells who waited for a read why it failed. */
  lose_sight (self);
  self->restart_source =
      g_timeout_add_seconds (tokend_health_get_pause (&self->health), on_restart, self);
}

static void
on_host_closed (TokendHost *host, gpointer user_data)
{
  g_autoptr (GError) error =
      g_error_new (TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED, N_ ("The module host ended"));

  fail (user_data, error);
}

static TokendToken *
find_token (TokendModule *self, const TokendReading *reading)
{
  for (guint i = 0; i < self->tokens->len; i++) {
    TokendToken *token = self->tokens->pdata[i];

    if (tokend_reading_same_token (tokend_token_get_reading (token), reading))
      return token;
  }
  return NULL;
}

static gboolean
contains_token (GPtrArray *readings, TokendToken *token)
{
  for (guint i = 0; i < readings->len; i++)
    if (tokend_reading_same_token (readings->pdata[i], tokend_token_get_reading (token)))
      return TRUE;
  return FALSE;
}

/* Shows two tokens that cannot be told apart as the first, and lets nobody operate on it: which one
 * is meant is not known. The operating host does not see both while another program has one for
 * itself. */
static void
drop_doubles (GPtrArray *readings)
{
  for (guint i = readings->len; i > 1; i--)
    for (guint j = 0; j < i - 1; j++)
      if (tokend_reading_same_token (readings->pdata[i - 1], readings->pdata[j])) {
        ((TokendReading *) readings->pdata[j])->is_double = TRUE;
        g_ptr_array_remove_index (readings, i - 1);
        break;
      }
}

/* Tells whether a token that was not read now has a double, or has none any more. */
static gboolean
is_news (TokendToken *token, const TokendReading *reading)
{
  return token != NULL && tokend_token_get_reading (token)->is_double != reading->is_double;
}

static void
add_token (TokendModule *self, const TokendReading *reading, gint64 begun_at)
{
  TokendToken *token =
      tokend_token_new (self->service, TOKEND_TOKEN_SOURCE (self), reading, begun_at);

  g_ptr_array_add (self->tokens, token);
  g_signal_emit (self, signals[SIGNAL_SHOWS], 0, token);
}

static void
update_tokens (TokendModule *self, GPtrArray *readings)
{
  drop_doubles (readings);

  for (guint i = self->tokens->len; i > 0; i--)
    if (!contains_token (readings, self->tokens->pdata[i - 1]))
      remove_token (self, i - 1);

  for (guint i = 0; i < readings->len; i++) {
    const TokendReading *reading = readings->pdata[i];
    TokendToken *token = find_token (self, reading);
    const gint64 begun_at =
        reading->begun_at != 0 ? MIN (reading->begun_at, self->read_begun_at) : self->read_begun_at;

    if (reading->unread != NULL || reading->is_pending)
      self->is_unchanged = FALSE;
    if (token != NULL && reading->is_spared)
      tokend_token_see_again (token, reading, self->read_begun_at);
    if (reading->is_spared && !is_news (token, reading))
      continue;
    if (token != NULL)
      tokend_token_update (token, reading, begun_at);
    else if (reading->unread == NULL)
      add_token (self, reading, begun_at);
  }
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
end_read (TokendModule *self, const GError *error)
{
  set_state (self, TOKEND_MODULE_STATE_READY);
  answer_readers (&self->readers, error);
  if (self->next_readers->len > 0 && !self->reading)
    tokend_module_start_read (self);
  tokend_module_watch_on (self);
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TokendModule) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) readings = tokend_host_read_finish (TOKEND_HOST (source), result, &error);
  TokendDoubt doubt;

  /* The host has closed meanwhile, and the waiting callers were told. */
  if (self->host != TOKEND_HOST (source))
    return;
  if (readings == NULL && !g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_BUSY)) {
    fail (self, error);
    return;
  }

  self->reading = FALSE;
  self->is_unchanged = readings != NULL && self->watch_method == TOKEND_WATCH_METHOD_READERS;
  /* Another program is using a card. That is no failure, and the tokens stay as they are. */
  if (readings == NULL) {
    take_reason (self, error->message, TRUE);
    end_read (self, error);
    return;
  }
  if (tokend_health_work (&self->health, g_get_monotonic_time ()))
    tokend_journal (G_LOG_LEVEL_MESSAGE, TOKEND_MESSAGE_MODULE_BACK, "TOKEND_MODULE", self->name,
                    "MESSAGE", "Module %s is back", self->name);
  doubt = tokend_host_get_doubt (self->host);
  take_reason (self, tokend_module_explain_doubt (doubt), doubt == TOKEND_DOUBT_HIDDEN_CARD);
  update_tokens (self, readings);
  end_read (self, NULL);
}

/**
 * tokend_module_start_read:
 *
 * Answers all who asked until now. Must not be called during another read.
 */
void
tokend_module_start_read (TokendModule *self)
{
  g_ptr_array_extend_and_steal (self->readers, g_steal_pointer (&self->next_readers));
  self->next_readers = g_ptr_array_new_with_free_func (g_object_unref);
  self->reading = TRUE;
  self->read_begun_at = g_get_monotonic_time ();
  tokend_claims_look (self->service->claims);
  /* Reads all at first, and if a caller asked, who wants to know what the card says now. What is
   * read later, the host tells only whom it may tell of a change. */
  tokend_host_read_async (self->host,
                          self->state != TOKEND_MODULE_STATE_READY || self->readers->len > 0,
                          self->cancellable, on_read, g_object_ref (self));
}

static void
on_started (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TokendModule) self = user_data;
  g_autoptr (GError) error = NULL;
  TokendHost *host = tokend_host_start_finish (result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (host == NULL) {
    fail (self, error);
    return;
  }
  self->host = host;
  g_signal_connect_object (host, "closed", G_CALLBACK (on_host_closed), self, 0);
  tokend_module_start_read (self);
}

static void
start_host (TokendModule *self)
{
  g_autoptr (GHashTable) environment = tokend_environment_new (
      get_profile (TOKEND_TOKEN_SOURCE (self)), NULL, TOKEND_UNLOCK_METHOD_NONE);

  tokend_host_start_async (TOKEND_HOST_WATCH, self->path, environment, self->watch_method, NULL,
                           tokend_profiles_list_questions (self->service->profiles, self->path),
                           self->cancellable, on_started, g_object_ref (self));
}

void
tokend_module_start (TokendModule *self)
{
  self->watch_method = tokend_module_choose_watch_method (self);
  start_host (self);
}

/**
 * tokend_module_end_host:
 *
 * Ends its host before another one is started, which reads the tokens before anybody is told what
 * there is. Until then it is not known whether they are there.
 */
void
tokend_module_end_host (TokendModule *self)
{
  tokend_module_stop_watch (self, NULL);
  drop_host (self);
  self->reading = FALSE;
  g_ptr_array_extend_and_steal (self->next_readers, g_steal_pointer (&self->readers));
  self->readers = g_ptr_array_new_with_free_func (g_object_unref);
  lose_sight (self);
}

static void
begin_wait (TokendTokenSource *source)
{
  tokend_module_begin_wait (TOKEND_MODULE (source));
}

/* Lets callers share a read that begins after all of them asked. */
static void
read_async (TokendTokenSource *source, GAsyncReadyCallback callback, gpointer user_data)
{
  TokendModule *self = TOKEND_MODULE (source);
  GTask *task = g_task_new (self, NULL, callback, user_data);

  if (self->state == TOKEND_MODULE_STATE_FAILED) {
    g_task_return_new_error (task, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                             "The module %s failed: %s", self->name, self->reason);
    g_object_unref (task);
    return;
  }
  g_ptr_array_add (self->next_readers, task);
  if (self->host != NULL && !self->reading)
    tokend_module_start_read (self);
}

static gboolean
read_finish (TokendTokenSource *source, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

static void
tokend_module_source_init (TokendTokenSourceInterface *iface)
{
  iface->get_name = get_name;
  iface->get_path = get_path;
  iface->get_profile = get_profile;
  iface->is_ready = is_ready;
  iface->is_unchanged = is_unchanged;
  iface->has_hidden = has_hidden;
  iface->begin_wait = begin_wait;
  iface->read_async = read_async;
  iface->read_finish = read_finish;
}

/**
 * tokend_module_give_up_reads:
 *
 * Answers all who wait for a read with @error.
 */
void
tokend_module_give_up_reads (TokendModule *self, const GError *error)
{
  answer_readers (&self->readers, error);
  answer_readers (&self->next_readers, error);
}

/**
 * tokend_module_stop:
 *
 * Ends its host, since it is configured no more. Its tokens leave, and callers that wait for a read
 * are told.
 */
void
tokend_module_stop (TokendModule *self)
{
  g_autoptr (GError) error = g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND,
                                                  "The module is not configured any more");

  tokend_module_give_up_reads (self, error);
  g_object_run_dispose (G_OBJECT (self));
}

GPtrArray *
tokend_module_get_tokens (TokendModule *self)
{
  return self->tokens;
}
