/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "profile.h"

G_BEGIN_DECLS

GHashTable *tokend_environment_new (const TokendProfile *of_file, const TokendProfile *of_token,
                                    TokendUnlockMethod method);

G_END_DECLS
