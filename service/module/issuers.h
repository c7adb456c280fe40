/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pkcs11-module.h"
#include "reading.h"

G_BEGIN_DECLS

GPtrArray *tokend_issuers_new (void);
void tokend_issuers_update (GPtrArray *issuers, const TokendReadFunctions *functions,
                            GArray *readings);
const char *tokend_issuers_lookup (GPtrArray *issuers, const TokendTokenIdentity *identity);

char *tokend_certificate_get_issuer (const guint8 *der, gsize size);

G_END_DECLS
