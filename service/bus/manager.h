/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "service.h"

G_BEGIN_DECLS

/* The methods of org.tokend.Tokend1.Manager; each is a TokendMethodFunc. */
void tokend_manager_subscribe (TokendService *service, gpointer object,
                               GDBusMethodInvocation *invocation, const char *action);
void tokend_manager_unsubscribe (TokendService *service, gpointer object,
                                 GDBusMethodInvocation *invocation, const char *action);
void tokend_manager_get_modules (TokendService *service, gpointer object,
                                 GDBusMethodInvocation *invocation, const char *action);

G_END_DECLS
