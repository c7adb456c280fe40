/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is taken from the answers of cards, right and strange ones. */
#include "card-answer.h"

#include <string.h>

#define UNKNOWN TOKEND_CARD_NUMBER_UNKNOWN

/* Returns: (transfer full): what @text says in hexadecimal. */
static GByteArray *
from_hex (const char *text)
{
  GByteArray *bytes = g_byte_array_new ();

  for (; *text != '\0'; text++) {
    guint8 byte;

    if (*text == ' ')
      continue;
    byte = (guint8) (g_ascii_xdigit_value (text[0]) << 4 | g_ascii_xdigit_value (text[1]));
    g_byte_array_append (bytes, &byte, 1);
    text++;
  }
  return bytes;
}

static void
test_openpgp_name (void)
{
  static const struct {
    const char *data, *serial;
    gboolean is_it;
  } rows[] = {
    { "D27600012401 0304 FFFF 02A0B1C1 0000", "ffff02a0b1c1", TRUE },
    { "D27600012401 0200 0006 12345678 0000", "000612345678", TRUE },
    { "D27600012401 0304 FFFF 02A0B1C1 0000", "FFFF02A0B1C1", TRUE },
    { "D27600012401 0304 FFFF 02A0B1C1 0000", "ffff02a0b1c2", FALSE },
    { "D27600012401 0304 FFFF 02A0B1C1 0000", "02a0b1c1", FALSE },
    { "D27600012401 0304 FFFF 02A0B1C1 0000", "", FALSE },
    { "D27600012401 0304 FFFF 02A0B1C1 0000", "ffff02a0b1c10000", FALSE },
    /* Version 1 had other codes. */
    { "D27600012401 0101 FFFF 02A0B1C1 0000", "ffff02a0b1c1", FALSE },
    { "D27600012402 0304 FFFF 02A0B1C1 0000", "ffff02a0b1c1", FALSE },
    { "D27600012401 0304 FFFF 02A0B1C1 00", "ffff02a0b1c1", FALSE },
    { "D27600012401 0304 FFFF 02A0B1C1 000000", "ffff02a0b1c1", FALSE },
    { "", "ffff02a0b1c1", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GByteArray) data = from_hex (rows[i].data);

    g_test_message ("%s, %s", rows[i].data, rows[i].serial);
    g_assert_cmpint (tokend_card_answer_is_openpgp (data->data, data->len, rows[i].serial), ==,
                     rows[i].is_it);
  }
}

static void
test_openpgp_tries (void)
{
  static const struct {
    const char *data;
    int pin, puk;
  } rows[] = {
    { "01 7F 7F 7F 03 00 03", 3, 3 },
    { "00 20 20 20 00 00 01", 0, 1 },
    { "00 20 20 20 7F 7F 02", 127, 2 },
    { "00 20 20 20 80 00 02", UNKNOWN, 2 },
    { "00 20 20 20 03 00 FF", 3, UNKNOWN },
    { "01 7F 7F 7F 03 00", UNKNOWN, UNKNOWN },
    { "01 7F 7F 7F 03 00 03 00", UNKNOWN, UNKNOWN },
    { "", UNKNOWN, UNKNOWN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GByteArray) data = from_hex (rows[i].data);
    TokendCardTries pin, puk;

    g_test_message ("%s", rows[i].data);
    tokend_card_answer_take_openpgp_tries (data->data, data->len, &pin, &puk);
    g_assert_cmpint (pin.remaining, ==, rows[i].pin);
    g_assert_cmpint (puk.remaining, ==, rows[i].puk);
    g_assert_cmpint (pin.maximum, ==, UNKNOWN);
    g_assert_cmpint (puk.maximum, ==, UNKNOWN);
  }
}

/* What is not understood is no reason to send a code. */
static void
test_hashes (void)
{
  static const struct {
    const char *data;
    gboolean are_wanted;
  } rows[] = {
    { "", FALSE },
    { "81 01 00", FALSE },
    { "F9 03 81 01 00", FALSE },
    { "F9 00", FALSE },
    { "81 01 03 82 01 08 83 04 000186A0 84 08 3031323334353637", TRUE },
    { "F9 06 81 01 03 82 01 08", TRUE },
    { "82 01 08 81 01 03", TRUE },
    { "82 01 08 81 01 00", FALSE },
    { "81 01 7F", TRUE },
    { "81 00", TRUE },
    { "81 02 00 00", TRUE },
    { "81 01", TRUE },
    { "81", TRUE },
    { "FF FF FF", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GByteArray) data = from_hex (rows[i].data);

    g_test_message ("%s", rows[i].data);
    g_assert_cmpint (tokend_card_answer_wants_hashes (data->data, data->len), ==,
                     rows[i].are_wanted);
  }
}

static void
test_piv (void)
{
  static const struct {
    const char *data;
    gboolean is_it;
  } rows[] = {
    { "7E12 4F0BA000000308000010000100 5F2F024000", TRUE },
    { "7E12 4F0BA000000308000010000100 5F2F026010", TRUE },
    { "7E12 5F2F024000 4F0BA000000308000010000100", TRUE },
    { "7E8112 4F0BA000000308000010000100 5F2F024000", TRUE },
    { "7E820012 4F0BA000000308000010000100 5F2F024000", TRUE },
    /* The card's global PIN is the one that is used, or the only one. */
    { "7E12 4F0BA000000308000010000100 5F2F026020", FALSE },
    { "7E12 4F0BA000000308000010000100 5F2F022000", FALSE },
    { "7E12 4F0BD276000124010000100100 5F2F024000", FALSE },
    { "7E0D 4F0BA000000308000010000100", FALSE },
    { "7E11 4F0BA000000308000010000100 5F2F0140", FALSE },
    { "7E13 4F0BA000000308000010000100 5F2F024000", FALSE },
    { "7E80 4F0BA000000308000010000100 5F2F024000", FALSE },
    { "7E83000012 4F0BA000000308000010000100 5F2F024000", FALSE },
    { "5312 4F0BA000000308000010000100 5F2F024000", FALSE },
    { "7E", FALSE },
    { "5F", FALSE },
    { "", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GByteArray) data = from_hex (rows[i].data);

    g_test_message ("%s", rows[i].data);
    g_assert_cmpint (tokend_card_answer_is_piv (data->data, data->len), ==, rows[i].is_it);
  }
}

static void
test_verify (void)
{
  static const struct {
    guint16 status;
    int remaining;
  } rows[] = {
    { 0x63c3, 3 },       { 0x63c0, 0 },       { 0x63ce, 14 },      { 0x6983, 0 },
    { 0x9000, UNKNOWN }, { 0x6300, UNKNOWN }, { 0x6982, UNKNOWN }, { 0x63b3, UNKNOWN },
    { 0x6d00, UNKNOWN }, { 0x0000, UNKNOWN }, { 0x63cf, UNKNOWN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const TokendCardTries tries = tokend_card_answer_get_tries_of_verify (rows[i].status);

    g_test_message ("%04x", rows[i].status);
    g_assert_cmpint (tries.remaining, ==, rows[i].remaining);
    g_assert_cmpint (tries.maximum, ==, UNKNOWN);
  }
}

static void
test_metadata (void)
{
  static const struct {
    const char *data;
    int remaining, maximum;
  } rows[] = {
    { "01 01 FF 05 01 01 06 02 03 03", 3, 3 }, { "06 02 08 00", 0, 8 },
    { "06 02 03 04", UNKNOWN, UNKNOWN },       { "06 02 00 00", UNKNOWN, UNKNOWN },
    { "06 02 FF 03", UNKNOWN, UNKNOWN },       { "06 01 03", UNKNOWN, UNKNOWN },
    { "06 03 03 03 03", UNKNOWN, UNKNOWN },    { "06 02 03", UNKNOWN, UNKNOWN },
    { "01 01 FF", UNKNOWN, UNKNOWN },          { "", UNKNOWN, UNKNOWN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GByteArray) data = from_hex (rows[i].data);
    const TokendCardTries tries = tokend_card_answer_get_tries_of_metadata (data->data, data->len);

    g_test_message ("%s", rows[i].data);
    g_assert_cmpint (tries.remaining, ==, rows[i].remaining);
    g_assert_cmpint (tries.maximum, ==, rows[i].maximum);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/card-answer/openpgp-name", test_openpgp_name);
  g_test_add_func ("/card-answer/openpgp-tries", test_openpgp_tries);
  g_test_add_func ("/card-answer/hashes", test_hashes);
  g_test_add_func ("/card-answer/piv", test_piv);
  g_test_add_func ("/card-answer/verify", test_verify);
  g_test_add_func ("/card-answer/metadata", test_metadata);
  return g_test_run ();
}
