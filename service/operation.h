/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "token.h"

G_BEGIN_DECLS

gboolean tokend_operation_is_supported (TokendToken *token, TokendRole role, GError **error);
void tokend_operation_start (TokendService *service, TokendToken *token, TokendRole role,
                             GDBusMethodInvocation *invocation, GUnixFDList *fds, int code_handle,
                             int new_pin_handle, GVariant *options);

G_END_DECLS
