/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-events.h"

struct _TokendSlotEvents {
  gboolean has_begun; /* owned by the PKCS#11 thread */
  GMutex lock;
  GHashTable *counts; /* of slot → number */
};

TokendSlotEvents *
tokend_slot_events_new (void)
{
  TokendSlotEvents *self = g_new0 (TokendSlotEvents, 1);

  g_mutex_init (&self->lock);
  self->counts = g_hash_table_new (g_direct_hash, g_direct_equal);
  return self;
}

void
tokend_slot_events_free (TokendSlotEvents *self)
{
  g_mutex_clear (&self->lock);
  g_hash_table_unref (self->counts);
  g_free (self);
}

/* Takes at most one event a slot, since a module may answer without end. An event that cannot be
 * asked for without waiting is counted, and so never missed. */
static void
drain (const TokendReadFunctions *functions)
{
  CK_ULONG n_slots = 0;

  if (functions->get_slot_list (CK_FALSE, NULL, &n_slots) != CKR_OK)
    return;
  for (CK_ULONG i = 0; i < MIN (n_slots, TOKEND_SLOTS_MAX); i++) {
    CK_SLOT_ID slot = 0;

    if (functions->wait_for_slot_event (CKF_DONT_BLOCK, &slot, NULL) != CKR_OK)
      return;
  }
}

/**
 * tokend_slot_events_begin:
 * @functions: must have C_WaitForSlotEvent.
 *
 * Discards what some modules tell at first, of the tokens that are there. Must be called in the
 * PKCS#11 thread, before tokend_slot_events_wait(), and before a read after which no token may be
 * out unseen.
 */
void
tokend_slot_events_begin (TokendSlotEvents *self, const TokendReadFunctions *functions)
{
  if (!self->has_begun)
    drain (functions);
  self->has_begun = TRUE;
}

static guint
look_up (TokendSlotEvents *self, CK_SLOT_ID slot)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, GSIZE_TO_POINTER (slot)));
}

/**
 * tokend_slot_events_wait:
 * @functions: must have C_WaitForSlotEvent.
 *
 * Waits until the module tells of a slot, and counts that. In one thread at a time.
 *
 * Returns: what C_WaitForSlotEvent returned
 */
CK_RV
tokend_slot_events_wait (TokendSlotEvents *self, const TokendReadFunctions *functions)
{
  CK_SLOT_ID slot = 0;
  const CK_RV rv = functions->wait_for_slot_event (0, &slot, NULL);

  if (rv != CKR_OK)
    return rv;
  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->counts, GSIZE_TO_POINTER (slot),
                       GUINT_TO_POINTER (look_up (self, slot) + 1));
  g_mutex_unlock (&self->lock);
  return rv;
}

/**
 * tokend_slot_events_count:
 *
 * Returns: the number of events of @slot; it changes with each event.
 */
guint
tokend_slot_events_count (TokendSlotEvents *self, CK_SLOT_ID slot)
{
  guint count;

  g_mutex_lock (&self->lock);
  count = look_up (self, slot);
  g_mutex_unlock (&self->lock);
  return count;
}
