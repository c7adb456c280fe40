/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which card is asked, and what its reading gets of the answers. */
#include "card-numbers.h"

#include <string.h>

#define UNKNOWN TOKEND_NUMBER_UNKNOWN

static void
set_field (TokendTokenField *field, const char *text)
{
  tokend_token_field_init (field, (const guint8 *) text, strlen (text));
}

/* The first that matches, also one that says not to ask. */
static void
test_choose (void)
{
  static const char list[] = "[(['piv_II*'], ['N*'], ['*59*', '3B00'], 'yubikey'),"
                             " (['piv_II*'], ['N*'], @as [], 'piv'),"
                             " (['Other'], @as [], @as [], 'none'),"
                             " (['Broken'], @as [], @as [], 'nonsense'),"
                             " (@as [], ['O'], @as [], 'openpgp')]";
  static const struct {
    const char *manufacturer, *model, *atr;
    TokendAskMethod method;
  } rows[] = {
    { "piv_II", "N", "3B5900", TOKEND_ASK_METHOD_YUBIKEY },
    { "piv_II", "N", "3B00", TOKEND_ASK_METHOD_YUBIKEY },
    { "piv_II", "N", "3B01", TOKEND_ASK_METHOD_PIV },
    { "piv_II", "N", "", TOKEND_ASK_METHOD_PIV },
    { "piv_II", "O", "3B5900", TOKEND_ASK_METHOD_OPENPGP },
    { "Other", "O", "", TOKEND_ASK_METHOD_NONE },
    { "Broken", "O", "", TOKEND_ASK_METHOD_NONE },
    { "Any", "O", "", TOKEND_ASK_METHOD_OPENPGP },
    { "\xff", "O", "", TOKEND_ASK_METHOD_OPENPGP },
    { "Any", "N", "", TOKEND_ASK_METHOD_NONE },
  };
  g_autoptr (GVariant) questions =
      g_variant_parse (G_VARIANT_TYPE (TOKEND_QUESTIONS_TYPE), list, NULL, NULL, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendTokenIdentity identity = { 0 };

    set_field (&identity.manufacturer, rows[i].manufacturer);
    set_field (&identity.model, rows[i].model);
    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokend_card_numbers_choose (questions, &identity, rows[i].atr), ==,
                     rows[i].method);
  }
}

static void
test_apply (void)
{
  static const struct {
    TokendCardAnswers answers;
    gboolean sends_hashes;
    TokendRetries pin, puk;
    gboolean is_hashed;
  } rows[] = {
    { { { 2, 3 }, { 1, UNKNOWN }, FALSE }, FALSE, { 2, 3 }, { 1, UNKNOWN }, FALSE },
    /* What is not told leaves what is known otherwise. */
    { { { UNKNOWN, UNKNOWN }, { UNKNOWN, UNKNOWN }, FALSE }, FALSE, { 7, 8 }, { 5, 6 }, FALSE },
    { { { UNKNOWN, UNKNOWN }, { 0, UNKNOWN }, TRUE }, FALSE, { 7, 8 }, { 0, UNKNOWN }, TRUE },
    { { { 3, UNKNOWN }, { 3, UNKNOWN }, TRUE }, TRUE, { 3, UNKNOWN }, { 3, UNKNOWN }, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendHostReading reading = { .pin = { 7, 8 }, .puk = { 5, 6 } };

    tokend_card_numbers_apply (&rows[i].answers, rows[i].sends_hashes, &reading);
    g_assert_cmpint (reading.pin.remaining, ==, rows[i].pin.remaining);
    g_assert_cmpint (reading.pin.maximum, ==, rows[i].pin.maximum);
    g_assert_cmpint (reading.puk.remaining, ==, rows[i].puk.remaining);
    g_assert_cmpint (reading.puk.maximum, ==, rows[i].puk.maximum);
    g_assert_cmpint ((reading.flags & TOKEND_TOKEN_CODES_HASHED) != 0, ==, rows[i].is_hashed);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/card-numbers/choose", test_choose);
  g_test_add_func ("/card-numbers/apply", test_apply);
  return g_test_run ();
}
