/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "module.h"

G_BEGIN_DECLS

/**
 * TokendModuleFiles:
 *
 * Keeps the modules of a #TokendService as p11-kit's .module files name them.
 */
typedef struct _TokendModuleFiles TokendModuleFiles;

/**
 * TokendModuleAddedFunc:
 * @module: a new one, not started yet.
 *
 * Connects to what the module will tell.
 */
typedef void (*TokendModuleAddedFunc) (TokendModule *module, gpointer data);

TokendModuleFiles *tokend_module_files_new (TokendService *service, TokendModuleAddedFunc added,
                                            gpointer data);
void tokend_module_files_free (TokendModuleFiles *self);
void tokend_module_files_load (TokendModuleFiles *self);
void tokend_module_files_set_watched (TokendModuleFiles *self, gboolean is_watched);

G_END_DECLS
