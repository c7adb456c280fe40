/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* An unknown end. */
#define TOKEND_CERTIFICATE_NO_END G_MININT64

#define TOKEND_CERTIFICATE_SHA256 32

/**
 * TokendCertificateUse:
 *
 * What a certificate is for; a later value is likelier to sign with.
 */
typedef enum {
  TOKEND_CERTIFICATE_USE_AUTHORITY, /* a CA's, no person's */
  TOKEND_CERTIFICATE_USE_ANY,
  TOKEND_CERTIFICATE_USE_DIGITAL_SIGNATURE, /* logs in, as a rule */
  TOKEND_CERTIFICATE_USE_COMMITMENT,        /* contentCommitment, once nonRepudiation */
} TokendCertificateUse;

/**
 * TokendCertificate:
 *
 * What tokend uses of a certificate.
 */
typedef struct {
  char *issuer; /* as RFC 4514 writes it, valid UTF-8, or NULL: not told */
  gint64 end;   /* notAfter, seconds since the epoch, or TOKEND_CERTIFICATE_NO_END */
  TokendCertificateUse use;
  guint8 sha256[TOKEND_CERTIFICATE_SHA256]; /* of the certificate as the token has it */
} TokendCertificate;

TokendCertificate *tokend_certificate_parse (const guint8 *der, gsize size);
const TokendCertificate *tokend_certificate_choose (GPtrArray *certificates);
TokendCertificate *tokend_certificate_copy (const TokendCertificate *certificate);
void tokend_certificate_free (TokendCertificate *certificate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendCertificate, tokend_certificate_free)

G_END_DECLS
