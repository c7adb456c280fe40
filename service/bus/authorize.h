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

void tokend_authorize (TokendService *service, GDBusMethodInvocation *invocation,
                       TokendCallFunc allowed, gpointer object);

G_END_DECLS
