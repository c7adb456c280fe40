/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The eToken's own numbers. PKCS#11 has flags only. eTokens show their retry counters and PIN
 * policy as hardware feature objects of the vendor, readable without login. Not every version of
 * the vendor's module answers: each number is probed for, and left out if that fails. */
#include "vendor-counters.h"

#include "tokend-module.h"
#include "tokend-status.h"

#include <string.h>

#define UNAVAILABLE G_MAXUINT64

#define FEATURE_COUNTERS 0x80005002UL
#define FEATURE_PIN_POLICY 0x80005003UL

#define COUNTERS_PIN_REMAINING 0x80001110UL
#define COUNTERS_PUK_REMAINING 0x80001111UL
#define COUNTERS_PIN_MAXIMUM 0x80001112UL
#define COUNTERS_PUK_MAXIMUM 0x80001113UL
#define COUNTERS_HAS_PUK 0x8000111dUL
/* These mean something else on other features: read them on the policy object only. */
#define POLICY_MINIMUM_LENGTH 0x80001202UL
#define POLICY_COMPLEXITY 0x80001203UL
#define POLICY_MAXIMUM_LENGTH 0x8000120fUL

static const struct {
  const char *manufacturer;
  const char *model;
} families[] = {
  { "Aladdin Ltd.", "eToken" },
  { "SafeNet, Inc.", "eToken" },
  { "Gemalto", "ID Prime MD" },
};

gboolean
tokend_vendor_counters_expected (const TokendTokenIdentity *identity)
{
  for (gsize i = 0; i < G_N_ELEMENTS (families); i++) {
    if (tokend_token_field_is (&identity->manufacturer, families[i].manufacturer)
        && tokend_token_field_is (&identity->model, families[i].model))
      return TRUE;
  }

  return FALSE;
}

static TokendRetries
plausible_retries (guint64 remaining, guint64 maximum)
{
  gboolean has_remaining = remaining <= G_MAXUINT8;
  gboolean has_maximum = maximum > 0 && maximum <= G_MAXUINT8;

  if (has_remaining && has_maximum && remaining > maximum)
    has_remaining = has_maximum = FALSE;

  return (TokendRetries){
    .remaining = has_remaining ? (gint) remaining : TOKEND_NUMBER_UNKNOWN,
    .maximum = has_maximum ? (gint) maximum : TOKEND_NUMBER_UNKNOWN,
  };
}

/* Lets the policy narrow what C_GetTokenInfo said. Ignores a policy that leaves no length. */
static void
narrow_lengths (const TokendVendorNumbers *numbers, TokendHostReading *reading)
{
  gint minimum = reading->new_pin_minimum_length;
  gint maximum = reading->new_pin_maximum_length;

  if (numbers->pin_minimum_length > 0 && numbers->pin_minimum_length <= TOKEND_CODE_MAX)
    minimum = MAX (minimum, (gint) numbers->pin_minimum_length);
  if (numbers->pin_maximum_length > 0 && numbers->pin_maximum_length <= TOKEND_CODE_MAX
      && (maximum == TOKEND_NUMBER_UNKNOWN || (gint) numbers->pin_maximum_length < maximum))
    maximum = (gint) numbers->pin_maximum_length;

  if (maximum == TOKEND_NUMBER_UNKNOWN || minimum <= maximum) {
    reading->new_pin_minimum_length = minimum;
    reading->new_pin_maximum_length = maximum;
  }
}

/**
 * tokend_vendor_numbers_apply:
 * @numbers: as the vendor objects gave them; absurd ones are ignored
 * @reading: (inout): gets the retries, whether there is a PUK, whether a new PIN must be complex,
 *   and for its lengths the narrower of the token's and the policy's
 */
void
tokend_vendor_numbers_apply (const TokendVendorNumbers *numbers, TokendHostReading *reading)
{
  reading->pin = plausible_retries (numbers->pin_remaining, numbers->pin_maximum);
  /* If the token has no PUK, its counters count nothing. */
  if (numbers->has_puk != 0)
    reading->puk = plausible_retries (numbers->puk_remaining, numbers->puk_maximum);
  else
    reading->flags |= TOKEND_TOKEN_NO_PUK;
  if (numbers->pin_complexity == CK_TRUE)
    reading->flags |= TOKEND_TOKEN_PIN_COMPLEX;
  narrow_lengths (numbers, reading);
}

static gboolean
find_feature (const TokendReadFunctions *functions, CK_SESSION_HANDLE session, CK_ULONG feature,
              CK_OBJECT_HANDLE *object)
{
  CK_OBJECT_CLASS class = CKO_HW_FEATURE;
  CK_ATTRIBUTE template[] = {
    { CKA_CLASS, &class, sizeof class },
    { CKA_HW_FEATURE_TYPE, &feature, sizeof feature },
  };
  CK_ULONG count = 0;
  CK_RV rv;

  if (functions->find_objects_init (session, template, G_N_ELEMENTS (template)) != CKR_OK)
    return FALSE;
  rv = functions->find_objects (session, object, 1, &count);
  functions->find_objects_final (session);

  return rv == CKR_OK && count == 1;
}

/* Reads a number of 1, 4 or 8 bytes, as the module's version has it, the least significant first.
 */
static guint64
read_number (const TokendReadFunctions *functions, CK_SESSION_HANDLE session,
             CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type)
{
  guint8 bytes[sizeof (guint64)] = { 0 };
  CK_ATTRIBUTE attribute = { type, NULL, 0 };
  CK_ULONG size;
  guint64 number;

  if (functions->get_attribute_value (session, object, &attribute, 1) != CKR_OK)
    return UNAVAILABLE;
  size = attribute.ulValueLen;
  if (size != 1 && size != 4 && size != 8)
    return UNAVAILABLE;

  attribute.pValue = bytes;
  if (functions->get_attribute_value (session, object, &attribute, 1) != CKR_OK
      || attribute.ulValueLen != size)
    return UNAVAILABLE;

  memcpy (&number, bytes, sizeof number);
  return GUINT64_FROM_LE (number);
}

/**
 * tokend_vendor_counters_read:
 * @session: a session on the token, of any kind
 * @reading: (inout): gets the token's own numbers
 *
 * Reads the vendor objects if the token is of a family that has them. Costs no try.
 */
void
tokend_vendor_counters_read (const TokendReadFunctions *functions, CK_SESSION_HANDLE session,
                             TokendHostReading *reading)
{
  TokendVendorNumbers numbers = {
    UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE,
    UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE,
  };
  CK_OBJECT_HANDLE object;

  if (!tokend_vendor_counters_expected (&reading->identity))
    return;

  if (find_feature (functions, session, FEATURE_COUNTERS, &object)) {
    numbers.pin_remaining = read_number (functions, session, object, COUNTERS_PIN_REMAINING);
    numbers.pin_maximum = read_number (functions, session, object, COUNTERS_PIN_MAXIMUM);
    numbers.puk_remaining = read_number (functions, session, object, COUNTERS_PUK_REMAINING);
    numbers.puk_maximum = read_number (functions, session, object, COUNTERS_PUK_MAXIMUM);
    numbers.has_puk = read_number (functions, session, object, COUNTERS_HAS_PUK);
  }
  if (find_feature (functions, session, FEATURE_PIN_POLICY, &object)) {
    numbers.pin_minimum_length = read_number (functions, session, object, POLICY_MINIMUM_LENGTH);
    numbers.pin_maximum_length = read_number (functions, session, object, POLICY_MAXIMUM_LENGTH);
    numbers.pin_complexity = read_number (functions, session, object, POLICY_COMPLEXITY);
  }
  tokend_vendor_numbers_apply (&numbers, reading);
}

/**
 * tokend_vendor_counters_read_slot:
 *
 * Does so in a read-only session that is closed again: an open one would exclude an SO login.
 */
void
tokend_vendor_counters_read_slot (const TokendReadFunctions *functions, CK_SLOT_ID slot,
                                  TokendHostReading *reading)
{
  CK_SESSION_HANDLE session;

  if (!tokend_vendor_counters_expected (&reading->identity)
      || functions->open_session (slot, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
    return;

  tokend_vendor_counters_read (functions, session, reading);
  functions->close_session (session);
}
