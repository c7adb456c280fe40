/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "methods.h"

#include "tokend-glue.h"
#include "tokend-status.h"

/*
 * The contract's XML, the table of methods, polkit's actions and the bus policy say the same: a
 * method that is in one of them and not in the others fails here.
 */

#define STANDARD "org.freedesktop.DBus."

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

static const GDBusInterfaceInfo *
get_interface (guint i)
{
  if (i == 2)
    return tokend_dbus_operation_interface_info ();
  return i == 0 ? tokend_dbus_manager_interface_info () : tokend_dbus_token_interface_info ();
}
#define N_INTERFACES 3

/* What the XML's comments say of each method: "Interface.Method" → the text after "polkit action:",
 * or "" if it says nothing. */
static GHashTable *
collect_documented (void)
{
  g_autofree char *xml = read_source ("dbus", "org.tokend.Tokend1.xml");
  g_autoptr (GRegex) regex = g_regex_new (
      "<interface name=\"([^\"]*)\"|polkit action: ([^\\n]*)|<method name=\"([^\"]*)\"", 0, 0,
      NULL);
  g_autoptr (GMatchInfo) match = NULL;
  g_autofree char *interface = NULL, *action = NULL;
  GHashTable *documented = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  for (g_regex_match (regex, xml, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    g_autofree char *method = g_match_info_fetch (match, 3);
    char **which = g_match_info_get_match_count (match) == 2 ? &interface : &action;

    if (g_match_info_get_match_count (match) < 4) {
      g_free (*which);
      *which = g_match_info_fetch (match, g_match_info_get_match_count (match) - 1);
    } else {
      g_assert_true (
          g_hash_table_insert (documented, g_strconcat (interface, ".", method, NULL),
                               action != NULL ? g_steal_pointer (&action) : g_strdup ("")));
    }
  }
  return documented;
}

/* Each method of the XML is in the table exactly once, and its rule is what its documentation
 * says. */
static void
test_every_method_has_its_row (void)
{
  g_autoptr (GHashTable) documented = collect_documented ();
  gsize n_methods;
  const TokendMethod *methods = tokend_methods_get_all (&n_methods);
  guint n_in_contract = 0;

  for (gsize i = 0; i < n_methods; i++) {
    g_autofree char *name = g_strconcat (methods[i].interface, ".", methods[i].name, NULL);
    const char *expected = methods[i].rule == TOKEND_METHOD_OWNER
                               ? "that of the method that opened it; nobody is asked again"
                               : methods[i].action;

    g_test_message ("%s", name);
    g_assert_cmpstr (g_hash_table_lookup (documented, name), ==, expected);
    g_assert_true ((methods[i].action == NULL) == (methods[i].rule == TOKEND_METHOD_OWNER));
    g_assert_nonnull (methods[i].handler);
    g_hash_table_remove (documented, name);
  }
  g_assert_cmpuint (g_hash_table_size (documented), ==, 0);
  for (guint i = 0; i < N_INTERFACES; i++)
    for (guint m = 0; get_interface (i)->methods[m] != NULL; m++, n_in_contract++)
      g_assert_nonnull (
          tokend_methods_find (get_interface (i)->name, get_interface (i)->methods[m]->name));
  g_assert_cmpuint (n_in_contract, ==, n_methods);
}

/* What each method takes, said once more. */
static const struct {
  const char *interface;
  const char *method;
  const char *action; /* NULL: nobody may call it */
  TokendMethodRule rule;
} design[] = {
  { "org.tokend.Tokend1.Manager", "Subscribe", "org.tokend.read-status", TOKEND_METHOD_ACTION },
  { "org.tokend.Tokend1.Manager", "Unsubscribe", "org.tokend.read-status", TOKEND_METHOD_ACTION },
  { "org.tokend.Tokend1.Manager", "GetModules", "org.tokend.read-status", TOKEND_METHOD_ACTION },
  { "org.tokend.Tokend1.Token", "GetStatus", "org.tokend.read-status", TOKEND_METHOD_ACTION },
  { "org.tokend.Tokend1.Token", "Refresh", "org.tokend.read-status", TOKEND_METHOD_ACTION },
  { "org.tokend.Tokend1.Token", "Unlock", "org.tokend.unlock", TOKEND_METHOD_OPENS },
  { "org.tokend.Tokend1.Token", "SetPin", "org.tokend.set-pin", TOKEND_METHOD_OPENS },
  { "org.tokend.Tokend1.Operation", "Finish", "", TOKEND_METHOD_OWNER },
  { "org.tokend.Tokend1.Operation", "Again", "", TOKEND_METHOD_OWNER },
  { "org.tokend.Tokend1.Operation", "Cancel", "", TOKEND_METHOD_OWNER },
  { "org.tokend.Tokend1.Manager", "Unlock" },
  { "org.tokend.Tokend1.Operation", "Unlock" },
  { "org.tokend.Tokend1.Token", "Finish" },
  { "org.tokend.Tokend1.Token", "Subscribe" },
  { "org.tokend.Tokend1.Token", "unlock" },
  { "org.tokend.Tokend1.Token", "" },
  { "", "Unlock" },
  { "org.freedesktop.DBus.Properties", "Set" },
};

static void
test_rules (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (design); i++) {
    const TokendMethod *method = tokend_methods_find (design[i].interface, design[i].method);

    g_test_message ("%s.%s", design[i].interface, design[i].method);
    g_assert_true ((method == NULL) == (design[i].action == NULL));
    if (method == NULL)
      continue;
    g_assert_cmpint (method->rule, ==, design[i].rule);
    g_assert_cmpstr (method->action != NULL ? method->action : "", ==, design[i].action);
  }
}

/* What is in the quotes after @before, wherever that is in @text: each once. */
static GHashTable *
collect (const char *text, const char *pattern)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  GHashTable *found = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    g_autofree char *first = g_match_info_fetch (match, 1);
    g_autofree char *second = g_match_info_fetch (match, 2);
    char *entry = second != NULL ? g_strconcat (first, ".", second, NULL) : g_strdup (first);

    g_test_message ("%s", entry);
    g_assert_true (g_hash_table_add (found, entry));
  }
  return found;
}

static void
test_polkit_actions (void)
{
  g_autofree char *policy = read_source ("policy", "org.tokend.policy");
  g_autoptr (GHashTable) actions = collect (policy, "<action id=\"([^\"]*)\">");
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);
  gsize n_methods;
  const TokendMethod *methods = tokend_methods_get_all (&n_methods);

  for (gsize i = 0; i < n_methods; i++) {
    if (methods[i].action == NULL)
      continue;
    g_assert_true (g_hash_table_contains (actions, methods[i].action));
    g_hash_table_add (used, (gpointer) methods[i].action);
  }
  g_assert_cmpuint (g_hash_table_size (actions), ==, g_hash_table_size (used));
}

static guint
count_descriptors (const GDBusMethodInfo *method)
{
  guint n_descriptors = 0;

  for (guint i = 0; method->in_args != NULL && method->in_args[i] != NULL; i++)
    n_descriptors += g_str_equal (method->in_args[i]->signature, "h");
  return n_descriptors;
}

/* A method that is not named in the bus policy does not reach the service, nor any with a
 * descriptor: it could take as long as its sender likes to close it. */
static void
test_bus_policy (void)
{
  static const char *const standard[] = {
    STANDARD "Introspectable.Introspect",
    STANDARD "Peer.Ping",
    STANDARD "Properties.Get",
    STANDARD "Properties.GetAll",
    STANDARD "ObjectManager.GetManagedObjects",
  };
  g_autofree char *conf = read_source ("dbus", "org.tokend.Tokend1.conf");
  g_autoptr (GHashTable) without = collect (
      conf, "<allow send_destination=\"org\\.tokend\\.Tokend1\" send_interface=\"([^\"]*)\" "
            "send_member=\"([^\"]*)\" max_fds=\"0\"/>");
  g_autoptr (GHashTable) all_allowed = collect (conf, "<allow ([^>]*)/>");
  guint n_members = G_N_ELEMENTS (standard);

  for (gsize i = 0; i < G_N_ELEMENTS (standard); i++)
    g_assert_true (g_hash_table_contains (without, standard[i]));
  for (guint i = 0; i < N_INTERFACES; i++) {
    const GDBusInterfaceInfo *info = get_interface (i);
    for (guint m = 0; info->methods != NULL && info->methods[m] != NULL; m++, n_members++) {
      g_autofree char *member = g_strconcat (info->name, ".", info->methods[m]->name, NULL);

      g_test_message ("%s", member);
      g_assert_cmpuint (count_descriptors (info->methods[m]), ==, 0);
      g_assert_true (g_hash_table_contains (without, member));
    }
  }
  g_assert_cmpuint (g_hash_table_size (without), ==, n_members);

  /* Beside these: who may own the name. */
  g_assert_cmpuint (g_hash_table_size (all_allowed), ==, n_members + 1);
  g_assert_true (g_hash_table_contains (all_allowed, "own=\"org.tokend.Tokend1\""));
}

static char *
slice (const char *text, const char *from, const char *to)
{
  const char *begin = g_strstr_len (text, -1, from);
  const char *end = begin != NULL ? g_strstr_len (begin, -1, to) : NULL;

  g_assert_nonnull (end);
  return g_strndup (begin, (gsize) (end - begin));
}

static void
test_bus_policy_denies_the_rest (void)
{
  g_autofree char *conf = read_source ("dbus", "org.tokend.Tokend1.conf");
  g_autofree char *owner = slice (conf, "<policy user=\"tokend\">", "</policy>");
  g_autofree char *everybody = slice (conf, "<policy context=\"default\">", "</policy>");
  const char *deny =
      g_strstr_len (everybody, -1, "<deny send_destination=\"org.tokend.Tokend1\"/>");

  g_assert_nonnull (g_strstr_len (owner, -1, "<allow own=\"org.tokend.Tokend1\"/>"));
  g_assert_null (g_strstr_len (everybody, -1, "own="));
  g_assert_nonnull (deny);
  g_assert_true (deny < g_strstr_len (everybody, -1, "<allow"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/methods/every-method-has-its-row", test_every_method_has_its_row);
  g_test_add_func ("/methods/rules", test_rules);
  g_test_add_func ("/methods/polkit-actions", test_polkit_actions);
  g_test_add_func ("/methods/bus-policy", test_bus_policy);
  g_test_add_func ("/methods/bus-policy/denies-the-rest", test_bus_policy_denies_the_rest);
  return g_test_run ();
}
