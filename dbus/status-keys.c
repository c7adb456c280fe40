/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tokend-status.h"

#define KEYS_OF(counter, code)                                                                     \
  {                                                                                                \
    TOKEND_STATUS_##counter##_STATE, TOKEND_STATUS_##counter##_REMAINING,                          \
        TOKEND_STATUS_##counter##_MAXIMUM, TOKEND_STATUS_##counter##_SOURCE,                       \
        TOKEND_STATUS_##counter##_MINIMUM, TOKEND_STATUS_##counter##_NEVER_LOCKS,                  \
        TOKEND_STATUS_##counter##_FLAG_GONE, TOKEND_STATUS_##counter##_LAST_SEEN,                  \
        TOKEND_STATUS_##counter##_WRONG_SENT, TOKEND_STATUS_##counter##_MAYBE_LOST,                \
        TOKEND_STATUS_##counter##_SENT_AT, TOKEND_STATUS_##counter##_RECORD_LOST,                  \
        TOKEND_STATUS_##counter##_SENT_ELSEWHERE, TOKEND_STATUS_##code##_MINIMUM_LENGTH,           \
        TOKEND_STATUS_##code##_MAXIMUM_LENGTH, TOKEND_STATUS_##code##_USUAL_MINIMUM,               \
        TOKEND_STATUS_##code##_USUAL_MAXIMUM, TOKEND_STATUS_##code##_USUAL_CHARACTERS              \
  }

const TokendStatusKeys tokend_status_keys[TOKEND_N_ROLES] = {
  [TOKEND_ROLE_PIN] = KEYS_OF (PIN, PRESENT_PIN),
  [TOKEND_ROLE_PUK] = KEYS_OF (PUK, PUK),
};
