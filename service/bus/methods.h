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
  TOKEND_METHOD_ACTION, /* whom polkit lets: it is asked before the handler is called */
  /* Likewise, but the steps of the operation that it opens ask; see operation-steps.c */
  TOKEND_METHOD_OPENS,
  TOKEND_METHOD_OWNER, /* the connection that has opened the operation; nobody is asked */
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
 * Of the bus; a row of the table in methods.c.
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
