/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cards.h"

#include "enum-nick.h"
#include "opensc-readers.h"
#include "opensc-words.h"
#include "pcsc.h"
#include "reader-private.h"
#include "tokend-enums.h"

/* How often the use of cards with tokens is looked at; a shorter use is not seen. A look costs
 * three turns of the scheduler, and no card a command. In milliseconds. */
#define LOOK_MS 400

struct _TokendCards {
  TokendReaderOwner owner;

  /* The loop's. */
  TokendPcscState pcscd;      /* as last seen */
  TokendPcscState told_pcscd; /* as last told */
  GMainContext *context;
  TokendPcsc *looking;
  GHashTable *readers; /* of char * → TokendReader */
  TokendOpenscWords *words;
  GSource *look;
  GTask *wait; /* answered when there is news; or NULL */
  GTask *read; /* answered when nothing is awaited any more; or NULL */

  /* Of the thread that waits for cards and readers to come and go. */
  TokendPcsc *waiting;
  GAsyncQueue *rounds; /* one for each wait */
  gint is_watched;     /* atomic */
};

static gboolean
is_to_be_left_alone (gpointer name, gpointer state, gpointer words)
{
  return tokend_opensc_words_ignore (words, name);
}

/* Takes over what pcscd has told, but not of readers that OpenSC is to leave alone. @states:
 * (transfer full): of the readers. */
static void
look (TokendCards *self, TokendPcscState pcscd, GHashTable *states)
{
  static const TokendReaderState absent = { .use = TOKEND_CARD_ABSENT };
  GHashTableIter iter;
  gpointer name, state, reader;

  self->pcscd = pcscd;
  g_hash_table_foreach_remove (states, is_to_be_left_alone, self->words);
  g_hash_table_iter_init (&iter, states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!g_hash_table_contains (self->readers, name))
      g_hash_table_insert (self->readers, g_strdup (name), tokend_reader_new (&self->owner, name));

  g_hash_table_iter_init (&iter, self->readers);
  while (g_hash_table_iter_next (&iter, &name, &reader)) {
    state = g_hash_table_lookup (states, name);
    tokend_reader_look (reader, state != NULL ? state : &absent);
    if (state == NULL && tokend_reader_is_over (reader))
      g_hash_table_iter_remove (&iter);
  }
  g_hash_table_unref (states);
}

static void
look_at_all (TokendCards *self)
{
  GHashTable *states = tokend_pcsc_list (self->looking);

  look (self, tokend_pcsc_get_state (self->looking), states);
}

static gboolean
is_any (TokendCards *self, gboolean (*is_so) (TokendReader *reader))
{
  GHashTableIter iter;
  gpointer reader;

  g_hash_table_iter_init (&iter, self->readers);
  while (g_hash_table_iter_next (&iter, NULL, &reader))
    if (is_so (reader))
      return TRUE;
  return FALSE;
}

static void
for_each (TokendCards *self, void (*func) (TokendReader *reader))
{
  GHashTableIter iter;
  gpointer reader;

  g_hash_table_iter_init (&iter, self->readers);
  while (g_hash_table_iter_next (&iter, NULL, &reader))
    func (reader);
}

static TokendDoubt
get_doubt_of_pcscd (TokendCards *self)
{
  if (self->pcscd == TOKEND_PCSC_CONNECTED)
    return TOKEND_DOUBT_NONE;
  return self->pcscd == TOKEND_PCSC_ABSENT ? TOKEND_DOUBT_PCSCD_ABSENT : TOKEND_DOUBT_PCSCD_REFUSES;
}

/* Returns: (transfer full): what Read answers, see org.tokend.Module1.xml. */
static GVariant *
tell (TokendCards *self)
{
  TokendDoubt doubt = get_doubt_of_pcscd (self);
  GVariantBuilder tokens, unknown;
  GHashTableIter iter;
  gpointer name, reader;

  g_variant_builder_init (&tokens, G_VARIANT_TYPE ("aa{sv}"));
  g_variant_builder_init (&unknown, G_VARIANT_TYPE_STRING_ARRAY);
  g_hash_table_iter_init (&iter, self->readers);
  while (g_hash_table_iter_next (&iter, &name, &reader)) {
    const TokendDoubt of_reader = tokend_reader_get_doubt (reader);

    tokend_reader_tell (reader, &tokens);
    doubt = MAX (doubt, of_reader);
    if (of_reader == TOKEND_DOUBT_UNKNOWN_CARD)
      g_variant_builder_add_value (&unknown,
                                   g_variant_new_take_string (g_utf8_make_valid (name, -1)));
  }
  self->told_pcscd = self->pcscd;
  return g_variant_ref_sink (g_variant_new (
      "(aa{sv}sas)", &tokens, tokend_enum_get_nick (TOKEND_TYPE_DOUBT, (int) doubt), &unknown));
}

static gboolean on_look (gpointer user_data);

/* Needs no look where there is no card whose use matters: coming and going is heard of. */
static void
schedule_look (TokendCards *self)
{
  const gboolean is_wanted = self->owner.is_watched && is_any (self, tokend_reader_is_worth_a_look);

  if (is_wanted == (self->look != NULL))
    return;
  if (!is_wanted) {
    g_source_destroy (self->look);
    g_clear_pointer (&self->look, g_source_unref);
    return;
  }
  self->look = g_timeout_source_new (LOOK_MS);
  g_source_set_callback (self->look, on_look, self, NULL);
  g_source_attach (self->look, self->context);
}

/* Answers whoever waits, if there is an answer. */
static void
answer (TokendCards *self)
{
  g_autoptr (GTask) wait = NULL;
  g_autoptr (GTask) read = NULL;

  if (self->read != NULL && !is_any (self, tokend_reader_is_awaited)) {
    read = g_steal_pointer (&self->read);
    g_task_return_pointer (read, tell (self), (GDestroyNotify) g_variant_unref);
  }
  if (self->wait != NULL
      && (self->pcscd != self->told_pcscd || is_any (self, tokend_reader_has_news))) {
    wait = g_steal_pointer (&self->wait);
    g_task_return_boolean (wait, TRUE);
  }
  schedule_look (self);
}

static gboolean
on_look (gpointer user_data)
{
  TokendCards *self = user_data;
  GHashTable *states = tokend_pcsc_list_again (self->looking);

  look (self, tokend_pcsc_get_state (self->looking), states);
  answer (self);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_event (gpointer user_data)
{
  TokendCards *self = user_data;

  look_at_all (self);
  answer (self);
  return G_SOURCE_REMOVE;
}

/* Takes over that pcscd refuses, without asking it once more. */
static gboolean
on_refused (gpointer user_data)
{
  TokendCards *self = user_data;

  look (self, TOKEND_PCSC_REFUSES, g_hash_table_new (g_str_hash, g_str_equal));
  answer (self);
  return G_SOURCE_REMOVE;
}

/* Runs @func in the loop, also before that has begun. */
static void
invoke (TokendCards *self, GSourceFunc func, gpointer data)
{
  g_autoptr (GSource) source = g_timeout_source_new (0);

  g_source_set_callback (source, func, data, NULL);
  g_source_attach (source, self->context);
}

static gpointer
wait_for_events (gpointer user_data)
{
  TokendCards *self = user_data;
  gboolean is_refused;

  while (g_async_queue_pop (self->rounds) != NULL)
    while (g_atomic_int_get (&self->is_watched)) {
      /* The look sees what came before, and what comes later ends the wait. */
      g_hash_table_unref (tokend_pcsc_list (self->waiting));
      is_refused = tokend_pcsc_get_state (self->waiting) == TOKEND_PCSC_REFUSES;
      invoke (self, is_refused ? on_refused : on_event, self);
      tokend_pcsc_wait (self->waiting);
    }
  return NULL;
}

static void
on_changed (gpointer data)
{
  answer (data);
}

static void
on_ended (gpointer data, TokendReader *reader)
{
  on_event (data);
}

static gpointer
run (gpointer user_data)
{
  TokendCards *self = user_data;
  g_autoptr (GMainLoop) loop = g_main_loop_new (self->context, FALSE);

  g_main_context_push_thread_default (self->context);
  g_main_loop_run (loop);
  return NULL;
}

/**
 * tokend_cards_new:
 * @environment: of type a{ss}, what @module needs.
 * @questions: of TOKEND_QUESTIONS_TYPE, how cards are asked what it does not tell.
 *
 * Returns: (transfer full): the cards of this process, for its life; nothing is known yet.
 */
TokendCards *
tokend_cards_new (const char *module, GVariant *environment, GVariant *questions)
{
  TokendCards *self = g_new0 (TokendCards, 1);

  self->context = g_main_context_new ();
  self->owner = (TokendReaderOwner){
    .setup = { .context = self->context,
               .module = g_strdup (module),
               .environment = g_variant_ref (environment),
               .questions = g_variant_ref (questions) },
    .changed = on_changed,
    .ended = on_ended,
    .data = self,
  };
  self->words = tokend_opensc_words_load ();
  self->looking = tokend_pcsc_new ();
  self->waiting = tokend_pcsc_new ();
  self->readers =
      g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) tokend_reader_free);
  self->rounds = g_async_queue_new ();
  g_thread_unref (g_thread_new ("cards", run, self));
  g_thread_unref (g_thread_new ("wait", wait_for_events, self));
  return self;
}

static gboolean
begin_read (gpointer data)
{
  TokendCards *self = g_task_get_task_data (data);

  look_at_all (self);
  self->read = data;
  for_each (self, tokend_reader_demand);
  answer (self);
  return G_SOURCE_REMOVE;
}

static gboolean
take_news (gpointer data)
{
  g_autoptr (GTask) task = data;
  TokendCards *self = g_task_get_task_data (task);

  look_at_all (self);
  for_each (self, tokend_reader_read);
  g_task_return_pointer (task, tell (self), (GDestroyNotify) g_variant_unref);
  answer (self);
  return G_SOURCE_REMOVE;
}

static gboolean
begin_wait (gpointer data)
{
  TokendCards *self = g_task_get_task_data (data);

  self->wait = data;
  self->owner.is_watched = TRUE;
  if (!g_atomic_int_exchange (&self->is_watched, TRUE))
    g_async_queue_push (self->rounds, self);
  answer (self);
  return G_SOURCE_REMOVE;
}

static gboolean
stop_wait (gpointer data)
{
  TokendCards *self = data;
  g_autoptr (GTask) wait = g_steal_pointer (&self->wait);

  self->owner.is_watched = FALSE;
  g_atomic_int_set (&self->is_watched, FALSE);
  for_each (self, tokend_reader_let_go);
  if (wait != NULL)
    g_task_return_boolean (wait, FALSE);
  answer (self);
  return G_SOURCE_REMOVE;
}

static GTask *
make_task (TokendCards *self, GAsyncReadyCallback callback, gpointer data)
{
  GTask *task = g_task_new (NULL, NULL, callback, data);

  g_task_set_task_data (task, self, NULL);
  return task;
}

/**
 * tokend_cards_read_async:
 *
 * Does what Read of org.tokend.Module1.xml says; one at a time. Costs no try.
 */
void
tokend_cards_read_async (TokendCards *self, gboolean all, GAsyncReadyCallback callback,
                         gpointer data)
{
  invoke (self, all ? begin_read : take_news, make_task (self, callback, data));
}

/**
 * tokend_cards_read_finish:
 *
 * Returns: (transfer full): what Read of org.tokend.Module1.xml answers.
 */
GVariant *
tokend_cards_read_finish (GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}

/**
 * tokend_cards_wait_async:
 *
 * Watches the cards, and waits until there is news; one at a time.
 */
void
tokend_cards_wait_async (TokendCards *self, GAsyncReadyCallback callback, gpointer data)
{
  invoke (self, begin_wait, make_task (self, callback, data));
}

/**
 * tokend_cards_stop_waiting:
 *
 * Does not watch the cards any more, and holds none for long.
 */
void
tokend_cards_stop_waiting (TokendCards *self)
{
  invoke (self, stop_wait, self);
}
