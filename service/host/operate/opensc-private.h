/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "opensc-configuration.h"
#include "opensc-module.h"

G_BEGIN_DECLS

gboolean tokend_opensc_check (gboolean is_opensc, TokendUnlockMethod method, GError **error);

G_END_DECLS
