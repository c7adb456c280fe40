/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "token.h"

G_BEGIN_DECLS

/**
 * TokendOperation:
 *
 * What Unlock or SetPin has opened, or is about to. It frees itself.
 */
typedef struct _TokendOperation TokendOperation;

/* How long it stays open after the reply. org.tokend.Tokend1.xml and tokend(8) state it. */
#define TOKEND_OPERATION_MINUTES 10

void tokend_operation_start (TokendService *service, TokendToken *token, TokendRole role,
                             const char *action, GDBusMethodInvocation *invocation,
                             GVariant *options);

/* For operations in TokendOpenOperations. */
void tokend_operation_finish (TokendOperation *operation, GDBusMethodInvocation *invocation,
                              GVariant *options);
void tokend_operation_again (TokendOperation *operation, GDBusMethodInvocation *invocation);
void tokend_operation_cancel (TokendOperation *operation, GDBusMethodInvocation *invocation);

G_END_DECLS
