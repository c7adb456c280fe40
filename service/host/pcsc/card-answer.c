/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What cards answer to the questions of card-question.c: hostile input, of any length. */
#include "card-answer.h"

#include <string.h>

#define VERIFY_TRIES_LEFT 0x63C0
#define VERIFY_BLOCKED 0x6983

/* No known card has more tries; a higher number is garbage. */
#define TRIES_MAX 127

const TokendCardTries tokend_card_tries_unknown = { TOKEND_CARD_NUMBER_UNKNOWN,
                                                    TOKEND_CARD_NUMBER_UNKNOWN };

typedef struct {
  const guint8 *data;
  gsize length;
} Bytes;

static gboolean
take (Bytes *bytes, gsize length, Bytes *taken)
{
  if (bytes->length < length)
    return FALSE;
  *taken = (Bytes){ bytes->data, length };
  bytes->data += length;
  bytes->length -= length;
  return TRUE;
}

static gboolean
take_number (Bytes *bytes, gsize n_bytes, gsize *number)
{
  Bytes taken;

  if (!take (bytes, n_bytes, &taken))
    return FALSE;
  *number = 0;
  for (gsize i = 0; i < n_bytes; i++)
    *number = *number << 8 | taken.data[i];
  return TRUE;
}

/* Takes a BER-TLV object (ISO/IEC 7816-4, 5.2.2) with a tag of one or two bytes, and a length of up
 * to three. */
static gboolean
take_object (Bytes *bytes, gsize *tag, Bytes *value)
{
  gsize second, length;

  if (!take_number (bytes, 1, tag))
    return FALSE;
  if ((*tag & 0x1f) == 0x1f) {
    if (!take_number (bytes, 1, &second))
      return FALSE;
    *tag = *tag << 8 | second;
  }
  if (!take_number (bytes, 1, &length))
    return FALSE;
  if (length > 0x82 || length == 0x80)
    return FALSE;
  if (length > 0x80 && !take_number (bytes, length - 0x80, &length))
    return FALSE;
  return take (bytes, length, value);
}

static gboolean
find_object (Bytes bytes, gsize wanted, Bytes *value)
{
  gsize tag;

  while (take_object (&bytes, &tag, value))
    if (tag == wanted)
      return TRUE;
  return FALSE;
}

static gboolean
begins_with (Bytes bytes, const guint8 *start, gsize length)
{
  return bytes.length >= length && memcmp (bytes.data, start, length) == 0;
}

/**
 * tokend_card_answer_is_openpgp:
 * @data: (array length=length): data object 4F
 * @serial: the serial number of a token
 *
 * Compares the manufacturer and the serial number of the card (4.2.1 of its specification) with
 * what OpenSC calls the token's. Before version 2 a card had other codes than now.
 *
 * Returns: whether it is that token's card, of a version whose codes are known
 */
gboolean
tokend_card_answer_is_openpgp (const guint8 *data, gsize length, const char *serial)
{
  static const guint8 application[] = { 0xd2, 0x76, 0x00, 0x01, 0x24, 0x01 };
  char text[13];

  if (length != 16 || !begins_with ((Bytes){ data, length }, application, sizeof application)
      || data[6] < 2)
    return FALSE;
  for (gsize i = 0; i < 6; i++)
    g_snprintf (text + 2 * i, 3, "%02x", data[8 + i]);
  return g_ascii_strcasecmp (text, serial) == 0;
}

static TokendCardTries
get_plausible (guint remaining, gint maximum)
{
  if (remaining > TRIES_MAX || maximum > TRIES_MAX || maximum == 0
      || (maximum > 0 && remaining > (guint) maximum))
    return tokend_card_tries_unknown;
  return (TokendCardTries){ (gint) remaining, maximum };
}

/**
 * tokend_card_answer_take_openpgp_tries:
 * @data: (array length=length): data object C4, the PW status bytes
 * @pin: (out): of PW1
 * @puk: (out): of PW3, the Admin PIN
 */
void
tokend_card_answer_take_openpgp_tries (const guint8 *data, gsize length, TokendCardTries *pin,
                                       TokendCardTries *puk)
{
  *pin = *puk = tokend_card_tries_unknown;
  if (length != 7)
    return;
  *pin = get_plausible (data[4], TOKEND_CARD_NUMBER_UNKNOWN);
  *puk = get_plausible (data[6], TOKEND_CARD_NUMBER_UNKNOWN);
}

/**
 * tokend_card_answer_wants_hashes:
 * @data: (array length=length): data object F9, KDF-DO, with or without its tag
 *
 * Takes what it does not understand for a yes: a code in clear would be a wrong one.
 *
 * Returns: whether an OpenPGP card takes hashes for its passwords
 */
gboolean
tokend_card_answer_wants_hashes (const guint8 *data, gsize length)
{
  const Bytes answer = { data, length };
  Bytes content, algorithm;

  if (!find_object (answer, 0xf9, &content))
    content = answer;
  if (content.length == 0)
    return FALSE;
  return !find_object (content, 0x81, &algorithm) || algorithm.length != 1
         || algorithm.data[0] != 0;
}

/**
 * tokend_card_answer_is_piv:
 * @data: (array length=length): the discovery object (SP 800-73-4, part 1, 3.3.2)
 *
 * Returns: whether the PIV application is selected, and its own PIN is the one that is used
 */
gboolean
tokend_card_answer_is_piv (const guint8 *data, gsize length)
{
  static const guint8 application[] = { 0xa0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10, 0x00 };
  const guint8 own_pin = 0x40, global_is_primary = 0x20;
  Bytes object, name, policy;

  return find_object ((Bytes){ data, length }, 0x7e, &object) && find_object (object, 0x4f, &name)
         && begins_with (name, application, sizeof application)
         && find_object (object, 0x5f2f, &policy) && policy.length == 2
         && (policy.data[0] & own_pin) != 0 && policy.data[1] != global_is_primary;
}

/**
 * tokend_card_answer_get_tries_of_verify:
 * @status: the status word of a VERIFY without a code (SP 800-73-4, part 2, 3.2.1)
 *
 * Returns: what it tells; nothing while the code counts as verified
 */
TokendCardTries
tokend_card_answer_get_tries_of_verify (guint16 status)
{
  if (status == VERIFY_BLOCKED)
    return (TokendCardTries){ 0, TOKEND_CARD_NUMBER_UNKNOWN };
  /* The most that four bits can say may be more. */
  if ((status & 0xfff0) == VERIFY_TRIES_LEFT && (status & 0x0f) != 0x0f)
    return (TokendCardTries){ status & 0x0f, TOKEND_CARD_NUMBER_UNKNOWN };
  return tokend_card_tries_unknown;
}

/**
 * tokend_card_answer_get_tries_of_metadata:
 * @data: (array length=length): of Yubico's GET METADATA of a PIN or PUK
 *
 * Returns: the maximum and what is left, its object 06
 */
TokendCardTries
tokend_card_answer_get_tries_of_metadata (const guint8 *data, gsize length)
{
  Bytes tries;

  if (!find_object ((Bytes){ data, length }, 0x06, &tries) || tries.length != 2)
    return tokend_card_tries_unknown;
  return get_plausible (tries.data[1], tries.data[0]);
}
