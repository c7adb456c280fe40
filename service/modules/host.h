/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "module-glue.h"
#include "reading.h"
#include "tokend-module.h"

G_BEGIN_DECLS

/**
 * TokendHostKind:
 *
 * The socket at which a module host is asked for.
 */
typedef enum {
  TOKEND_HOST_WATCH,
  TOKEND_HOST_OPERATE,
} TokendHostKind;

/**
 * TokendHost:
 *
 * The service's end of a connection to one module host, whose answers are hostile input. The host
 * process ends when the connection is closed, which the last unref does.
 *
 * Signal `closed`: the connection is gone.
 */
#define TOKEND_TYPE_HOST (tokend_host_get_type ())
G_DECLARE_FINAL_TYPE (TokendHost, tokend_host, TOKEND, HOST, GObject)

void tokend_host_start_async (TokendHostKind kind, const char *module_path, GHashTable *environment,
                              TokendWatchMethod watch_method, const char *reader,
                              GVariant *questions, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
TokendHost *tokend_host_start_finish (GAsyncResult *result, GError **error);

void tokend_host_read_async (TokendHost *self, gboolean all, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
GPtrArray *tokend_host_read_finish (TokendHost *self, GAsyncResult *result, GError **error);
TokendDoubt tokend_host_get_doubt (TokendHost *self);
const char *const *tokend_host_get_unknown_readers (TokendHost *self);

void tokend_host_wait_async (TokendHost *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean tokend_host_wait_finish (TokendHost *self, GAsyncResult *result, GError **error);
void tokend_host_stop_waiting (TokendHost *self);

TokendDbusModule1Operation *tokend_host_get_operation (TokendHost *self);
gboolean tokend_host_is_open (TokendHost *self);
void tokend_host_close (TokendHost *self);

void tokend_host_normalise_error (GError *error, gboolean prepares);

G_END_DECLS
