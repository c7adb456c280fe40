/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-spy.h"
#include "profile.h"
#include "scratch.h"

#include <string.h>
#include <unistd.h>

#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

static TokendProfile *
parse (const char *text, GError **error)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GError) load_error = NULL;

  g_key_file_load_from_data (key_file, text, strlen (text), G_KEY_FILE_KEEP_TRANSLATIONS,
                             &load_error);
  g_assert_no_error (load_error);
  return tokend_profile_parse ("a-profile", key_file, NULL, error);
}

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendProfile) profile = parse ("", &error);

  g_assert_no_error (error);
  g_assert_cmpstr (profile->name, ==, "a-profile");
  g_assert_null (profile->files);
  g_assert_null (profile->manufacturers);
  g_assert_null (profile->models);
  g_assert_null (profile->atrs);
  g_assert_cmpint (profile->ask_method, ==, TOKEND_ASK_METHOD_NONE);
  g_assert_cmpint (profile->unlock_method, ==, TOKEND_UNLOCK_METHOD_NONE);
  g_assert_cmpint (profile->watch_method, ==, TOKEND_WATCH_METHOD_POLL);
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_assert_cmpint (profile->rules[role].flags, ==, TOKEND_FLAGS_MEANING_NONE);
    g_assert_cmpint (profile->rules[role].maximum, ==, TOKEND_RETRIES_UNKNOWN);
    g_assert_false (profile->rules[role].never_locks);
  }
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_assert_cmpint (profile->codes[role].minimum_length, ==, -1);
    g_assert_cmpint (profile->codes[role].maximum_length, ==, -1);
    g_assert_cmpint (profile->codes[role].usual_length, ==, -1);
    g_assert_cmpint (profile->codes[role].characters, ==, TOKEND_CHARACTERS_ANY);
    g_assert_false (profile->codes[role].is_documented);
  }
  g_assert_true (profile->change_counts);
  g_assert_false (profile->change_proves);
  g_assert_false (profile->sets_first_pin);
  g_assert_false (profile->is_opensc);
  g_assert_false (profile->logout_closes);
  g_assert_false (profile->puk_shown_as_pin);
  g_assert_false (profile->shared_by_slots);
  g_assert_cmpint (profile->wrong_codes[PIN], ==, TOKEND_WRONG_CODE_PIN_INCORRECT);
  g_assert_cmpuint (g_hash_table_size (profile->environment), ==, 0);
}

static void
test_every_key (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendProfile) profile =
      parse ("[Match]\nFiles=a.so;b.so*\nManufacturers=M\nModels=N\nATRs=3B*\n"
             "[Module]\nLibrary=opensc\nLogoutCloses=true\n[Unlock]\nWay=opensc-set-"
             "pin\nSetsFirstPin=true\n"
             "[Watch]\nWay=readers\n[Ask]\nWay=openpgp\n"
             "[PIN]\nFlags=last-only\nMaximum=5\nNeverLocks=true\n"
             "MinimumLength=6\nMaximumLength=8\nLengthDocument=A book\n"
             "Characters=digits\nChangeCounts=false\nWrongCode=user-not-logged-in\n"
             "SharedBySlots=true\nChangeProves=true\n"
             "[PUK]\nFlags=low-only\nMaximum=255\nShownAsPin=true\n"
             "MinimumLength=7\nMaximumLength=12\nLengthDocument= \nUsualLength=8\n"
             "Characters=digits\n"
             "[Environment]\nX_CONF=/etc/x y.conf\nA=\n",
             &error);

  g_assert_no_error (error);
  g_assert_cmpuint (g_strv_length (profile->files), ==, 2);
  g_assert_cmpuint (g_strv_length (profile->manufacturers), ==, 1);
  g_assert_cmpuint (g_strv_length (profile->models), ==, 1);
  g_assert_cmpstr (profile->atrs[0], ==, "3B*");
  g_assert_cmpint (profile->ask_method, ==, TOKEND_ASK_METHOD_OPENPGP);
  g_assert_cmpint (profile->unlock_method, ==, TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN);
  g_assert_cmpint (profile->watch_method, ==, TOKEND_WATCH_METHOD_READERS);
  g_assert_cmpint (profile->rules[PIN].flags, ==, TOKEND_FLAGS_MEANING_LAST_ONLY);
  g_assert_cmpint (profile->rules[PIN].maximum, ==, 5);
  g_assert_true (profile->rules[PIN].never_locks);
  g_assert_cmpint (profile->rules[PUK].flags, ==, TOKEND_FLAGS_MEANING_LOW_ONLY);
  g_assert_cmpint (profile->rules[PUK].maximum, ==, 255);
  g_assert_false (profile->rules[PUK].never_locks);
  g_assert_cmpint (profile->codes[PIN].minimum_length, ==, 6);
  g_assert_cmpint (profile->codes[PIN].maximum_length, ==, 8);
  g_assert_cmpint (profile->codes[PIN].characters, ==, TOKEND_CHARACTERS_DIGITS);
  g_assert_true (profile->codes[PIN].is_documented);
  g_assert_cmpint (profile->codes[PIN].usual_length, ==, -1);
  g_assert_cmpint (profile->codes[PUK].minimum_length, ==, 7);
  g_assert_cmpint (profile->codes[PUK].maximum_length, ==, 12);
  g_assert_cmpint (profile->codes[PUK].usual_length, ==, 8);
  g_assert_cmpint (profile->codes[PUK].characters, ==, TOKEND_CHARACTERS_DIGITS);
  g_assert_false (profile->codes[PUK].is_documented);
  g_assert_false (profile->change_counts);
  g_assert_true (profile->change_proves);
  g_assert_true (profile->sets_first_pin);
  g_assert_true (profile->is_opensc);
  g_assert_true (profile->logout_closes);
  g_assert_true (profile->puk_shown_as_pin);
  g_assert_true (profile->shared_by_slots);
  g_assert_cmpint (profile->wrong_codes[PIN], ==, TOKEND_WRONG_CODE_USER_NOT_LOGGED_IN);
  g_assert_cmpint (profile->wrong_codes[PUK], ==, TOKEND_WRONG_CODE_PIN_INCORRECT);
  g_assert_cmpuint (g_hash_table_size (profile->environment), ==, 2);
  g_assert_cmpstr (g_hash_table_lookup (profile->environment, "X_CONF"), ==, "/etc/x y.conf");
  g_assert_cmpstr (g_hash_table_lookup (profile->environment, "A"), ==, "");
}

static const struct {
  const char *text;
  const char *group; /* both are named in the error */
  const char *key;
} bad[] = {
  { "[PUK]\nMinimumLength=0\n", "[PUK]", "MinimumLength" },
  { "[PUK]\nUsualLength=256\n", "[PUK]", "UsualLength" },
  { "[PIN]\nUsualLength=6\n", "[PIN]", "UsualLength" },
  { "[PUK]\nCharacters=letters\n", "[PUK]", "Characters" },
  { "[PUK]\nLengthDocument=\\x\n", "[PUK]", "LengthDocument" },
  { "[Mach]\nFiles=a.so\n", "[Mach]", "" },
  { "[pin]\nFlags=exact\n", "[pin]", "" },
  { "[Match]\nFile=a.so\n", "[Match]", "File" },
  { "[Match]\nFiles=a.so\nSerials=1\n", "[Match]", "Serials" },
  { "[Unlock]\nway=none\n", "[Unlock]", "way" },
  { "[PIN]\nNeverLock=true\n", "[PIN]", "NeverLock" },
  { "[PUK]\nChangeCounts=true\n", "[PUK]", "ChangeCounts" },
  { "[PUK]\nChangeProves=true\n", "[PUK]", "ChangeProves" },
  { "[PIN]\nShownAsPin=true\n", "[PIN]", "ShownAsPin" },
  { "[PUK]\nSharedBySlots=true\n", "[PUK]", "SharedBySlots" },
  { "[Provider]\nPukHlp=x\n", "[Provider]", "PukHlp" },
  { "[PIN]\nMaximum[tr]=3\n", "[PIN]", "Maximum[tr]" },

  { "[Unlock]\nWay=opensc-set-pin\n", "[Unlock]", "Way" },
  { "[Unlock]\nWay=opensc-so-login-init-pin\n[Module]\nLibrary=other\n", "[Unlock]", "Way" },
  { "[Unlock]\nWay=so-login-init-pin\n[Module]\nLibrary=opensc\n", "[Unlock]", "Way" },
  { "[Module]\nLibrary=libopensc\n", "[Module]", "Library" },
  { "[Module]\nLogoutCloses=always\n", "[Module]", "LogoutCloses" },
  { "[Module]\nLibrary=opensc\n[Environment]\nOPENSC_CONF=/x\n", "[Environment]", "OPENSC_CONF" },
  { "[Environment]\nOPENSC_CONF=/x\n", "[Environment]", "OPENSC_CONF" },
  { "[PIN]\nWrongCode=0xa0\n", "[PIN]", "WrongCode" },

  { "[Unlock]\nWay=init-token\n", "[Unlock]", "Way" },
  { "[Unlock]\nWay=\n", "[Unlock]", "Way" },
  { "[Unlock]\nWay=so-login-init-pin;none\n", "[Unlock]", "Way" },
  { "[Unlock]\nWay=SO-LOGIN-INIT-PIN\n", "[Unlock]", "Way" },
  { "[Watch]\nWays=poll\n", "[Watch]", "Ways" },
  { "[Watch]\nWay=never\n", "[Watch]", "Way" },
  { "[PIN]\nFlags=Exact\n", "[PIN]", "Flags" },
  { "[PUK]\nFlags=sometimes\n", "[PUK]", "Flags" },
  { "[PIN]\nMaximum=0\n", "[PIN]", "Maximum" },
  { "[PIN]\nMaximum=-3\n", "[PIN]", "Maximum" },
  { "[PUK]\nMaximum=256\n", "[PUK]", "Maximum" },
  { "[PUK]\nMaximum=4294967299\n", "[PUK]", "Maximum" },
  { "[PUK]\nMaximum=three\n", "[PUK]", "Maximum" },
  { "[PUK]\nMaximum=3.5\n", "[PUK]", "Maximum" },
  { "[PUK]\nMaximum=\n", "[PUK]", "Maximum" },
  { "[PIN]\nNeverLocks=yes\n", "[PIN]", "NeverLocks" },
  { "[PUK]\nNeverLocks=\n", "[PUK]", "NeverLocks" },
  { "[PIN]\nMinimumLength=0\n", "[PIN]", "MinimumLength" },
  { "[PIN]\nMaximumLength=long\n", "[PIN]", "MaximumLength" },
  { "[PIN]\nCharacters=letters\n", "[PIN]", "Characters" },
  { "[PIN]\nChangeCounts=never\n", "[PIN]", "ChangeCounts" },
  { "[PIN]\nChangeProves=1.0\n", "[PIN]", "ChangeProves" },
  { "[PIN]\nSharedBySlots=2\n", "[PIN]", "SharedBySlots" },
  { "[Unlock]\nSetsFirstPin=once\n", "[Unlock]", "SetsFirstPin" },

  /* What GKeyFile cannot read (an escape that does not exist, say) is there, and is bad. */
  { "[Match]\nFiles=a\\q.so\n", "[Match]", "Files" },
  { "[Match]\nManufacturers=\\x\n", "[Match]", "Manufacturers" },
  { "[Match]\nFiles=a.so\nModels=\\x\n", "[Match]", "Models" },
  { "[Unlock]\nWay=so\\qlogin\n", "[Unlock]", "Way" },
  { "[PIN]\nCharacters=\\digits\n", "[PIN]", "Characters" },
  { "[Environment]\nA=\\q\n", "[Environment]", "A" },
  { "[Environment]\nA\xff=1\n", "[Environment]", "" },
};

static void
test_bad (gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GError) error = NULL;
  g_autoptr (TokendProfile) profile = parse (bad[i].text, &error);

  g_assert_null (profile);
  g_assert_nonnull (error);
  if (error != NULL) {
    g_assert_cmpint (error->domain, ==, G_KEY_FILE_ERROR);
    g_assert_true (strstr (error->message, bad[i].group) != NULL);
    g_assert_true (strstr (error->message, bad[i].key) != NULL);
  }
}

static GPtrArray *
load (const Scratch *scratch)
{
  g_autofree char *package = scratch_path (scratch, "package");
  g_autofree char *admin = scratch_path (scratch, "admin");

  return tokend_profiles_load (package, admin);
}

static void
test_no_folders (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (GPtrArray) profiles = load (scratch);

  g_assert_cmpuint (profiles->len, ==, 0);
  g_assert_null (tokend_profiles_match (profiles, "/usr/lib/a.so", "M", "N", NULL));
  g_assert_null (tokend_profiles_match_module (profiles, "/usr/lib/a.so"));
  journal_spy_expect_nothing ();
}

static void
test_override (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (GPtrArray) profiles = NULL;
  const TokendProfile *card, *own;

  scratch_write (scratch, "package/card.conf",
                 "[Match]\nFiles=card.so\n[Unlock]\nWay=so-login-init-pin\n"
                 "[PIN]\nFlags=exact\nMaximum=3\nCharacters=digits\n"
                 "[Environment]\nA=1\nB=2\n");
  scratch_write (scratch, "admin/card.conf",
                 "[PIN]\nMaximum=5\n[PUK]\nFlags=exact\n[Environment]\nB=3\nC=a\\nb\n");
  scratch_write (scratch, "admin/own.conf", "[Match]\nFiles=own.so\n");
  profiles = load (scratch);
  journal_spy_expect_nothing ();
  g_assert_cmpuint (profiles->len, ==, 2);

  card = tokend_profiles_match_module (profiles, "/usr/lib/card.so");
  g_assert_cmpstr (card->name, ==, "card");
  g_assert_cmpint (card->unlock_method, ==, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN);
  g_assert_cmpint (card->rules[PIN].flags, ==, TOKEND_FLAGS_MEANING_EXACT);
  g_assert_cmpint (card->rules[PIN].maximum, ==, 5);
  g_assert_cmpint (card->codes[PIN].characters, ==, TOKEND_CHARACTERS_DIGITS);
  g_assert_cmpint (card->rules[PUK].flags, ==, TOKEND_FLAGS_MEANING_EXACT);
  g_assert_cmpstr (g_hash_table_lookup (card->environment, "A"), ==, "1");
  g_assert_cmpstr (g_hash_table_lookup (card->environment, "B"), ==, "3");
  g_assert_cmpstr (g_hash_table_lookup (card->environment, "C"), ==, "a\nb");

  own = tokend_profiles_match_module (profiles, "/usr/lib/own.so");
  g_assert_cmpstr (own->name, ==, "own");
  g_assert_true (g_str_has_suffix (card->admin_path, "/admin/card.conf"));
  g_assert_true (g_str_has_suffix (own->admin_path, "/admin/own.conf"));
}

/* It was written to be heeded: what cannot be opened is not taken for what is not there. */
static void
test_link_to_nowhere (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *link = scratch_path (scratch, "admin/card.conf");
  g_autoptr (GPtrArray) profiles = NULL;

  scratch_write (scratch, "package/card.conf", "[Match]\nFiles=card.so\n");
  scratch_write (scratch, "admin/other.conf", "[Match]\nFiles=other.so\n");
  g_assert_cmpint (symlink ("nowhere", link), ==, 0);
  profiles = load (scratch);
  journal_spy_expect ("admin/card.conf");
  g_assert_null (tokend_profiles_match_module (profiles, "card.so"));
  g_assert_nonnull (tokend_profiles_match_module (profiles, "other.so"));
}

/* A file, as one that may not be entered, which root may always. */
static void
test_folder_that_is_none (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (GPtrArray) profiles = NULL;

  scratch_write (scratch, "package/card.conf", "[Match]\nFiles=card.so\n");
  scratch_write (scratch, "admin", "");
  profiles = load (scratch);
  journal_spy_expect ("this folder");
  g_assert_cmpuint (profiles->len, ==, 0);
}

/* What cannot be read is left out and named, the administrator's mistake as well; the rest
 * stands. */
static void
test_bad_files (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (GPtrArray) profiles = NULL;

  scratch_write (scratch, "package/good.conf", "[Match]\nFiles=good.so\n");
  scratch_write (scratch, "package/spoilt.conf", "[Match]\nFiles=spoilt.so\n[PUK]\nMaximum=3\n");
  scratch_write (scratch, "admin/spoilt.conf", "[PUK]\nMaximum=lots\n");
  scratch_write (scratch, "package/.hidden.conf", "garbage");
  scratch_write (scratch, "package/README", "garbage");
  scratch_write (scratch, "package/good.conf~", "garbage");
  profiles = load (scratch);
  journal_spy_expect ("“spoilt”");
  g_assert_cmpuint (profiles->len, ==, 1);

  g_ptr_array_unref (profiles);
  scratch_write (scratch, "admin/spoilt.conf", "no group\n");
  profiles = load (scratch);
  journal_spy_expect ("admin/spoilt.conf");
  g_assert_cmpuint (profiles->len, ==, 1);
  g_assert_nonnull (tokend_profiles_match_module (profiles, "good.so"));
  g_assert_null (tokend_profiles_match_module (profiles, "spoilt.so"));

  g_ptr_array_unref (profiles);
  scratch_write (scratch, "admin/spoilt.conf", "");
  scratch_write (scratch, "admin/name\xff.conf", "[Match]\nFiles=name.so\n");
  profiles = load (scratch);
  journal_spy_expect ("“name\xef\xbf\xbd”");
  g_assert_cmpuint (profiles->len, ==, 2);
  g_assert_null (tokend_profiles_match_module (profiles, "name.so"));
}

/* The line that is named: of two files, of the one with the mistake. */
static const struct {
  const char *package, *admin;
  const char *named;
} lines[] = {
  { "[PIN]\nMaximum=x\n", NULL, "package/x.conf, line 2: [PIN] Maximum" },
  { "# c\n\n[PIN]\n\n  Maximum = x\n", NULL, "package/x.conf, line 5: " },
  { "[PIN]\nMaximum=3\nMaximum=x\n", NULL, "package/x.conf, line 3: " },
  { "[PUK]\nMaximum=3\n[PIN]\nMaximum=x\n[PUK]\n", NULL, "package/x.conf, line 4: " },
  { "[PIN]\nMaximum=x\n", "[PIN]\nMaximum=3\n[Pin]\nFlags=none\n", "admin/x.conf, line 3: [Pin]" },
  { "[PIN]\nMaximum=x\n", "[PUK]\nMaximum=3\n", "package/x.conf, line 2: " },
  { "[PIN]\nMaximum=3\n", "\n[PIN]\nMaximum=x\n", "admin/x.conf, line 3: " },
  { "[PIN]\r\nMaximum=x\r\n", NULL, "package/x.conf, line 2: " },
  { "[PIN]\nMaximumLength=3\nMax=3\nMaximum=3", NULL, "package/x.conf, line 3: [PIN] Max:" },

  /* Syntax */
  { "no group\n", NULL, "package/x.conf, line 1: " },
  { "# c\n[PIN]\nMaximum=3\nnonsense\n[PUK]\n", NULL, "package/x.conf, line 4: " },
  { "[PIN]\nMaximum=3\n", "[PIN\nMaximum=3\n", "admin/x.conf, line 1: " },
  { "[PIN]\nMaximum=3\nnonsense", NULL, "package/x.conf, line 3: " },
};

static void
test_lines (Scratch *scratch, gconstpointer data)
{
  const guint i = GPOINTER_TO_UINT (data);
  g_autoptr (GPtrArray) profiles = NULL;

  scratch_write (scratch, "package/x.conf", lines[i].package);
  if (lines[i].admin != NULL)
    scratch_write (scratch, "admin/x.conf", lines[i].admin);
  profiles = load (scratch);
  g_assert_cmpuint (profiles->len, ==, 0);
  journal_spy_expect (lines[i].named);
}

static const struct {
  const char *module, *manufacturer, *model;
  const char *matched;
} matches[] = {
  { "/usr/lib/card.so", "Other", "Other", "b-file" },
  { "/usr/lib/card.so.2", "Other", "Other", "b-file" },
  { "card.so", NULL, NULL, "b-file" },
  { "/card.so/other.so", "Other", "Other", NULL },
  { "/usr/lib/CARD.SO", "Other", "Other", NULL },
  { "/usr/lib/any.so", "Maker Inc.", "Other", "d-maker" },
  { "/usr/lib/any.so", "A Maker", "Other", NULL },
  { "/usr/lib/any.so", "Maker Inc.", NULL, "d-maker" },
  { "/usr/lib/any.so", NULL, "Model", NULL },
  { "/usr/lib/any.so", "Maker Inc.", "Model", "c-maker-and-model" },
  { "/usr/lib/any.so", "Second", "Model", "c-maker-and-model" },
  { "/usr/lib/any.so", "Second", "Model 2", NULL },
  { "/usr/lib/card.so", "Maker Inc.", "Other", "b-file" }, /* as many keys: the first by name */
  { "/usr/lib/card.so", "Maker Inc.", "Model", "a-all" },
  { "/usr/lib/card.so", "Second", "Model", "c-maker-and-model" },
};

static void
test_match (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (GPtrArray) profiles = NULL;

  scratch_write (scratch, "package/a-all.conf",
                 "[Match]\nFiles=card.so\nManufacturers=Maker*\nModels=Model\n");
  scratch_write (scratch, "admin/b-file.conf", "[Match]\nFiles=card.so*\n");
  scratch_write (scratch, "package/c-maker-and-model.conf",
                 "[Match]\nManufacturers=Maker*;Second\nModels=Model\n");
  scratch_write (scratch, "package/d-maker.conf", "[Match]\nManufacturers=Maker*\n");
  scratch_write (scratch, "package/e-nothing.conf", "[Unlock]\nWay=so-login-init-pin\n");
  scratch_write (scratch, "package/f-empty.conf", "[Match]\nFiles=\nManufacturers=\nModels=\n");
  profiles = load (scratch);
  g_assert_cmpuint (profiles->len, ==, 6);

  for (gsize i = 0; i < G_N_ELEMENTS (matches); i++) {
    const TokendProfile *profile = tokend_profiles_match (
        profiles, matches[i].module, matches[i].manufacturer, matches[i].model, NULL);

    g_test_message ("%s, %s, %s", matches[i].module, matches[i].manufacturer, matches[i].model);
    g_assert_cmpstr (profile != NULL ? profile->name : NULL, ==, matches[i].matched);
  }
}

static void
test_match_module (Scratch *scratch, gconstpointer user_data)
{
  g_autoptr (GPtrArray) profiles = NULL;

  scratch_write (scratch, "package/a-maker.conf", "[Match]\nManufacturers=*\n");
  scratch_write (scratch, "package/b-file.conf", "[Match]\nFiles=lib?.so;card.so*\nModels=X\n");
  scratch_write (scratch, "package/c-base.conf", "[Match]\nFiles=based.so\n");
  scratch_write (scratch, "package/c-kind.conf", "[Match]\nFiles=based.so\nModels=X\n");
  scratch_write (scratch, "package/b-kind.conf", "[Match]\nFiles=based.so\nManufacturers=X\n");
  profiles = load (scratch);
  g_assert_cmpstr (tokend_profiles_match_module (profiles, "/x/based.so")->name, ==, "c-base");
  g_assert_null (tokend_profiles_match_module (profiles, "/usr/lib/other.so"));
  g_assert_cmpstr (tokend_profiles_match_module (profiles, "/usr/lib/liba.so")->name, ==, "b-file");
  g_assert_cmpstr (tokend_profiles_match_module (profiles, "card.so.1")->name, ==, "b-file");
  g_assert_null (tokend_profiles_match_module (profiles, "/usr/lib/libab.so"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  g_test_add_func ("/profile/defaults", test_defaults);
  g_test_add_func ("/profile/every-key", test_every_key);
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autofree char *path = g_strdup_printf ("/profile/bad/%u/%s", i, bad[i].group);
    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_bad);
  }
  scratch_add_test ("/profile/no-folders", test_no_folders);
  scratch_add_test ("/profile/override", test_override);
  scratch_add_test ("/profile/link-to-nowhere", test_link_to_nowhere);
  scratch_add_test ("/profile/folder-that-is-none", test_folder_that_is_none);
  scratch_add_test ("/profile/bad-files", test_bad_files);
  for (guint i = 0; i < G_N_ELEMENTS (lines); i++) {
    g_autofree char *path = g_strdup_printf ("/profile/lines/%u", i);
    g_test_add (path, Scratch, GUINT_TO_POINTER (i), scratch_set_up, test_lines, scratch_tear_down);
  }
  scratch_add_test ("/profile/match", test_match);
  scratch_add_test ("/profile/match-module", test_match_module);
  return g_test_run ();
}
