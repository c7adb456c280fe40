/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pkcs11-module.h"

#include <glib.h>

G_BEGIN_DECLS

/** TokendCards: the tokens of a module that are cards in pcscd's readers, which other programs use as well: the module
 * holds them not much longer than it reads them. */
typedef struct _TokendCards TokendCards;

TokendCards *tokend_cards_new (void);
GVariant *tokend_cards_read (TokendCards *self, TokendReadFunctions *functions,
                             GPtrArray *certificates, gboolean is_for_all, gboolean is_watched,
                             GError **error);
void tokend_cards_let_go (TokendCards *self, TokendReadFunctions *functions);
gboolean tokend_cards_have_hidden (TokendCards *self);
gboolean tokend_cards_are_in_use (TokendCards *self);
void tokend_cards_lose_read (TokendCards *self);
gboolean tokend_cards_wait (TokendCards *self);
void tokend_cards_look_on (TokendCards *self);

G_END_DECLS
