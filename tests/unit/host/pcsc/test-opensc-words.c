/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is taken from the administrator's opensc.conf, as OpenSC reads it. */
#include "opensc-words.h"

static char *
join (GPtrArray *names)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (text, "%s%s", i > 0 ? "|" : "", (char *) names->pdata[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_parse (void)
{
  static const struct {
    const char *text;
    const char *readers, *drivers;
  } rows[] = {
    { "", "", "" },
    { "app default {\n  ignored_readers = \"CardMan 1021\", \"SPR 532\";\n}\n",
      "CardMan 1021|SPR 532", "" },
    { "app default { ignored_readers = SPR; card_drivers = openpgp, internal; }", "SPR",
      "openpgp|internal" },
    { "app default { IGNORED_READERS = \"a;b{c}#d=\" ; }", "a;b{c}#d=", "" },
    { "app default {\n# ignored_readers = no;\nignored_readers = yes; # no, no\n}", "yes", "" },
    { "app default {\n  ignored_readers =\n    one,\n    two\n  ;\n}", "one|two", "" },
    { "app default { ignored_readers = one }", "one", "" },
    { "app default { ignored_readers = one", "", "" },
    { "App Default { ignored_readers = one; }", "one", "" },
    { "app default { ignored_readers = one, two\ncard_drivers = three; }", "one|two", "three" },
    /* Of other programs, and of blocks within. */
    { "app opensc-tool { ignored_readers = no; card_drivers = no; }", "", "" },
    { "app default { reader_driver pcsc { ignored_readers = no; } ignored_readers = yes; }", "yes",
      "" },
    { "ignored_readers = no; other default { ignored_readers = no; }", "", "" },
    { "app default { }\nignored_readers = no;", "", "" },
    { "} } app default { ignored_readers = yes; }", "yes", "" },
    /* The block "default" is read last. */
    { "app default { ignored_readers = a; card_drivers = first; }\n"
      "app opensc-pkcs11 { ignored_readers = b; card_drivers = second; }",
      "a|b", "first" },
    { "app onepin-opensc-pkcs11 { card_drivers = second; }\napp default { debug = 0; }", "",
      "second" },
    { "app opensc-pkcs11 { card_drivers = second; }\napp default { card_drivers = first; }", "",
      "first" },
    { "app default { card_drivers = ; ignored_readers = \"\"; }", "", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendOpenscWords) words = tokend_opensc_words_parse (rows[i].text);
    g_autofree char *readers = join (words->ignored_readers);
    g_autofree char *drivers = join (words->card_drivers);

    g_test_message ("%s", rows[i].text);
    g_assert_cmpstr (readers, ==, rows[i].readers);
    g_assert_cmpstr (drivers, ==, rows[i].drivers);
  }
}

static void
test_ignore (void)
{
  g_autoptr (TokendOpenscWords) words =
      tokend_opensc_words_parse ("app default { ignored_readers = \"PCD 00\", Other; }");

  g_assert_true (tokend_opensc_words_ignore (words, "Virtual PCD 00 00"));
  g_assert_true (tokend_opensc_words_ignore (words, "Other"));
  g_assert_false (tokend_opensc_words_ignore (words, "Virtual PCD 01 00"));
  g_assert_false (tokend_opensc_words_ignore (words, "virtual pcd 00 00"));
  g_assert_false (tokend_opensc_words_ignore (words, ""));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/opensc-words/parse", test_parse);
  g_test_add_func ("/opensc-words/ignore", test_ignore);
  return g_test_run ();
}
