/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "puk-words.h"

#include <glib/gstdio.h>

#include "words.h"

static const TokenctlPukWords admin_pin = { "Admin PIN", "From you.", "Nothing is lost." };
static const TokenctlPukWords so_pin = { "SO PIN", NULL, NULL };
static const TokenctlPukWords reset_code = { "reset code", NULL, NULL };

static void
test_name (void)
{
  static const struct {
    const TokenctlPukWords *words;
    const char *text, *named;
  } rows[] = {
    { NULL, "The PUK is locked.", "The PUK is locked." },
    { &admin_pin, "The PUK is locked.", "The Admin PIN is locked." },
    { &admin_pin, "PUK", "Admin PIN" },
    { &admin_pin, "2 wrong PUKs, PUK: ok", "2 wrong Admin PINs, Admin PIN: ok" },
    { &admin_pin, "a PUK try was lost", "an Admin PIN try was lost" },
    { &admin_pin, "each has a PUK of its own", "each has an Admin PIN of its own" },
    { &so_pin, "each has a PUK of its own", "each has an SO PIN of its own" },
    { &reset_code, "each has a PUK of its own", "each has a reset code of its own" },
    { &admin_pin, "without a code", "without a code" },
    { &admin_pin, "PUK kodunu nasıl alırım?", "Admin PIN kodunu nasıl alırım?" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *named = tokenctl_name_puk (rows[i].words, rows[i].text);

    g_assert_cmpstr (named, ==, rows[i].named);
  }
}

/* What a token is called stays, whatever it is. */
static void
test_beside (void)
{
  g_autofree char *named = tokenctl_name_puk_beside (
      &admin_pin, TOKENCTL_VALUE ": a PUK, tokenctl unlock " TOKENCTL_VALUE, "'a PUK'");
  g_autofree char *plain = tokenctl_name_puk_beside (NULL, TOKENCTL_VALUE ": the PUK", "PUK");

  g_assert_cmpstr (named, ==, "'a PUK': an Admin PIN, tokenctl unlock 'a PUK'");
  g_assert_cmpstr (plain, ==, "PUK: the PUK");
}

/* What is said of the tries of such a code. */
static void
test_words (void)
{
  const TokenctlTries final = { TOKEND_STATE_FINAL_TRY, .puk_words = &so_pin };
  const TokenctlTries admin = { TOKEND_STATE_OK, .puk_words = &admin_pin };
  const TokenctlTries never = { TOKEND_STATE_OK, .never_locks = TRUE, .puk_words = &so_pin };
  g_autofree char *left = tokenctl_words_for_tries (&final, TOKEND_ROLE_PUK);
  g_autofree char *code = tokenctl_words_for_code (&final, TOKEND_ROLE_PUK);
  g_autofree char *pin = tokenctl_words_for_code (&final, TOKEND_ROLE_PIN);
  g_autofree char *loss = tokenctl_words_for_loss (&final);
  g_autofree char *own_loss = tokenctl_words_for_loss (&admin);
  g_autofree char *no_loss = tokenctl_words_for_loss (&never);

  g_assert_cmpstr (left, ==, "1 try left: the next wrong SO PIN locks it");
  g_assert_cmpstr (code, ==, "SO PIN");
  g_assert_cmpstr (pin, ==, "PIN");
  g_assert_cmpstr (loss, ==, "If the last SO PIN try is wrong, the SO PIN is locked.");
  g_assert_cmpstr (own_loss, ==, "Nothing is lost.");
  g_assert_cmpstr (no_loss, ==, "However many wrong SO PINs are typed, nothing is locked.");
}

static void
write_file (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
remove_file (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_unlink (path);
}

static void
test_load (void)
{
  g_autofree char *package = g_dir_make_tmp (NULL, NULL);
  g_autofree char *admin = g_dir_make_tmp (NULL, NULL);
  g_autoptr (TokenctlPukWords) turkish = NULL;
  g_autoptr (TokenctlPukWords) english = NULL;
  g_autoptr (TokenctlPukWords) overridden = NULL;

  write_file (package, "card.conf",
              "[PUK]\nName=Admin PIN\nName[tr]=Yönetici PIN\nSource=Yours.\nLoss=None.\n");
  write_file (package, "puk.conf", "[PUK]\nName=Card PUK\nSource=Yours.\n");
  write_file (package, "none.conf", "[PUK]\nSource=Yours.\n");
  g_setenv ("LANGUAGE", "en", TRUE);
  english = tokenctl_puk_words_load ("card", package, admin);
  g_assert_cmpstr (english->name, ==, "Admin PIN");
  g_assert_cmpstr (english->source, ==, "Yours.");
  g_assert_cmpstr (english->loss, ==, "None.");
  write_file (admin, "card.conf", "[PUK]\nSource=\nLoss=All.\n");
  overridden = tokenctl_puk_words_load ("card", package, admin);
  g_assert_cmpstr (overridden->name, ==, "Admin PIN");
  g_assert_null (overridden->source);
  g_assert_cmpstr (overridden->loss, ==, "All.");
  g_setenv ("LANGUAGE", "tr", TRUE);
  turkish = tokenctl_puk_words_load ("card", package, admin);
  g_assert_cmpstr (turkish->name, ==, "Yönetici PIN");
  g_assert_null (tokenctl_puk_words_load ("puk", package, admin));
  g_assert_null (tokenctl_puk_words_load ("none", package, admin));
  g_assert_null (tokenctl_puk_words_load ("../card", package, admin));
  g_assert_null (tokenctl_puk_words_load ("", package, admin));
  g_assert_null (tokenctl_puk_words (""));

  remove_file (package, "card.conf");
  remove_file (package, "puk.conf");
  remove_file (package, "none.conf");
  remove_file (admin, "card.conf");
  g_rmdir (package);
  g_rmdir (admin);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/puk-words/name", test_name);
  g_test_add_func ("/puk-words/beside", test_beside);
  g_test_add_func ("/puk-words/words", test_words);
  g_test_add_func ("/puk-words/load", test_load);
  return g_test_run ();
}
