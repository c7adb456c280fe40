/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "counter.h"

G_BEGIN_DECLS

gboolean tokend_loss_is_seen (const TokendCounter *before, const TokendCounter *now);
GLogLevelFlags tokend_loss_get_level (const TokendCounter *now);
GVariant *tokend_loss_compose (TokendRole role, const TokendCounter *now, const char *physical_id,
                               const char *label, const char *module);

G_END_DECLS
