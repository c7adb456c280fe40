/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "narrow-pkcs11.h"

#include <glib.h>

G_BEGIN_DECLS

/** TokendSlotEvents: how often the module has told of each slot that a token was put in or taken
 * out. Of any thread. */
typedef struct _TokendSlotEvents TokendSlotEvents;

TokendSlotEvents *tokend_slot_events_new (void);
void tokend_slot_events_free (TokendSlotEvents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendSlotEvents, tokend_slot_events_free)

void tokend_slot_events_add (TokendSlotEvents *self, CK_SLOT_ID slot, gint64 waited);
guint tokend_slot_events_count (TokendSlotEvents *self, CK_SLOT_ID slot);

G_END_DECLS
