/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificate.h"

#include <gnutls/x509.h>

#define ISSUER_LENGTH_MAX 512

static char *
get_issuer (gnutls_x509_crt_t certificate)
{
  gnutls_datum_t name = { 0 };
  char *issuer = NULL;

  if (gnutls_x509_crt_get_issuer_dn3 (certificate, &name, 0) == GNUTLS_E_SUCCESS) {
    g_autofree char *text =
        g_strndup ((const char *) name.data, MIN (name.size, ISSUER_LENGTH_MAX));
    issuer = g_utf8_make_valid (text, -1);
  }
  gnutls_free (name.data);
  return issuer;
}

/* Finds the end. By RFC 5280, 4.1.2.5, a certificate without one has the last second of the year
 * 9999. */
static gint64
get_end (gnutls_x509_crt_t certificate)
{
  time_t end = gnutls_x509_crt_get_expiration_time (certificate);

  if (end == (time_t) -1 || end == GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION)
    return TOKEND_CERTIFICATE_NO_END;
  return end;
}

static TokendCertificateUse
get_use (gnutls_x509_crt_t certificate)
{
  unsigned int usage = 0;

  if (gnutls_x509_crt_get_ca_status (certificate, NULL) > 0)
    return TOKEND_CERTIFICATE_USE_AUTHORITY;
  if (gnutls_x509_crt_get_key_usage (certificate, &usage, NULL) != GNUTLS_E_SUCCESS)
    return TOKEND_CERTIFICATE_USE_ANY;
  if (usage & GNUTLS_KEY_NON_REPUDIATION)
    return TOKEND_CERTIFICATE_USE_COMMITMENT;
  if (usage & GNUTLS_KEY_DIGITAL_SIGNATURE)
    return TOKEND_CERTIFICATE_USE_DIGITAL_SIGNATURE;
  return TOKEND_CERTIFICATE_USE_ANY;
}

static void
hash (TokendCertificate *certificate, const guint8 *der, gsize size)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  gsize length = sizeof certificate->sha256;

  g_checksum_update (checksum, der, (gssize) size);
  g_checksum_get_digest (checksum, certificate->sha256, &length);
}

/**
 * tokend_certificate_parse:
 * @der: a certificate as the module gave it: any bytes.
 *
 * Returns: (transfer full) (nullable): what it says; %NULL if it is no certificate.
 */
TokendCertificate *
tokend_certificate_parse (const guint8 *der, gsize size)
{
  const gnutls_datum_t data = { (guint8 *) der, (unsigned int) size };
  gnutls_x509_crt_t parsed = NULL;
  TokendCertificate *certificate = NULL;

  if (gnutls_x509_crt_init (&parsed) != GNUTLS_E_SUCCESS)
    return NULL;
  if (gnutls_x509_crt_import (parsed, &data, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS) {
    certificate = g_new0 (TokendCertificate, 1);
    certificate->issuer = get_issuer (parsed);
    certificate->end = get_end (parsed);
    certificate->use = get_use (parsed);
    hash (certificate, der, size);
  }
  gnutls_x509_crt_deinit (parsed);
  return certificate;
}

static gboolean
goes_before (const TokendCertificate *a, const TokendCertificate *b)
{
  return a->use != b->use ? a->use > b->use : a->end > b->end;
}

/**
 * tokend_certificate_choose:
 * @certificates: (element-type TokendCertificate): those of one token.
 *
 * Leaves out those of CAs. Prefers one that commits the signer (RFC 5280, 4.2.1.3:
 * contentCommitment), then one that signs in general. Of several it takes the one that ends last,
 * because a renewed one may lie beside the old one.
 *
 * Returns: (transfer none) (nullable): the one that the person signs with.
 */
const TokendCertificate *
tokend_certificate_choose (GPtrArray *certificates)
{
  const TokendCertificate *chosen = NULL;

  for (guint i = 0; i < certificates->len; i++) {
    const TokendCertificate *certificate = certificates->pdata[i];

    if (certificate->use != TOKEND_CERTIFICATE_USE_AUTHORITY
        && (chosen == NULL || goes_before (certificate, chosen)))
      chosen = certificate;
  }
  return chosen;
}

TokendCertificate *
tokend_certificate_copy (const TokendCertificate *certificate)
{
  TokendCertificate *copy = g_memdup2 (certificate, sizeof *certificate);

  copy->issuer = g_strdup (certificate->issuer);
  return copy;
}

void
tokend_certificate_free (TokendCertificate *certificate)
{
  g_free (certificate->issuer);
  g_free (certificate);
}
