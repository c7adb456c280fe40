/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendWorker:
 *
 * The one thread that PKCS#11 runs in. It may hang in a module for ever, and ends with the process.
 */
typedef struct _TokendWorker TokendWorker;

TokendWorker *tokend_worker_new (void);
void tokend_worker_run (TokendWorker *worker, GTask *task, GTaskThreadFunc func);

G_END_DECLS
