/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code-policy.h"
#include "reading.h"
#include "tokend-module.h"

G_BEGIN_DECLS

#define TOKEND_DIGEST_KEY_LENGTH 32

/**
 * TokendOperationRequest:
 *
 * The request of Prepare, checked; org.tokend.Module1.xml describes its fields.
 */
typedef struct {
  gboolean unlock;           /* else set-pin */
  TokendUnlockMethod method; /* none, unless @unlock */
  gboolean logout_closes;    /* C_Logout leaves nothing verified on the card; OpenSC's may */
  gboolean login_first;      /* of set-pin: what C_SetPIN answers to a wrong PIN is not known */
  TokendWrongCode wrong_code;
  TokendTokenIdentity identity;
  TokendCodeLimits code_limits;    /* in bytes */
  TokendCodeLimits new_pin_limits; /* in characters */
  TokendCharacters new_pin_characters;
  gboolean send_unusual_code; /* whether a code may be sent that looks like a mistake */
  guint8 digest_key[TOKEND_DIGEST_KEY_LENGTH];
} TokendOperationRequest;

gboolean tokend_operation_request_parse (TokendOperationRequest *request, GVariant *variant,
                                         GError **error);

/**
 * tokend_operation_request_role:
 *
 * Returns: whose try the operation spends.
 */
static inline TokendRole
tokend_operation_request_role (const TokendOperationRequest *request)
{
  return request->unlock ? TOKEND_ROLE_PUK : TOKEND_ROLE_PIN;
}

G_END_DECLS
