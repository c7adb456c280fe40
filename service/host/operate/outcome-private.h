/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "narrow-pkcs11.h"
#include "tokend-module.h"
#include "tokend-status.h"

G_BEGIN_DECLS

/**
 * TokendDialect:
 *
 * How a module answers when it is handed a code.
 */
typedef struct {
  gboolean is_opensc;
  TokendWrongCode wrong_code;
} TokendDialect;

TokendOutcome tokend_outcome_of_login (CK_RV rv, const TokendDialect *dialect);
gboolean tokend_outcome_is_code_unread (CK_RV rv, TokendRole role);
TokendOutcome tokend_outcome_of_init_pin (CK_RV rv, const TokendDialect *dialect);
TokendOutcome tokend_outcome_of_set_pin (CK_RV rv, const TokendDialect *dialect);

G_END_DECLS
