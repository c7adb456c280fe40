/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "card-answer.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check (const TokendCardTries *tries)
{
  g_assert_true (tries->remaining >= TOKEND_CARD_NUMBER_UNKNOWN && tries->remaining <= 127);
  g_assert_true (tries->maximum == TOKEND_CARD_NUMBER_UNKNOWN
                 || tries->remaining <= tries->maximum);
}

/* A card that answers anything to any question. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  TokendCardTries pin, puk;

  tokend_card_answer_is_openpgp (data, size, "ffff02a0b1c1");
  tokend_card_answer_take_openpgp_tries (data, size, &pin, &puk);
  check (&pin);
  check (&puk);
  tokend_card_answer_wants_hashes (data, size);
  tokend_card_answer_is_piv (data, size);
  pin = tokend_card_answer_get_tries_of_metadata (data, size);
  check (&pin);
  pin = tokend_card_answer_get_tries_of_verify (
      (guint16) (size >= 2 ? data[size - 2] << 8 | data[size - 1] : 0));
  check (&pin);
  return 0;
}
