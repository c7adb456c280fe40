/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile.h"

#include "fuzz.h"
#include "opensc-configuration.h"

#include <glib/gstdio.h>
#include <string.h>

/* Stands between the package's file and the administrator's. */
#define SEPARATOR "%%\n"

static void
check_count (int count)
{
  g_assert_true (count == -1 || (count >= 1 && count <= 255));
}

/* As it goes to a module host. */
static void
check_environment (GHashTable *environment)
{
  GHashTableIter iter;
  gpointer name, value;

  g_hash_table_iter_init (&iter, environment);
  while (g_hash_table_iter_next (&iter, &name, &value)) {
    g_assert_true (g_utf8_validate (name, -1, NULL));
    g_assert_true (g_utf8_validate (value, -1, NULL));
    g_assert_true (*(char *) name != '\0' && strchr (name, '=') == NULL);
    g_assert_false (g_str_equal (name, TOKEND_OPENSC_VARIABLE));
  }
}

static void
check_profile (const TokendProfile *profile)
{
  g_assert_cmpstr (profile->name, ==, "x");
  for (guint role = 0; role < TOKEND_N_ROLES; role++) {
    check_count (profile->rules[role].maximum);
    g_assert_cmpuint (profile->rules[role].flags, <=, TOKEND_FLAGS_MEANING_LOW_ONLY);
    g_assert_cmpuint (profile->wrong_codes[role], <=, TOKEND_WRONG_CODE_USER_NOT_LOGGED_IN);
    check_count (profile->codes[role].minimum_length);
    check_count (profile->codes[role].maximum_length);
    check_count (profile->codes[role].usual_length);
    g_assert_cmpuint (profile->codes[role].characters, <=, TOKEND_CHARACTERS_DIGITS);
  }
  g_assert_cmpuint (profile->unlock_method, <=, TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN);
  g_assert_true (profile->unlock_method == TOKEND_UNLOCK_METHOD_NONE
                 || tokend_unlock_method_is_opensc (profile->unlock_method) == profile->is_opensc);
  g_assert_cmpint (profile->codes[TOKEND_ROLE_PIN].usual_length, ==, -1);
  check_environment (profile->environment);
}

/* A profile, and after a line "%%" what the administrator put over it. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  const char *folder = fuzz_folder ();
  g_autofree char *file = g_build_filename (folder, "x.conf", NULL);
  g_autofree char *admin = g_build_filename (folder, "admin", NULL);
  g_autofree char *above = g_build_filename (admin, "x.conf", NULL);
  const guint8 *cut = memmem (data, size, SEPARATOR, strlen (SEPARATOR));
  const gsize first = cut != NULL ? (gsize) (cut - data) : size;
  g_autoptr (GPtrArray) profiles = NULL;

  g_mkdir (admin, 0700);
  fuzz_write (file, data, first);
  fuzz_write (above, cut != NULL ? cut + strlen (SEPARATOR) : data,
              cut != NULL ? size - first - strlen (SEPARATOR) : 0);
  profiles = tokend_profiles_load (folder, admin);
  g_assert_cmpuint (profiles->len, <=, 1);
  if (profiles->len == 1)
    check_profile (profiles->pdata[0]);
  tokend_profiles_match (profiles, "/usr/lib/libeToken.so", "SafeNet, Inc.", "eToken", "3B");
  g_variant_unref (
      g_variant_ref_sink (tokend_profiles_list_questions (profiles, "/usr/lib/libeToken.so")));
  tokend_profiles_match_provider (profiles, "CN=E-Guven,C=TR");
  tokend_profiles_match_module (profiles, "/usr/lib/libeToken.so");
  return 0;
}
