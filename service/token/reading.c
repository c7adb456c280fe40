/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reading.h"

#include "printable.h"
#include "tokend-error.h"
#include "tokend-module.h"

#include <string.h>

/* The widest text fields of CK_TOKEN_INFO, label and manufacturerID, have 32 bytes. */
#define TEXT_MAX 32
/* No known token has more tries; a higher number is garbage. */
#define RETRIES_MAX 255
#define ISSUER_MAX 1024
#define REASON_MAX 300
/* MAX_READERNAME of pcscd, without the NUL. */
#define READER_MAX 127
/* 33 bytes (ISO/IEC 7816-3, 8.2.1), in hexadecimal. */
#define ATR_MAX 66
#define SHA256_SIZE 32
/* The last second of the year 9999, where calendars end. */
#define CERTIFICATE_NOT_AFTER_MAX (G_GUINT64_CONSTANT (253402300799) * G_USEC_PER_SEC)

static GBytes *
lookup_text (GVariant *variant, const char *key, GError **error)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (variant, key, G_VARIANT_TYPE_BYTESTRING);

  if (value == NULL || g_variant_get_size (value) > TEXT_MAX) {
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                 "The module host sent a reading without a sound %s", key);
    return NULL;
  }
  return g_variant_get_data_as_bytes (value);
}

static char *
lookup_issuer (GVariant *variant)
{
  g_autoptr (GVariant) value =
      g_variant_lookup_value (variant, "certificate-issuer", G_VARIANT_TYPE_STRING);

  if (value == NULL || g_variant_get_size (value) > ISSUER_MAX)
    return NULL;
  return g_variant_dup_string (value, NULL);
}

static GBytes *
lookup_certificate (GVariant *variant)
{
  g_autoptr (GVariant) value =
      g_variant_lookup_value (variant, "certificate-sha256", G_VARIANT_TYPE_BYTESTRING);

  if (value == NULL || g_variant_get_size (value) != SHA256_SIZE)
    return NULL;
  return g_variant_get_data_as_bytes (value);
}

static char *
lookup_reader (GVariant *variant)
{
  const char *reader;

  if (!g_variant_lookup (variant, "reader", "&s", &reader) || *reader == '\0'
      || strlen (reader) > READER_MAX)
    return NULL;
  return g_strdup (reader);
}

static char *
lookup_atr (GVariant *variant)
{
  const char *atr;
  gsize length;

  if (!g_variant_lookup (variant, "atr", "&s", &atr) || *atr == '\0')
    return NULL;
  length = strspn (atr, "0123456789ABCDEF");
  return atr[length] == '\0' && length <= ATR_MAX ? g_strdup (atr) : NULL;
}

static gint64
lookup_not_after (GVariant *variant)
{
  guint64 not_after;

  if (!g_variant_lookup (variant, "certificate-not-after", "t", &not_after)
      || not_after > CERTIFICATE_NOT_AFTER_MAX)
    return 0;
  return (gint64) not_after;
}

static gint64
lookup_begun_at (GVariant *variant)
{
  guint64 begun_at;

  if (!g_variant_lookup (variant, "begun-at", "t", &begun_at) || begun_at > G_MAXINT64)
    return 0;
  return (gint64) begun_at;
}

static gboolean
lookup_unused (GVariant *variant)
{
  gboolean is_used;

  return g_variant_lookup (variant, "used", "b", &is_used) && !is_used;
}

static char *
lookup_unread (GVariant *variant)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (variant, "unread", G_VARIANT_TYPE_STRING);
  g_autoptr (GBytes) reason = NULL;
  const char *text;
  gsize length;

  if (value == NULL)
    return NULL;
  text = g_variant_get_string (value, &length);
  reason = g_bytes_new (text, MIN (length, REASON_MAX));
  return tokend_printable (reason);
}

static int
lookup_number (GVariant *variant, const char *key)
{
  guint32 number;

  if (!g_variant_lookup (variant, key, "u", &number) || number > RETRIES_MAX)
    return -1;
  return (int) number;
}

static void
parse_counter (TokendCounterReading *counter, GVariant *variant, const char *remaining_key,
               const char *maximum_key)
{
  counter->remaining = lookup_number (variant, remaining_key);
  counter->maximum = lookup_number (variant, maximum_key);
  if (counter->maximum == 0
      || (counter->maximum != TOKEND_RETRIES_UNKNOWN && counter->remaining > counter->maximum)) {
    counter->remaining = TOKEND_RETRIES_UNKNOWN;
    counter->maximum = TOKEND_RETRIES_UNKNOWN;
  }
}

/**
 * tokend_reading_parse:
 * @variant: a reading (a{sv}) of org.tokend.Module1, from a module host: hostile input.
 * @error: ModuleFailed.
 *
 * Returns: (transfer full) (nullable): the reading, without numbers that make no sense.
 */
TokendReading *
tokend_reading_parse (GVariant *variant, GError **error)
{
  g_autoptr (TokendReading) reading = g_new0 (TokendReading, 1);
  TokendCounterReading *pin = &reading->counters[TOKEND_ROLE_PIN];
  TokendCounterReading *puk = &reading->counters[TOKEND_ROLE_PUK];
  guint32 flags;

  if (!g_variant_lookup (variant, "flags", "u", &flags)) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED,
                         "The module host sent a reading without flags");
    return NULL;
  }
  if ((reading->manufacturer = lookup_text (variant, "manufacturer", error)) == NULL
      || (reading->model = lookup_text (variant, "model", error)) == NULL
      || (reading->serial = lookup_text (variant, "serial", error)) == NULL
      || (reading->label = lookup_text (variant, "label", error)) == NULL)
    return NULL;

  reading->unread = lookup_unread (variant);
  reading->is_busy = g_strcmp0 (reading->unread, TOKEND_MODULE_UNREAD_BUSY) == 0;
  g_variant_lookup (variant, "spared", "b", &reading->is_spared);
  g_variant_lookup (variant, "pending", "b", &reading->is_pending);
  reading->is_unused = lookup_unused (variant);
  reading->begun_at = lookup_begun_at (variant);
  g_variant_lookup (variant, "insertion", "t", &reading->insertion);
  g_variant_lookup (variant, "slot-events", "u", &reading->slot_events);
  reading->issuer = lookup_issuer (variant);
  reading->certificate = lookup_certificate (variant);
  reading->reader = lookup_reader (variant);
  reading->certificate_not_after = lookup_not_after (variant);
  reading->pin_must_change = (flags & TOKEND_TOKEN_PIN_MUST_CHANGE) != 0;
  g_variant_lookup (variant, "no-certificate", "b", &reading->has_no_certificate);
  reading->pin_pad = (flags & TOKEND_TOKEN_PIN_PAD) != 0;
  reading->pin_complex = (flags & TOKEND_TOKEN_PIN_COMPLEX) != 0;
  reading->pin_tries_hidden = (flags & TOKEND_TOKEN_PIN_TRIES_HIDDEN) != 0;
  reading->codes_hashed = (flags & TOKEND_TOKEN_CODES_HASHED) != 0;
  reading->atr = lookup_atr (variant);
  reading->pin_minimum_length = lookup_number (variant, "pin-minimum-length");
  reading->pin_maximum_length = lookup_number (variant, "pin-maximum-length");
  reading->new_pin_minimum_length = lookup_number (variant, "new-pin-minimum-length");
  reading->new_pin_maximum_length = lookup_number (variant, "new-pin-maximum-length");

  pin->initialized = (flags & TOKEND_TOKEN_PIN_INITIALIZED) != 0;
  pin->count_low = (flags & TOKEND_TOKEN_PIN_COUNT_LOW) != 0;
  pin->final_try = (flags & TOKEND_TOKEN_PIN_FINAL_TRY) != 0;
  pin->locked = (flags & TOKEND_TOKEN_PIN_LOCKED) != 0;
  parse_counter (pin, variant, "pin-retries-remaining", "pin-retries-maximum");

  puk->initialized = (flags & TOKEND_TOKEN_NO_PUK) == 0;
  puk->count_low = (flags & TOKEND_TOKEN_PUK_COUNT_LOW) != 0;
  puk->final_try = (flags & TOKEND_TOKEN_PUK_FINAL_TRY) != 0;
  puk->locked = (flags & TOKEND_TOKEN_PUK_LOCKED) != 0;
  parse_counter (puk, variant, "puk-retries-remaining", "puk-retries-maximum");

  return g_steal_pointer (&reading);
}

TokendReading *
tokend_reading_copy (const TokendReading *reading)
{
  TokendReading *copy = g_memdup2 (reading, sizeof *reading);

  g_bytes_ref (copy->manufacturer);
  g_bytes_ref (copy->model);
  g_bytes_ref (copy->serial);
  g_bytes_ref (copy->label);
  copy->unread = g_strdup (reading->unread);
  copy->issuer = g_strdup (reading->issuer);
  copy->certificate = reading->certificate != NULL ? g_bytes_ref (reading->certificate) : NULL;
  copy->atr = g_strdup (reading->atr);
  copy->reader = g_strdup (reading->reader);
  return copy;
}

/**
 * tokend_reading_free:
 *
 * Frees @reading, which may be partly filled.
 */
void
tokend_reading_free (TokendReading *reading)
{
  g_clear_pointer (&reading->manufacturer, g_bytes_unref);
  g_clear_pointer (&reading->model, g_bytes_unref);
  g_clear_pointer (&reading->serial, g_bytes_unref);
  g_clear_pointer (&reading->label, g_bytes_unref);
  g_clear_pointer (&reading->unread, g_free);
  g_clear_pointer (&reading->issuer, g_free);
  g_clear_pointer (&reading->certificate, g_bytes_unref);
  g_clear_pointer (&reading->atr, g_free);
  g_clear_pointer (&reading->reader, g_free);
  g_free (reading);
}

/**
 * tokend_reading_same_token:
 *
 * Returns: whether manufacturer, model, serial number and label are the same, to the byte.
 */
gboolean
tokend_reading_same_token (const TokendReading *a, const TokendReading *b)
{
  return g_bytes_equal (a->manufacturer, b->manufacturer) && g_bytes_equal (a->model, b->model)
         && g_bytes_equal (a->serial, b->serial) && g_bytes_equal (a->label, b->label);
}

static void
add_text (GChecksum *checksum, GBytes *text)
{
  gsize length;
  const guchar *data = g_bytes_get_data (text, &length);
  guchar prefix = (guchar) length;

  g_checksum_update (checksum, &prefix, 1);
  g_checksum_update (checksum, data, (gssize) length);
}

/**
 * tokend_reading_has_serial:
 *
 * Returns: whether the serial number tells the token from others: it has more than zeros and
 *   blanks.
 */
gboolean
tokend_reading_has_serial (const TokendReading *reading)
{
  gsize length;
  const char *data = g_bytes_get_data (reading->serial, &length);

  for (gsize i = 0; i < length; i++)
    if (data[i] != '0' && data[i] != ' ' && data[i] != '\0')
      return TRUE;
  return FALSE;
}

/**
 * tokend_reading_physical_id:
 *
 * Names the physical token in lock files and in the journal, without giving its serial number away.
 * Two modules, or two labels of one card, have the same id. So have all tokens of one make without
 * a serial number, which may be one or several.
 *
 * Returns: (transfer full): SHA-256 over manufacturer, model and serial number, each after its
 *   length (one byte), in hexadecimal.
 */
char *
tokend_reading_physical_id (const TokendReading *reading)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);

  add_text (checksum, reading->manufacturer);
  add_text (checksum, reading->model);
  add_text (checksum, reading->serial);
  return g_strdup (g_checksum_get_string (checksum));
}
