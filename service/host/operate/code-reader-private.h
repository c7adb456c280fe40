/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code-private.h"
#include "code-policy.h"

G_BEGIN_DECLS

TokendCode *tokend_code_read (int fd, TokendCodeName name, GError **error);

G_END_DECLS
