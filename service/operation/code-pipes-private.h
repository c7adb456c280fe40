/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* How long Finish waits for the end of both pipes. org.tokend.Tokend1.xml states both limits. */
#define TOKEND_CODE_PIPES_END_MS 2000
/* How long a code may wait in a pipe. */
#define TOKEND_CODE_PIPES_FILLED_SECONDS 60

/**
 * TokendCodePipes:
 *
 * The pipes for the codes of an operation. The caller gets the write ends; the read ends go on to
 * the operating host. The service looks whether there is something in them, and never reads it.
 */
typedef struct _TokendCodePipes TokendCodePipes;

TokendCodePipes *tokend_code_pipes_new (const char *code, GUnixFDList **write_ends, GError **error);
void tokend_code_pipes_free (TokendCodePipes *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendCodePipes, tokend_code_pipes_free)

void tokend_code_pipes_watch (TokendCodePipes *self, GSourceFunc expired, gpointer user_data);
void tokend_code_pipes_check_time (TokendCodePipes *self);
gboolean tokend_code_pipes_were_taken (const TokendCodePipes *self);

void tokend_code_pipes_collect_async (TokendCodePipes *self, GCancellable *cancellable,
                                      GAsyncReadyCallback callback, gpointer user_data);
gboolean tokend_code_pipes_collect_finish (GAsyncResult *result, GError **error);
gboolean tokend_code_pipes_append (const TokendCodePipes *self, GUnixFDList *list, GError **error);

G_END_DECLS
