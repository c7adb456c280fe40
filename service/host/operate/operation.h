/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "operation-request.h"
#include "pkcs11-module.h"
#include "reading.h"

G_BEGIN_DECLS

/** TokendOperation: one unlock or PIN change, from the open session to the outcome. Not
 * thread-safe. */
typedef struct _TokendOperation TokendOperation;

/** TokendOperationResult: what became of it. */
typedef struct {
  TokendOutcome outcome;
  gboolean sent;         /* a code was handed to the module */
  char *reason;          /* for the journal; owned */
  TokendReading changed; /* what was found, with TOKEND_OUTCOME_CHANGED */
} TokendOperationResult;

TokendOperation *tokend_operation_open (const TokendReadFunctions *read,
                                        const TokendOperationFunctions *functions,
                                        const TokendOperationRequest *request, GError **error);
void tokend_operation_free (TokendOperation *operation);

gboolean tokend_operation_read_codes (TokendOperation *operation, int code, int new_pin,
                                      GError **error);
GVariant *tokend_operation_digest (const TokendOperation *operation);
GVariant *tokend_operation_prepared_reading (const TokendOperation *operation);
GVariant *tokend_operation_read (const TokendOperation *operation, GError **error);
void tokend_operation_commit (TokendOperation *operation, TokendOperationResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendOperation, tokend_operation_free)

G_END_DECLS
