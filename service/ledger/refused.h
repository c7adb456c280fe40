/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "target.h"

G_BEGIN_DECLS

/**
 * TokendRefused:
 *
 * The codes that tokens have refused, so that the same wrong code is not sent twice. They are kept
 * as keyed digests, in memory alone, with a key that is new at each start. The service never sees a
 * code.
 */
#define TOKEND_TYPE_REFUSED (tokend_refused_get_type ())
G_DECLARE_FINAL_TYPE (TokendRefused, tokend_refused, TOKEND, REFUSED, GObject)

TokendRefused *tokend_refused_new (void);
GBytes *tokend_refused_get_key (TokendRefused *self);

gint64 tokend_refused_find (TokendRefused *self, const TokendTarget *target, TokendRole role,
                            GBytes *digest);
void tokend_refused_add (TokendRefused *self, const TokendTarget *target, TokendRole role,
                         GBytes *digest);
void tokend_refused_observe (TokendRefused *self, const TokendTarget *target, TokendRole role,
                             const char *module, const TokendCounter *shown);
void tokend_refused_spread (TokendRefused *self, const TokendTarget *target);
gint64 tokend_refused_get_needed_until (TokendRefused *self);
void tokend_refused_forget (TokendRefused *self, const TokendTarget *target, TokendRole role);

G_END_DECLS
