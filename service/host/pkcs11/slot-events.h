/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pkcs11-module.h"

G_BEGIN_DECLS

/* A module with more slots is not believed. */
#define TOKEND_SLOTS_MAX 1024

/**
 * TokendSlotEvents:
 *
 * Counts for each slot how often the module told that a token was put in or taken out. Thread-safe.
 */
typedef struct _TokendSlotEvents TokendSlotEvents;

TokendSlotEvents *tokend_slot_events_new (void);
void tokend_slot_events_free (TokendSlotEvents *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendSlotEvents, tokend_slot_events_free)

void tokend_slot_events_begin (TokendSlotEvents *self, const TokendReadFunctions *functions);
CK_RV tokend_slot_events_wait (TokendSlotEvents *self, const TokendReadFunctions *functions);
guint tokend_slot_events_count (TokendSlotEvents *self, CK_SLOT_ID slot);

G_END_DECLS
