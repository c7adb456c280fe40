/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "service.h"

G_BEGIN_DECLS

guint tokend_operation_methods_register (TokendService *service, GError **error);

G_END_DECLS
