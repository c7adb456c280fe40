/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "issuers.h"

#include <gnutls/x509.h>

/* A card has a handful; the person's own is among the first. */
#define CERTIFICATES_MAX 8
#define CERTIFICATE_SIZE_MAX 32768
#define ISSUER_LENGTH_MAX 512

/* Certificates are slow to read from a card, and do not change while it is plugged in: once is enough. */
typedef struct {
  TokendTokenIdentity identity;
  char *issuer; /* NULL: the token has no certificate that names one */
} Issuer;

static void
issuer_free (gpointer data)
{
  Issuer *issuer = data;

  g_free (issuer->issuer);
  g_free (issuer);
}

/** tokend_issuers_new: Returns: (transfer full): what is known of the issuers of tokens: nothing, yet. */
GPtrArray *
tokend_issuers_new (void)
{
  return g_ptr_array_new_with_free_func (issuer_free);
}

/**
 * tokend_certificate_get_issuer:
 * @der: a certificate as the module gave it: any bytes.
 *
 * Returns: (transfer full) (nullable): its issuer's name as RFC 4514 writes it; %NULL for a CA's certificate and for what
 *   is no certificate.
 */
char *
tokend_certificate_get_issuer (const guint8 *der, gsize size)
{
  const gnutls_datum_t data = { (guint8 *) der, (unsigned int) size };
  gnutls_datum_t name = { 0 };
  gnutls_x509_crt_t certificate = NULL;
  char *issuer = NULL;

  if (gnutls_x509_crt_init (&certificate) != GNUTLS_E_SUCCESS)
    return NULL;
  if (gnutls_x509_crt_import (certificate, &data, GNUTLS_X509_FMT_DER) == GNUTLS_E_SUCCESS
      && gnutls_x509_crt_get_ca_status (certificate, NULL) <= 0
      && gnutls_x509_crt_get_issuer_dn3 (certificate, &name, 0) == GNUTLS_E_SUCCESS) {
    g_autofree char *text =
        g_strndup ((const char *) name.data, MIN (name.size, ISSUER_LENGTH_MAX));
    issuer = g_utf8_make_valid (text, -1);
  }
  gnutls_free (name.data);
  gnutls_x509_crt_deinit (certificate);
  return issuer;
}

static char *
read_issuer (const TokendReadFunctions *functions, CK_SESSION_HANDLE session,
             CK_OBJECT_HANDLE certificate)
{
  CK_ATTRIBUTE value = { CKA_VALUE, NULL, 0 };
  g_autofree guint8 *der = NULL;
  CK_ULONG size;

  if (functions->get_attribute_value (session, certificate, &value, 1) != CKR_OK)
    return NULL;
  size = value.ulValueLen;
  if (size == 0 || size > CERTIFICATE_SIZE_MAX)
    return NULL;
  value.pValue = der = g_malloc0 (size);
  if (functions->get_attribute_value (session, certificate, &value, 1) != CKR_OK
      || value.ulValueLen > size)
    return NULL;
  return tokend_certificate_get_issuer (der, value.ulValueLen);
}

static char *
find_issuer (const TokendReadFunctions *functions, CK_SESSION_HANDLE session)
{
  CK_OBJECT_CLASS class = CKO_CERTIFICATE;
  CK_ATTRIBUTE template = { CKA_CLASS, &class, sizeof class };
  CK_OBJECT_HANDLE certificates[CERTIFICATES_MAX];
  CK_ULONG count = 0;
  char *issuer = NULL;
  CK_RV rv;

  if (functions->find_objects_init (session, &template, 1) != CKR_OK)
    return NULL;
  rv = functions->find_objects (session, certificates, CERTIFICATES_MAX, &count);
  functions->find_objects_final (session);
  for (CK_ULONG i = 0; rv == CKR_OK && issuer == NULL && i < MIN (count, CERTIFICATES_MAX); i++)
    issuer = read_issuer (functions, session, certificates[i]);
  return issuer;
}

static Issuer *
issuer_read (const TokendReadFunctions *functions, const TokendSlotReading *reading)
{
  Issuer *issuer = g_new0 (Issuer, 1);
  CK_SESSION_HANDLE session;

  issuer->identity = reading->reading.identity;
  if (functions->open_session (reading->slot, CKF_SERIAL_SESSION, NULL, NULL, &session) == CKR_OK) {
    issuer->issuer = find_issuer (functions, session);
    functions->close_session (session);
  }
  return issuer;
}

static Issuer *
steal (GPtrArray *issuers, const TokendTokenIdentity *identity)
{
  for (guint i = 0; i < issuers->len; i++) {
    Issuer *issuer = issuers->pdata[i];

    if (tokend_token_identity_equal (&issuer->identity, identity))
      return g_ptr_array_steal_index_fast (issuers, i);
  }
  return NULL;
}

/**
 * tokend_issuers_update:
 * @issuers: from tokend_issuers_new(); afterwards of just the tokens in @readings.
 * @readings: (element-type TokendSlotReading): the tokens that are there.
 *
 * Reads the certificates of tokens that were not there before, without a login, in a session that is closed again. Costs
 * no try.
 */
void
tokend_issuers_update (GPtrArray *issuers, const TokendReadFunctions *functions, GArray *readings)
{
  g_autoptr (GPtrArray) now = tokend_issuers_new ();

  for (guint i = 0; i < readings->len; i++) {
    const TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);
    Issuer *known = steal (issuers, &reading->reading.identity);

    g_ptr_array_add (now, known != NULL ? known : issuer_read (functions, reading));
  }
  g_ptr_array_set_size (issuers, 0);
  g_ptr_array_extend_and_steal (issuers, g_steal_pointer (&now));
}

/** tokend_issuers_lookup: Returns: (transfer none) (nullable): the issuer of the certificate on that token. */
const char *
tokend_issuers_lookup (GPtrArray *issuers, const TokendTokenIdentity *identity)
{
  for (guint i = 0; i < issuers->len; i++) {
    const Issuer *issuer = issuers->pdata[i];

    if (tokend_token_identity_equal (&issuer->identity, identity))
      return issuer->issuer;
  }
  return NULL;
}
