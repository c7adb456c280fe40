/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"
#include "module-private.h"
#include "tokend-error.h"

/* Another program's try is noticed within this time and that of a read. */
#define POLL_INTERVAL_SECONDS 1
/* The interval if the module tells of tokens: it may have told of one that could not be read yet.
 */
#define POLL_INTERVAL_IF_TOLD_SECONDS 10
/* The least interval between waits, since a host may answer at once, without end. In microseconds.
 */
#define WAIT_INTERVAL (250 * G_TIME_SPAN_MILLISECOND)

/* Lets one module alone watch the readers: two would see each other read, and read again, without
 * end. */
static gboolean
is_only_to_watch_readers (TokendModule *self)
{
  for (guint i = 0; i < self->service->modules->len; i++) {
    const TokendModule *other = self->service->modules->pdata[i];

    if (other != self && other->watch_method == TOKEND_WATCH_METHOD_READERS)
      return FALSE;
  }
  return TRUE;
}

/**
 * tokend_module_choose_watch_method:
 *
 * Returns: how its next host watches, by its profile and the other modules.
 */
TokendWatchMethod
tokend_module_choose_watch_method (TokendModule *self)
{
  const TokendProfile *profile = tokend_profiles_match_module (self->service->profiles, self->path);

  /* Only OpenSC can be told to ignore readers. */
  return profile != NULL && profile->watch_method == TOKEND_WATCH_METHOD_READERS
                 && profile->is_opensc && is_only_to_watch_readers (self)
             ? TOKEND_WATCH_METHOD_READERS
             : TOKEND_WATCH_METHOD_POLL;
}

static gboolean
is_operated_on (TokendModule *self)
{
  for (guint i = 0; i < self->tokens->len; i++)
    if (tokend_claims_is_held (self->service->claims,
                               tokend_token_get_physical_id (self->tokens->pdata[i])))
      return TRUE;
  return FALSE;
}

static gboolean on_poll (gpointer user_data);

/* Polls often to see the counters; a token that comes tells so itself if the module can wait for
 * one. */
static void
schedule_poll (TokendModule *self)
{
  const gboolean is_told = self->is_waiting && self->tokens->len == 0;

  if (self->is_watched && self->host != NULL && self->poll == 0)
    self->poll = g_timeout_add_seconds (
        is_told ? POLL_INTERVAL_IF_TOLD_SECONDS : POLL_INTERVAL_SECONDS, on_poll, self);
}

/* Does not read during an operation, since nobody asks for it. */
static void
read_unless_occupied (TokendModule *self)
{
  if (!self->reading && !is_operated_on (self))
    tokend_module_start_read (self);
  else
    schedule_poll (self);
}

static void on_waited (GObject *source, GAsyncResult *result, gpointer user_data);

static void
start_wait (TokendModule *self)
{
  if (self->is_waiting || self->cannot_wait)
    return;
  self->is_waiting = TRUE;
  self->wait_begun_at = g_get_monotonic_time ();
  tokend_host_wait_async (self->host, self->cancellable, on_waited, g_object_ref (self));
}

static gboolean
on_pause_over (gpointer user_data)
{
  TokendModule *self = user_data;

  self->poll = 0;
  read_unless_occupied (self);
  return G_SOURCE_REMOVE;
}

/* Nothing is lost: the host tells of the readers until it has read. */
static void
on_readers_told (TokendModule *self, const GError *error)
{
  const gint64 pause = self->wait_begun_at + WAIT_INTERVAL - g_get_monotonic_time ();

  self->is_unchanged = FALSE;
  if (error != NULL)
    schedule_poll (self);
  else if (self->is_watched)
    self->poll =
        g_timeout_add ((guint) (MAX (pause, 0) / G_TIME_SPAN_MILLISECOND), on_pause_over, self);
}

static void
on_waited (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (TokendModule) self = user_data;
  g_autoptr (GError) error = NULL;
  const gboolean readable = tokend_host_wait_finish (TOKEND_HOST (source), result, &error);

  if (self->host != TOKEND_HOST (source))
    return;
  self->is_waiting = FALSE;
  g_clear_handle_id (&self->poll, g_source_remove);
  self->cannot_wait = g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_NOT_SUPPORTED);
  if (self->watch_method == TOKEND_WATCH_METHOD_READERS)
    on_readers_told (self, error);
  else if (readable && self->is_watched)
    read_unless_occupied (self);
  else
    schedule_poll (self);
}

/* Has the module wait before it is read, so that nothing falls between the two; and no more often
 * than it is polled, because it may answer at once, without end. */
static gboolean
on_poll (gpointer user_data)
{
  TokendModule *self = user_data;

  self->poll = 0;
  if (self->watch_method == TOKEND_WATCH_METHOD_POLL)
    start_wait (self);
  read_unless_occupied (self);
  return G_SOURCE_REMOVE;
}

/**
 * tokend_module_watch_on:
 *
 * Watches on after a read; what its readers tell is of the time since then.
 */
void
tokend_module_watch_on (TokendModule *self)
{
  /* The next poll depends on what was read. */
  g_clear_handle_id (&self->poll, g_source_remove);
  if (self->watch_method == TOKEND_WATCH_METHOD_POLL || self->cannot_wait)
    schedule_poll (self);
  else if (self->is_watched && self->host != NULL)
    start_wait (self);
}

/**
 * tokend_module_stop_watch:
 * @error: why its host failed.
 *
 * Watches no more, before the host is dropped.
 */
void
tokend_module_stop_watch (TokendModule *self, const GError *error)
{
  if (self->reading && self->is_waiting && self->watch_method == TOKEND_WATCH_METHOD_POLL
      && g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT)) {
    tokend_warning (
        "Module %s is not asked to wait for tokens any more: it may do nothing else meanwhile",
        self->name);
    self->cannot_wait = TRUE;
  }
  g_clear_handle_id (&self->poll, g_source_remove);
  self->is_waiting = FALSE;
  self->is_unchanged = FALSE;
}

/**
 * tokend_module_begin_wait:
 *
 * Implements tokend_token_source_begin_wait().
 */
void
tokend_module_begin_wait (TokendModule *self)
{
  if (self->is_watched && self->host != NULL && self->watch_method == TOKEND_WATCH_METHOD_POLL)
    start_wait (self);
}

/**
 * tokend_module_set_watched:
 * @is_watched: whether somebody waits for news of its tokens.
 *
 * Polls, or waits for tokens, only while that is so. Does not read them at first, since whoever
 * begins to wait does.
 */
void
tokend_module_set_watched (TokendModule *self, gboolean is_watched)
{
  if (self->is_watched == is_watched)
    return;
  self->is_watched = is_watched;
  g_clear_handle_id (&self->poll, g_source_remove);
  tokend_module_begin_wait (self);
  if (!is_watched && self->host != NULL && self->watch_method == TOKEND_WATCH_METHOD_READERS)
    tokend_host_stop_waiting (self->host);
}

/**
 * tokend_module_is_unchanged:
 *
 * Returns: whether its tokens are known not to have changed since they were read, however long ago.
 */
gboolean
tokend_module_is_unchanged (TokendModule *self)
{
  return self->is_watched && self->is_waiting && self->is_unchanged;
}
