/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "status.h"

G_BEGIN_DECLS

char *tokenctl_words_for_record (GVariant *status, TokendRole role);
gboolean tokenctl_may_be_locked (GVariant *status, TokendRole role);

G_END_DECLS
