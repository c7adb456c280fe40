/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "token-field.h"

G_BEGIN_DECLS

gboolean tokend_hidden_cards_leave_out (gboolean *are_any, GError **error);
gboolean tokend_hidden_cards_check (gboolean are_any, const TokendTokenIdentity *identity,
                                    GError **error);
void tokend_hidden_cards_explain (gboolean are_any, GError *error);

G_END_DECLS
