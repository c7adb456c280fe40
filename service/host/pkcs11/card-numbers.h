/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "card-question.h"
#include "pkcs11-module.h"
#include "reading.h"

G_BEGIN_DECLS

TokendAskMethod tokend_card_numbers_choose (GVariant *questions,
                                            const TokendTokenIdentity *identity, const char *atr);
void tokend_card_numbers_apply (const TokendCardAnswers *answers, gboolean sends_hashes,
                                TokendHostReading *reading);

void tokend_card_numbers_set_questions (GVariant *questions);
gboolean tokend_card_numbers_are_wanted (void);
void tokend_card_numbers_read (const TokendReadFunctions *functions, const char *reader,
                               TokendHostReading *reading);
void tokend_card_numbers_read_all (const TokendReadFunctions *functions, GArray *readings);

G_END_DECLS
