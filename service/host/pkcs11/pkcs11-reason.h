/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "narrow-pkcs11.h"
#include "tokend-error.h"

#include <glib.h>

G_BEGIN_DECLS

char *tokend_pkcs11_reason (const char *function, CK_RV rv);

gboolean tokend_pkcs11_set_error (GError **error, TokendError code, const char *function, CK_RV rv);

gboolean tokend_pkcs11_token_is_gone (CK_RV rv);

G_END_DECLS
