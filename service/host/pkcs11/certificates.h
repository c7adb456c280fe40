/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "certificate.h"
#include "pkcs11-module.h"
#include "reading.h"

G_BEGIN_DECLS

/* What is known, as it goes from one process of this program to another. */
#define TOKEND_CERTIFICATES_TYPE "a(ayxm(msxay))"

GPtrArray *tokend_certificates_new (void);
GVariant *tokend_certificates_to_variant (GPtrArray *certificates);
GPtrArray *tokend_certificates_new_from_variant (GVariant *variant);
gboolean tokend_certificates_update (GPtrArray *certificates, const TokendReadFunctions *functions,
                                     const GArray *readings, gint64 now);
void tokend_certificates_forget_others (GPtrArray *certificates, const GArray *readings);
const TokendCertificate *tokend_certificates_lookup (GPtrArray *certificates,
                                                     const TokendTokenIdentity *identity);
gboolean tokend_certificates_are_none (GPtrArray *certificates,
                                       const TokendTokenIdentity *identity);

G_END_DECLS
