/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reading.h"

#include "pkcs11-reason.h"
#include "tokend-module.h"
#include "tokend-status.h"

#include <string.h>

static const struct {
  CK_FLAGS theirs;
  TokendTokenFlags ours;
} flag_table[] = {
  { CKF_USER_PIN_COUNT_LOW, TOKEND_TOKEN_PIN_COUNT_LOW },
  { CKF_USER_PIN_FINAL_TRY, TOKEND_TOKEN_PIN_FINAL_TRY },
  { CKF_USER_PIN_LOCKED, TOKEND_TOKEN_PIN_LOCKED },
  { CKF_USER_PIN_TO_BE_CHANGED, TOKEND_TOKEN_PIN_MUST_CHANGE },
  { CKF_USER_PIN_INITIALIZED, TOKEND_TOKEN_PIN_INITIALIZED },
  { CKF_SO_PIN_COUNT_LOW, TOKEND_TOKEN_PUK_COUNT_LOW },
  { CKF_SO_PIN_FINAL_TRY, TOKEND_TOKEN_PUK_FINAL_TRY },
  { CKF_SO_PIN_LOCKED, TOKEND_TOKEN_PUK_LOCKED },
  { CKF_PROTECTED_AUTHENTICATION_PATH, TOKEND_TOKEN_PIN_PAD },
};

static const guint role_flags[] = {
  [TOKEND_ROLE_PIN] = TOKEND_TOKEN_PIN_COUNT_LOW | TOKEND_TOKEN_PIN_FINAL_TRY
                      | TOKEND_TOKEN_PIN_LOCKED | TOKEND_TOKEN_PIN_INITIALIZED,
  [TOKEND_ROLE_PUK] =
      TOKEND_TOKEN_PUK_COUNT_LOW | TOKEND_TOKEN_PUK_FINAL_TRY | TOKEND_TOKEN_PUK_LOCKED,
};

/* Takes 0 for "not known", as modules say that have no limit or do not know it.
 * CK_UNAVAILABLE_INFORMATION is greater than any length. */
static void
init_lengths (TokendHostReading *reading, const CK_TOKEN_INFO *info)
{
  reading->pin_minimum_length = TOKEND_NUMBER_UNKNOWN;
  reading->pin_maximum_length = TOKEND_NUMBER_UNKNOWN;

  if (info->ulMaxPinLen > 0 && info->ulMaxPinLen != CK_UNAVAILABLE_INFORMATION)
    reading->pin_maximum_length = (gint) MIN (info->ulMaxPinLen, TOKEND_CODE_MAX);
  if (info->ulMinPinLen > 0 && info->ulMinPinLen <= TOKEND_CODE_MAX)
    reading->pin_minimum_length = (gint) info->ulMinPinLen;

  if (reading->pin_maximum_length != TOKEND_NUMBER_UNKNOWN
      && reading->pin_minimum_length > reading->pin_maximum_length) {
    reading->pin_minimum_length = TOKEND_NUMBER_UNKNOWN;
    reading->pin_maximum_length = TOKEND_NUMBER_UNKNOWN;
  }
}

/* Finds an OpenPGP card before version 3.1, of which OpenSC reads the tries one byte too far. One
 * token then shows those of the Admin PIN, the other those of the resetting code. (Seen in 0.23;
 * mended after 0.26.) The card's version is the hardware's in CK_TOKEN_INFO. */
static gboolean
shows_tries_of_others (const CK_TOKEN_INFO *info)
{
  static const char model[] = "PKCS#15 emulated";
  static const char label[] = "OpenPGP card";
  const CK_VERSION *version = &info->hardwareVersion;

  return memcmp (info->model, model, sizeof info->model) == 0
         && memcmp (info->label, label, strlen (label)) == 0
         && (version->major < 3 || (version->major == 3 && version->minor < 1));
}

/**
 * tokend_host_reading_init:
 * @info: of C_GetTokenInfo
 *
 * Returns: %FALSE if the token is not initialized, and so has nothing to tell
 */
gboolean
tokend_host_reading_init (TokendHostReading *reading, const CK_TOKEN_INFO *info)
{
  const TokendRetries unknown = { TOKEND_NUMBER_UNKNOWN, TOKEND_NUMBER_UNKNOWN };
  TokendTokenIdentity *identity = &reading->identity;

  if ((info->flags & CKF_TOKEN_INITIALIZED) == 0)
    return FALSE;

  *reading = (TokendHostReading){ .pin = unknown, .puk = unknown };
  tokend_token_field_init (&identity->manufacturer, info->manufacturerID,
                           sizeof info->manufacturerID);
  tokend_token_field_init (&identity->model, info->model, sizeof info->model);
  tokend_token_field_init (&identity->serial, info->serialNumber, sizeof info->serialNumber);
  tokend_token_field_init (&identity->label, info->label, sizeof info->label);
  for (gsize i = 0; i < G_N_ELEMENTS (flag_table); i++) {
    if (info->flags & flag_table[i].theirs)
      reading->flags |= flag_table[i].ours;
  }
  if (shows_tries_of_others (info)) {
    reading->flags &= ~(guint) (TOKEND_TOKEN_PIN_COUNT_LOW | TOKEND_TOKEN_PIN_FINAL_TRY
                                | TOKEND_TOKEN_PIN_LOCKED);
    reading->flags |= TOKEND_TOKEN_PIN_TRIES_HIDDEN;
  }
  init_lengths (reading, info);
  reading->new_pin_minimum_length = reading->pin_minimum_length;
  reading->new_pin_maximum_length = reading->pin_maximum_length;

  return TRUE;
}

static void
insert_number (GVariantDict *dict, const char *key, gint number)
{
  if (number != TOKEND_NUMBER_UNKNOWN)
    g_variant_dict_insert (dict, key, "u", (guint) number);
}

/* Leaves out a name that is no text, which nobody could compare. */
static void
insert_reader (GVariantDict *dict, const char *reader)
{
  if (reader != NULL && g_utf8_validate (reader, -1, NULL))
    g_variant_dict_insert (dict, "reader", "s", reader);
}

/* Leaves out an end before the epoch, which nobody needs. */
static void
insert_certificate (GVariantDict *dict, const TokendCertificate *certificate)
{
  if (certificate->issuer != NULL)
    g_variant_dict_insert (dict, "certificate-issuer", "s", certificate->issuer);
  g_variant_dict_insert_value (dict, "certificate-sha256",
                               g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, certificate->sha256,
                                                          sizeof certificate->sha256, 1));
  if (certificate->end > 0 && certificate->end <= G_MAXINT64 / G_USEC_PER_SEC)
    g_variant_dict_insert (dict, "certificate-not-after", "t",
                           (guint64) certificate->end * G_USEC_PER_SEC);
}

static void
insert_unread (GVariantDict *dict, const TokendHostReading *reading)
{
  g_autofree char *reason = NULL;

  if (reading->unread == TOKEND_UNREAD_NOT)
    return;
  reason = tokend_pkcs11_reason ("C_GetTokenInfo", reading->unread_reason);
  g_variant_dict_insert (dict, "unread", "s", reason);
}

/**
 * tokend_host_reading_to_variant:
 * @reader: (nullable): the name of its pcscd reader, if known
 * @certificate: (nullable): the one that the person signs with, if it was read
 *
 * Returns: (transfer floating): the reading, of type a{sv}
 */
GVariant *
tokend_host_reading_to_variant (const TokendHostReading *reading, const char *reader,
                                const TokendCertificate *certificate)
{
  const TokendTokenIdentity *identity = &reading->identity;
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert_value (&dict, "manufacturer",
                               tokend_token_field_to_variant (&identity->manufacturer));
  g_variant_dict_insert_value (&dict, "model", tokend_token_field_to_variant (&identity->model));
  g_variant_dict_insert_value (&dict, "serial", tokend_token_field_to_variant (&identity->serial));
  g_variant_dict_insert_value (&dict, "label", tokend_token_field_to_variant (&identity->label));
  g_variant_dict_insert (&dict, "flags", "u", reading->flags);
  insert_number (&dict, "pin-minimum-length", reading->pin_minimum_length);
  insert_number (&dict, "pin-maximum-length", reading->pin_maximum_length);
  insert_number (&dict, "new-pin-minimum-length", reading->new_pin_minimum_length);
  insert_number (&dict, "new-pin-maximum-length", reading->new_pin_maximum_length);
  insert_number (&dict, "pin-retries-remaining", reading->pin.remaining);
  insert_number (&dict, "pin-retries-maximum", reading->pin.maximum);
  insert_number (&dict, "puk-retries-remaining", reading->puk.remaining);
  insert_number (&dict, "puk-retries-maximum", reading->puk.maximum);

  insert_reader (&dict, reader);
  if (certificate != NULL)
    insert_certificate (&dict, certificate);
  if (reading->has_no_certificate)
    g_variant_dict_insert (&dict, "no-certificate", "b", TRUE);

  if (*reading->atr != '\0')
    g_variant_dict_insert (&dict, "atr", "s", reading->atr);
  insert_unread (&dict, reading);
  if (reading->slot_events > 0)
    g_variant_dict_insert (&dict, "slot-events", "u", reading->slot_events);
  return g_variant_dict_end (&dict);
}

/**
 * tokend_host_reading_same_tries:
 *
 * Returns: whether both readings tell the same of the tries of @role. A number that only one of
 *   them has is a difference.
 */
gboolean
tokend_host_reading_same_tries (const TokendHostReading *a, const TokendHostReading *b,
                                TokendRole role)
{
  const TokendRetries *a_retries = role == TOKEND_ROLE_PIN ? &a->pin : &a->puk;
  const TokendRetries *b_retries = role == TOKEND_ROLE_PIN ? &b->pin : &b->puk;

  return (a->flags & role_flags[role]) == (b->flags & role_flags[role])
         && a_retries->remaining == b_retries->remaining
         && a_retries->maximum == b_retries->maximum;
}

/**
 * tokend_host_reading_tells_less:
 *
 * Returns: whether @before has a number of the tries of @role, and @after has none.
 */
gboolean
tokend_host_reading_tells_less (const TokendHostReading *before, const TokendHostReading *after,
                                TokendRole role)
{
  const TokendRetries *was = role == TOKEND_ROLE_PIN ? &before->pin : &before->puk;
  const TokendRetries *is = role == TOKEND_ROLE_PIN ? &after->pin : &after->puk;

  return was->remaining != TOKEND_NUMBER_UNKNOWN && is->remaining == TOKEND_NUMBER_UNKNOWN;
}

/**
 * tokend_host_reading_lost_tries:
 *
 * Returns: whether @after shows fewer tries of @role than @before. A number that is not shown any
 *   more is no lost try.
 */
gboolean
tokend_host_reading_lost_tries (const TokendHostReading *before, const TokendHostReading *after,
                                TokendRole role)
{
  const TokendRetries *was = role == TOKEND_ROLE_PIN ? &before->pin : &before->puk;
  const TokendRetries *is = role == TOKEND_ROLE_PIN ? &after->pin : &after->puk;
  const guint flags = role_flags[role] & ~(guint) TOKEND_TOKEN_PIN_INITIALIZED;

  return (after->flags & ~before->flags & flags) != 0
         || (is->remaining != TOKEND_NUMBER_UNKNOWN && is->remaining < was->remaining);
}
