/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake-token.h"
#include "certificates.h"
#include "slots.h"
#include "tokend-error.h"
#include "tokend-module.h"
#include "tokend-status.h"
#include "vendor-counters.h"

#include <string.h>

#define UNKNOWN TOKEND_NUMBER_UNKNOWN
#define NONE G_MAXUINT64

#define COUNTERS 0x80005002UL
#define POLICY 0x80005003UL

static void
test_trimming (void)
{
  static const struct {
    const char *padded;
    gsize size;
    const char *trimmed;
    gsize length;
  } rows[] = {
    { "LABEL   ", 8, "LABEL", 5 },
    { "LABEL\0\0\0", 8, "LABEL", 5 },
    { "LABEL \0 ", 8, "LABEL", 5 },
    { "12345678", 8, "12345678", 8 },
    { "A\0B     ", 8, "A\0B", 3 },
    { "  A     ", 8, "  A", 3 },
    { "\xff\xfe\n     ", 8, "\xff\xfe\n", 3 },
    { "        ", 8, "", 0 },
    { "\0\0\0\0\0\0\0\0", 8, "", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendTokenField field;
    g_autoptr (GVariant) variant = NULL;
    const void *bytes;
    gsize length;

    tokend_token_field_init (&field, (const guint8 *) rows[i].padded, rows[i].size);
    g_assert_cmpmem (field.bytes, field.length, rows[i].trimmed, rows[i].length);
    variant = g_variant_ref_sink (tokend_token_field_to_variant (&field));
    bytes = g_variant_get_fixed_array (variant, &length, 1);
    g_assert_cmpmem (bytes, length, rows[i].trimmed, rows[i].length);
  }
}

static void
test_lengths (void)
{
  static const struct {
    CK_ULONG minimum, maximum;
    gint expected_minimum, expected_maximum;
  } rows[] = {
    { 4, 8, 4, 8 },
    { 4, 255, 4, 255 },
    { 4, 256, 4, 255 },
    { 4, 1UL << 40, 4, 255 },
    { 0, 8, UNKNOWN, 8 },
    { 4, 0, 4, UNKNOWN },
    { 4, CK_UNAVAILABLE_INFORMATION, 4, UNKNOWN },
    { CK_UNAVAILABLE_INFORMATION, 8, UNKNOWN, 8 },
    { 256, 300, UNKNOWN, 255 },
    { 255, 300, 255, 255 },
    { 9, 8, UNKNOWN, UNKNOWN },
    { 8, 8, 8, 8 },
    { 1, 1, 1, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED };
    TokendHostReading reading;

    info.ulMinPinLen = rows[i].minimum;
    info.ulMaxPinLen = rows[i].maximum;
    g_assert_true (tokend_host_reading_init (&reading, &info));
    g_assert_cmpint (reading.pin_minimum_length, ==, rows[i].expected_minimum);
    g_assert_cmpint (reading.pin_maximum_length, ==, rows[i].expected_maximum);
  }
}

/* Which of OpenSC's tokens are OpenPGP cards that it does not ask: their flags are other codes'. */
static void
test_openpgp_card (void)
{
  static const struct {
    const char *model, *label;
    CK_VERSION version;
    gboolean is_believed;
  } rows[] = {
    { "PKCS#15 emulated", "OpenPGP card (User PIN)", { 3, 1 }, TRUE },
    { "PKCS#15 emulated", "OpenPGP card (User PIN)", { 3, 4 }, TRUE },
    { "PKCS#15 emulated", "OpenPGP card (User PIN)", { 4, 0 }, TRUE },
    { "PKCS#15 emulated", "OpenPGP card (User PIN)", { 3, 0 }, FALSE },
    { "PKCS#15 emulated", "OpenPGP card (User PIN (sig))", { 2, 1 }, FALSE },
    { "PKCS#15 emulated", "OpenPGP card (User PIN)", { 0, 0 }, FALSE },
    { "PKCS#15 emulated", "Simulated signer", { 0, 0 }, TRUE },
    { "PKCS#15", "OpenPGP card (User PIN)", { 2, 1 }, TRUE },
  };
  const guint told = TOKEND_TOKEN_PIN_INITIALIZED | TOKEND_TOKEN_PUK_LOCKED;
  const guint of_others =
      TOKEND_TOKEN_PIN_COUNT_LOW | TOKEND_TOKEN_PIN_FINAL_TRY | TOKEND_TOKEN_PIN_LOCKED;

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED
                                    | CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY
                                    | CKF_USER_PIN_LOCKED | CKF_SO_PIN_LOCKED,
                           .hardwareVersion = rows[i].version };
    TokendHostReading reading;

    memset (info.model, ' ', sizeof info.model);
    memcpy (info.model, rows[i].model, strlen (rows[i].model));
    memset (info.label, ' ', sizeof info.label);
    memcpy (info.label, rows[i].label, strlen (rows[i].label));
    g_assert_true (tokend_host_reading_init (&reading, &info));
    g_assert_cmphex (reading.flags, ==,
                     told | (rows[i].is_believed ? of_others : TOKEND_TOKEN_PIN_TRIES_HIDDEN));
  }
}

/* Each text is that of its own field. */
static void
test_texts (void)
{
  CK_TOKEN_INFO info = { 0 };
  TokendHostReading reading;

  memset (&reading, 'x', sizeof reading);
  fake_fill (&info, "Maker", "Model", "0001", "LABEL");
  g_assert_true (tokend_host_reading_init (&reading, &info));
  g_assert_true (tokend_token_field_is (&reading.identity.manufacturer, "Maker"));
  g_assert_true (tokend_token_field_is (&reading.identity.model, "Model"));
  g_assert_true (tokend_token_field_is (&reading.identity.serial, "0001"));
  g_assert_true (tokend_token_field_is (&reading.identity.label, "LABEL"));
}

static void
test_flags (void)
{
  static const struct {
    CK_FLAGS theirs;
    guint ours;
  } rows[] = {
    { 0, 0 },
    { CKF_USER_PIN_COUNT_LOW, TOKEND_TOKEN_PIN_COUNT_LOW },
    { CKF_USER_PIN_FINAL_TRY, TOKEND_TOKEN_PIN_FINAL_TRY },
    { CKF_USER_PIN_LOCKED, TOKEND_TOKEN_PIN_LOCKED },
    { CKF_USER_PIN_TO_BE_CHANGED, TOKEND_TOKEN_PIN_MUST_CHANGE },
    { CKF_USER_PIN_INITIALIZED, TOKEND_TOKEN_PIN_INITIALIZED },
    { CKF_SO_PIN_COUNT_LOW, TOKEND_TOKEN_PUK_COUNT_LOW },
    { CKF_SO_PIN_FINAL_TRY, TOKEND_TOKEN_PUK_FINAL_TRY },
    { CKF_SO_PIN_LOCKED, TOKEND_TOKEN_PUK_LOCKED },
    { CKF_PROTECTED_AUTHENTICATION_PATH, TOKEND_TOKEN_PIN_PAD },
    { CKF_SO_PIN_TO_BE_CHANGED | CKF_RNG | CKF_LOGIN_REQUIRED | CKF_WRITE_PROTECTED, 0 },
    { CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_LOCKED,
      TOKEND_TOKEN_PIN_COUNT_LOW | TOKEND_TOKEN_PIN_LOCKED },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED | rows[i].theirs };
    TokendHostReading reading;

    g_assert_true (tokend_host_reading_init (&reading, &info));
    g_assert_cmpuint (reading.flags, ==, rows[i].ours);
  }
}

static void
test_not_initialised (void)
{
  CK_TOKEN_INFO info = { .flags = 0x500200 & ~CKF_TOKEN_INITIALIZED };
  TokendHostReading reading;

  g_assert_false (tokend_host_reading_init (&reading, &info));
}

static void
test_unknown_is_absent (void)
{
  CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED };
  TokendHostReading reading;
  g_autoptr (GVariant) variant = NULL;
  g_autofree char *text = NULL;

  g_assert_true (tokend_host_reading_init (&reading, &info));
  variant = g_variant_ref_sink (tokend_host_reading_to_variant (&reading, NULL, NULL));
  g_assert_cmpuint (g_variant_n_children (variant), ==, 5);

  reading.puk = (TokendRetries){ 0, 3 };
  g_variant_unref (variant);
  variant = g_variant_ref_sink (tokend_host_reading_to_variant (&reading, NULL, NULL));
  g_assert_cmpuint (g_variant_n_children (variant), ==, 7);
  text = g_variant_print (variant, TRUE);
  g_assert_nonnull (strstr (text, "'puk-retries-remaining': <uint32 0>"));
  g_assert_nonnull (strstr (text, "'puk-retries-maximum': <uint32 3>"));

  reading.slot_events = 1;
  g_variant_unref (variant);
  variant = g_variant_ref_sink (tokend_host_reading_to_variant (&reading, NULL, NULL));
  g_assert_cmpuint (g_variant_n_children (variant), ==, 8);
}

static gboolean
has (GVariant *reading, const char *key, const char *value)
{
  g_autoptr (GVariant) found = g_variant_lookup_value (reading, key, NULL);
  g_autofree char *text = found != NULL ? g_variant_print (found, TRUE) : NULL;

  return g_strcmp0 (text, value) == 0;
}

/* What is known of the lengths, and of the certificate that is signed with. */
static void
test_known_is_told (void)
{
  static const struct {
    TokendCertificate certificate;
    const char *issuer, *not_after; /* or NULL */
  } rows[] = {
    { { (char *) "CN=X", 1900000000 }, "'CN=X'", "uint64 1900000000000000" },
    { { NULL, 1 }, NULL, "uint64 1000000" },
    { { (char *) "CN=X", 0 }, "'CN=X'", NULL },
    { { (char *) "CN=X", -1 }, "'CN=X'", NULL },
    { { NULL, 9223372036854 }, NULL, "uint64 9223372036854000000" },
    { { NULL, 9223372036855 }, NULL, NULL },
  };
  TokendHostReading reading;
  const CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED,
                               .ulMinPinLen = 1,
                               .ulMaxPinLen = 255 };

  g_assert_true (tokend_host_reading_init (&reading, &info));
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) variant = g_variant_ref_sink (
        tokend_host_reading_to_variant (&reading, "Reader 00", &rows[i].certificate));
    g_autoptr (GVariant) sha256 =
        g_variant_lookup_value (variant, "certificate-sha256", G_VARIANT_TYPE_BYTESTRING);

    g_assert_true (has (variant, "reader", "'Reader 00'"));
    g_assert_cmpuint (g_variant_get_size (sha256), ==, 32);

    g_assert_true (has (variant, "certificate-issuer", rows[i].issuer));
    g_assert_true (has (variant, "certificate-not-after", rows[i].not_after));
    g_assert_true (has (variant, "pin-minimum-length", "uint32 1"));
    g_assert_true (has (variant, "pin-maximum-length", "uint32 255"));
    g_assert_true (has (variant, "new-pin-minimum-length", "uint32 1"));
    g_assert_true (has (variant, "new-pin-maximum-length", "uint32 255"));
  }
}

/* It is compared, and never shown. */
static void
test_reader_that_is_no_text (void)
{
  const CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED };
  g_autoptr (GVariant) variant = NULL;
  TokendHostReading reading;

  g_assert_true (tokend_host_reading_init (&reading, &info));
  variant = g_variant_ref_sink (tokend_host_reading_to_variant (&reading, "Reader \377", NULL));
  g_assert_true (has (variant, "reader", NULL));
}

/* What is not so, or not known, is absent. */
static void
test_card_is_told (void)
{
  static const struct {
    gboolean has_no_certificate;
    const char *atr;
    const char *no_certificate, *told_atr; /* or NULL */
  } rows[] = {
    { FALSE, "", NULL, NULL },
    { TRUE, "", "true", NULL },
    { FALSE, "3B00", NULL, "'3B00'" },
  };
  const CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) variant = NULL;
    TokendHostReading reading;

    g_assert_true (tokend_host_reading_init (&reading, &info));
    reading.has_no_certificate = rows[i].has_no_certificate;
    g_strlcpy (reading.atr, rows[i].atr, sizeof reading.atr);
    variant = g_variant_ref_sink (tokend_host_reading_to_variant (&reading, NULL, NULL));
    g_assert_true (has (variant, "no-certificate", rows[i].no_certificate));
    g_assert_true (has (variant, "atr", rows[i].told_atr));
  }
}

static void
test_same_tries (void)
{
  static const struct {
    TokendHostReading other;
    gboolean pin, puk;
  } rows[] = {
    { { .pin = { 3, 3 }, .puk = { 5, 5 } }, TRUE, TRUE },
    { { .pin = { 2, 3 }, .puk = { 5, 5 } }, FALSE, TRUE },
    { { .pin = { 3, 4 }, .puk = { 5, 5 } }, FALSE, TRUE },
    { { .pin = { 3, 3 }, .puk = { 4, 5 } }, TRUE, FALSE },
    { { .pin = { 3, 3 }, .puk = { UNKNOWN, 5 } }, TRUE, FALSE },
    { { .pin = { 3, 3 }, .puk = { 5, 5 }, .flags = TOKEND_TOKEN_PIN_COUNT_LOW }, FALSE, TRUE },
    { { .pin = { 3, 3 }, .puk = { 5, 5 }, .flags = TOKEND_TOKEN_PIN_FINAL_TRY }, FALSE, TRUE },
    { { .pin = { 3, 3 }, .puk = { 5, 5 }, .flags = TOKEND_TOKEN_PIN_LOCKED }, FALSE, TRUE },
    { { .pin = { 3, 3 }, .puk = { 5, 5 }, .flags = TOKEND_TOKEN_PIN_INITIALIZED }, FALSE, TRUE },
    { { .pin = { 3, 3 }, .puk = { 5, 5 }, .flags = TOKEND_TOKEN_PUK_COUNT_LOW }, TRUE, FALSE },
    { { .pin = { 3, 3 }, .puk = { 5, 5 }, .flags = TOKEND_TOKEN_PUK_FINAL_TRY }, TRUE, FALSE },
    { { .pin = { 3, 3 }, .puk = { 5, 5 }, .flags = TOKEND_TOKEN_PUK_LOCKED }, TRUE, FALSE },
    { { .pin = { 3, 3 }, .puk = { 5, 5 }, .flags = TOKEND_TOKEN_PIN_MUST_CHANGE }, TRUE, TRUE },
  };
  const TokendHostReading before = { .pin = { 3, 3 }, .puk = { 5, 5 } };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_assert_cmpint (tokend_host_reading_same_tries (&before, &rows[i].other, TOKEND_ROLE_PIN), ==,
                     rows[i].pin);
    g_assert_cmpint (tokend_host_reading_same_tries (&before, &rows[i].other, TOKEND_ROLE_PUK), ==,
                     rows[i].puk);
  }
}

/* What is shown of one code's tries, and whether it is less than was shown before. */
static void
test_lost_tries (void)
{
  static const struct {
    TokendRetries before, after;
    guint flags_before, flags_after;
    gboolean is_lost, is_hidden;
  } rows[] = {
    { { 3, 3 }, { 3, 3 }, 0, 0, FALSE },
    { { 2, 3 }, { 3, 3 }, 0, 0, FALSE },
    { { 3, 3 }, { 2, 3 }, 0, 0, TRUE },
    { { 1, 3 }, { 0, 3 }, 0, 0, TRUE },
    { { 1, 3 }, { UNKNOWN, 3 }, 0, 0, FALSE, TRUE },
    { { UNKNOWN, UNKNOWN }, { UNKNOWN, UNKNOWN }, 0, 0, FALSE },
    { { UNKNOWN, UNKNOWN }, { 1, 3 }, 0, 0, FALSE },
    { { UNKNOWN, UNKNOWN }, { UNKNOWN, UNKNOWN }, 0, TOKEND_TOKEN_PIN_COUNT_LOW, TRUE },
    { { UNKNOWN, UNKNOWN }, { UNKNOWN, UNKNOWN }, 0, TOKEND_TOKEN_PIN_LOCKED, TRUE },
    { { UNKNOWN, UNKNOWN },
      { UNKNOWN, UNKNOWN },
      TOKEND_TOKEN_PIN_COUNT_LOW,
      TOKEND_TOKEN_PIN_COUNT_LOW | TOKEND_TOKEN_PIN_FINAL_TRY,
      TRUE },
    { { UNKNOWN, UNKNOWN }, { UNKNOWN, UNKNOWN }, TOKEND_TOKEN_PIN_FINAL_TRY, 0, FALSE },
    { { 3, 3 }, { 3, 3 }, 0, TOKEND_TOKEN_PIN_INITIALIZED, FALSE },
    { { 3, 3 }, { 3, 3 }, 0, TOKEND_TOKEN_PUK_COUNT_LOW, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const TokendHostReading before = { .pin = rows[i].before, .flags = rows[i].flags_before };
    const TokendHostReading after = { .pin = rows[i].after, .flags = rows[i].flags_after };

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_host_reading_lost_tries (&before, &after, TOKEND_ROLE_PIN), ==,
                     rows[i].is_lost);
    g_assert_cmpint (tokend_host_reading_tells_less (&before, &after, TOKEND_ROLE_PIN), ==,
                     rows[i].is_hidden);
  }
}

static void
test_vendor_numbers (void)
{
  static const struct {
    TokendVendorNumbers numbers;
    TokendRetries pin, puk;
    gint minimum, maximum;
    guint flags;
  } rows[] = {
    { { 3, 3, 3, 3, 1, NONE, NONE, NONE }, { 3, 3 }, { 3, 3 }, 4, 16 },
    { { 0, 3, 1, 3, NONE, NONE, NONE, NONE }, { 0, 3 }, { 1, 3 }, 4, 16 },
    { { 1, 1, 0, 1, NONE, NONE, NONE, NONE }, { 1, 1 }, { 0, 1 }, 4, 16 },
    { { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE },
      { UNKNOWN, UNKNOWN },
      { UNKNOWN, UNKNOWN },
      4,
      16 },
    /* absurd: more left than there are, no maximum, beyond a byte */
    { { 4, 3, 3, 0, 1, NONE, NONE, NONE }, { UNKNOWN, UNKNOWN }, { 3, UNKNOWN }, 4, 16 },
    { { 255, 255, 1, 255, 1, NONE, NONE, NONE }, { 255, 255 }, { 1, 255 }, 4, 16 },
    { { 256, 3, 3, 256, 1, NONE, NONE, NONE }, { UNKNOWN, 3 }, { 3, UNKNOWN }, 4, 16 },
    { { 3, NONE, NONE, 3, 1, NONE, NONE, NONE }, { 3, UNKNOWN }, { UNKNOWN, 3 }, 4, 16 },
    /* no PUK on the token */
    { { 3, 3, 3, 3, 0, NONE, NONE, NONE },
      { 3, 3 },
      { UNKNOWN, UNKNOWN },
      4,
      16,
      TOKEND_TOKEN_NO_PUK },
    /* the policy narrows and never widens */
    { { NONE, NONE, NONE, NONE, NONE, 6, 10, NONE },
      { UNKNOWN, UNKNOWN },
      { UNKNOWN, UNKNOWN },
      6,
      10 },
    { { NONE, NONE, NONE, NONE, NONE, 2, 20, NONE },
      { UNKNOWN, UNKNOWN },
      { UNKNOWN, UNKNOWN },
      4,
      16 },
    { { NONE, NONE, NONE, NONE, NONE, 0, 0, NONE },
      { UNKNOWN, UNKNOWN },
      { UNKNOWN, UNKNOWN },
      4,
      16 },
    { { NONE, NONE, NONE, NONE, NONE, 17, 20, NONE },
      { UNKNOWN, UNKNOWN },
      { UNKNOWN, UNKNOWN },
      4,
      16 },
    { { NONE, NONE, NONE, NONE, NONE, 300, 400, NONE },
      { UNKNOWN, UNKNOWN },
      { UNKNOWN, UNKNOWN },
      4,
      16 },
    /* complexity: only what is clearly wanted */
    { { 3, 3, 3, 3, 1, NONE, NONE, 1 }, { 3, 3 }, { 3, 3 }, 4, 16, TOKEND_TOKEN_PIN_COMPLEX },
    { { 3, 3, 3, 3, 1, NONE, NONE, 0 }, { 3, 3 }, { 3, 3 }, 4, 16 },
    { { 3, 3, 3, 3, 1, NONE, NONE, 2 }, { 3, 3 }, { 3, 3 }, 4, 16 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED, .ulMinPinLen = 4, .ulMaxPinLen = 16 };
    TokendHostReading reading;

    g_assert_true (tokend_host_reading_init (&reading, &info));
    tokend_vendor_numbers_apply (&rows[i].numbers, &reading);
    g_assert_cmpint (reading.pin.remaining, ==, rows[i].pin.remaining);
    g_assert_cmpint (reading.pin.maximum, ==, rows[i].pin.maximum);
    g_assert_cmpint (reading.puk.remaining, ==, rows[i].puk.remaining);
    g_assert_cmpint (reading.puk.maximum, ==, rows[i].puk.maximum);
    g_assert_cmpint (reading.new_pin_minimum_length, ==, rows[i].minimum);
    g_assert_cmpint (reading.new_pin_maximum_length, ==, rows[i].maximum);
    g_assert_cmpuint (reading.flags, ==, rows[i].flags);
  }
}

/* Where C_GetTokenInfo tells no greatest length, the policy's numbers are all that there is. */
static void
test_vendor_lengths_alone (void)
{
  static const struct {
    CK_ULONG least; /* as C_GetTokenInfo has it */
    guint64 minimum, maximum;
    gint wanted_minimum, wanted_maximum;
  } rows[] = {
    { 4, 6, NONE, 6, UNKNOWN },
    { 4, 6, 10, 6, 10 },
    { 4, NONE, 10, 4, 10 },
    { 4, 6, 6, 6, 6 },
    { 4, 7, 6, 4, UNKNOWN },
    { 4, 6, 0, 6, UNKNOWN },
    { 4, TOKEND_CODE_MAX, TOKEND_CODE_MAX, TOKEND_CODE_MAX, TOKEND_CODE_MAX },
    { 4, TOKEND_CODE_MAX + 1, TOKEND_CODE_MAX + 1, 4, UNKNOWN },
    { 4, 1, 1, 4, UNKNOWN },
    { 0, 0, NONE, UNKNOWN, UNKNOWN },
    { 0, 1, NONE, 1, UNKNOWN },
    { 0, NONE, 1, UNKNOWN, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const CK_TOKEN_INFO info = { .flags = CKF_TOKEN_INITIALIZED, .ulMinPinLen = rows[i].least };
    const TokendVendorNumbers numbers = { .pin_minimum_length = rows[i].minimum,
                                          .pin_maximum_length = rows[i].maximum };
    TokendHostReading reading;

    g_assert_true (tokend_host_reading_init (&reading, &info));
    g_assert_cmpint (reading.new_pin_maximum_length, ==, UNKNOWN);
    tokend_vendor_numbers_apply (&numbers, &reading);
    g_assert_cmpint (reading.new_pin_minimum_length, ==, rows[i].wanted_minimum);
    g_assert_cmpint (reading.new_pin_maximum_length, ==, rows[i].wanted_maximum);
  }
}

static void
test_vendor_families (void)
{
  static const struct {
    const char *manufacturer, *model;
    gboolean expected;
  } rows[] = {
    { "Aladdin Ltd.", "eToken", TRUE },     { "SafeNet, Inc.", "eToken", TRUE },
    { "Gemalto", "ID Prime MD", TRUE },     { "Gemalto", "eToken", FALSE },
    { "SoftHSM project", "eToken", FALSE }, { "SafeNet, Inc.", "eToken ", FALSE },
    { "SafeNet, Inc.", "Luna K7", FALSE },  { "", "", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendTokenIdentity identity = { 0 };

    identity.manufacturer.length = strlen (rows[i].manufacturer);
    memcpy (identity.manufacturer.bytes, rows[i].manufacturer, identity.manufacturer.length);
    identity.model.length = strlen (rows[i].model);
    memcpy (identity.model.bytes, rows[i].model, identity.model.length);
    g_assert_cmpint (tokend_vendor_counters_expected (&identity), ==, rows[i].expected);
  }
}

static void
test_vendor_objects (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GArray) last = NULL;
  g_autoptr (GVariant) tokens = NULL;
  g_autofree char *text = NULL;

  fake_reset ();
  fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0001", "LABEL");
  fake_add_attribute (COUNTERS, 0x80001110, 2, 1);
  fake_add_attribute (COUNTERS, 0x80001112, 3, 4);
  fake_add_attribute (COUNTERS, 0x80001111, 1, 8);
  fake_add_attribute (COUNTERS, 0x80001113, 3, 2); /* a width that nobody has seen */
  fake_add_attribute (POLICY, 0x80001202, 6, 8);
  fake_add_attribute (POLICY, 0x8000120f, 7, 4);
  fake_add_attribute (POLICY, 0x80001203, 1, 1);

  tokens = g_variant_ref_sink (
      tokend_slots_read_all (&fake_read_functions, certificates, NULL, &last, NULL));
  text = g_variant_print (tokens, TRUE);
  g_assert_nonnull (strstr (text, "'pin-retries-remaining': <uint32 2>"));
  g_assert_nonnull (strstr (text, "'pin-retries-maximum': <uint32 3>"));
  g_assert_nonnull (strstr (text, "'puk-retries-remaining': <uint32 1>"));
  g_assert_null (strstr (text, "'puk-retries-maximum'"));
  g_assert_nonnull (strstr (text, "'new-pin-minimum-length': <uint32 6>"));
  g_assert_nonnull (strstr (text, "'new-pin-maximum-length': <uint32 7>"));
  g_assert_nonnull (strstr (text, "'flags': <uint32 1040>"));
  /* A read-only session is opened for it, and does not stay. */
  g_assert_cmpuint (fake.session_flags, ==, CKF_SERIAL_SESSION);
  g_assert_cmpuint (fake.open_sessions, ==, 0);
}

/* That the token has no PUK is one of its objects' words, too; an object that is not found says
 * nothing. */
static void
test_vendor_objects_in_doubt (void)
{
  static const struct {
    CK_RV find_init_rv, find_objects_rv, value_rv;
    CK_ULONG value_growth;
    gboolean is_believed;
  } rows[] = {
    { CKR_OK, CKR_OK, CKR_OK, 0, TRUE },
    { CKR_DEVICE_ERROR, CKR_OK, CKR_OK, 0, FALSE },
    { CKR_OK, CKR_DEVICE_ERROR, CKR_OK, 0, FALSE },
    { CKR_OK, CKR_OK, CKR_DEVICE_ERROR, 0, FALSE },
    { CKR_OK, CKR_OK, CKR_OK, 1, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendHostReading reading;

    fake_reset ();
    fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0001", "LABEL");
    fake_add_attribute (COUNTERS, 0x80001110, 2, 1);
    fake_add_attribute (COUNTERS, 0x80001111, 1, 1);
    fake_add_attribute (COUNTERS, 0x8000111d, 0, 1);
    fake.find_init_rv = rows[i].find_init_rv;
    fake.find_objects_rv = rows[i].find_objects_rv;
    fake.value_rv = rows[i].value_rv;
    fake.value_growth = rows[i].value_growth;
    g_assert_true (tokend_host_reading_init (&reading, &fake.info[0]));
    tokend_vendor_counters_read (&fake_read_functions, 1, &reading);
    g_assert_cmpint (reading.pin.remaining, ==, rows[i].is_believed ? 2 : UNKNOWN);
    g_assert_cmpint (reading.puk.remaining, ==, UNKNOWN);
    g_assert_cmpint ((reading.flags & TOKEND_TOKEN_NO_PUK) != 0, ==, rows[i].is_believed);
    g_assert_true ((reading.flags & TOKEND_TOKEN_PIN_INITIALIZED) != 0);
  }
}

/* Each number is that of its own attribute. */
static void
test_vendor_puk (void)
{
  TokendHostReading reading;

  fake_reset ();
  fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0001", "LABEL");
  fake_add_attribute (COUNTERS, 0x80001110, 1, 1);
  fake_add_attribute (COUNTERS, 0x80001111, 2, 1);
  fake_add_attribute (COUNTERS, 0x80001112, 3, 1);
  fake_add_attribute (COUNTERS, 0x80001113, 4, 1);
  g_assert_true (tokend_host_reading_init (&reading, &fake.info[0]));
  tokend_vendor_counters_read (&fake_read_functions, 1, &reading);
  g_assert_cmpint (reading.pin.remaining, ==, 1);
  g_assert_cmpint (reading.puk.remaining, ==, 2);
  g_assert_cmpint (reading.pin.maximum, ==, 3);
  g_assert_cmpint (reading.puk.maximum, ==, 4);
}

/* What has the policy's numbers on another object, where they mean something else, has no policy.
 */
static void
test_vendor_policy_elsewhere (void)
{
  for (guint fail_at = 0; fail_at < 3; fail_at += 2) {
    TokendHostReading reading;

    fake_reset ();
    fake_fill (&fake.info[0], "SafeNet, Inc.", "eToken", "0001", "LABEL");
    fake_add_attribute (COUNTERS, 0x80001110, 2, 1);
    fake_add_attribute (COUNTERS, 0x80001202, 7, 1);
    fake.fail_find_at = fail_at;
    g_assert_true (tokend_host_reading_init (&reading, &fake.info[0]));
    tokend_vendor_counters_read (&fake_read_functions, 1, &reading);
    g_assert_cmpint (reading.pin.remaining, ==, 2);
    g_assert_cmpint (reading.new_pin_minimum_length, ==, 4);
  }
}

static void
test_vendor_objects_elsewhere (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GArray) last = NULL;
  g_autoptr (GVariant) tokens = NULL;
  TokendHostReading reading;
  g_autofree char *text = NULL;

  fake_reset ();
  fake_add_attribute (COUNTERS, 0x80001110, 2, 1);
  tokens = g_variant_ref_sink (
      tokend_slots_read_all (&fake_read_functions, certificates, NULL, &last, NULL));
  text = g_variant_print (tokens, TRUE);
  g_assert_null (strstr (text, "retries"));
  g_assert_cmpuint (fake.open_sessions, ==, 0);

  fake.session_flags = 0;
  g_assert_true (tokend_host_reading_init (&reading, &fake.info[0]));
  tokend_vendor_counters_read_slot (&fake_read_functions, 100, &reading);
  g_assert_cmpuint (fake.session_flags, ==, 0);
  tokend_vendor_counters_read (&fake_read_functions, 1, &reading);
  g_assert_cmpint (reading.pin.remaining, ==, UNKNOWN);
}

static void
test_slots (void)
{
  g_autoptr (GArray) readings = NULL;

  fake_reset ();
  fake.n_slots = 4;
  fake_fill (&fake.info[1], "Maker", "Model", "0002", "GONE");
  fake.info_rv[1] = CKR_TOKEN_NOT_PRESENT;
  fake_fill (&fake.info[2], "Maker", "Model", "0003", "EMPTY");
  fake.info[2].flags &= ~CKF_TOKEN_INITIALIZED;
  fake_fill (&fake.info[3], "Maker", "Model", "0004", "OTHER");

  readings = tokend_slots_read (&fake_read_functions, NULL, NULL);
  g_assert_cmpuint (readings->len, ==, 2);
  g_assert_cmpuint (g_array_index (readings, TokendSlotReading, 0).slot, ==, 100);
  g_assert_cmpuint (g_array_index (readings, TokendSlotReading, 1).slot, ==, 103);
}

static GVariant *
read_first (GPtrArray *certificates, GArray **last)
{
  g_autoptr (GVariant) tokens = g_variant_ref_sink (
      tokend_slots_read_all (&fake_read_functions, certificates, NULL, last, NULL));

  return g_variant_n_children (tokens) > 0 ? g_variant_get_child_value (tokens, 0) : NULL;
}

/* It is there, and is not said to be gone; unless that is what the module says. */
static void
test_slots_unread (void)
{
  g_autoptr (GPtrArray) certificates = tokend_certificates_new ();
  g_autoptr (GArray) last = NULL;

  fake_reset ();
  fake_fill (&fake.info[0], "Maker", "Model", "0001", "LABEL");
  fake.info_rv[0] = CKR_DEVICE_ERROR;
  g_assert_null (read_first (certificates, &last));
  fake.info_rv[0] = CKR_OK;
  g_variant_unref (read_first (certificates, &last));
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GVariant) reading = NULL;
    g_autofree char *text = NULL;

    fake.info_rv[0] = CKR_DEVICE_ERROR;
    reading = read_first (certificates, &last);
    text = g_variant_print (reading, FALSE);
    g_assert_nonnull (strstr (text, "'unread': <'C_GetTokenInfo: CKR_DEVICE_ERROR'>"));
    g_assert_nonnull (strstr (text, "'serial': <[byte 0x30, 0x30, 0x30, 0x31]>"));
  }
  fake.info_rv[0] = CKR_OK;
  g_variant_unref (read_first (certificates, &last));
  fake.info_rv[0] = CKR_TOKEN_NOT_PRESENT;
  g_assert_null (read_first (certificates, &last));
}

static void
test_slots_many (void)
{
  g_autoptr (GArray) readings = NULL;

  fake_reset ();
  fake.n_slots = FAKE_SLOTS_MAX;
  for (guint i = 0; i < FAKE_SLOTS_MAX; i++)
    fake_fill (&fake.info[i], "Maker", "Model", "0001", "LABEL");
  readings = tokend_slots_read (&fake_read_functions, NULL, NULL);
  g_assert_cmpuint (readings->len, ==, TOKEND_MODULE_TOKENS_MAX);
}

static void
test_slots_while_they_change (void)
{
  static const struct {
    guint n_slots, grows;
    gboolean lies;
    CK_RV rv;
    int expected; /* number of readings, or -1: ModuleFailed */
  } rows[] = {
    { 0, 0, FALSE, CKR_OK, 0 },   { 2, 1, FALSE, CKR_OK, 2 }, { 2, 5, FALSE, CKR_OK, 2 },
    { 2, 99, FALSE, CKR_OK, -1 }, { 2, 0, TRUE, CKR_OK, -1 }, { 2, 0, FALSE, CKR_DEVICE_ERROR, -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GArray) readings = NULL;

    fake_reset ();
    fake.n_slots = rows[i].n_slots;
    fake_fill (&fake.info[1], "Maker", "Model", "0002", "OTHER");
    fake.grows = rows[i].grows;
    fake.lies = rows[i].lies;
    fake.slot_list_rv = rows[i].rv;
    readings = tokend_slots_read (&fake_read_functions, NULL, &error);
    if (rows[i].expected >= 0)
      g_assert_cmpint ((int) readings->len, ==, rows[i].expected);
    else
      g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reading/trimming", test_trimming);
  g_test_add_func ("/reading/lengths", test_lengths);
  g_test_add_func ("/reading/texts", test_texts);
  g_test_add_func ("/reading/flags", test_flags);
  g_test_add_func ("/reading/flags/openpgp-card", test_openpgp_card);
  g_test_add_func ("/reading/not-initialised", test_not_initialised);
  g_test_add_func ("/reading/unknown-is-absent", test_unknown_is_absent);
  g_test_add_func ("/reading/known-is-told", test_known_is_told);
  g_test_add_func ("/reading/known-is-told/reader-that-is-no-text", test_reader_that_is_no_text);
  g_test_add_func ("/reading/card-is-told", test_card_is_told);
  g_test_add_func ("/reading/same-tries", test_same_tries);
  g_test_add_func ("/reading/lost-tries", test_lost_tries);
  g_test_add_func ("/reading/vendor-numbers", test_vendor_numbers);
  g_test_add_func ("/reading/vendor-lengths-alone", test_vendor_lengths_alone);
  g_test_add_func ("/reading/vendor-families", test_vendor_families);
  g_test_add_func ("/reading/vendor-objects", test_vendor_objects);
  g_test_add_func ("/reading/vendor-objects-in-doubt", test_vendor_objects_in_doubt);
  g_test_add_func ("/reading/vendor-puk", test_vendor_puk);
  g_test_add_func ("/reading/vendor-policy-elsewhere", test_vendor_policy_elsewhere);
  g_test_add_func ("/reading/vendor-objects-elsewhere", test_vendor_objects_elsewhere);
  g_test_add_func ("/reading/slots", test_slots);
  g_test_add_func ("/reading/slots-unread", test_slots_unread);
  g_test_add_func ("/reading/slots-many", test_slots_many);
  g_test_add_func ("/reading/slots-while-they-change", test_slots_while_they_change);
  return g_test_run ();
}
