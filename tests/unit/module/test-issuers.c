/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-token.h"
#include "issuers.h"
#include "slots.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

/* A self-signed certificate of the name @dn. */
static GBytes *
make_certificate (const char *dn, gboolean is_ca)
{
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t certificate;
  gnutls_datum_t der;
  GBytes *bytes;

  g_assert_cmpint (gnutls_x509_privkey_init (&key), ==, 0);
  g_assert_cmpint (gnutls_x509_privkey_generate (
                       key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS (GNUTLS_ECC_CURVE_SECP256R1), 0),
                   ==, 0);
  g_assert_cmpint (gnutls_x509_crt_init (&certificate), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_set_version (certificate, 3), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_set_serial (certificate, "\x01", 1), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_set_dn (certificate, dn, NULL), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_set_activation_time (certificate, 1), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_set_expiration_time (certificate, G_MAXINT32), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_set_ca_status (certificate, is_ca), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_set_key (certificate, key), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_sign2 (certificate, certificate, key, GNUTLS_DIG_SHA256, 0), ==,
                   0);
  g_assert_cmpint (gnutls_x509_crt_export2 (certificate, GNUTLS_X509_FMT_DER, &der), ==, 0);
  bytes = g_bytes_new (der.data, der.size);
  gnutls_free (der.data);
  gnutls_x509_crt_deinit (certificate);
  gnutls_x509_privkey_deinit (key);
  return bytes;
}

static void
test_issuer (void)
{
  g_autoptr (GBytes) person =
      make_certificate ("CN=Ayşe,O=Elektronik Bilgi Guvenligi A.S.,C=TR", FALSE);
  g_autoptr (GBytes) ca = make_certificate ("CN=Root,C=TR", TRUE);
  gsize size;
  const guint8 *der = g_bytes_get_data (person, &size);
  g_autofree char *issuer = tokend_certificate_get_issuer (der, size);

  g_assert_cmpstr (issuer, ==, "CN=Ayşe,O=Elektronik Bilgi Guvenligi A.S.,C=TR");
  for (gsize cut = 0; cut < size; cut++)
    g_assert_null (tokend_certificate_get_issuer (der, cut));
  der = g_bytes_get_data (ca, &size);
  g_assert_null (tokend_certificate_get_issuer (der, size));
}

static GVariant *
read_tokens (GPtrArray *issuers)
{
  return g_variant_ref_sink (tokend_slots_read_with_numbers (&fake_read_functions, issuers, NULL));
}

static void
assert_issuer (GVariant *tokens, const char *expected)
{
  g_autoptr (GVariant) token = g_variant_get_child_value (tokens, 0);
  const char *issuer = NULL;

  g_variant_lookup (token, "certificate-issuer", "&s", &issuer);
  g_assert_cmpstr (issuer, ==, expected);
}

/* Read once while the token is there, and again when it comes back. */
static void
test_once (void)
{
  g_autoptr (GPtrArray) issuers = tokend_issuers_new ();
  g_autoptr (GBytes) person = make_certificate ("CN=A", FALSE);
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) second = NULL;
  g_autoptr (GVariant) without = NULL;
  g_autoptr (GVariant) back = NULL;

  fake_reset ();
  fake.certificate = g_bytes_get_data (person, &fake.certificate_size);
  first = read_tokens (issuers);
  assert_issuer (first, "CN=A");
  g_assert_cmpuint (fake.session_flags, ==, CKF_SERIAL_SESSION);
  g_assert_cmpuint (fake.open_sessions, ==, 0);

  fake.session_flags = 0;
  second = read_tokens (issuers);
  assert_issuer (second, "CN=A");
  g_assert_cmpuint (fake.session_flags, ==, 0);

  fake.n_slots = 0;
  without = read_tokens (issuers);
  g_assert_cmpuint (g_variant_n_children (without), ==, 0);
  fake.n_slots = 1;
  fake.certificate = NULL;
  back = read_tokens (issuers);
  assert_issuer (back, NULL);
}

static void
test_absurd (void)
{
  g_autoptr (GPtrArray) issuers = tokend_issuers_new ();
  g_autoptr (GVariant) tokens = NULL;

  fake_reset ();
  fake.certificate = "";
  fake.certificate_size = (CK_ULONG) -1;
  tokens = read_tokens (issuers);
  assert_issuer (tokens, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/issuers/certificate", test_issuer);
  g_test_add_func ("/issuers/once", test_once);
  g_test_add_func ("/issuers/absurd", test_absurd);
  return g_test_run ();
}
