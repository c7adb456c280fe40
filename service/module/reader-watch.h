/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendReaderWatch:
 * Watches the readers of pcscd for whatever may have changed a card since it was read, without touching the card. Two
 * threads use it: one waits, the other reads the cards, and says when it does.
 */
typedef struct _TokendReaderWatch TokendReaderWatch;

/** TokendReaderAccess: how the cards can be read now. */
typedef enum {
  TOKEND_READER_ACCESS_NONE,   /* another program is in the way */
  TOKEND_READER_ACCESS_AFRESH, /* the module must look at the readers again */
  TOKEND_READER_ACCESS_KEPT,   /* it still holds the same cards */
} TokendReaderAccess;

TokendReaderWatch *tokend_reader_watch_new (void);

TokendReaderAccess tokend_reader_watch_begin (TokendReaderWatch *self, GError **error);
const char *tokend_reader_watch_find (TokendReaderWatch *self, const char *name, gsize length,
                                      gboolean is_cut);
gboolean tokend_reader_watch_is_exclusive (TokendReaderWatch *self, const char *reader);
gboolean tokend_reader_watch_is_disturbed (TokendReaderWatch *self, const char *reader);
gboolean tokend_reader_watch_is_in_use (TokendReaderWatch *self);
void tokend_reader_watch_lose (TokendReaderWatch *self);
gboolean tokend_reader_watch_may_keep (TokendReaderWatch *self, GHashTable *found);
void tokend_reader_watch_end (TokendReaderWatch *self, GHashTable *found, gboolean is_kept);

void tokend_reader_watch_let_go (TokendReaderWatch *self);

gboolean tokend_reader_watch_wait (TokendReaderWatch *self);

G_END_DECLS
