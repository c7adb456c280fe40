/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-events.h"

/* Some modules tell at once of the tokens that were there at the start. In microseconds. */
#define AT_ONCE (100 * G_TIME_SPAN_MILLISECOND)

struct _TokendSlotEvents {
  GMutex lock;
  GHashTable *counts;  /* of slot → number */
  gboolean has_waited; /* what was there at the start was told of */
};

/** tokend_slot_events_new: Returns: (transfer full): none, yet. */
TokendSlotEvents *
tokend_slot_events_new (void)
{
  TokendSlotEvents *self = g_new0 (TokendSlotEvents, 1);

  g_mutex_init (&self->lock);
  self->counts = g_hash_table_new (g_direct_hash, g_direct_equal);
  return self;
}

/** tokend_slot_events_free: @self: (transfer full): of no other thread any more. */
void
tokend_slot_events_free (TokendSlotEvents *self)
{
  g_mutex_clear (&self->lock);
  g_hash_table_unref (self->counts);
  g_free (self);
}

static guint
look_up (TokendSlotEvents *self, CK_SLOT_ID slot)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, GSIZE_TO_POINTER (slot)));
}

/**
 * tokend_slot_events_add:
 * @slot: of which the module has told.
 * @waited: how long it was waited for that, in microseconds.
 */
void
tokend_slot_events_add (TokendSlotEvents *self, CK_SLOT_ID slot, gint64 waited)
{
  g_mutex_lock (&self->lock);
  self->has_waited = self->has_waited || waited >= AT_ONCE;
  if (self->has_waited)
    g_hash_table_insert (self->counts, GSIZE_TO_POINTER (slot),
                         GUINT_TO_POINTER (look_up (self, slot) + 1));
  g_mutex_unlock (&self->lock);
}

/** tokend_slot_events_count: Returns: another number once there was one more. */
guint
tokend_slot_events_count (TokendSlotEvents *self, CK_SLOT_ID slot)
{
  guint count;

  g_mutex_lock (&self->lock);
  count = look_up (self, slot);
  g_mutex_unlock (&self->lock);
  return count;
}
