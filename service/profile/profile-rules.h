/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "profile.h"
#include "reading.h"
#include "status.h"

G_BEGIN_DECLS

/* Combines a token's reading, its module's profile and its provider's. Either profile may be NULL:
 * not known. */

TokendCounterRules tokend_profile_rules_get (const TokendProfile *module,
                                             const TokendProfile *provider,
                                             const TokendReading *reading, TokendRole role);
TokendPinPolicy tokend_profile_rules_get_pin_policy (const TokendProfile *module,
                                                     const TokendProfile *provider,
                                                     const TokendReading *reading);
TokendCodeRules tokend_profile_rules_get_code_rules (const TokendProfile *module,
                                                     const TokendProfile *provider,
                                                     const TokendReading *reading, TokendRole role);
gboolean tokend_profile_rules_want_login (const TokendProfile *module);
gboolean tokend_profile_rules_count (const TokendProfile *module, TokendRole role);
gboolean tokend_profile_rules_support (const TokendProfile *module, const TokendReading *reading,
                                       TokendRole role, GError **error);

G_END_DECLS
