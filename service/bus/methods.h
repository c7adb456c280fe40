/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "service.h"

G_BEGIN_DECLS

/**
 * TokendMethodRule:
 *
 * Who may call a method.
 */
typedef enum {
  TOKEND_METHOD_ACTION, /* a caller that polkit authorizes, before the handler is called */
  /* The same, but the steps of the operation that it opens ask polkit; see operation-steps.c. */
  TOKEND_METHOD_OPENS,
  TOKEND_METHOD_OWNER, /* the connection that opened the operation; polkit is not asked */
} TokendMethodRule;

/**
 * TokendMethodFunc:
 * @object: the token or the operation that is called; %NULL: the manager.
 * @invocation: (transfer full): the call, which must be replied to.
 * @action: (nullable): the method's polkit action.
 */
typedef void (*TokendMethodFunc) (TokendService *service, gpointer object,
                                  GDBusMethodInvocation *invocation, const char *action);

/**
 * TokendMethod:
 *
 * A method of the bus; a row of the table in methods.c.
 */
typedef struct {
  const char *interface;
  const char *name;
  TokendMethodRule rule;
  const char *action; /* polkit's; NULL: that of the method that opened the operation */
  TokendMethodFunc handler;
} TokendMethod;

const TokendMethod *tokend_methods_get_all (gsize *n_methods);
const TokendMethod *tokend_methods_find (const char *interface, const char *name);

G_END_DECLS
