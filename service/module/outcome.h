/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "narrow-pkcs11.h"
#include "tokend-module.h"

G_BEGIN_DECLS

TokendOutcome tokend_outcome_of_login (CK_RV rv);
TokendOutcome tokend_outcome_of_init_pin (CK_RV rv);
TokendOutcome tokend_outcome_of_set_pin (CK_RV rv);

G_END_DECLS
