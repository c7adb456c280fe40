/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which of several profiles is taken, and what is said of why. */
#include "profile.h"

#include <string.h>

/* By name, as they are loaded. */
static const struct {
  const char *name;
  const char *match; /* the keys of its group [Match] */
} given[] = {
  { "0-provider", "Issuers=*O=First*" },
  { "a-file", "Files=card.so" },
  { "a-file-again", "Files=card.*" },
  { "b-maker", "Files=card.so\nManufacturers=M" },
  { "c-model", "Files=card.so\nManufacturers=M\nModels=N*" },
  { "d-model-again", "Files=card.so\nManufacturers=M\nModels=NN" },
  { "e-everybody", "" },
  { "f-provider", "Issuers=*O=Issuer*" },
  { "g-provider-of-a-module", "Issuers=*O=Issuer*;*O=Other*\nFiles=alone.so\nManufacturers=X" },
  { "h-atr", "Files=card.so\nManufacturers=M\nModels=N*\nATRs=*59\n[Ask]\nWay=yubikey" },
  { "i-nothing", "Files=card.so\nManufacturers=M\nModels=\n[Ask]\nWay=piv" },
  { "j-plain", "Files=plain.so\nManufacturers=M" },
};

static GPtrArray *
make_profiles (void)
{
  GPtrArray *profiles = g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_profile_free);

  for (gsize i = 0; i < G_N_ELEMENTS (given); i++) {
    g_autoptr (GKeyFile) key_file = g_key_file_new ();
    g_autoptr (GError) error = NULL;
    g_autofree char *text = g_strdup_printf ("[Match]\n%s\n", given[i].match);

    g_key_file_load_from_data (key_file, text, strlen (text), G_KEY_FILE_KEEP_TRANSLATIONS, &error);
    g_assert_no_error (error);
    g_ptr_array_add (profiles, tokend_profile_parse (given[i].name, key_file, NULL, &error));
    g_assert_no_error (error);
  }
  return profiles;
}

static const char *
name_of (const TokendProfile *profile)
{
  return profile != NULL ? profile->name : NULL;
}

static char *
print (GVariant *reasons)
{
  g_autoptr (GVariant) owned = reasons != NULL ? g_variant_ref_sink (reasons) : NULL;

  return owned != NULL ? g_variant_print (owned, FALSE) : NULL;
}

/* The one with the most keys that match, the first of several; and each of these keys is named. */
static void
test_token (void)
{
  static const struct {
    const char *module, *manufacturer, *model, *atr;
    const char *name, *reasons;
  } rows[] = {
    { "/usr/lib/card.so", "M", "NN", NULL, "c-model",
      "{'file': 'card.so', 'manufacturer': 'M', 'model': 'NN'}" },
    { "/usr/lib/card.so", "M", "NN", "3B00", "c-model",
      "{'file': 'card.so', 'manufacturer': 'M', 'model': 'NN'}" },
    { "/usr/lib/card.so", "M", "NN", "3B0159", "h-atr",
      "{'file': 'card.so', 'manufacturer': 'M', 'model': 'NN', 'atr': '3B0159'}" },
    { "/usr/lib/card.so", "M", "O", NULL, "b-maker", "{'file': 'card.so', 'manufacturer': 'M'}" },
    { "/usr/lib/card.so", "X", "NN", NULL, "a-file", "{'file': 'card.so'}" },
    { "/usr/lib/card.so", NULL, NULL, NULL, "a-file", "{'file': 'card.so'}" },
    /* A provider's is nobody's module. */
    { "/usr/lib/alone.so", "X", "NN", NULL, NULL, NULL },
  };
  g_autoptr (GPtrArray) profiles = make_profiles ();

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const TokendProfile *profile = tokend_profiles_match (
        profiles, rows[i].module, rows[i].manufacturer, rows[i].model, rows[i].atr);
    g_autofree char *reasons = print (tokend_profile_explain_match (
        profile, rows[i].module, rows[i].manufacturer, rows[i].model, rows[i].atr));

    g_assert_cmpstr (name_of (profile), ==, rows[i].name);
    g_assert_cmpstr (reasons, ==, rows[i].reasons);
  }
}

/* A host that takes the first that matches takes the same. */
static void
test_questions (void)
{
  g_autoptr (GPtrArray) profiles = make_profiles ();
  g_autoptr (GVariant) questions =
      g_variant_ref_sink (tokend_profiles_list_questions (profiles, "/x/card.so"));
  g_autoptr (GVariant) none =
      g_variant_ref_sink (tokend_profiles_list_questions (profiles, "/x/alone.so"));
  g_autoptr (GVariant) plain =
      g_variant_ref_sink (tokend_profiles_list_questions (profiles, "/x/plain.so"));
  g_autofree char *text = g_variant_print (questions, FALSE);

  g_assert_cmpstr (text, ==,
                   "[(['M'], ['N*'], ['*59'], 'yubikey'), (['M'], ['N*'], [], 'none'), "
                   "(['M'], ['NN'], [], 'none'), (['M'], [], [], 'none'), "
                   "([], [], [], 'none'), ([], [], [], 'none')]");
  g_assert_cmpuint (g_variant_n_children (none), ==, 0);
  g_assert_cmpuint (g_variant_n_children (plain), ==, 0);
  g_assert_true (g_variant_is_of_type (none, G_VARIANT_TYPE (TOKEND_QUESTIONS_TYPE)));
}

static void
test_module (void)
{
  g_autoptr (GPtrArray) profiles = make_profiles ();

  g_assert_cmpstr (name_of (tokend_profiles_match_module (profiles, "/x/card.so")), ==, "a-file");
  g_assert_null (tokend_profiles_match_module (profiles, "/x/alone.so"));
}

static void
test_provider (void)
{
  static const struct {
    const char *issuer, *name, *reasons;
  } rows[] = {
    { "CN=A,O=First", "0-provider", "{'issuer': 'CN=A,O=First'}" },
    { "CN=A,O=Issuer", "f-provider", "{'issuer': 'CN=A,O=Issuer'}" },
    { "CN=A,O=Other", "g-provider-of-a-module", "{'issuer': 'CN=A,O=Other'}" },
    { "CN=A,O=Nobody", NULL, NULL },
    { "", NULL, NULL },
  };
  g_autoptr (GPtrArray) profiles = make_profiles ();

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    const TokendProfile *provider = tokend_profiles_match_provider (profiles, rows[i].issuer);
    g_autofree char *reasons = print (tokend_profile_explain_provider (provider, rows[i].issuer));

    g_assert_cmpstr (name_of (provider), ==, rows[i].name);
    g_assert_cmpstr (reasons, ==, rows[i].reasons);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/profile-match/token", test_token);
  g_test_add_func ("/profile-match/questions", test_questions);
  g_test_add_func ("/profile-match/module", test_module);
  g_test_add_func ("/profile-match/provider", test_provider);
  return g_test_run ();
}
