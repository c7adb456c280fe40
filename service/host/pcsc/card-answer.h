/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A number that a card did not tell. */
#define TOKEND_CARD_NUMBER_UNKNOWN (-1)

/**
 * TokendCardTries:
 *
 * What a card tells of one code's tries: numbers, or TOKEND_CARD_NUMBER_UNKNOWN.
 */
typedef struct {
  gint remaining;
  gint maximum;
} TokendCardTries;

/* A counter of which nothing was told. */
extern const TokendCardTries tokend_card_tries_unknown;

gboolean tokend_card_answer_is_openpgp (const guint8 *data, gsize length, const char *serial);
void tokend_card_answer_take_openpgp_tries (const guint8 *data, gsize length, TokendCardTries *pin,
                                            TokendCardTries *puk);
gboolean tokend_card_answer_wants_hashes (const guint8 *data, gsize length);
gboolean tokend_card_answer_is_piv (const guint8 *data, gsize length);
TokendCardTries tokend_card_answer_get_tries_of_verify (guint16 status);
TokendCardTries tokend_card_answer_get_tries_of_metadata (const guint8 *data, gsize length);

G_END_DECLS
