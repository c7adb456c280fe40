/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "token.h"

G_BEGIN_DECLS

void tokend_token_object_export (TokendService *service, TokendToken *token);

G_END_DECLS
