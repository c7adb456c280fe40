/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "token.h"

G_BEGIN_DECLS

void tokend_operation_start (TokendService *service, TokendToken *token, TokendRole role,
                             GDBusMethodInvocation *invocation, GUnixFDList *fds, int code_handle,
                             int new_pin_handle, GVariant *options);

G_END_DECLS
