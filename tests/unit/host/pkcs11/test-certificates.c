/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "certificates.h"
#include "fake-token.h"
#include "slots.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <string.h>

#define DIGITAL_SIGNATURE GNUTLS_KEY_DIGITAL_SIGNATURE
#define COMMITMENT GNUTLS_KEY_NON_REPUDIATION
#define MINUTE (G_GINT64_CONSTANT (60) * G_USEC_PER_SEC)
#define END 1900000000
/* The eToken's own count of PIN tries */
#define COUNTERS 0x80005002UL
#define PIN_RETRIES 0x80001110UL

/* A self-signed certificate of the name @dn; @usage: 0 for one without the extension. */
static GBytes *
make_certificate (const char *dn, gboolean is_ca, unsigned int usage, time_t end)
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
  g_assert_cmpint (gnutls_x509_crt_set_expiration_time (certificate, end), ==, 0);
  g_assert_cmpint (gnutls_x509_crt_set_ca_status (certificate, is_ca), ==, 0);
  if (usage != 0)
    g_assert_cmpint (gnutls_x509_crt_set_key_usage (certificate, usage), ==, 0);
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
assert_sha256 (const TokendCertificate *certificate, const guint8 *der, gsize size)
{
  const gnutls_datum_t data = { (guint8 *) der, (unsigned int) size };
  guint8 expected[32];
  gsize length = sizeof expected;

  g_assert_cmpint (gnutls_fingerprint (GNUTLS_DIG_SHA256, &data, expected, &length), ==, 0);
  g_assert_cmpmem (certificate->sha256, sizeof certificate->sha256, expected, length);
}

static void
test_parse (void)
{
  static const struct {
    gboolean is_ca;
    unsigned int usage;
    time_t end;
    TokendCertificateUse expected_use;
    gint64 expected_end;
  } rows[] = {
    { FALSE, 0, END, TOKEND_CERTIFICATE_USE_ANY, END },
    { FALSE, GNUTLS_KEY_KEY_ENCIPHERMENT, END, TOKEND_CERTIFICATE_USE_ANY, END },
    { FALSE, DIGITAL_SIGNATURE, END, TOKEND_CERTIFICATE_USE_DIGITAL_SIGNATURE, END },
    { FALSE, COMMITMENT, END, TOKEND_CERTIFICATE_USE_COMMITMENT, END },
    { FALSE, COMMITMENT | DIGITAL_SIGNATURE, END, TOKEND_CERTIFICATE_USE_COMMITMENT, END },
    { TRUE, 0, END, TOKEND_CERTIFICATE_USE_AUTHORITY, END },
    { TRUE, COMMITMENT, END, TOKEND_CERTIFICATE_USE_AUTHORITY, END },
    { FALSE, 0, GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION, TOKEND_CERTIFICATE_USE_ANY,
      TOKEND_CERTIFICATE_NO_END },
    { FALSE, 0, 3000000000, TOKEND_CERTIFICATE_USE_ANY, 3000000000 },
  };
  const char *dn = "CN=Ayşe,O=Elektronik Bilgi Guvenligi A.S.,C=TR";

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GBytes) bytes = make_certificate (dn, rows[i].is_ca, rows[i].usage, rows[i].end);
    gsize size;
    const guint8 *der = g_bytes_get_data (bytes, &size);
    g_autoptr (TokendCertificate) certificate = tokend_certificate_parse (der, size);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_nonnull (certificate);
    g_assert_cmpstr (certificate->issuer, ==, dn);
    g_assert_cmpint (certificate->use, ==, rows[i].expected_use);
    g_assert_cmpint (certificate->end, ==, rows[i].expected_end);
    assert_sha256 (certificate, der, size);
    for (gsize cut = 0; cut < size; cut++)
      g_assert_null (tokend_certificate_parse (der, cut));
  }
}

/* "commitment 5": what it is for, and when it ends. */
static TokendCertificate *
certificate_from (const char *words)
{
  static const char *const uses[] = { "authority", "any", "signature", "commitment" };
  g_auto (GStrv) word = g_strsplit (words, " ", 2);
  TokendCertificate *certificate = g_new0 (TokendCertificate, 1);

  while (!g_str_equal (uses[certificate->use], word[0]))
    certificate->use++;
  certificate->end =
      g_str_equal (word[1], "-") ? TOKEND_CERTIFICATE_NO_END : g_ascii_strtoll (word[1], NULL, 10);
  return certificate;
}

static void
test_choose (void)
{
  static const struct {
    const char *certificates[4];
    int chosen; /* or -1 */
  } rows[] = {
    { { NULL }, -1 },
    { { "any 5" }, 0 },
    { { "authority 9" }, -1 },
    { { "authority 9", "any 5", "authority 8" }, 1 },
    /* What it is for goes before how long it is valid. */
    { { "any 9", "signature 5" }, 1 },
    { { "signature 9", "commitment 5", "any 9" }, 1 },
    { { "commitment 5", "signature 9" }, 0 },
    /* One that was renewed beside the old one, in either order. */
    { { "commitment 5", "commitment 9" }, 1 },
    { { "commitment 9", "commitment 5", "signature 9" }, 0 },
    { { "any 5", "any 9", "any 7" }, 1 },
    /* One whose end is not known, beside one that tells. */
    { { "commitment -", "commitment 5" }, 1 },
    { { "commitment -", "signature 5" }, 0 },
    /* Both the same: the first. */
    { { "signature 5", "signature 5" }, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) certificates =
        g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_certificate_free);
    const TokendCertificate *chosen;

    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].certificates); j++) {
      if (rows[i].certificates[j] != NULL)
        g_ptr_array_add (certificates, certificate_from (rows[i].certificates[j]));
    }
    chosen = tokend_certificate_choose (certificates);
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    if (rows[i].chosen < 0)
      g_assert_null (chosen);
    else
      g_assert_true (chosen == certificates->pdata[rows[i].chosen]);
  }
}

static void
set_certificates (GBytes *first, GBytes *second)
{
  GBytes *const all[] = { first, second };

  fake.n_certificates = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++) {
    if (all[i] != NULL) {
      FakeCertificate *certificate = &fake.certificates[fake.n_certificates++];

      certificate->der = g_bytes_get_data (all[i], &certificate->size);
    }
  }
}

static GVariant *
read_tokens (GPtrArray *certificates)
{
  g_autoptr (GArray) last = NULL;

  return g_variant_ref_sink (
      tokend_slots_read_all (&fake_read_functions, certificates, NULL, &last, NULL));
}

static void
assert_told (GVariant *tokens, const char *issuer, guint64 end)
{
  g_autoptr (GVariant) token = g_variant_get_child_value (tokens, 0);
  const char *told_issuer = NULL;
  guint64 told_end = 0;

  g_variant_lookup (token, "certificate-issuer", "&s", &told_issuer);
  g_variant_lookup (token, "certificate-not-after", "t", &told_end);
  g_assert_cmpstr (told_issuer, ==, issuer);
  g_assert_cmpuint (told_end, ==, end * G_USEC_PER_SEC);
}

/* Read once while the token is there, and again when it comes back. */
static void
test_once (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GBytes) person = make_certificate ("CN=A", FALSE, COMMITMENT, END);
  g_autoptr (GVariant) first = NULL;
  g_autoptr (GVariant) second = NULL;
  g_autoptr (GVariant) without = NULL;
  g_autoptr (GVariant) back = NULL;

  fake_reset ();
  set_certificates (person, NULL);
  first = read_tokens (certificates);
  assert_told (first, "CN=A", END);
  g_assert_cmpuint (fake.session_flags, ==, CKF_SERIAL_SESSION);
  g_assert_cmpuint (fake.open_sessions, ==, 0);

  fake.session_flags = 0;
  second = read_tokens (certificates);
  assert_told (second, "CN=A", END);
  g_assert_cmpuint (fake.session_flags, ==, 0);

  fake.n_slots = 0;
  without = read_tokens (certificates);
  g_assert_cmpuint (g_variant_n_children (without), ==, 0);
  fake.n_slots = 1;
  set_certificates (NULL, NULL);
  back = read_tokens (certificates);
  assert_told (back, NULL, 0);
}

static gboolean
is_said_to_have_none (GVariant *tokens)
{
  g_autoptr (GVariant) token = g_variant_get_child_value (tokens, 0);
  gboolean has_none = FALSE;

  return g_variant_lookup (token, "no-certificate", "b", &has_none) && has_none;
}

/* What one process has read another one need not read. */
static void
test_handed_on (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GBytes) person = make_certificate ("CN=A", FALSE, COMMITMENT, END);

  fake_reset ();
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GVariant) first = NULL;
    g_autoptr (GVariant) handed = NULL;
    g_autoptr (GPtrArray) taken = NULL;
    g_autoptr (GVariant) second = NULL;

    /* With one, and without any. */
    set_certificates (i == 0 ? person : NULL, NULL);
    g_ptr_array_set_size (certificates, 0);
    first = read_tokens (certificates);
    handed = g_variant_ref_sink (tokend_certificates_to_variant (certificates));
    taken = tokend_certificates_new_from_variant (handed);
    fake.session_flags = 0;
    second = read_tokens (taken);
    g_assert_cmpuint (fake.session_flags, ==, 0);
    g_assert_true (g_variant_equal (first, second));
    g_assert_cmpint (is_said_to_have_none (second), ==, i == 1);
  }
}

/* Issuer and end are the same certificate's, wherever it lies. */
static void
test_of_one (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GBytes) login = make_certificate ("CN=A", FALSE, DIGITAL_SIGNATURE, END + 1);
  g_autoptr (GBytes) signing = make_certificate ("CN=B", FALSE, COMMITMENT, END);
  g_autoptr (GVariant) tokens = NULL;

  fake_reset ();
  set_certificates (login, signing);
  tokens = read_tokens (certificates);
  assert_told (tokens, "CN=B", END);
}

/* The one to sign with is the last of many, however they are handed out; of more than are looked at
 * nothing is told. */
static void
test_of_many (void)
{
  static const struct {
    guint n_certificates;
    guint found_at_once;
    guint64 end; /* or 0 */
  } rows[] = { { 17, 0, END },  { 17, 1, END }, { 64, 0, END },
               { 64, 16, END }, { 65, 0, 0 },   { 66, 5, 0 } };
  g_autoptr (GBytes) login = make_certificate ("CN=A", FALSE, DIGITAL_SIGNATURE, END + 1);
  g_autoptr (GBytes) signing = make_certificate ("CN=B", FALSE, COMMITMENT, END);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
    g_autoptr (GVariant) tokens = NULL;

    fake_reset ();
    fake.found_at_once = rows[i].found_at_once;
    fake.n_certificates = rows[i].n_certificates;
    for (guint j = 0; j < fake.n_certificates; j++) {
      FakeCertificate *certificate = &fake.certificates[j];

      certificate->der =
          g_bytes_get_data (j + 1 < fake.n_certificates ? login : signing, &certificate->size);
    }
    tokens = read_tokens (certificates);
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    assert_told (tokens, rows[i].end != 0 ? "CN=B" : NULL, rows[i].end);
    g_assert_false (is_said_to_have_none (tokens));
    g_assert_cmpuint (fake.open_sessions, ==, 0);
  }
}

static gint64
update (GPtrArray *certificates, gint64 now)
{
  g_autoptr (GArray) readings = tokend_slots_read (&fake_read_functions, NULL, NULL);
  const TokendTokenIdentity *identity =
      &g_array_index (readings, TokendSlotReading, 0).reading.identity;
  const TokendCertificate *certificate;

  tokend_certificates_update (certificates, &fake_read_functions, readings, now);
  g_assert_cmpuint (fake.open_sessions, ==, 0);
  certificate = tokend_certificates_lookup (certificates, identity);
  return certificate != NULL ? certificate->end : TOKEND_CERTIFICATE_NO_END;
}

/* One that is renewed while the token is plugged in is noticed after a while; one that a wrong PUK
 * has destroyed, at once. */
static void
test_replaced (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GBytes) old = make_certificate ("CN=A", FALSE, COMMITMENT, END);
  g_autoptr (GBytes) renewed = make_certificate ("CN=A", FALSE, COMMITMENT, END + 1);

  fake_reset ();
  set_certificates (old, NULL);
  g_assert_cmpint (update (certificates, 100 * MINUTE), ==, END);
  set_certificates (old, renewed);
  g_assert_cmpint (update (certificates, 110 * MINUTE - 1), ==, END);
  g_assert_cmpint (update (certificates, 110 * MINUTE), ==, END + 1);

  set_certificates (NULL, NULL);
  fake.info[0].flags |= CKF_USER_PIN_COUNT_LOW | CKF_SO_PIN_FINAL_TRY;
  g_assert_cmpint (update (certificates, 111 * MINUTE), ==, END + 1);
  fake.info[0].flags |= CKF_SO_PIN_LOCKED;
  g_assert_cmpint (update (certificates, 111 * MINUTE), ==, TOKEND_CERTIFICATE_NO_END);
}

static void
spend_try (void)
{
  fake.info[0].flags |= CKF_USER_PIN_COUNT_LOW;
  fake.attributes[0].value--;
}

static void
disturb (void)
{
  fake.info_rv[0] = CKR_DEVICE_ERROR;
}

static void
pull_out (void)
{
  fake.info_rv[0] = CKR_TOKEN_NOT_PRESENT;
}

/* To read them takes long: what was told of the tries before would be told as the present state,
 * and not asked again. */
static void
test_meanwhile (void)
{
  static const struct {
    void (*meanwhile) (void);
    const char *told; /* NULL: no token */
  } rows[] = {
    { NULL, "'pin-retries-remaining': <uint32 3>" },
    { spend_try, "'pin-retries-remaining': <uint32 2>" },
    { disturb, "'unread': <'C_GetTokenInfo: CKR_DEVICE_ERROR'>" },
    { pull_out, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
    g_autoptr (GBytes) person = make_certificate ("CN=A", FALSE, COMMITMENT, END);
    g_autoptr (GVariant) tokens = NULL;
    g_autofree char *text = NULL;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0001", "LABEL");
    fake_add_attribute (COUNTERS, PIN_RETRIES, 3, sizeof (CK_ULONG));
    set_certificates (person, NULL);
    fake.meanwhile = rows[i].meanwhile;

    tokens = read_tokens (certificates);
    text = g_variant_print (tokens, TRUE);
    g_assert_cmpuint (g_variant_n_children (tokens), ==, rows[i].told != NULL);
    if (rows[i].told != NULL) {
      g_assert_nonnull (strstr (text, rows[i].told));
      assert_told (tokens, "CN=A", END);
    }
    g_assert_cmpuint (fake.open_sessions, ==, 0);
  }
}

/* What cannot be read now is what it was, and is tried again at the next read. */
static void
test_unreadable (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GBytes) person = make_certificate ("CN=A", FALSE, COMMITMENT, END);

  fake_reset ();
  set_certificates (person, NULL);
  fake.open_session_rv = CKR_DEVICE_ERROR;
  g_assert_cmpint (update (certificates, 0), ==, TOKEND_CERTIFICATE_NO_END);
  fake.open_session_rv = CKR_OK;
  g_assert_cmpint (update (certificates, 1), ==, END);

  fake.open_session_rv = CKR_DEVICE_ERROR;
  g_assert_cmpint (update (certificates, 11 * MINUTE), ==, END);
  set_certificates (NULL, NULL);
  fake.open_session_rv = CKR_OK;
  g_assert_cmpint (update (certificates, 11 * MINUTE + 1), ==, TOKEND_CERTIFICATE_NO_END);
}

/* What one certificate holds may be what matters: without it nothing is known, and all are read
 * again. */
static void
test_value_unreadable (void)
{
  static const struct {
    CK_RV rv;
    gint64 end;
  } rows[] = {
    { CKR_DEVICE_ERROR, TOKEND_CERTIFICATE_NO_END },
    { CKR_GENERAL_ERROR, TOKEND_CERTIFICATE_NO_END },
    /* It has none, and never will. */
    { CKR_ATTRIBUTE_TYPE_INVALID, END },
    { CKR_ATTRIBUTE_SENSITIVE, END },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
    g_autoptr (GBytes) login = make_certificate ("CN=A", FALSE, DIGITAL_SIGNATURE, END);
    g_autoptr (GBytes) signing = make_certificate ("CN=B", FALSE, COMMITMENT, END + 1);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    fake_reset ();
    set_certificates (login, signing);
    fake.certificate_rv = rows[i].rv;
    g_assert_cmpint (update (certificates, 0), ==, rows[i].end);
    fake.certificate_rv = CKR_OK;
    g_assert_cmpint (update (certificates, 1), ==,
                     rows[i].end == TOKEND_CERTIFICATE_NO_END ? END + 1 : END);
  }
}

static void
test_absurd (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GVariant) tokens = NULL;

  fake_reset ();
  fake.certificates[0] = (FakeCertificate){ "", (CK_ULONG) -1 };
  fake.n_certificates = 1;
  tokens = read_tokens (certificates);
  assert_told (tokens, NULL, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/certificates/parse", test_parse);
  g_test_add_func ("/certificates/choose", test_choose);
  g_test_add_func ("/certificates/once", test_once);
  g_test_add_func ("/certificates/handed-on", test_handed_on);
  g_test_add_func ("/certificates/of-one", test_of_one);
  g_test_add_func ("/certificates/of-many", test_of_many);
  g_test_add_func ("/certificates/replaced", test_replaced);
  g_test_add_func ("/certificates/meanwhile", test_meanwhile);
  g_test_add_func ("/certificates/unreadable", test_unreadable);
  g_test_add_func ("/certificates/value-unreadable", test_value_unreadable);
  g_test_add_func ("/certificates/absurd", test_absurd);
  return g_test_run ();
}
