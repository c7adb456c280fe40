/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-words.h"

static const struct {
  const char *status;
  const char *words;
} rows[] = {
  { "{'module-profile': <'etoken'>, 'can-unlock': <true>, 'provider': <'e-guven'>, "
    "'module-profile-match': <{'model': 'eToken', 'file': 'libeToken.so', 'manufacturer': "
    "'SafeNet, "
    "Inc.'}>, 'provider-match': <{'issuer': 'CN=X'}>}",
    "  Profile: etoken (file “libeToken.so”, manufacturer “SafeNet, Inc.”, model “eToken”)\n"
    "  Provider: e-guven (certificate issuer “CN=X”)\n" },
  { "{'module-profile': <'akis'>, 'can-unlock': <false>, 'module-profile-match': <{'file': "
    "'libakisp11.so'}>, 'module-profile-override': <'/etc/tokend/profiles.d/akis.conf'>}",
    "  Profile: akis (file “libakisp11.so”)\n"
    "  By the administrator's file: /etc/tokend/profiles.d/akis.conf\n"
    "  The PIN can be changed; unlocking is not offered.\n"
    "  Provider: not known\n" },
  { "{'manufacturer': <'M'>, 'model': <'N\\u202e'>, 'can-unlock': <false>, 'provider': <'p'>, "
    "'provider-match': <{'issuer': 'CN=X'}>, 'provider-override': "
    "<'/etc/tokend/profiles.d/p.conf'>}",
    "  Profile: none: nothing is known of tokens of this kind (manufacturer “M”, model "
    "“N\\u{202E}”).\n"
    "  The PIN can be changed; unlocking is not offered.\n"
    "  Provider: p (certificate issuer “CN=X”)\n"
    "  By the administrator's file: /etc/tokend/profiles.d/p.conf\n" },
  { "{'module-profile': <'card'>, 'module-profile-match': <{'model': 'N', 'atr': '3B00'}>, "
    "'can-unlock': <false>, 'can-set-pin': <false>, 'unsupported': <'It cannot be'>}",
    "  Profile: card (model “N”, ATR “3B00”)\n"
    "  Neither a change of the PIN nor unlocking is offered: It cannot be.\n"
    "  Provider: not known\n" },
};

static void
test_profiles (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) status =
        g_variant_parse (G_VARIANT_TYPE_VARDICT, rows[i].status, NULL, NULL, NULL);
    g_autofree char *words = tokenctl_words_for_profiles (status);

    g_assert_cmpstr (words, ==, rows[i].words);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  g_test_add_func ("/client-profile-words/profiles", test_profiles);
  return g_test_run ();
}
