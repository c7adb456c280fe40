/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "attempt-private.h"
#include "token.h"

G_BEGIN_DECLS

GVariant *tokend_prepare_request_new (TokendToken *token, TokendRole role,
                                      const TokendAttempt *attempt, GBytes *digest_key);

G_END_DECLS
