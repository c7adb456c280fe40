/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * TokendModuleConfig:
 *
 * A PKCS#11 module that is configured for tokend.
 */
typedef struct {
  char *name; /* of its .module file, without the suffix */
  char *path; /* of the library, absolute */
  int priority;
} TokendModuleConfig;

GPtrArray *tokend_module_configs_load (const char *const *directories,
                                       const char *library_directory, const char *program,
                                       GHashTable *told);
void tokend_module_config_free (TokendModuleConfig *config);

G_END_DECLS
