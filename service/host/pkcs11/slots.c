/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "slots.h"

#include "card-numbers.h"
#include "certificates.h"
#include "pkcs11-reason.h"
#include "slot-reader.h"
#include "tokend-module.h"
#include "vendor-counters.h"

/* How often the list may grow between two calls before the module is given up. */
#define LIST_ATTEMPTS_MAX 8

/* Lists the slots with a token. Tokens may come and go between asking for the number and the list.
 */
static GArray *
list_slots (const TokendReadFunctions *functions, GError **error)
{
  g_autoptr (GArray) slots = g_array_new (FALSE, TRUE, sizeof (CK_SLOT_ID));

  for (guint i = 0; i < LIST_ATTEMPTS_MAX; i++) {
    CK_ULONG count = 0;
    CK_ULONG room;
    CK_RV rv = functions->get_slot_list (CK_TRUE, NULL, &count);

    if (rv != CKR_OK) {
      tokend_pkcs11_set_error (error, TOKEND_ERROR_MODULE_FAILED, "C_GetSlotList", rv);
      return NULL;
    }
    if (count == 0)
      return g_steal_pointer (&slots);

    room = MIN (count, TOKEND_SLOTS_MAX);
    g_array_set_size (slots, (guint) room);
    count = room;
    rv = functions->get_slot_list (CK_TRUE, (CK_SLOT_ID *) (void *) slots->data, &count);
    if (rv == CKR_OK && count <= room) {
      g_array_set_size (slots, (guint) count);
      return g_steal_pointer (&slots);
    }
    if (rv != CKR_OK && rv != CKR_BUFFER_TOO_SMALL) {
      tokend_pkcs11_set_error (error, TOKEND_ERROR_MODULE_FAILED, "C_GetSlotList", rv);
      return NULL;
    }
  }

  tokend_pkcs11_set_error (error, TOKEND_ERROR_MODULE_FAILED, "C_GetSlotList",
                           CKR_BUFFER_TOO_SMALL);
  return NULL;
}

/* Recalls what was in the slot at the last read. */
static gboolean
recall (const GArray *last, TokendSlotReading *reading, CK_RV reason)
{
  for (guint i = 0; last != NULL && i < last->len; i++) {
    const TokendSlotReading *candidate = &g_array_index (last, TokendSlotReading, i);

    if (candidate->slot != reading->slot)
      continue;
    *reading = *candidate;
    reading->reading.unread = TOKEND_UNREAD_FAILED;
    reading->reading.unread_reason = reason;
    return TRUE;
  }
  return FALSE;
}

/* Keeps a token that cannot be read, since it is there and must not seem gone. */
static gboolean
read_slot (const TokendReadFunctions *functions, TokendSlotReading *reading, const GArray *last)
{
  CK_TOKEN_INFO info = { 0 };
  const CK_RV rv = functions->get_token_info (reading->slot, &info);

  if (rv == CKR_OK)
    return tokend_host_reading_init (&reading->reading, &info);
  return !tokend_pkcs11_token_is_gone (rv) && recall (last, reading, rv);
}

/**
 * tokend_slots_read:
 * @last: (nullable) (element-type TokendSlotReading): the last readings
 * @error: ModuleFailed
 *
 * Reads every token by C_GetTokenInfo; opens no session, costs no try. A token that cannot be read
 * keeps its last reading, and says so. It is left out if it has none, and so are tokens beyond
 * TOKEND_MODULE_TOKENS_MAX.
 *
 * Returns: (transfer full) (element-type TokendSlotReading): the readings
 */
GArray *
tokend_slots_read (const TokendReadFunctions *functions, const GArray *last, GError **error)
{
  g_autoptr (GArray) slots = list_slots (functions, error);
  g_autoptr (GArray) readings = NULL;

  if (slots == NULL)
    return NULL;

  readings = g_array_new (FALSE, FALSE, sizeof (TokendSlotReading));
  for (guint i = 0; i < slots->len && readings->len < TOKEND_MODULE_TOKENS_MAX; i++) {
    TokendSlotReading reading = { .slot = g_array_index (slots, CK_SLOT_ID, i) };

    if (read_slot (functions, &reading, last))
      g_array_append_val (readings, reading);
  }

  return g_steal_pointer (&readings);
}

/**
 * tokend_slots_read_again:
 * @last: (element-type TokendSlotReading): the last readings
 *
 * Reads the same slots as the last time, and does not look for others.
 *
 * Returns: (transfer full) (element-type TokendSlotReading): the readings
 */
GArray *
tokend_slots_read_again (const TokendReadFunctions *functions, const GArray *last)
{
  GArray *readings = g_array_new (FALSE, FALSE, sizeof (TokendSlotReading));

  for (guint i = 0; i < last->len; i++) {
    TokendSlotReading reading = g_array_index (last, TokendSlotReading, i);

    if (read_slot (functions, &reading, last))
      g_array_append_val (readings, reading);
  }
  return readings;
}

static void
read_numbers (const TokendReadFunctions *functions, GArray *readings)
{
  for (guint i = 0; i < readings->len; i++) {
    TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);

    if (reading->reading.unread == TOKEND_UNREAD_NOT)
      tokend_vendor_counters_read_slot (functions, reading->slot, &reading->reading);
  }
}

/**
 * tokend_slots_complete:
 * @certificates: what is known from the last read
 * @readings: (element-type TokendSlotReading) (transfer full): by C_GetTokenInfo
 *
 * Adds what C_GetTokenInfo does not tell. It reads the tokens' own numbers in a read-only session,
 * if the token is of a family that has them, and the end and issuer of the certificate that the
 * person signs with. Reading certificates takes long, and other programs can use the token
 * meanwhile, so the tries are then read again. The cards themselves are asked last. Costs no try.
 *
 * Returns: (transfer full) (element-type TokendSlotReading): the readings, without tokens that have
 *   left
 */
GArray *
tokend_slots_complete (const TokendReadFunctions *functions, GPtrArray *certificates,
                       GArray *readings)
{
  read_numbers (functions, readings);
  if (tokend_certificates_update (certificates, functions, readings, g_get_monotonic_time ())) {
    GArray *again = tokend_slots_read_again (functions, readings);

    g_array_unref (readings);
    readings = again;
    read_numbers (functions, readings);
  }
  tokend_card_numbers_read_all (functions, readings);
  return readings;
}

/**
 * tokend_slots_to_variant:
 * @certificates: what is known of them
 * @readings: (element-type TokendSlotReading): the tokens that are there
 *
 * Returns: (transfer floating): the readings, of type aa{sv}
 */
GVariant *
tokend_slots_to_variant (GPtrArray *certificates, const GArray *readings)
{
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE ("aa{sv}"));
  for (guint i = 0; i < readings->len; i++) {
    const TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);
    const char *reader = reading->is_other_possible ? NULL : reading->reader;
    const TokendCertificate *certificate =
        tokend_certificates_lookup (certificates, &reading->reading.identity);
    TokendHostReading told = reading->reading;

    told.has_no_certificate = tokend_certificates_are_none (certificates, &told.identity);
    g_variant_builder_add_value (&builder,
                                 tokend_host_reading_to_variant (&told, reader, certificate));
  }

  return g_variant_builder_end (&builder);
}

static void
count_events (TokendSlotEvents *events, GArray *readings)
{
  for (guint i = 0; i < readings->len; i++) {
    TokendSlotReading *reading = &g_array_index (readings, TokendSlotReading, i);

    reading->reading.slot_events = tokend_slot_events_count (events, reading->slot);
  }
}

/**
 * tokend_slots_read_all:
 * @certificates: as for tokend_slots_complete()
 * @events: (nullable): counts the slot events
 * @last: (inout) (transfer full) (nullable): the last readings, then the new ones
 * @error: ModuleFailed
 *
 * Reads everything of every token.
 *
 * Returns: (transfer floating) (nullable): the readings, of type aa{sv}
 */
GVariant *
tokend_slots_read_all (const TokendReadFunctions *functions, GPtrArray *certificates,
                       TokendSlotEvents *events, GArray **last, GError **error)
{
  GArray *readings = tokend_slots_read (functions, *last, error);

  if (readings == NULL)
    return NULL;
  tokend_slot_readers_look_up (functions, *last, readings);
  g_clear_pointer (last, g_array_unref);
  *last = tokend_slots_complete (functions, certificates, readings);
  if (events != NULL)
    count_events (events, *last);
  tokend_certificates_forget_others (certificates, *last);
  return tokend_slots_to_variant (certificates, *last);
}
