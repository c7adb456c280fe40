/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-field.h"

#include <string.h>

static TokendTokenField
field_of (const char *text)
{
  TokendTokenField field;

  tokend_token_field_init (&field, (const guint8 *) text, strlen (text));
  return field;
}

static void
test_is (void)
{
  const TokendTokenField field = field_of ("eToken");

  g_assert_true (tokend_token_field_is (&field, "eToken"));
  g_assert_false (tokend_token_field_is (&field, "eTokem"));
  g_assert_false (tokend_token_field_is (&field, "eToke"));
  g_assert_false (tokend_token_field_is (&field, "eToken2"));
}

static void
test_tells_apart (void)
{
  static const struct {
    const char *bytes;
    gsize length;
    gboolean tells_apart;
  } rows[] = {
    { "", 0, FALSE },       { "0", 1, FALSE },    { "000000", 6, FALSE }, { "0 0", 3, FALSE },
    { "0\0000", 3, FALSE }, { "1", 1, TRUE },     { "0001", 4, TRUE },    { "1000", 4, TRUE },
    { "a", 1, TRUE },       { "\0001", 2, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendTokenField field;

    /* What is beyond its length is not a part of it. */
    memset (&field, 'x', sizeof field);
    memcpy (field.bytes, rows[i].bytes, rows[i].length);
    field.length = rows[i].length;
    g_assert_cmpint (tokend_token_field_tells_apart (&field), ==, rows[i].tells_apart);
  }
}

/* As many bytes as a field holds come through as they are, and not one more. */
static void
test_variant (void)
{
  guint8 bytes[TOKEND_TOKEN_FIELD_MAX + 1];

  for (gsize i = 0; i < sizeof bytes; i++)
    bytes[i] = (guint8) (250 + i);
  for (gsize length = 0; length <= sizeof bytes; length++) {
    g_autoptr (GVariant) variant =
        g_variant_ref_sink (g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, bytes, length, 1));
    g_autoptr (GVariant) back = NULL;
    TokendTokenField field = { .length = 99 };
    gboolean fits = tokend_token_field_init_from_variant (&field, variant);

    g_assert_cmpint (fits, ==, length <= TOKEND_TOKEN_FIELD_MAX);
    if (!fits)
      continue;
    g_assert_cmpmem (field.bytes, field.length, bytes, length);
    back = g_variant_ref_sink (tokend_token_field_to_variant (&field));
    g_assert_true (g_variant_equal (back, variant));
  }
}

/* Each of the four texts makes it another token. */
static void
test_identity (void)
{
  const TokendTokenIdentity one = { field_of ("Maker"), field_of ("Model"), field_of ("0001"),
                                    field_of ("LABEL") };
  TokendTokenIdentity others[] = { one, one, one, one, one };

  others[1].manufacturer = field_of ("Makes");
  others[2].model = field_of ("Mode");
  others[3].serial = field_of ("0002");
  others[4].label = field_of ("LABELS");
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_cmpint (tokend_token_identity_equal (&one, &others[i]), ==, i == 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/token-field/is", test_is);
  g_test_add_func ("/token-field/tells-apart", test_tells_apart);
  g_test_add_func ("/token-field/variant", test_variant);
  g_test_add_func ("/token-field/identity", test_identity);
  return g_test_run ();
}
