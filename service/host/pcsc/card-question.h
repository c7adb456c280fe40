/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "card-answer.h"
#include "tokend-module.h"

G_BEGIN_DECLS

/**
 * TokendCardAnswers:
 *
 * What a card was asked for, and has told.
 */
typedef struct {
  TokendCardTries pin;
  TokendCardTries puk;
  gboolean wants_hashes; /* of codes, so that none is to be sent in clear */
} TokendCardAnswers;

TokendCardAnswers tokend_card_ask (const char *reader, TokendAskMethod method, const char *serial);

G_END_DECLS
