/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "provider.h"

#include <glib/gstdio.h>
#include <string.h>

#include "provider-words.h"

typedef struct {
  char *package;
  char *admin;
} Folders;

static void
write_file (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
set_up (Folders *folders, gconstpointer data)
{
  folders->package = g_dir_make_tmp (NULL, NULL);
  folders->admin = g_dir_make_tmp (NULL, NULL);
  write_file (folders->package, "issuer.conf",
              "[Match]\nIssuers=*\n[Provider]\nName=Issuer\nPukPage=https://issuer.example/puk\n"
              "PukHelp=Ask.\nPukHelp[tr]=Sorun.\nSupportLine=1\nLoss=Lost.\n");
  write_file (folders->package, "module.conf", "[Match]\nFiles=*\n");
  write_file (folders->package, "broken.conf", "Name=Issuer\n");
  g_setenv ("LANGUAGE", "en", TRUE);
}

static void
remove_folder (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);

    g_unlink (path);
  }
  g_rmdir (folder);
  g_free (folder);
}

static void
tear_down (Folders *folders, gconstpointer data)
{
  remove_folder (folders->package);
  remove_folder (folders->admin);
}

static TokendProvider *
load (const Folders *folders, const char *name)
{
  return tokend_provider_load (name, folders->package, folders->admin);
}

static void
test_load (Folders *folders, gconstpointer data)
{
  g_autoptr (TokendProvider) english = load (folders, "issuer");
  g_autoptr (TokendProvider) turkish = NULL;

  g_assert_cmpstr (english->name, ==, "Issuer");
  g_assert_cmpstr (english->puk_page, ==, "https://issuer.example/puk");
  g_assert_cmpstr (english->puk_help, ==, "Ask.");
  g_assert_cmpstr (english->support_line, ==, "1");
  g_assert_cmpstr (english->loss, ==, "Lost.");

  g_setenv ("LANGUAGE", "tr", TRUE);
  turkish = load (folders, "issuer");
  g_assert_cmpstr (turkish->puk_help, ==, "Sorun.");
  g_assert_cmpstr (turkish->loss, ==, "Lost.");
}

static void
test_admin (Folders *folders, gconstpointer data)
{
  g_autoptr (TokendProvider) overridden = NULL;
  g_autoptr (TokendProvider) own = NULL;

  write_file (folders->admin, "issuer.conf", "[Provider]\nSupportLine=2\nLoss=\n");
  write_file (folders->admin, "own.conf", "[Provider]\nName=Own\n");
  overridden = load (folders, "issuer");
  g_assert_cmpstr (overridden->support_line, ==, "2");
  g_assert_cmpstr (overridden->puk_help, ==, "Ask.");
  g_assert_null (overridden->loss);

  own = load (folders, "own");
  g_assert_cmpstr (own->name, ==, "Own");
  g_assert_null (own->puk_page);
}

/* The name comes over the bus. */
static void
test_no_provider (Folders *folders, gconstpointer data)
{
  static const char *const names[] = { "",          ".",       "..",      ".issuer",
                                       "../issuer", "/issuer", "issuer/", "a/b",
                                       "issuer\n",  "absent",  "module",  "broken" };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autoptr (TokendProvider) provider = load (folders, names[i]);

    g_assert_null (provider);
  }
}

static void
test_pages (Folders *folders, gconstpointer data)
{
  static const char *const pages[] = { "http://issuer.example/", "file:///etc/passwd",
                                       "issuer.example",         "javascript:alert(1)",
                                       "https://a b/",           "-x",
                                       "https://a\rb/",          "https://\033b/" };

  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++) {
    g_autofree char *text = g_strdup_printf ("[Provider]\nPukPage=%s\n", pages[i]);
    g_autoptr (TokendProvider) provider = NULL;

    write_file (folders->admin, "issuer.conf", text);
    provider = load (folders, "issuer");
    g_assert_cmpstr (provider->name, ==, "Issuer");
    g_assert_null (provider->puk_page);
  }
}

/* The facts of the provider's own guide, in both languages. */
static void
test_e_guven (void)
{
  static const struct {
    const char *language;
    const char *help[4];
    const char *loss;
  } rows[] = {
    { "en", { "PUK Sorgulama", "identity number", "last two digits", "SMS" }, "third wrong PUK" },
    { "tr", { "PUK Sorgulama", "TC Kimlik", "son 2 hanesini", "SMS" }, "3 kez hatalı" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendProvider) provider = NULL;

    g_setenv ("LANGUAGE", rows[i].language, TRUE);
    provider = tokend_provider_load ("e-guven", PROFILES, "/nonexistent");
    g_assert_cmpstr (provider->name, ==, "E-Güven");
    g_assert_cmpstr (provider->puk_page, ==,
                     "https://www.e-guven.com/destek-masasi/pin-sorgulama/");
    g_assert_cmpstr (provider->support_line, ==, "0 850 470 05 37");
    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].help); j++)
      g_assert_nonnull (strstr (provider->puk_help, rows[i].help[j]));
    g_assert_nonnull (strstr (provider->loss, rows[i].loss));
  }
}

static void
test_words (void)
{
  static const TokendProvider provider = { .name = (char *) "Issuer",
                                           .puk_help = (char *) "Ask.",
                                           .support_line = (char *) "1" };
  static const struct {
    const char *pin;
    const char *puk;
    gboolean can_unlock;
    TokendRole role;
    const char *words;
  } rows[] = {
    { "ok", "ok", TRUE, TOKEND_ROLE_PIN, NULL },
    { "final-try", "ok", TRUE, TOKEND_ROLE_PIN, NULL },
    { "locked", "ok", TRUE, TOKEND_ROLE_PIN, "Ask." },
    { "locked", "unknown", TRUE, TOKEND_ROLE_PIN, "Ask." },
    { "locked", "ok", FALSE, TOKEND_ROLE_PIN, NULL },
    { "locked", "locked", TRUE, TOKEND_ROLE_PIN, NULL },
    { "ok", "ok", TRUE, TOKEND_ROLE_PUK, NULL },
    { "ok", "low", TRUE, TOKEND_ROLE_PUK, "Support line of Issuer: 1" },
    { "ok", "final-try", TRUE, TOKEND_ROLE_PUK, "Support line of Issuer: 1" },
    { "locked", "locked", TRUE, TOKEND_ROLE_PUK, "Support line of Issuer: 1" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GVariant) status = g_variant_ref_sink (
        g_variant_new_parsed ("{'pin-state': <%s>, 'puk-state': <%s>, 'can-unlock': <%b>}",
                              rows[i].pin, rows[i].puk, rows[i].can_unlock));
    g_autofree char *words = tokenctl_words_for_provider (&provider, status, rows[i].role);
    g_autofree char *unknown = tokenctl_words_for_provider (NULL, status, rows[i].role);

    g_assert_cmpstr (words, ==, rows[i].words);
    g_assert_null (unknown);
  }
}

#define ADD(path, test) g_test_add (path, Folders, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/provider/load", test_load);
  ADD ("/provider/admin", test_admin);
  ADD ("/provider/none", test_no_provider);
  ADD ("/provider/pages", test_pages);
  g_test_add_func ("/provider/e-guven", test_e_guven);
  g_test_add_func ("/provider/words", test_words);
  return g_test_run ();
}
