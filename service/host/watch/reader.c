/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-private.h"

/* A card is busy if another program's transaction takes longer. In milliseconds. */
#define TURN_MS 2000
/* Callers are answered after this, however long a card takes, before tokend gives the whole module
 * up. In milliseconds. */
#define ANSWER_MS 4000
/* A process that has not answered or ended for this long hangs, unless others use its card, for
 * which it may wait. In milliseconds. */
#define HANG_MS 10000
#define HANG_IN_USE_MS 60000
/* A read of a card that is kept takes a command or two. If it takes this much longer than another
 * one, it waited for the end of a transaction, which libpcsclite looks for every 100 ms. In
 * microseconds. */
#define MEETING (100 * G_TIME_SPAN_MILLISECOND)

/* Compared by its address. */
static const char BUSY[] = TOKEND_MODULE_UNREAD_BUSY;

struct _TokendReader {
  const TokendReaderOwner *owner;
  char *name;
  TokendReaderState state; /* as last seen */
  gboolean is_due;
  TokendReaderMemory memory;
  TokendReaderHold hold;

  TokendReaderChild *child;
  gboolean is_ending; /* the child is letting go of the card */
  gboolean is_kept;   /* the child has read this card before */
  gint64 fastest;     /* the fastest of its reads since */

  gint64 asked_at; /* when the present read was asked for; 0: there is none */
  gint64 begun_at; /* when it began, once the child had started; 0: it has not */
  TokendReaderState before;
  gboolean is_awaited;  /* somebody waits for the present read */
  gboolean is_demanded; /* another read was asked for after it began */
  GSource *turn;
  GSource *deadline;
  GSource *hang;

  GVariant *tokens; /* aa{sv}, as last read; NULL: none */
  gint64 read_at;   /* when that read began */
  GVariant *certificates;
  gboolean was_used;    /* by another program, since the tokens were told */
  gboolean is_answered; /* the module could look into the card at the last read */
  gboolean is_news;     /* something was not told yet */
  gboolean is_fresh;    /* the tokens were read since they were told */
  const char *unread;   /* why they could not be read though they are there; or NULL */
};

static GSource *
add_timeout (TokendReader *self, guint ms, GSourceFunc callback)
{
  GSource *source = g_timeout_source_new (ms);

  g_source_set_callback (source, callback, self, NULL);
  g_source_attach (source, self->owner->setup.context);
  return source;
}

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

TokendReader *
tokend_reader_new (const TokendReaderOwner *owner, const char *name)
{
  TokendReader *self = g_new0 (TokendReader, 1);

  self->owner = owner;
  self->name = g_strdup (name);
  return self;
}

/**
 * tokend_reader_free:
 *
 * Frees a reader that is gone.
 */
void
tokend_reader_free (TokendReader *self)
{
  clear_source (&self->turn);
  clear_source (&self->deadline);
  clear_source (&self->hang);
  g_clear_pointer (&self->tokens, g_variant_unref);
  g_clear_pointer (&self->certificates, g_variant_unref);
  g_free (self->name);
  g_free (self);
}

static void
tell_owner (TokendReader *self)
{
  self->is_news = TRUE;
  self->owner->changed (self->owner->data);
}

/* Waits for the read no more. @state: of the card before it was connected to. */
static void
give_up (TokendReader *self, const TokendReaderState *state)
{
  self->is_awaited = FALSE;
  self->unread = state->use == TOKEND_CARD_SHARED ? BUSY : "it did not answer in time";
  tell_owner (self);
}

static gboolean
on_turn_over (gpointer user_data)
{
  TokendReader *self = user_data;

  clear_source (&self->turn);
  if (self->before.use == TOKEND_CARD_SHARED)
    give_up (self, &self->before);
  return G_SOURCE_REMOVE;
}

static gboolean
on_deadline (gpointer user_data)
{
  TokendReader *self = user_data;

  clear_source (&self->deadline);
  if (!self->is_awaited)
    return G_SOURCE_REMOVE;
  if (self->asked_at != 0 || self->is_demanded) {
    give_up (self, self->asked_at != 0 ? &self->before : &self->state);
  } else {
    /* It was read, and is still being let go. */
    self->is_awaited = FALSE;
    tell_owner (self);
  }
  return G_SOURCE_REMOVE;
}

static gboolean
on_hang (gpointer user_data)
{
  TokendReader *self = user_data;

  clear_source (&self->hang);
  tokend_reader_child_kill (self->child);
  return G_SOURCE_REMOVE;
}

static void
watch_child (TokendReader *self, TokendCardUse use)
{
  clear_source (&self->hang);
  self->hang = add_timeout (self, use == TOKEND_CARD_SHARED ? HANG_IN_USE_MS : HANG_MS, on_hang);
}

/* Kills the child. pcscd then does not let it reset a card with which another program has a
 * transaction. */
static void
end_child (TokendReader *self)
{
  if (self->child == NULL || self->is_ending)
    return;
  self->is_ending = TRUE;
  watch_child (self, TOKEND_CARD_FREE);
  tokend_reader_child_end (self->child);
}

static gboolean
is_same_card (TokendReader *self)
{
  return !tokend_reader_is_another_card (&self->before, &self->state);
}

static TokendCardKnowledge
evaluate_tokens (GVariant *tokens)
{
  for (gsize i = 0; i < g_variant_n_children (tokens); i++) {
    g_autoptr (GVariant) token = g_variant_get_child_value (tokens, i);

    if (g_variant_lookup (token, "unread", "&s", NULL))
      return TOKEND_CARD_UNREAD;
  }
  return g_variant_n_children (tokens) > 0 ? TOKEND_CARD_IS_TOKEN : TOKEND_CARD_IS_OTHER;
}

static void
take_tokens (TokendReader *self, GVariant *tokens, const char *failure)
{
  const TokendCardKnowledge found =
      tokens != NULL ? evaluate_tokens (tokens) : TOKEND_CARD_IS_OTHER;
  const gint64 now = g_get_monotonic_time ();

  self->was_used = self->was_used || self->memory.used_since != 0;
  self->memory =
      tokend_reader_remember (&self->memory, &self->before, self->is_kept, found, self->asked_at);
  self->memory.read_at = now;
  self->was_used = self->was_used || self->memory.used_since != 0;
  self->is_answered = tokens != NULL && *failure == '\0';
  self->is_news = TRUE;
  self->unread = NULL;
  if (found == TOKEND_CARD_IS_OTHER && self->memory.is_known
      && self->memory.knowledge == TOKEND_CARD_UNREAD) {
    self->unread = *failure != '\0' ? g_intern_string (failure) : "no token was found on it";
    return;
  }
  g_clear_pointer (&self->tokens, g_variant_unref);
  if (found != TOKEND_CARD_IS_OTHER) {
    self->tokens = g_variant_ref (tokens);
    self->read_at = self->asked_at;
    self->is_fresh = TRUE;
  }
}

static gboolean
may_keep (TokendReader *self, const TokendReaderMemory *last)
{
  const gint64 now = g_get_monotonic_time ();
  const gint64 length = now - self->begun_at;
  const gboolean is_in_long_use = last->used_since != 0
                                  && now - last->used_since >= TOKEND_READER_PATIENCE
                                  && self->before.use == TOKEND_CARD_SHARED;
  const gboolean is_met = self->is_kept && length >= self->fastest + MEETING;

  self->fastest = self->is_kept ? MIN (self->fastest, length) : G_MAXINT32;
  return self->owner->is_watched && self->memory.knowledge == TOKEND_CARD_IS_TOKEN
         && tokend_reader_may_hold (&self->hold, self->is_kept, is_in_long_use, is_met, now);
}

static void
end_read (TokendReader *self)
{
  self->asked_at = 0;
  clear_source (&self->turn);
  clear_source (&self->hang);
}

static void
on_begun (gpointer data)
{
  TokendReader *self = data;

  if (self->asked_at == 0) {
    end_child (self);
    return;
  }
  self->begun_at = g_get_monotonic_time ();
  clear_source (&self->turn);
  self->turn = add_timeout (self, TURN_MS, on_turn_over);
}

static const TokendReaderEvents events;

/* Returns: whether the child may be asked for more. */
static gboolean
take_answer (TokendReader *self, GVariant *tokens, const char *failure)
{
  const TokendReaderMemory last = self->memory;

  if (is_same_card (self))
    take_tokens (self, tokens, failure);
  end_read (self);
  if (!is_same_card (self))
    return FALSE;
  return tokens != NULL && (may_keep (self, &last) || self->is_demanded);
}

/* Waits while the child lets go of the card. */
static void
begin_read (TokendReader *self)
{
  self->is_due = self->is_demanded = FALSE;
  self->before = self->state;
  self->asked_at = self->begun_at = g_get_monotonic_time ();
  if (self->child == NULL)
    self->child = tokend_reader_child_new (&self->owner->setup, self->name, &events, self);
  if (self->child == NULL) {
    take_answer (self, NULL, "");
    self->is_awaited = FALSE;
    return;
  }
  watch_child (self, self->before.use);
  tokend_reader_child_ask (self->child, self->certificates);
}

static void
on_answered (gpointer data, const char *failure, GVariant *tokens, GVariant *certificates)
{
  TokendReader *self = data;

  if (self->asked_at == 0) {
    end_child (self);
    return;
  }
  g_clear_pointer (&self->certificates, g_variant_unref);
  self->certificates = g_variant_ref (certificates);
  self->is_kept = take_answer (self, tokens, failure);
  if (!self->is_kept)
    /* Answers callers once the card is let go, since they may want it for themselves. */
    end_child (self);
  else if (self->is_demanded)
    begin_read (self);
  else
    self->is_awaited = FALSE;
  tell_owner (self);
}

static void
on_ended (gpointer data)
{
  TokendReader *self = data;

  g_clear_pointer (&self->child, tokend_reader_child_free);
  clear_source (&self->hang);
  self->is_ending = FALSE;
  if (self->asked_at != 0)
    take_answer (self, NULL, "");
  self->is_kept = FALSE;
  self->is_awaited = self->is_awaited && self->is_demanded;
  self->owner->ended (self->owner->data, self);
}

static const TokendReaderEvents events = { on_begun, on_answered, on_ended };

static void
forget_card (TokendReader *self)
{
  g_clear_pointer (&self->tokens, g_variant_unref);
  g_clear_pointer (&self->certificates, g_variant_unref);
  self->unread = NULL;
  self->is_fresh = FALSE;
  self->was_used = TRUE;
  self->is_news = TRUE;
}

/**
 * tokend_reader_look:
 * @state: as it is now.
 *
 * Takes note of the state.
 */
void
tokend_reader_look (TokendReader *self, const TokendReaderState *state)
{
  const gboolean was_taken = self->state.use == TOKEND_CARD_EXCLUSIVE;
  const gboolean is_another = tokend_reader_is_another_card (&self->state, state);

  self->state = *state;
  if (is_another) {
    forget_card (self);
    self->memory = (TokendReaderMemory){ 0 };
    if (self->asked_at == 0)
      end_child (self);
    else
      watch_child (self, TOKEND_CARD_FREE);
  }
  if (was_taken != (state->use == TOKEND_CARD_EXCLUSIVE))
    self->is_news = TRUE;
  if (is_another || state->use == TOKEND_CARD_EXCLUSIVE)
    self->is_awaited = self->is_demanded = FALSE;
  if (self->is_demanded && self->child == NULL)
    begin_read (self);
  self->is_due =
      self->asked_at == 0 && !self->is_ending
      && tokend_reader_is_due (&self->memory, state, self->child != NULL, g_get_monotonic_time ());
}

/**
 * tokend_reader_read:
 *
 * Reads the card if it is time for that.
 */
void
tokend_reader_read (TokendReader *self)
{
  if (self->is_due)
    begin_read (self);
}

/**
 * tokend_reader_demand:
 *
 * Reads the card in any case from now on, see tokend_reader_is_awaited().
 */
void
tokend_reader_demand (TokendReader *self)
{
  const gboolean is_reading = self->asked_at != 0;

  if (self->state.use == TOKEND_CARD_ABSENT || self->state.use == TOKEND_CARD_EXCLUSIVE
      || (is_reading && self->unread == BUSY))
    return;
  self->is_awaited = TRUE;
  clear_source (&self->deadline);
  self->deadline = add_timeout (self, ANSWER_MS, on_deadline);
  if (is_reading || self->is_ending)
    self->is_demanded = TRUE;
  else
    begin_read (self);
}

/**
 * tokend_reader_let_go:
 *
 * Lets go of a card that is kept for the next read.
 */
void
tokend_reader_let_go (TokendReader *self)
{
  if (self->asked_at == 0)
    end_child (self);
}

/**
 * tokend_reader_has_news:
 *
 * Returns: whether there is something to tell or read.
 */
gboolean
tokend_reader_has_news (TokendReader *self)
{
  return self->is_news || self->is_due;
}

/**
 * tokend_reader_is_awaited:
 *
 * Returns: whether what was demanded has not been read yet, for a limited time.
 */
gboolean
tokend_reader_is_awaited (TokendReader *self)
{
  return self->is_awaited;
}

static const char *
get_unread (TokendReader *self)
{
  return self->state.use == TOKEND_CARD_EXCLUSIVE ? BUSY : self->unread;
}

/**
 * tokend_reader_get_doubt:
 *
 * Returns: why its card may be a token that is not told of.
 */
TokendDoubt
tokend_reader_get_doubt (TokendReader *self)
{
  const gboolean is_new = tokend_reader_is_another_card (&self->memory.at_read, &self->state);

  if (self->state.use == TOKEND_CARD_ABSENT || self->tokens != NULL)
    return TOKEND_DOUBT_NONE;
  if (is_new && get_unread (self) == BUSY)
    return TOKEND_DOUBT_HIDDEN_CARD;
  return is_new || self->memory.is_known || !self->is_answered ? TOKEND_DOUBT_UNREAD_CARD
                                                               : TOKEND_DOUBT_UNKNOWN_CARD;
}

/**
 * tokend_reader_is_worth_a_look:
 *
 * Returns: whether it matters if another program uses its card.
 */
gboolean
tokend_reader_is_worth_a_look (TokendReader *self)
{
  return self->child != NULL
         || (self->state.use != TOKEND_CARD_ABSENT
             && (self->memory.knowledge != TOKEND_CARD_IS_OTHER || self->memory.is_known
                 || tokend_reader_is_another_card (&self->memory.at_read, &self->state)));
}

/**
 * tokend_reader_is_over:
 *
 * Returns: whether everything was told, so that it can be freed once pcscd does not know it.
 */
gboolean
tokend_reader_is_over (TokendReader *self)
{
  return self->child == NULL && !self->is_news;
}

static GVariant *
tell_token (TokendReader *self, GVariant *token)
{
  const guint64 insertion = ((guint64) g_str_hash (self->name) << 32 | self->state.insertions) + 1;
  GVariantDict dict;

  g_variant_dict_init (&dict, token);
  g_variant_dict_insert (&dict, "insertion", "t", insertion);
  if (get_unread (self) != NULL)
    g_variant_dict_insert (&dict, "unread", "s", get_unread (self));
  else if (self->is_fresh) {
    g_variant_dict_insert (&dict, "begun-at", "t", (guint64) self->read_at);
    g_variant_dict_insert (&dict, "used", "b", self->was_used);
  } else
    g_variant_dict_insert (&dict, "spared", "b", TRUE);
  if (self->asked_at != 0 || self->is_due)
    g_variant_dict_insert (&dict, "pending", "b", TRUE);
  return g_variant_dict_end (&dict);
}

/**
 * tokend_reader_tell:
 * @readings: (inout): gets a reading of each of its tokens, as org.tokend.Module1.xml describes it.
 *
 * Tells its tokens.
 */
void
tokend_reader_tell (TokendReader *self, GVariantBuilder *readings)
{
  for (gsize i = 0; self->tokens != NULL && i < g_variant_n_children (self->tokens); i++) {
    g_autoptr (GVariant) token = g_variant_get_child_value (self->tokens, i);

    g_variant_builder_add_value (readings, tell_token (self, token));
  }
  self->is_news = FALSE;
  if (get_unread (self) == NULL && self->is_fresh)
    self->is_fresh = self->was_used = FALSE;
}
