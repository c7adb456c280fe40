/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host-state.h"
#include "module-glue.h"

G_BEGIN_DECLS

/* Both codes must be read within this time. In seconds. */
#define TOKEND_HOST_CODES_DEADLINE 5

#define TOKEND_TYPE_HOST_OPERATION (tokend_host_operation_get_type ())
G_DECLARE_FINAL_TYPE (TokendHostOperation, tokend_host_operation, TOKEND, HOST_OPERATION,
                      TokendDbusModule1OperationSkeleton)

TokendHostOperation *tokend_host_operation_new (TokendHostState *host);
gboolean tokend_host_operation_complete (TokendHostState *host);

G_END_DECLS
