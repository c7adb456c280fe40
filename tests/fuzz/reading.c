/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reading.h"

#include "fuzz.h"
#include "printable.h"
#include "profile-rules.h"
#include "status.h"

#include <string.h>

static const char *const reading_keys[] = {
  "manufacturer",
  "model",
  "serial",
  "label",
  "flags",
  "pin-minimum-length",
  "pin-maximum-length",
  "new-pin-minimum-length",
  "new-pin-maximum-length",
  "pin-retries-remaining",
  "pin-retries-maximum",
  "puk-retries-remaining",
  "puk-retries-maximum",
  "certificate-issuer",
  "certificate-not-after",
  "certificate-sha256",
  "reader",
  "spared",
  "pending",
  "begun-at",
  "unread",
  "insertion",
  "slot-events",
  "used",
  "atr",
  "no-certificate",
  NULL,
};

/* All that org.tokend.Tokend1.xml knows, with the type; but for why a profile was taken, which no
 * host tells. */
static const char *const status_keys[][2] = {
  { TOKEND_STATUS_LABEL, "s" },
  { TOKEND_STATUS_MANUFACTURER, "s" },
  { TOKEND_STATUS_MODEL, "s" },
  { TOKEND_STATUS_SERIAL, "s" },
  { TOKEND_STATUS_PIN_STATE, "s" },
  { TOKEND_STATUS_PUK_STATE, "s" },
  { TOKEND_STATUS_PIN_REMAINING, "u" },
  { TOKEND_STATUS_PIN_MAXIMUM, "u" },
  { TOKEND_STATUS_PIN_SOURCE, "s" },
  { TOKEND_STATUS_PUK_REMAINING, "u" },
  { TOKEND_STATUS_PUK_MAXIMUM, "u" },
  { TOKEND_STATUS_PUK_SOURCE, "s" },
  { TOKEND_STATUS_PROVIDER, "s" },
  { TOKEND_STATUS_PIN_MINIMUM_LENGTH, "u" },
  { TOKEND_STATUS_MODULE, "s" },
  { TOKEND_STATUS_PIN_MAXIMUM_LENGTH, "u" },
  { TOKEND_STATUS_CAN_UNLOCK, "b" },
  { TOKEND_STATUS_PIN_CHARACTERS, "s" },
  { TOKEND_STATUS_READ_AT, "t" },
  { TOKEND_STATUS_PIN_MUST_CHANGE, "b" },
  { TOKEND_STATUS_MODULE_PROFILE, "s" },
  { TOKEND_STATUS_CERTIFICATE_NOT_AFTER, "t" },
  { TOKEND_STATUS_PIN_LAST_SEEN, "s" },
  { TOKEND_STATUS_PUK_LAST_SEEN, "s" },
  { TOKEND_STATUS_PIN_WRONG_SENT, "u" },
  { TOKEND_STATUS_PUK_WRONG_SENT, "u" },
  { TOKEND_STATUS_PIN_MAYBE_LOST, "u" },
  { TOKEND_STATUS_PUK_MAYBE_LOST, "u" },
  { TOKEND_STATUS_PIN_SENT_AT, "t" },
  { TOKEND_STATUS_PUK_SENT_AT, "t" },
  { TOKEND_STATUS_PIN_RECORD_LOST, "b" },
  { TOKEND_STATUS_PUK_RECORD_LOST, "b" },
  { TOKEND_STATUS_PIN_SENT_ELSEWHERE, "b" },
  { TOKEND_STATUS_PUK_SENT_ELSEWHERE, "b" },
  { TOKEND_STATUS_PIN_SHARED, "b" },
  { TOKEND_STATUS_CAN_SET_PIN, "b" },
  { TOKEND_STATUS_UNSUPPORTED, "s" },
  { TOKEND_STATUS_PRESENT_PIN_MINIMUM_LENGTH, "u" },
  { TOKEND_STATUS_PRESENT_PIN_MAXIMUM_LENGTH, "u" },
  { TOKEND_STATUS_PRESENT_PIN_USUAL_CHARACTERS, "s" },
  { TOKEND_STATUS_PRESENT_PIN_USUAL_MINIMUM, "u" },
  { TOKEND_STATUS_PRESENT_PIN_USUAL_MAXIMUM, "u" },
  { TOKEND_STATUS_PUK_MINIMUM_LENGTH, "u" },
  { TOKEND_STATUS_PUK_MAXIMUM_LENGTH, "u" },
  { TOKEND_STATUS_PUK_USUAL_MINIMUM, "u" },
  { TOKEND_STATUS_PUK_USUAL_MAXIMUM, "u" },
  { TOKEND_STATUS_PUK_USUAL_CHARACTERS, "s" },
  { TOKEND_STATUS_CARD_ID, "s" },
  { TOKEND_STATUS_PIN_ID, "s" },
  { TOKEND_STATUS_PREFERRED, "b" },
  { TOKEND_STATUS_PIN_MINIMUM, "u" },
  { TOKEND_STATUS_PUK_MINIMUM, "u" },
  { TOKEND_STATUS_PIN_NEVER_LOCKS, "b" },
  { TOKEND_STATUS_PUK_NEVER_LOCKS, "b" },
  { TOKEND_STATUS_PIN_FLAG_GONE, "b" },
  { TOKEND_STATUS_PUK_FLAG_GONE, "b" },
  { TOKEND_STATUS_NO_CERTIFICATE, "b" },
};

static gboolean
is_known (const char *key, GVariant *value)
{
  for (guint i = 0; i < G_N_ELEMENTS (status_keys); i++)
    if (g_str_equal (key, status_keys[i][0]))
      return g_str_equal (g_variant_get_type_string (value), status_keys[i][1]);
  return FALSE;
}

static TokendCounter
evaluate (const TokendCounterReading *shown)
{
  static const TokendCounterRules rules = { .flags = TOKEND_FLAGS_MEANING_EXACT, .maximum = 3 };
  static const TokendCounterRecord nothing = { 0 };

  g_assert_cmpint (shown->maximum, !=, 0);
  g_assert_cmpint (shown->remaining, >=, TOKEND_RETRIES_UNKNOWN);
  if (shown->maximum != TOKEND_RETRIES_UNKNOWN)
    g_assert_cmpint (shown->remaining, <=, shown->maximum);
  return tokend_counter_evaluate (shown, &rules, &nothing);
}

static void
check_status (GVariant *status)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, status);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
    g_assert_true (is_known (key, value));
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING))
      fuzz_assert_printable (g_variant_get_string (value, NULL));
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
      g_assert_cmpuint (g_variant_get_uint32 (value), <=, 255);
    /* What every calendar can show. */
    if (g_str_equal (key, TOKEND_STATUS_CERTIFICATE_NOT_AFTER))
      g_assert_cmpuint (g_variant_get_uint64 (value) / G_USEC_PER_SEC, <=, 253402300799);
  }
}

/* What a host says of a token, what the service makes of it, and what it tells. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  g_autoptr (GVariant) variant = fuzz_take_dictionary (&input, reading_keys);
  g_autoptr (TokendReading) reading = tokend_reading_parse (variant, NULL);
  g_autofree char *label = NULL;
  g_autofree char *serial = NULL;
  g_autofree char *physical_id = NULL;
  g_autoptr (GVariant) status = NULL;

  if (reading == NULL)
    return 0;
  label = tokend_printable (reading->label);
  serial = tokend_printable (reading->serial);
  physical_id = tokend_reading_physical_id (reading);
  g_assert_cmpuint (strlen (physical_id), ==, 64);
  status = g_variant_ref_sink (tokend_status_to_variant (&(TokendStatus){
      .label = label,
      .serial = serial,
      .pin = evaluate (&reading->counters[TOKEND_ROLE_PIN]),
      .puk = evaluate (&reading->counters[TOKEND_ROLE_PUK]),
      .pin_policy = { reading->new_pin_minimum_length, reading->new_pin_maximum_length,
                      TOKEND_CHARACTERS_ANY },
      .pin_rules = tokend_profile_rules_get_code_rules (NULL, NULL, reading, TOKEND_ROLE_PIN),
      .puk_rules = tokend_profile_rules_get_code_rules (NULL, NULL, reading, TOKEND_ROLE_PUK),
      .pin_must_change = reading->pin_must_change,
      .certificate_not_after = reading->certificate_not_after,
  }));
  check_status (status);
  return 0;
}
