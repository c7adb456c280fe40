/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "status.h"

G_BEGIN_DECLS

char *tokenctl_words_for_record (GVariant *status, TokenctlRole role);
gboolean tokenctl_puk_may_be_locked (GVariant *status);

G_END_DECLS
