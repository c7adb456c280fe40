/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "callers.h"

G_BEGIN_DECLS

typedef struct _TokendOperation TokendOperation;

/**
 * TokendOpened:
 *
 * The operations by their paths, each until the connection that opened it has left. Limits how many
 * there may be.
 *
 * Signal `changed`: an operation begins or ends to need the service.
 */
#define TOKEND_TYPE_OPENED (tokend_opened_get_type ())
G_DECLARE_FINAL_TYPE (TokendOpened, tokend_opened, TOKEND, OPENED, GObject)

TokendOpened *tokend_opened_new (void);

gboolean tokend_opened_check_room (TokendOpened *self, guint32 uid, GError **error);
const char *tokend_opened_add (TokendOpened *self, TokendOperation *operation,
                               const TokendCaller *caller);
void tokend_opened_remove (TokendOpened *self, const char *path);
TokendOperation *tokend_opened_find (TokendOpened *self, const char *path, const char *caller);

void tokend_opened_begin_need (TokendOpened *self);
void tokend_opened_end_need (TokendOpened *self);
guint tokend_opened_count_needs (TokendOpened *self);

G_END_DECLS
