/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pkcs11-module.h"

G_BEGIN_DECLS

gboolean tokend_opensc_is_module (const TokendReadFunctions *functions);
gboolean tokend_opensc_sends_hashes (const TokendReadFunctions *functions);

G_END_DECLS
