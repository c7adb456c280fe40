/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "service.h"

G_BEGIN_DECLS

/**
 * TokendCallFunc:
 * @object: as it was given.
 * @invocation: (transfer full): the call, which is allowed; must be replied to.
 */
typedef void (*TokendCallFunc) (gpointer object, GDBusMethodInvocation *invocation);

void tokend_call_authorize (TokendService *service, GDBusMethodInvocation *invocation,
                            TokendCallFunc allowed, gpointer object);
const char *tokend_call_get_action (GDBusMethodInvocation *invocation);
GError *tokend_call_new_ending_error (void);
void tokend_call_normalise_error (GError *error);
void tokend_call_return_error (GDBusMethodInvocation *invocation, GError *error);

G_END_DECLS
