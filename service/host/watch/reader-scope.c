/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reader-scope-private.h"

#include "opensc-readers.h"

/** tokend_reader_set_new: Returns: (transfer full): an empty set of names. */
GHashTable *
tokend_reader_set_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

/** tokend_reader_scope_is_another_card: whether it is not as at the read before what is in @reader. */
gboolean
tokend_reader_scope_is_another_card (const TokendReaderScope *self, const char *reader)
{
  const TokendReaderMemory *memory = g_hash_table_lookup (self->memories, reader);

  return memory == NULL
         || tokend_reader_is_another_card (&memory->at_read,
                                           tokend_reader_lookup_state (self->states, reader));
}

/** tokend_reader_scope_has_changed: whether a card that was known of has gone, or one has come into a reader that was. */
gboolean
tokend_reader_scope_has_changed (const TokendReaderScope *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->memories);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (tokend_reader_scope_is_another_card (self, name))
      return TRUE;
  return FALSE;
}

/** tokend_reader_scope_is_held: whether the module still holds the card in @reader. */
gboolean
tokend_reader_scope_is_held (const TokendReaderScope *self, const char *reader)
{
  return g_hash_table_contains (self->held, reader);
}

/** tokend_reader_scope_is_spared: whether the read is not about @reader. */
gboolean
tokend_reader_scope_is_spared (const TokendReaderScope *self, const char *reader)
{
  return g_hash_table_contains (self->spared, reader);
}

/** tokend_reader_scope_is_left_out: whether the module must not look into @reader. */
gboolean
tokend_reader_scope_is_left_out (const TokendReaderScope *self, const char *reader)
{
  return tokend_reader_scope_is_spared (self, reader)
         || g_hash_table_contains (self->missed, reader);
}

/** tokend_reader_scope_list_left_out: Returns: (transfer container) (element-type char *): all that it must not look into. */
GHashTable *
tokend_reader_scope_list_left_out (const TokendReaderScope *self)
{
  GHashTable *left_out = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->spared);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_hash_table_add (left_out, name);
  g_hash_table_iter_init (&iter, self->missed);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_hash_table_add (left_out, name);
  return left_out;
}

static TokendCardUse
get_use (const TokendReaderScope *self, const char *reader)
{
  return tokend_reader_lookup_state (self->states, reader)->use;
}

static gboolean
is_due (const TokendReaderScope *self, const char *reader, gint64 time)
{
  const TokendReaderMemory *memory = g_hash_table_lookup (self->memories, reader);
  TokendReaderMemory copy = { 0 };

  if (memory != NULL)
    copy = *memory;
  return tokend_reader_evaluate (&copy, tokend_reader_lookup_state (self->states, reader),
                                 tokend_reader_scope_is_held (self, reader), time)
         == TOKEND_READER_NEWS_READ;
}

/* What has come or was let go of does not wait for what others go on using; nor is it held with that. */
static gboolean
is_urgent (const TokendReaderScope *self, const char *reader, gint64 time)
{
  return get_use (self, reader) != TOKEND_CARD_ABSENT && is_due (self, reader, time)
         && (get_use (self, reader) == TOKEND_CARD_FREE
             || tokend_reader_scope_is_another_card (self, reader));
}

static gboolean
is_any_urgent (const TokendReaderScope *self, gint64 time)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (is_urgent (self, name, time))
      return TRUE;
  return FALSE;
}

/* Also those that are another program's alone: they are beyond reach, which is to be told. */
static GHashTable *
list_wanted (const TokendReaderScope *self, gint64 time)
{
  const gboolean are_urgent = is_any_urgent (self, time);
  GHashTable *wanted = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (get_use (self, name) == TOKEND_CARD_EXCLUSIVE
        || (are_urgent ? is_urgent (self, name, time)
                       : is_due (self, name, time) || tokend_reader_scope_is_held (self, name)))
      g_hash_table_add (wanted, name);
  return wanted;
}

/* The module leaves out those with a part of the same name as well. */
static gboolean
can_spare (const char *reader, GHashTable *wanted)
{
  g_autoptr (GHashTable) alone = g_hash_table_new (g_str_hash, g_str_equal);
  GHashTableIter iter;
  gpointer name;

  if (!tokend_opensc_readers_can_name (reader))
    return FALSE;
  g_hash_table_add (alone, (gpointer) reader);
  g_hash_table_iter_init (&iter, wanted);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (tokend_opensc_readers_is_left_out (alone, name))
      return FALSE;
  return TRUE;
}

static void
forget_what_was_held (TokendReaderScope *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->held);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (tokend_reader_scope_is_another_card (self, name))
      g_hash_table_iter_remove (&iter);
}

/**
 * tokend_reader_scope_choose:
 * @is_for_all: whether the read is about all readers; else about those that there is news of
 * @time: now
 *
 * Chooses the readers that the read is about. No card is asked without need: to ask it takes long, which others wait for, and
 * who wants it for itself alone cannot have it meanwhile.
 */
void
tokend_reader_scope_choose (TokendReaderScope *self, gboolean is_for_all, gint64 time)
{
  g_autoptr (GHashTable) wanted = NULL;
  GHashTableIter iter;
  gpointer name;

  self->is_for_all = is_for_all;
  g_hash_table_remove_all (self->spared);
  g_hash_table_remove_all (self->missed);
  forget_what_was_held (self);
  if (is_for_all)
    return;
  wanted = list_wanted (self, time);
  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (get_use (self, name) != TOKEND_CARD_ABSENT && !g_hash_table_contains (wanted, name)
        && can_spare (name, wanted))
      g_hash_table_add (self->spared, g_strdup (name));
}

/* The readers of cards that others are in the way of, and those that the module leaves out with them for their names. */
static void
miss (TokendReaderScope *self, GHashTable *missed)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!tokend_reader_scope_is_spared (self, name)
        && tokend_opensc_readers_is_left_out (missed, name))
      g_hash_table_add (self->missed, g_strdup (name));
}

/* To let go of a card waits for the end of another's transaction with it, as to connect to it does. */
static gboolean
must_keep (const TokendReaderScope *self, GHashTable *missed)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->held);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (g_hash_table_contains (missed, name))
      return TRUE;
  return FALSE;
}

static void
miss_what_is_not_held (TokendReaderScope *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!tokend_reader_scope_is_held (self, name) && !tokend_reader_scope_is_spared (self, name)
        && get_use (self, name) != TOKEND_CARD_ABSENT)
      g_hash_table_add (self->missed, g_strdup (name));
}

static gboolean
is_within_reach (const TokendReaderScope *self, const char *reader)
{
  const TokendCardUse use = get_use (self, reader);

  return (use == TOKEND_CARD_FREE || use == TOKEND_CARD_SHARED)
         && !tokend_reader_scope_is_left_out (self, reader);
}

static gboolean
is_any_within_reach (const TokendReaderScope *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (is_within_reach (self, name))
      return TRUE;
  return FALSE;
}

/* As it is held, or with nothing to be asked for. */
static gboolean
is_as_held (const TokendReaderScope *self, const char *reader)
{
  const TokendReaderMemory *memory = g_hash_table_lookup (self->memories, reader);

  return !is_within_reach (self, reader)
         || (tokend_reader_scope_is_held (self, reader) && memory->knowledge != TOKEND_CARD_UNREAD);
}

static gboolean
are_all_as_held (const TokendReaderScope *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (!is_as_held (self, name))
      return FALSE;
  return TRUE;
}

/**
 * tokend_reader_scope_choose_access:
 * @missed: (element-type char *): the readers of cards that others are in the way of
 *
 * Where the module cannot let go of what it holds, those that it does not hold are left out, too.
 *
 * Returns: how those can be read that are not left out
 */
TokendReaderAccess
tokend_reader_scope_choose_access (TokendReaderScope *self, GHashTable *missed)
{
  miss (self, missed);
  if (must_keep (self, missed)) {
    miss_what_is_not_held (self);
    return TOKEND_READER_ACCESS_KEPT;
  }
  if (!self->is_for_all && !is_any_within_reach (self))
    return TOKEND_READER_ACCESS_NONE;
  return g_hash_table_size (self->held) > 0 && are_all_as_held (self) ? TOKEND_READER_ACCESS_KEPT
                                                                      : TOKEND_READER_ACCESS_AFRESH;
}

/** tokend_reader_scope_has_idle: whether the read is about a card that nobody uses, and that another one need not be about. */
gboolean
tokend_reader_scope_has_idle (const TokendReaderScope *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (is_within_reach (self, name) && get_use (self, name) == TOKEND_CARD_FREE
        && tokend_opensc_readers_can_name (name))
      return TRUE;
  return FALSE;
}

/** tokend_reader_scope_hold: the module, which has looked at the readers afresh, keeps the cards that it found in them. */
void
tokend_reader_scope_hold (TokendReaderScope *self)
{
  GHashTableIter iter;
  gpointer name;

  g_hash_table_remove_all (self->held);
  g_hash_table_iter_init (&iter, self->states);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    if (is_within_reach (self, name))
      g_hash_table_add (self->held, g_strdup (name));
}
