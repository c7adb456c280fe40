/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "environment.h"
#include "opensc-configuration.h"

#include <string.h>

static TokendProfile *
parse (const char *text)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GError) error = NULL;
  TokendProfile *profile;

  g_key_file_load_from_data (key_file, text, strlen (text), G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  profile = tokend_profile_parse ("x", key_file, NULL, &error);
  g_assert_no_error (error);
  return profile;
}

/* The token's own profile stands above the library's, whose variables are needed all the same. */
static void
test_variables (void)
{
  g_autoptr (TokendProfile) file = parse ("[Environment]\nA=1\nB=2\n");
  g_autoptr (TokendProfile) token = parse ("[Environment]\nB=3\nC=4\n");
  g_autoptr (GHashTable) watching = tokend_environment_new (file, NULL, TOKEND_UNLOCK_METHOD_NONE);
  g_autoptr (GHashTable) operating =
      tokend_environment_new (file, token, TOKEND_UNLOCK_METHOD_NONE);
  g_autoptr (GHashTable) alone = tokend_environment_new (NULL, token, TOKEND_UNLOCK_METHOD_NONE);
  g_autoptr (GHashTable) none = tokend_environment_new (NULL, NULL, TOKEND_UNLOCK_METHOD_NONE);

  g_assert_cmpuint (g_hash_table_size (watching), ==, 2);
  g_assert_cmpstr (g_hash_table_lookup (watching, "B"), ==, "2");
  g_assert_cmpuint (g_hash_table_size (operating), ==, 3);
  g_assert_cmpstr (g_hash_table_lookup (operating, "A"), ==, "1");
  g_assert_cmpstr (g_hash_table_lookup (operating, "B"), ==, "3");
  g_assert_cmpstr (g_hash_table_lookup (operating, "C"), ==, "4");
  g_assert_cmpuint (g_hash_table_size (alone), ==, 2);
  g_assert_cmpuint (g_hash_table_size (none), ==, 0);
}

/* Each way has a configuration of its own, and what does not unlock one that allows none. */
static void
test_opensc (void)
{
  g_autoptr (TokendProfile) file = parse ("[Module]\nLibrary=opensc\n");
  g_autoptr (TokendProfile) token =
      parse ("[Module]\nLibrary=opensc\n[Unlock]\nWay=opensc-set-pin\n");
  g_autoptr (TokendProfile) other = parse ("[Unlock]\nWay=so-login-init-pin\n");
  static const struct {
    TokendUnlockMethod method;
    const char *file;
  } rows[] = {
    { TOKEND_UNLOCK_METHOD_NONE, "/no-unblock.conf" },
    { TOKEND_UNLOCK_METHOD_OPENSC_SO_LOGIN_INIT_PIN, "/so-login-init-pin.conf" },
    { TOKEND_UNLOCK_METHOD_OPENSC_SET_PIN, "/set-pin.conf" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GHashTable) both = tokend_environment_new (file, token, rows[i].method);
    g_autoptr (GHashTable) own = tokend_environment_new (NULL, token, rows[i].method);
    const char *shown = g_hash_table_lookup (both, TOKEND_OPENSC_VARIABLE);

    g_assert_true (g_str_has_suffix (shown, rows[i].file));
    g_assert_cmpstr (g_hash_table_lookup (own, TOKEND_OPENSC_VARIABLE), ==, shown);
  }

  {
    /* A token that no profile of OpenSC's fits, in OpenSC's library; and another library. */
    g_autoptr (GHashTable) fallback =
        tokend_environment_new (file, NULL, TOKEND_UNLOCK_METHOD_NONE);
    g_autoptr (GHashTable) none =
        tokend_environment_new (other, other, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN);

    g_assert_true (g_str_has_suffix (g_hash_table_lookup (fallback, TOKEND_OPENSC_VARIABLE),
                                     "/no-unblock.conf"));
    g_assert_null (g_hash_table_lookup (none, TOKEND_OPENSC_VARIABLE));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/environment/variables", test_variables);
  g_test_add_func ("/environment/opensc", test_opensc);
  return g_test_run ();
}
