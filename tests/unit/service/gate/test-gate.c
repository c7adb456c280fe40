/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gate.h"

#include "tokend-glue.h"
#include "tokend-status.h"

/*
 * The contract's XML, the gate's table, polkit's actions and the bus policy say the same: a method
 * that is in one of them and not in the others fails here.
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
/* Who calls an operation's methods is who has opened it, and was let in then: they have no
 * rules. */
#define N_INTERFACES_WITH_RULES 2

static guint
count_rules (const char *interface, const char *method)
{
  gsize n_rules;
  const TokendGateRule *rules = tokend_gate_get_rules (&n_rules);
  guint count = 0;

  for (gsize i = 0; i < n_rules; i++)
    count += g_str_equal (rules[i].interface, interface) && g_str_equal (rules[i].method, method);
  return count;
}

static void
test_every_method_has_one_rule (void)
{
  guint n_methods = 0;
  gsize n_rules;

  for (guint i = 0; i < N_INTERFACES_WITH_RULES; i++) {
    const GDBusInterfaceInfo *info = get_interface (i);
    for (guint m = 0; info->methods != NULL && info->methods[m] != NULL; m++) {
      g_test_message ("%s.%s", info->name, info->methods[m]->name);
      g_assert_cmpuint (count_rules (info->name, info->methods[m]->name), ==, 1);
      n_methods++;
    }
  }
  tokend_gate_get_rules (&n_rules);
  g_assert_cmpuint (n_rules, ==, n_methods);
}

static void
test_every_rule_has_a_method (void)
{
  gsize n_rules;
  const TokendGateRule *rules = tokend_gate_get_rules (&n_rules);

  for (gsize i = 0; i < n_rules; i++) {
    gboolean found = FALSE;
    for (guint k = 0; k < N_INTERFACES_WITH_RULES; k++) {
      const GDBusInterfaceInfo *info = get_interface (k);
      found =
          found
          || (g_str_equal (info->name, rules[i].interface)
              && g_dbus_interface_info_lookup_method ((GDBusInterfaceInfo *) info, rules[i].method)
                     != NULL);
    }
    g_test_message ("%s.%s", rules[i].interface, rules[i].method);
    g_assert_true (found);
  }
}

/* What each method takes, said once more. */
static const struct {
  const char *interface;
  const char *method;
  const char *action;
} design[] = {
  { "org.tokend.Tokend1.Manager", "Subscribe", "org.tokend.read-status" },
  { "org.tokend.Tokend1.Manager", "Unsubscribe", "org.tokend.read-status" },
  { "org.tokend.Tokend1.Manager", "GetModules", "org.tokend.read-status" },
  { "org.tokend.Tokend1.Token", "GetStatus", "org.tokend.read-status" },
  { "org.tokend.Tokend1.Token", "Refresh", "org.tokend.read-status" },
  { "org.tokend.Tokend1.Token", "Unlock", "org.tokend.unlock" },
  { "org.tokend.Tokend1.Token", "SetPin", "org.tokend.set-pin" },
  { "org.tokend.Tokend1.Manager", "Unlock", NULL },
  { "org.tokend.Tokend1.Operation", "Finish", NULL },
  { "org.tokend.Tokend1.Operation", "Unlock", NULL },
  { "org.tokend.Tokend1.Token", "Subscribe", NULL },
  { "org.tokend.Tokend1.Token", "unlock", NULL },
  { "org.tokend.Tokend1.Token", "", NULL },
  { "", "Unlock", NULL },
  { "org.freedesktop.DBus.Properties", "Set", NULL },
};

static void
test_actions (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (design); i++)
    g_assert_cmpstr (tokend_gate_get_action (design[i].interface, design[i].method), ==,
                     design[i].action);
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
  gsize n_rules;
  const TokendGateRule *rules = tokend_gate_get_rules (&n_rules);

  for (gsize i = 0; i < n_rules; i++) {
    g_assert_true (g_hash_table_contains (actions, rules[i].action));
    g_hash_table_add (used, (gpointer) rules[i].action);
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
  g_test_add_func ("/gate/every-method-has-one-rule", test_every_method_has_one_rule);
  g_test_add_func ("/gate/every-rule-has-a-method", test_every_rule_has_a_method);
  g_test_add_func ("/gate/actions", test_actions);
  g_test_add_func ("/gate/polkit-actions", test_polkit_actions);
  g_test_add_func ("/gate/bus-policy", test_bus_policy);
  g_test_add_func ("/gate/bus-policy/denies-the-rest", test_bus_policy_denies_the_rest);
  return g_test_run ();
}
