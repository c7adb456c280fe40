/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendCards:
 *
 * The tokens of a module that are cards in pcscd's readers, which other programs use as well. A
 * loop in a thread of its own asks pcscd, and no card, what becomes of them. A process of its own
 * reads each card, and holds it little longer.
 */
typedef struct _TokendCards TokendCards;

TokendCards *tokend_cards_new (const char *module, GVariant *environment, GVariant *questions);

void tokend_cards_read_async (TokendCards *self, gboolean all, GAsyncReadyCallback callback,
                              gpointer data);
GVariant *tokend_cards_read_finish (GAsyncResult *result);
void tokend_cards_wait_async (TokendCards *self, GAsyncReadyCallback callback, gpointer data);
void tokend_cards_stop_waiting (TokendCards *self);

G_END_DECLS
