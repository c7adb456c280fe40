/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host-state.h"
#include "module-glue.h"

G_BEGIN_DECLS

#define TOKEND_TYPE_HOST_MODULE (tokend_host_module_get_type ())
G_DECLARE_FINAL_TYPE (TokendHostModule, tokend_host_module, TOKEND, HOST_MODULE,
                      TokendDbusModule1Skeleton)

TokendHostModule *tokend_host_module_new (TokendHostState *host);

G_END_DECLS
