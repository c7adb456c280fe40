/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "service.h"

G_BEGIN_DECLS

/**
 * TokendDispatch:
 *
 * The ids of what is registered on the bus; 0: not registered.
 */
typedef struct {
  guint manager;
  guint operations;
  guint gone_tokens;
} TokendDispatch;

gboolean tokend_dispatch_register (TokendDispatch *self, TokendService *service, GError **error);
void tokend_dispatch_unregister (TokendDispatch *self, TokendService *service);
void tokend_dispatch_call (TokendService *service, gpointer object,
                           GDBusMethodInvocation *invocation);

G_END_DECLS
