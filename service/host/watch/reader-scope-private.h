/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reader-use.h"

G_BEGIN_DECLS

/** TokendReaderScope: which of the readers a read is about; all tables go by the reader's name. */
typedef struct {
  GHashTable *states;   /* of TokendReaderState: when the read began */
  GHashTable *memories; /* of TokendReaderMemory: of the read before */
  GHashTable *held;     /* a set: whose cards the module still holds */
  GHashTable *spared;   /* a set: those that the read is not about */
  GHashTable *missed;   /* a set: those that it is about, and cannot be */
  gboolean is_for_all;
} TokendReaderScope;

/** TokendReaderAccess: how the cards can be read now. */
typedef enum {
  TOKEND_READER_ACCESS_AFRESH, /* the module must look at the readers again */
  TOKEND_READER_ACCESS_KEPT,   /* it still holds the same cards */
  TOKEND_READER_ACCESS_NONE,   /* there is nothing to be looked into */
} TokendReaderAccess;

GHashTable *tokend_reader_set_new (void);

gboolean tokend_reader_scope_is_another_card (const TokendReaderScope *self, const char *reader);
gboolean tokend_reader_scope_has_changed (const TokendReaderScope *self);
gboolean tokend_reader_scope_is_held (const TokendReaderScope *self, const char *reader);
gboolean tokend_reader_scope_is_spared (const TokendReaderScope *self, const char *reader);
gboolean tokend_reader_scope_is_left_out (const TokendReaderScope *self, const char *reader);
GHashTable *tokend_reader_scope_list_left_out (const TokendReaderScope *self);
void tokend_reader_scope_choose (TokendReaderScope *self, gboolean is_for_all, gint64 time);
gboolean tokend_reader_scope_has_idle (const TokendReaderScope *self);
TokendReaderAccess tokend_reader_scope_choose_access (TokendReaderScope *self, GHashTable *missed);
void tokend_reader_scope_hold (TokendReaderScope *self);

G_END_DECLS
