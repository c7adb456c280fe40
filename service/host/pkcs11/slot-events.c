/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slot-events.h"

/* Some modules tell, at the first wait, of the tokens that are there. Only what they tell after
 * that is news. */
typedef enum {
  STAGE_NEW,
  STAGE_BEGINNING, /* the module is asked what it has to tell by now */
  STAGE_BEGUN,     /* what it tells counts */
} Stage;

struct _TokendSlotEvents {
  GMutex lock;
  GCond has_begun;
  Stage stage;
  GHashTable *counts; /* of slot → number */
};

/**
 * tokend_slot_events_new:
 *
 * Returns: (transfer full): none, yet.
 */
TokendSlotEvents *
tokend_slot_events_new (void)
{
  TokendSlotEvents *self = g_new0 (TokendSlotEvents, 1);

  g_mutex_init (&self->lock);
  g_cond_init (&self->has_begun);
  self->counts = g_hash_table_new (g_direct_hash, g_direct_equal);
  return self;
}

/**
 * tokend_slot_events_free:
 * @self: (transfer full): of no other thread any more.
 */
void
tokend_slot_events_free (TokendSlotEvents *self)
{
  g_mutex_clear (&self->lock);
  g_cond_clear (&self->has_begun);
  g_hash_table_unref (self->counts);
  g_free (self);
}

/**
 * tokend_slot_events_begin:
 *
 * A thread is about to call tokend_slot_events_wait().
 */
void
tokend_slot_events_begin (TokendSlotEvents *self)
{
  g_mutex_lock (&self->lock);
  if (self->stage == STAGE_NEW)
    self->stage = STAGE_BEGINNING;
  g_mutex_unlock (&self->lock);
}

/* Takes one event a slot at the most: a module may answer without end. What it cannot be asked
 * without waiting is counted, and so is never missed. */
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

static void
ensure_begun (TokendSlotEvents *self, const TokendReadFunctions *functions)
{
  gboolean is_begun;

  g_mutex_lock (&self->lock);
  is_begun = self->stage == STAGE_BEGUN;
  g_mutex_unlock (&self->lock);
  if (is_begun)
    return;
  drain (functions);
  g_mutex_lock (&self->lock);
  self->stage = STAGE_BEGUN;
  g_cond_broadcast (&self->has_begun);
  g_mutex_unlock (&self->lock);
}

static guint
look_up (TokendSlotEvents *self, CK_SLOT_ID slot)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (self->counts, GSIZE_TO_POINTER (slot)));
}

/**
 * tokend_slot_events_wait:
 * @functions: C_WaitForSlotEvent among them.
 *
 * Waits until the module tells of a slot, and counts that. After tokend_slot_events_begin(), and in
 * one thread at a time.
 *
 * Returns: what C_WaitForSlotEvent has answered
 */
CK_RV
tokend_slot_events_wait (TokendSlotEvents *self, const TokendReadFunctions *functions)
{
  CK_SLOT_ID slot = 0;
  CK_RV rv;

  ensure_begun (self, functions);
  rv = functions->wait_for_slot_event (0, &slot, NULL);
  if (rv != CKR_OK)
    return rv;
  g_mutex_lock (&self->lock);
  g_hash_table_insert (self->counts, GSIZE_TO_POINTER (slot),
                       GUINT_TO_POINTER (look_up (self, slot) + 1));
  g_mutex_unlock (&self->lock);
  return rv;
}

/**
 * tokend_slot_events_await_begun:
 *
 * Waits, if tokend_slot_events_begin() was called, for the moment from which on all that the module
 * tells counts. What is read after that cannot be out unseen.
 */
void
tokend_slot_events_await_begun (TokendSlotEvents *self)
{
  g_mutex_lock (&self->lock);
  while (self->stage == STAGE_BEGINNING)
    g_cond_wait (&self->has_begun, &self->lock);
  g_mutex_unlock (&self->lock);
}

/**
 * tokend_slot_events_count:
 *
 * Returns: another number once there was one more.
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
