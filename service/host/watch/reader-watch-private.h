/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reader-scope-private.h"
#include "slot-reader.h"

G_BEGIN_DECLS

/**
 * TokendReaderWatch:
 * Watches the readers of pcscd for whatever may have changed a card since it was read, without touching the card. Two
 * threads use it: one waits, the other reads the cards, and says when it does.
 */
typedef struct _TokendReaderWatch TokendReaderWatch;

TokendReaderWatch *tokend_reader_watch_new (void);

TokendReaderAccess tokend_reader_watch_begin (TokendReaderWatch *self, gboolean is_for_all);
GHashTable *tokend_reader_watch_list_left_out (TokendReaderWatch *self);
gboolean tokend_reader_watch_is_spared (TokendReaderWatch *self, const char *reader);
gboolean tokend_reader_watch_may_ask (TokendReaderWatch *self, const char *reader);
const char *tokend_reader_watch_find (TokendReaderWatch *self, const CK_SLOT_INFO *slot,
                                      gboolean *is_other_possible);
guint64 tokend_reader_watch_get_insertion (TokendReaderWatch *self, const char *reader);
gboolean tokend_reader_watch_is_beyond (TokendReaderWatch *self, const char *reader);
gboolean tokend_reader_watch_is_disturbed (TokendReaderWatch *self, const char *reader);
gboolean tokend_reader_watch_has_hidden (TokendReaderWatch *self);
gboolean tokend_reader_watch_is_in_use (TokendReaderWatch *self);
void tokend_reader_watch_lose (TokendReaderWatch *self);
gboolean tokend_reader_watch_may_keep (TokendReaderWatch *self, GHashTable *found);
void tokend_reader_watch_end (TokendReaderWatch *self, GHashTable *found, gboolean is_kept);

void tokend_reader_watch_let_go (TokendReaderWatch *self);

gboolean tokend_reader_watch_wait (TokendReaderWatch *self);
void tokend_reader_watch_look_on (TokendReaderWatch *self);

G_END_DECLS
