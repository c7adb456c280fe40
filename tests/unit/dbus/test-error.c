/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tokend-error.h"

#include "tokend-enums.h"

#include <gio/gio.h>

static char *
read_source (const char *folder, const char *name)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, folder, name, NULL);
  g_autoptr (GError) error = NULL;
  char *content = NULL;

  g_file_get_contents (path, &content, NULL, &error);
  g_assert_no_error (error);
  return content;
}

/* A reply's error comes back as what it was. */
static void
test_registered (void)
{
  g_autoptr (GEnumClass) errors = g_type_class_ref (TOKEND_TYPE_ERROR);

  for (guint i = 0; i < errors->n_values; i++) {
    gboolean is_standard =
        errors->values[i].value == TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED;
    g_autofree char *name =
        g_strconcat (is_standard ? "org.freedesktop.DBus.Error." : "org.tokend.Tokend1.Error.",
                     errors->values[i].value_nick, NULL);
    g_autoptr (GError) sent = g_error_new_literal (TOKEND_ERROR, errors->values[i].value, "why");
    g_autofree char *encoded = g_dbus_error_encode_gerror (sent);
    g_autoptr (GError) received = g_dbus_error_new_for_dbus_error (name, "why");

    g_assert_cmpstr (encoded, ==, name);
    g_assert_true (g_dbus_is_interface_name (name));
    g_assert_error (received, TOKEND_ERROR, errors->values[i].value);
  }
}

/* The list of errors at the head of the contract: what each says of the token's tries. */
static char *
read_list_of_errors (void)
{
  g_autofree char *xml = read_source ("dbus", "org.tokend.Tokend1.xml");
  const char *begin = g_strstr_len (xml, -1, "no try was spent  ");
  const char *end = g_strstr_len (xml, -1, "Only Finish sends a code");

  g_assert_nonnull (begin);
  g_assert_nonnull (end);
  g_assert_true (begin < end);
  return g_strndup (begin, (gsize) (end - begin));
}

/* Each error is said in the contract, once, and the contract says no other. */
static void
test_documented (void)
{
  g_autoptr (GEnumClass) errors = g_type_class_ref (TOKEND_TYPE_ERROR);
  g_autofree char *list = read_list_of_errors ();
  g_autoptr (GRegex) name = g_regex_new ("\\b[A-Z][a-z]+[A-Za-z]*\\b", 0, 0, NULL);
  g_autoptr (GHashTable) said = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  for (g_regex_match (name, list, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    char *word = g_match_info_fetch (match, 0);

    if (g_str_equal (word, "SetPin")) { /* the method */
      g_free (word);
      continue;
    }
    g_test_message ("%s", word);
    g_assert_nonnull (g_enum_get_value_by_nick (errors, word));
    g_assert_true (g_hash_table_add (said, word));
  }
  g_assert_cmpuint (g_hash_table_size (said), ==, errors->n_values);
}

static void
test_not_authorized (void)
{
  g_autoptr (GEnumClass) errors = g_type_class_ref (TOKEND_TYPE_ERROR);
  g_autoptr (GError) other = g_error_new_literal (G_DBUS_ERROR, TOKEND_ERROR_NOT_AUTHORIZED, "");

  for (guint i = 0; i < errors->n_values; i++) {
    g_autoptr (GError) error = g_error_new_literal (TOKEND_ERROR, errors->values[i].value, "");
    gboolean expected =
        g_str_has_suffix (errors->values[i].value_nick, "NotAuthorized")
        || g_str_equal (errors->values[i].value_nick, "InteractiveAuthorizationRequired");

    g_assert_true (tokend_error_is_not_authorized (error) == expected);
  }
  g_assert_false (tokend_error_is_not_authorized (other));
  g_assert_false (tokend_error_is_not_authorized (NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/error/registered", test_registered);
  g_test_add_func ("/error/not-authorized", test_not_authorized);
  g_test_add_func ("/error/documented", test_documented);
  return g_test_run ();
}
