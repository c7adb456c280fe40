/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cards.h"

#include "certificates.h"
#include "opensc-readers.h"
#include "reader-use.h"
#include "reader-watch-private.h"
#include "slots.h"
#include "tokend-error.h"
#include "tokend-module.h"

struct _TokendCards {
  TokendReaderWatch *watch;
  /* The PKCS#11 thread's */
  GArray *readings;    /* of TokendSlotReading: the last read's */
  gboolean is_holding; /* the module is initialised */
};

/** tokend_cards_new: Returns: (transfer full): of this process, for its life; nothing is known yet. */
TokendCards *
tokend_cards_new (void)
{
  TokendCards *self = g_new0 (TokendCards, 1);

  self->watch = tokend_reader_watch_new ();
  self->readings = g_array_new (FALSE, FALSE, sizeof (TokendSlotReading));
  return self;
}

static void
let_go (TokendCards *self, TokendReadFunctions *functions)
{
  if (self->is_holding)
    tokend_pkcs11_module_finalize (functions);
  self->is_holding = FALSE;
}

static gboolean
take_hold (TokendCards *self, TokendReadFunctions *functions, GError **error)
{
  g_autoptr (GHashTable) left_out = NULL;

  if (functions->finalize == NULL || functions->get_slot_info == NULL) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                         "It lacks a function of PKCS#11");
    return FALSE;
  }
  left_out = tokend_reader_watch_list_left_out (self->watch);
  self->is_holding = tokend_opensc_readers_leave_out (left_out, error)
                     && tokend_pkcs11_module_initialize (functions, error);
  return self->is_holding;
}

static void
find_reader (TokendCards *self, const TokendReadFunctions *functions, TokendSlotReading *reading)
{
  CK_SLOT_INFO slot = { 0 };

  if (functions->get_slot_info (reading->slot, &slot) == CKR_OK)
    reading->reader = tokend_reader_watch_find (self->watch, &slot, &reading->is_other_possible);
}

/* Slots have other numbers each time that the module is initialised: what is known from before goes by the reader. */
static GArray *
read_afresh (TokendCards *self, TokendReadFunctions *functions, GError **error)
{
  GArray *readings;

  if (!take_hold (self, functions, error))
    return NULL;
  readings = tokend_slots_read (functions, NULL, error);
  for (guint i = 0; readings != NULL && i < readings->len; i++)
    find_reader (self, functions, &g_array_index (readings, TokendSlotReading, i));
  return readings;
}

/* What the module holds. */
static GArray *
read_again (TokendCards *self, const TokendReadFunctions *functions)
{
  g_autoptr (GArray) last = g_array_new (FALSE, FALSE, sizeof (TokendSlotReading));

  for (guint i = 0; i < self->readings->len; i++) {
    const TokendSlotReading *reading = &g_array_index (self->readings, TokendSlotReading, i);

    if (reading->reader == NULL || tokend_reader_watch_may_ask (self->watch, reading->reader))
      g_array_append_val (last, *reading);
  }
  return tokend_slots_read_again (functions, last);
}

/* Which call of the module's failed cannot be told: it has no slot with a token in that reader. */
static void
set_unread (TokendSlotReading *reading, TokendUnread unread)
{
  reading->reading.unread = unread;
  reading->reading.unread_reason = CKR_TOKEN_NOT_RECOGNIZED;
  reading->reading.is_spared = FALSE;
}

/* Returns: whether the token is there still, though none was found in its reader: it was not looked for, or another program
 * is in the way, or the card was disturbed. In the latter two cases more cannot be told. */
static gboolean
evaluate_unread (TokendCards *self, TokendSlotReading *reading)
{
  if (tokend_reader_watch_is_spared (self->watch, reading->reader))
    reading->reading.is_spared = TRUE;
  else if (tokend_reader_watch_is_beyond (self->watch, reading->reader))
    set_unread (reading, TOKEND_UNREAD_BUSY);
  else if (tokend_reader_watch_is_disturbed (self->watch, reading->reader))
    set_unread (reading, TOKEND_UNREAD_FAILED);
  else
    return FALSE;
  return TRUE;
}

static void
add_unread (TokendCards *self, TokendReaderAccess access, GHashTable *found, GArray *readings)
{
  for (guint i = 0; i < self->readings->len && readings->len < TOKEND_MODULE_TOKENS_MAX; i++) {
    TokendSlotReading reading = g_array_index (self->readings, TokendSlotReading, i);

    if (reading.reader == NULL || g_hash_table_contains (found, reading.reader)
        || !evaluate_unread (self, &reading))
      continue;
    if (access != TOKEND_READER_ACCESS_KEPT)
      reading.slot = TOKEND_SLOT_UNKNOWN;
    g_array_append_val (readings, reading);
  }
}

static GHashTable *
sum_up (const GArray *readings)
{
  GHashTable *found = g_hash_table_new (g_str_hash, g_str_equal);

  for (guint i = 0; i < readings->len; i++) {
    const TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);

    if (reading->reader != NULL)
      g_hash_table_insert (found, (gpointer) reading->reader,
                           GINT_TO_POINTER (reading->reading.unread == TOKEND_UNREAD_NOT
                                                ? TOKEND_CARD_IS_TOKEN
                                                : TOKEND_CARD_UNREAD));
  }
  return found;
}

static GArray *
read_as (TokendCards *self, TokendReadFunctions *functions, TokendReaderAccess access,
         GError **error)
{
  if (access == TOKEND_READER_ACCESS_KEPT)
    return read_again (self, functions);
  let_go (self, functions);
  return access == TOKEND_READER_ACCESS_AFRESH
             ? read_afresh (self, functions, error)
             : g_array_new (FALSE, FALSE, sizeof (TokendSlotReading));
}

static void
put_insertions (TokendCards *self, GArray *readings)
{
  for (guint i = 0; i < readings->len; i++) {
    TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);

    if (reading->reader != NULL)
      reading->reading.insertion = tokend_reader_watch_get_insertion (self->watch, reading->reader);
  }
}

static void
take_readings (TokendCards *self, TokendReaderAccess access, GHashTable *found, GArray *readings)
{
  add_unread (self, access, found, readings);
  put_insertions (self, readings);
  g_array_unref (self->readings);
  self->readings = readings;
}

/**
 * tokend_cards_read:
 * @functions: of the module, which only this initialises and finalizes
 * @certificates: what is known from the read before
 * @is_for_all: see Read in org.tokend.Module1.xml
 * @is_watched: whether tokend_cards_wait() is under way, or has asked for this read: it asks for the read which lets go of
 *   the cards. In any case the caller is to see to tokend_cards_let_go() when no read has come for a while.
 * @error: ModuleFailed, Busy
 *
 * Reads the cards. One that another program has for itself, be it for a transaction, is left alone, and holds up no other.
 * Costs no try.
 *
 * Returns: (transfer floating) (nullable): the readings, of type aa{sv}
 */
GVariant *
tokend_cards_read (TokendCards *self, TokendReadFunctions *functions, GPtrArray *certificates,
                   gboolean is_for_all, gboolean is_watched, GError **error)
{
  const TokendReaderAccess access = tokend_reader_watch_begin (self->watch, is_for_all);
  g_autoptr (GHashTable) found = NULL;
  GArray *readings = read_as (self, functions, access, error);

  if (readings != NULL) {
    readings = tokend_slots_complete (functions, certificates, readings);
    found = sum_up (readings);
    take_readings (self, access, found, readings);
    tokend_certificates_forget_others (certificates, readings);
  }
  if (found == NULL || (!tokend_reader_watch_may_keep (self->watch, found) && is_watched))
    let_go (self, functions);
  tokend_reader_watch_end (self->watch, found, self->is_holding);
  return found != NULL ? tokend_slots_to_variant (certificates, self->readings) : NULL;
}

/** tokend_cards_let_go: of all cards, in the PKCS#11 thread, so that other programs can have them for themselves. */
void
tokend_cards_let_go (TokendCards *self, TokendReadFunctions *functions)
{
  let_go (self, functions);
  tokend_reader_watch_let_go (self->watch);
}

/** tokend_cards_have_hidden: whether a card may be a token that no read has reached yet; from any thread. */
gboolean
tokend_cards_have_hidden (TokendCards *self)
{
  return tokend_reader_watch_has_hidden (self->watch);
}

/** tokend_cards_are_in_use: whether other programs may use cards while this reads, or did when it began; from any thread. */
gboolean
tokend_cards_are_in_use (TokendCards *self)
{
  return tokend_reader_watch_is_in_use (self->watch);
}

/** tokend_cards_lose_read: what the present read finds is told to nobody: see tokend_reader_watch_lose(); from any thread. */
void
tokend_cards_lose_read (TokendCards *self)
{
  tokend_reader_watch_lose (self->watch);
}

/** tokend_cards_wait: see tokend_reader_watch_wait(); in a thread of its own. */
gboolean
tokend_cards_wait (TokendCards *self)
{
  return tokend_reader_watch_wait (self->watch);
}

/** tokend_cards_look_on: see tokend_reader_watch_look_on(); in a thread of its own. */
void
tokend_cards_look_on (TokendCards *self)
{
  tokend_reader_watch_look_on (self->watch);
}
