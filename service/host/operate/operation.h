/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "operation-request.h"
#include "pkcs11-module.h"
#include "reading.h"

G_BEGIN_DECLS

/**
 * TokendPkcs11Operation:
 *
 * One unlock or PIN change, from the open session to the outcome. Not thread-safe.
 */
typedef struct _TokendPkcs11Operation TokendPkcs11Operation;

/**
 * TokendOperationResult:
 *
 * The outcome of an operation.
 */
typedef struct {
  TokendOutcome outcome;
  gboolean sent;             /* a code was handed to the module */
  gboolean may_be_open;      /* the card may take it for verified until it is closed */
  gboolean accepted;         /* it was the present PIN, and C_Login took it */
  char *reason;              /* for the journal; owned */
  TokendHostReading changed; /* what was found instead, with TOKEND_OUTCOME_CHANGED */
} TokendOperationResult;

TokendPkcs11Operation *tokend_pkcs11_operation_open (const TokendReadFunctions *read,
                                                     const TokendOperationFunctions *functions,
                                                     const TokendOperationRequest *request,
                                                     GError **error);
void tokend_pkcs11_operation_free (TokendPkcs11Operation *operation);

gboolean tokend_pkcs11_operation_read_codes (TokendPkcs11Operation *operation, int code,
                                             int new_pin, GError **error);
GVariant *tokend_pkcs11_operation_digest (const TokendPkcs11Operation *operation);
GVariant *tokend_pkcs11_operation_prepared_reading (const TokendPkcs11Operation *operation);
GVariant *tokend_pkcs11_operation_read (const TokendPkcs11Operation *operation, GError **error);
void tokend_pkcs11_operation_commit (TokendPkcs11Operation *operation,
                                     TokendOperationResult *result);
gboolean tokend_pkcs11_operation_close (TokendPkcs11Operation *operation);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendPkcs11Operation, tokend_pkcs11_operation_free)

G_END_DECLS
