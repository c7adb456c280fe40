/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-reader.h"

#include "pcsc.h"
#include "reading.h"

#include <string.h>

/* Returns: the length of the text without the blanks or NULs that fill it up. */
static gsize
measure (const char *text, gsize size)
{
  gsize length = strnlen (text, size);

  while (length > 0 && text[length - 1] == ' ')
    length--;
  return length;
}

static gboolean
is_description_of (const char *description, gsize size, const char *reader)
{
  const gsize length = measure (description, size);

  return length > 0 && length == measure (reader, size)
         && memcmp (description, reader, length) == 0;
}

/**
 * tokend_slot_reader_find:
 * @readers: those of pcscd; the keys are their names
 * @slot: a slot
 * @is_other_possible: (out): whether another reader may be meant as well
 *
 * Compares the description of a card's slot, which is the name of its reader, cut at 64 bytes.
 * Names have up to 127.
 *
 * Returns: (transfer none) (nullable): the name of the reader, interned
 */
const char *
tokend_slot_reader_find (GHashTable *readers, const CK_SLOT_INFO *slot, gboolean *is_other_possible)
{
  const char *found = NULL;
  GHashTableIter iter;
  gpointer reader;

  *is_other_possible = FALSE;
  g_hash_table_iter_init (&iter, readers);
  while (g_hash_table_iter_next (&iter, &reader, NULL))
    if (is_description_of ((const char *) slot->slotDescription, sizeof slot->slotDescription,
                           reader)) {
      *is_other_possible = found != NULL;
      found = g_intern_string (reader);
    }
  return found;
}

/* Leaves out what is in no device, and so in no reader. Asking pcscd could start it. */
static gboolean
may_be_in_reader (const CK_SLOT_INFO *slot)
{
  return (slot->flags & (CKF_HW_SLOT | CKF_REMOVABLE_DEVICE)) != 0;
}

/* Asks pcscd which readers there are now, and does not keep the answer. */
static void
look_up (const TokendReadFunctions *functions, TokendSlotReading *reading)
{
  CK_SLOT_INFO slot = { 0 };
  g_autoptr (GHashTable) readers = NULL;
  TokendPcsc *pcsc;

  if (functions->get_slot_info == NULL || functions->get_slot_info (reading->slot, &slot) != CKR_OK
      || !may_be_in_reader (&slot))
    return;
  pcsc = tokend_pcsc_new ();
  readers = tokend_pcsc_list (pcsc);
  tokend_pcsc_free (pcsc);
  reading->reader = tokend_slot_reader_find (readers, &slot, &reading->is_other_possible);
}

/* Returns: what was in that slot at the last read, if it was this token. */
static const TokendSlotReading *
recall (const GArray *last, const TokendSlotReading *reading)
{
  for (guint i = 0; last != NULL && i < last->len; i++) {
    const TokendSlotReading *candidate = &g_array_index (last, TokendSlotReading, i);

    if (candidate->slot == reading->slot
        && tokend_token_identity_equal (&candidate->reading.identity, &reading->reading.identity))
      return candidate;
  }
  return NULL;
}

/**
 * tokend_slot_readers_look_up:
 * @last: (nullable) (element-type TokendSlotReading): the last readings of the same slots
 * @readings: (element-type TokendSlotReading): the new readings
 *
 * Finds out in which reader of pcscd each token is, when it is first seen in its slot. Costs no
 * try.
 */
void
tokend_slot_readers_look_up (const TokendReadFunctions *functions, const GArray *last,
                             GArray *readings)
{
  for (guint i = 0; i < readings->len; i++) {
    TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);
    const TokendSlotReading *known = recall (last, reading);

    if (known == NULL) {
      look_up (functions, reading);
      continue;
    }
    reading->reader = known->reader;
    reading->is_other_possible = known->is_other_possible;
  }
}
