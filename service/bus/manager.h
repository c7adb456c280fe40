/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "service.h"
#include "tokend-glue.h"

G_BEGIN_DECLS

/** TokendManager: org.tokend.Tokend1.Manager. */
#define TOKEND_TYPE_MANAGER (tokend_manager_get_type ())
G_DECLARE_FINAL_TYPE (TokendManager, tokend_manager, TOKEND, MANAGER, TokendDbusManagerSkeleton)

TokendManager *tokend_manager_new (TokendService *service);

G_END_DECLS
