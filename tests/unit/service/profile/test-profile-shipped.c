/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The profiles that are shipped, and the manual that tells what may stand in one. */
#include "journal-spy.h"
#include "profile.h"

#define ASK_OPENPGP TOKEND_ASK_METHOD_OPENPGP
#define ASK_PIV TOKEND_ASK_METHOD_PIV
#define ASK_YUBIKEY TOKEND_ASK_METHOD_YUBIKEY
#define NO_WAY TOKEND_UNLOCK_METHOD_NONE
#define SO_LOGIN TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN
#define OPENSC_SO_LOGIN TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN
#define OPENSC_SET_PIN TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN

#define NONE TOKEND_FLAGS_MEANING_NONE
#define EXACT TOKEND_FLAGS_MEANING_EXACT
#define LAST_ONLY TOKEND_FLAGS_MEANING_LAST_ONLY
#define LOW_ONLY TOKEND_FLAGS_MEANING_LOW_ONLY

/* The tokens that were seen, as they call themselves. */
static const struct {
  const char *module, *manufacturer, *model;
  const char *profile;
  const char *atr;
} tokens[] = {
  { "/usr/lib/libeToken.so", "SafeNet, Inc.", "eToken", "etoken" },
  { "/usr/lib/libeTPkcs11.so", "Aladdin Ltd.", "eToken", "etoken" },
  { "/usr/lib/libeToken.so.10.8", "SafeNet, Inc.", "eToken 5110", "etoken" },
  { "/usr/lib/libIDPrimePKCS11.so", "SafeNet, Inc.", "eToken", "etoken" },
  { "/anywhere/another.so", "SafeNet, Inc.", "eToken", NULL },
  { "/usr/lib/libeToken.so", "SafeNet, Inc.", "ID Prime", NULL },
  { "/usr/lib/libIDPrimePKCS11.so", "Gemalto", "ID Prime MD", NULL },
  { "/usr/lib/libeToken.so", "Gemalto", "ID Prime MD", NULL },
  { "/usr/lib/softhsm/libsofthsm2.so", "SoftHSM project", "SoftHSM v2", "softhsm2" },
  { "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "SoftHSM project", "SoftHSM v2",
    "softhsm2" },
  { "/usr/lib/libsofthsm2.so", "Somebody else", "SoftHSM v2", NULL },
  { "/usr/lib/x86_64-linux-gnu/opencryptoki/libopencryptoki.so", "IBM", "Soft", "opencryptoki" },
  { "/usr/lib/opencryptoki/libopencryptoki.so.0.0.0", "IBM", "Soft", "opencryptoki" },
  { "/usr/lib/opencryptoki/PKCS11_API.so", "IBM", "Soft", "opencryptoki" },
  { "/usr/lib/opencryptoki/libopencryptoki.so", "IBM", "TPM", NULL },
  { "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so", "EnterSafe", "PKCS#15", "opensc-pkcs15" },
  { "/usr/lib/onepin-opensc-pkcs11.so", "(unknown)", "PKCS#15", "opensc-pkcs15" },
  { "/usr/lib/opensc-pkcs11.so", "piv_II", "PKCS#15 emulated", "opensc-piv" },
  { "/usr/lib/opensc-pkcs11.so", "piv_II", "PKCS#15 emulated", "opensc-piv-yubikey",
    "3BFD1300008131FE158073C021C057597562694B657940" },
  { "/usr/lib/opensc-pkcs11.so", "piv_II", "PKCS#15 emulated", "opensc-piv", "3B80800101" },
  { "/usr/lib/opensc-pkcs11.so", "Yubico", "PKCS#15 emulated", "opensc-openpgp" },
  { "/usr/lib/opensc-pkcs11.so", "OpenPGP project", "PKCS#15 emulated", "opensc-openpgp" },
  { "/usr/lib/opensc-pkcs11.so", "JPKI", "PKCS#15 emulated", "opensc" },
  { "/usr/lib/other.so", "piv_II", "PKCS#15 emulated", NULL },
  { "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so", "Nobody", "x", "tpm2-pkcs11" },
  { "/usr/lib/libakisp11.so", "TUBITAK", "AKIS", "akis" },
  { "/usr/lib/libykcs11.so", "Yubico (www.yubico.com)", "YubiKey YK5", "ykcs11" },
};

static GPtrArray *
load_shipped (void)
{
  g_autofree char *directory =
      g_test_build_filename (G_TEST_DIST, "service", "data", "profiles", NULL);
  g_autoptr (GDir) dir = g_dir_open (directory, 0, NULL);
  GPtrArray *profiles = tokend_profiles_load (directory, "/nonexistent");
  guint n_files = 0;

  while (g_dir_read_name (dir) != NULL)
    n_files++;
  journal_spy_expect_nothing ();
  g_assert_cmpuint (profiles->len, ==, n_files);
  return profiles;
}

/* A provider is known by the certificate alone, and says nothing of a module. */
static void
test_provider (void)
{
  g_autoptr (GPtrArray) profiles = load_shipped ();
  const TokendProfile *provider = tokend_profiles_match_provider (
      profiles, "CN=e-Guven Nitelikli,O=Elektronik Bilgi Guvenligi A.S.,C=TR");

  g_assert_nonnull (provider);
  g_assert_cmpstr (provider->name, ==, "e-guven");
  g_assert_cmpint (provider->rules[TOKEND_ROLE_PIN].maximum, ==, 3);
  g_assert_cmpint (provider->rules[TOKEND_ROLE_PUK].maximum, ==, 3);
  g_assert_cmpint (provider->codes[TOKEND_ROLE_PIN].minimum_length, ==, 4);
  g_assert_cmpint (provider->codes[TOKEND_ROLE_PIN].characters, ==, TOKEND_CHARACTERS_DIGITS);
  g_assert_null (tokend_profiles_match_provider (profiles, "CN=Somebody,C=TR"));
  g_assert_null (tokend_profiles_match_provider (profiles, ""));
  g_assert_null (tokend_profiles_match (profiles, "/x.so", "anybody", "anything", NULL));
}

static void
test_shipped_match (void)
{
  g_autoptr (GPtrArray) profiles = load_shipped ();

  for (gsize i = 0; i < G_N_ELEMENTS (tokens); i++) {
    const TokendProfile *profile = tokend_profiles_match (
        profiles, tokens[i].module, tokens[i].manufacturer, tokens[i].model, tokens[i].atr);

    g_test_message ("%s, %s, %s", tokens[i].module, tokens[i].manufacturer, tokens[i].model);
    g_assert_cmpstr (profile != NULL ? profile->name : NULL, ==, tokens[i].profile);
  }
}

/* What is not verified of a kind has the careful value: no way, none of the flags. */
static const struct {
  const char *name;
  TokendUnlockMethod method;
  TokendFlagsMeaning flags[TOKEND_N_ROLES];
  int maximum;
  gboolean never_locks, change_counts, change_proves;
  TokendAskMethod ask;
} shipped[] = {
  { "akis", NO_WAY, { NONE, NONE }, -1, FALSE, TRUE, FALSE },
  { "etoken", SO_LOGIN, { EXACT, NONE }, 3, FALSE, TRUE, FALSE },
  { "opencryptoki", SO_LOGIN, { EXACT, EXACT }, 3, FALSE, FALSE, TRUE },
  { "opensc", NO_WAY, { NONE, NONE }, -1, FALSE, TRUE, FALSE },
  { "opensc-openpgp", OPENSC_SO_LOGIN, { LAST_ONLY, NONE }, -1, FALSE, TRUE, TRUE, ASK_OPENPGP },
  { "opensc-piv", OPENSC_SET_PIN, { LAST_ONLY, NONE }, -1, FALSE, TRUE, TRUE, ASK_PIV },
  { "opensc-piv-yubikey", OPENSC_SET_PIN, { LAST_ONLY, NONE }, -1, FALSE, TRUE, TRUE, ASK_YUBIKEY },
  { "opensc-pkcs15", OPENSC_SO_LOGIN, { NONE, NONE }, -1, FALSE, TRUE, TRUE },
  { "softhsm2", SO_LOGIN, { LOW_ONLY, LOW_ONLY }, -1, TRUE, TRUE, TRUE },
  { "tpm2-pkcs11", NO_WAY, { NONE, NONE }, -1, FALSE, TRUE, FALSE },
  { "ykcs11", NO_WAY, { NONE, NONE }, -1, FALSE, TRUE, FALSE },
};

static void
test_shipped_facts (void)
{
  g_autoptr (GPtrArray) profiles = load_shipped ();
  guint n_modules = 0;

  for (guint i = 0; i < profiles->len; i++) {
    const TokendProfile *profile = profiles->pdata[i];

    if (profile->issuers != NULL)
      continue;
    g_test_message ("%s", profile->name);
    g_assert_cmpuint (n_modules, <, G_N_ELEMENTS (shipped));
    g_assert_cmpstr (profile->name, ==, shipped[n_modules].name);
    g_assert_cmpint (profile->unlock_method, ==, shipped[n_modules].method);
    g_assert_cmpint (profile->is_opensc, ==, g_str_has_prefix (profile->name, "opensc"));
    g_assert_cmpint (profile->puk_shown_as_pin, ==, g_str_equal (profile->name, "opensc-pkcs15"));
    g_assert_cmpint (profile->shared_by_slots, ==, g_str_equal (profile->name, "opensc-openpgp"));
    g_assert_cmpint (profile->logout_closes, ==, g_str_equal (profile->name, "opensc-openpgp"));
    g_assert_cmpint (profile->sets_first_pin, ==,
                     g_str_equal (profile->name, "softhsm2")
                         || g_str_equal (profile->name, "opencryptoki"));
    g_assert_cmpint (profile->ask_method, ==, shipped[n_modules].ask);
    g_assert_cmpint (profile->change_counts, ==, shipped[n_modules].change_counts);
    g_assert_cmpint (profile->change_proves, ==, shipped[n_modules].change_proves);
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      g_assert_cmpint (profile->rules[role].flags, ==, shipped[n_modules].flags[role]);
      g_assert_cmpint (profile->rules[role].maximum, ==, shipped[n_modules].maximum);
      g_assert_cmpint (profile->rules[role].never_locks, ==, shipped[n_modules].never_locks);
    }
    n_modules++;
  }
  g_assert_cmpuint (n_modules, ==, G_N_ELEMENTS (shipped));
}

/* Of a present code, without a word: lengths of the PIN and of the PUK that a document gives. */
static const struct {
  const char *name;
  int minimum[TOKEND_N_ROLES], maximum[TOKEND_N_ROLES];
  int usual_puk;
} documented[] = {
  { "opencryptoki", { -1, 4 }, { -1, 8 }, -1 }, { "opensc-openpgp", { -1, 8 }, { -1, -1 }, -1 },
  { "opensc-piv", { 6, 6 }, { 8, 8 }, 8 },      { "opensc-piv-yubikey", { 6, 6 }, { 8, 8 }, 8 },
  { "ykcs11", { 6, -1 }, { 8, -1 }, -1 },
};

static void
test_shipped_documents (void)
{
  g_autoptr (GPtrArray) profiles = load_shipped ();
  guint n_documented = 0;

  for (guint i = 0; i < profiles->len; i++) {
    const TokendProfile *profile = profiles->pdata[i];
    const TokendProfileCode *codes = profile->codes;

    if (!codes[TOKEND_ROLE_PIN].is_documented && !codes[TOKEND_ROLE_PUK].is_documented)
      continue;
    g_test_message ("%s", profile->name);
    g_assert_cmpuint (n_documented, <, G_N_ELEMENTS (documented));
    g_assert_cmpstr (profile->name, ==, documented[n_documented].name);
    g_assert_cmpint (codes[TOKEND_ROLE_PUK].usual_length, ==, documented[n_documented].usual_puk);
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      const gboolean is_documented = documented[n_documented].minimum[role] >= 0;

      g_assert_cmpint (codes[role].is_documented, ==, is_documented);
      g_assert_cmpint (codes[role].minimum_length, ==, documented[n_documented].minimum[role]);
      g_assert_cmpint (codes[role].maximum_length, ==, documented[n_documented].maximum[role]);
    }
    n_documented++;
  }
  g_assert_cmpuint (n_documented, ==, G_N_ELEMENTS (documented));
}

/* The manual has a heading ".SS [Group]" (or several), and under it ".TP" (or ".TQ") and ".B Key="
 * for each key. */
typedef struct {
  GStrv groups; /* of the heading above */
  char *key;
  GString *text; /* as far as the next key */
} Paragraph;

static void
paragraph_free (gpointer data)
{
  Paragraph *paragraph = data;

  g_strfreev (paragraph->groups);
  g_free (paragraph->key);
  g_string_free (paragraph->text, TRUE);
  g_free (paragraph);
}

static GPtrArray *
read_manual (void)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "service", "data", "tokend-profiles.5", NULL);
  g_autoptr (GRegex) key = g_regex_new ("^\\.BR? (\\w+)=$", G_REGEX_DEFAULT, 0, NULL);
  g_autoptr (GPtrArray) paragraphs = g_ptr_array_new_with_free_func (paragraph_free);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_auto (GStrv) groups = g_new0 (char *, 1);

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i] != NULL; i++) {
    g_autoptr (GMatchInfo) match = NULL;
    gboolean is_heading =
        g_str_has_prefix (lines[i], ".SS [") || g_str_has_prefix (lines[i], ".SH");

    if (is_heading) {
      g_strfreev (groups);
      groups = g_regex_split_simple ("^\\.S. |\\[|\\]|, ", lines[i], G_REGEX_DEFAULT, 0);
    }
    if (is_heading
        || (i > 0 && g_str_has_prefix (lines[i - 1], ".T")
            && g_regex_match (key, lines[i], 0, &match))) {
      Paragraph *paragraph = g_new0 (Paragraph, 1);

      paragraph->groups = g_strdupv (groups);
      paragraph->key = is_heading ? NULL : g_match_info_fetch (match, 1);
      paragraph->text = g_string_new (NULL);
      g_ptr_array_add (paragraphs, paragraph);
    }
    if (paragraphs->len > 0)
      g_string_append_printf (((Paragraph *) paragraphs->pdata[paragraphs->len - 1])->text, "%s\n",
                              lines[i]);
  }
  return g_steal_pointer (&paragraphs);
}

static const Paragraph *
find_paragraph (GPtrArray *manual, const TokendProfileKey *key)
{
  for (guint i = 0; i < manual->len; i++) {
    const Paragraph *paragraph = manual->pdata[i];

    if (g_strv_contains ((const char *const *) paragraph->groups, key->group)
        && g_strcmp0 (paragraph->key, key->key) == 0)
      return paragraph;
  }
  return NULL;
}

static gboolean
is_known (const char *group, const char *key)
{
  for (guint i = 0; i < tokend_profile_n_keys; i++)
    if (g_str_equal (tokend_profile_keys[i].group, group)
        && g_strcmp0 (tokend_profile_keys[i].key, key) == 0)
      return TRUE;
  return FALSE;
}

static void
check_values (const TokendProfileKey *key, const Paragraph *paragraph)
{
  g_autoptr (GEnumClass) values = g_type_class_ref (key->get_values ());

  for (guint i = 0; i < values->n_values; i++) {
    g_auto (GStrv) parts = g_strsplit (values->values[i].value_nick, "-", -1);
    g_autofree char *written = g_strjoinv ("\\-", parts);
    g_autofree char *pattern = g_strdup_printf ("(?m)^\\.BR? \\Q%s\\E( [.,])?$", written);

    if (!g_regex_match_simple (pattern, paragraph->text->str, G_REGEX_DEFAULT, 0))
      g_test_fail_printf ("The manual does not tell of [%s] %s=%s", key->group, key->key, written);
  }
}

/* Each key that the parser knows, with each value that has a name, is in the manual, and no other
 * key is. */
static void
test_manual (void)
{
  g_autoptr (GPtrArray) manual = read_manual ();
  guint n_keys = 0;

  for (guint i = 0; i < tokend_profile_n_keys; i++) {
    const TokendProfileKey *key = &tokend_profile_keys[i];
    const Paragraph *paragraph = find_paragraph (manual, key);

    if (paragraph == NULL)
      g_test_fail_printf ("The manual does not tell of [%s] %s", key->group, key->key);
    else if (key->get_values != NULL)
      check_values (key, paragraph);
  }

  for (guint i = 0; i < manual->len; i++) {
    const Paragraph *paragraph = manual->pdata[i];

    for (guint j = 0; paragraph->key != NULL && paragraph->groups[j] != NULL; j++) {
      if (*paragraph->groups[j] == '\0')
        continue;
      n_keys++;
      if (!is_known (paragraph->groups[j], paragraph->key))
        g_test_fail_printf ("The manual tells of [%s] %s, which there is not", paragraph->groups[j],
                            paragraph->key);
    }
  }
  g_assert_cmpuint (n_keys, >, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  g_test_add_func ("/profile-shipped/match", test_shipped_match);
  g_test_add_func ("/profile-shipped/facts", test_shipped_facts);
  g_test_add_func ("/profile-shipped/documents", test_shipped_documents);
  g_test_add_func ("/profile-shipped/provider", test_provider);
  g_test_add_func ("/profile-shipped/manual", test_manual);
  return g_test_run ();
}
