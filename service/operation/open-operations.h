/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callers.h"

G_BEGIN_DECLS

typedef struct _TokendOperation TokendOperation;

/**
 * TokendOpenOperations:
 *
 * The operations by their paths, each until the connection that opened it has left. Limits how many
 * there may be.
 *
 * Signal `changed`: an operation begins or ends to need the service.
 */
#define TOKEND_TYPE_OPEN_OPERATIONS (tokend_open_operations_get_type ())
G_DECLARE_FINAL_TYPE (TokendOpenOperations, tokend_open_operations, TOKEND, OPEN_OPERATIONS,
                      GObject)

TokendOpenOperations *tokend_open_operations_new (void);

gboolean tokend_open_operations_check_room (TokendOpenOperations *self, guint32 uid,
                                            GError **error);
const char *tokend_open_operations_add (TokendOpenOperations *self, TokendOperation *operation,
                                        const TokendCaller *caller);
void tokend_open_operations_remove (TokendOpenOperations *self, const char *path);
TokendOperation *tokend_open_operations_find (TokendOpenOperations *self, const char *path,
                                              const char *caller);

void tokend_open_operations_begin_need (TokendOpenOperations *self);
void tokend_open_operations_end_need (TokendOpenOperations *self);
guint tokend_open_operations_count_needs (TokendOpenOperations *self);

G_END_DECLS
