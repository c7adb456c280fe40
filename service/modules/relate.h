/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "service.h"

G_BEGIN_DECLS

GBytes *tokend_relate_make_key (void);
void tokend_relate (TokendService *service);

G_END_DECLS
