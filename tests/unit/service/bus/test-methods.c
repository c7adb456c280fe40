/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "methods.h"

#include "call.h"
#include "manager.h"
#include "operation.h"
#include "tokend-error.h"
#include "tokend-glue.h"
#include "tokend-status.h"

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

/*
 * The contract's XML, the table of methods, polkit's actions and the bus policy say the same: a
 * method that is in one of them and not in the others fails here.
 *
 * What each handler begins is played here; see meson.build.
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

#define INVOCATION ((GDBusMethodInvocation *) "call")
#define OPERATION ((TokendOperation *) "operation")
#define ACTION "the action"

static struct {
  TokendService service;
  TokendToken *token;
  GVariant *arguments;
  gboolean is_fresh, is_read;
  GString *calls; /* what was begun and replied, in order */
} scene;

GVariant *
__wrap_g_dbus_method_invocation_get_parameters (GDBusMethodInvocation *invocation)
{
  g_assert_true (invocation == INVOCATION);
  return scene.arguments;
}

void
__wrap_g_dbus_method_invocation_return_value (GDBusMethodInvocation *invocation, GVariant *value)
{
  g_autoptr (GVariant) reply = g_variant_ref_sink (value);
  g_autofree char *text = g_variant_print (reply, FALSE);

  g_assert_true (invocation == INVOCATION);
  g_string_append_printf (scene.calls, "reply%s", text);
}

void
__wrap_tokend_call_return_error (GDBusMethodInvocation *invocation, GError *error)
{
  g_assert_true (invocation == INVOCATION);
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_TOKEN_REMOVED);
  g_string_append (scene.calls, "error");
  g_error_free (error);
}

gboolean
__wrap_tokend_token_is_fresh (TokendToken *self)
{
  g_assert_true (self == scene.token);
  return scene.is_fresh;
}

GVariant *
__wrap_tokend_token_get_status (TokendToken *self)
{
  g_assert_true (self == scene.token);
  return g_variant_new_parsed ("{'label': <'a token'>}");
}

void
__wrap_tokend_token_refresh_async (TokendToken *self, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  g_assert_true (self == scene.token);
  g_string_append (scene.calls, "refresh ");
  callback (G_OBJECT (self), NULL, user_data);
}

gboolean
__wrap_tokend_token_refresh_finish (TokendToken *self, GAsyncResult *result, GError **error)
{
  g_assert_true (self == scene.token);
  if (!scene.is_read)
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_TOKEN_REMOVED, "as the test was told");
  return scene.is_read;
}

static void
note_options (const char *what, GVariant *options)
{
  g_autofree char *text = g_variant_print (options, FALSE);

  g_string_append_printf (scene.calls, "%s%s", what, text);
}

void
__wrap_tokend_operation_start (TokendService *service, TokendToken *token, TokendRole role,
                               const char *action, GDBusMethodInvocation *invocation,
                               GVariant *options)
{
  g_assert_true (service == &scene.service);
  g_assert_true (token == scene.token);
  g_assert_cmpstr (action, ==, ACTION);
  g_assert_true (invocation == INVOCATION);
  note_options (role == TOKEND_ROLE_PUK ? "start PUK " : "start PIN ", options);
}

void
__wrap_tokend_operation_finish (TokendOperation *operation, GDBusMethodInvocation *invocation,
                                GVariant *options)
{
  g_assert_true (operation == OPERATION);
  g_assert_true (invocation == INVOCATION);
  note_options ("finish ", options);
}

void
__wrap_tokend_operation_again (TokendOperation *operation, GDBusMethodInvocation *invocation)
{
  g_assert_true (operation == OPERATION);
  g_assert_true (invocation == INVOCATION);
  g_string_append (scene.calls, "again");
}

void
__wrap_tokend_operation_cancel (TokendOperation *operation, GDBusMethodInvocation *invocation)
{
  g_assert_true (operation == OPERATION);
  g_assert_true (invocation == INVOCATION);
  g_string_append (scene.calls, "cancel");
}

#define STATUS "({'label': <'a token'>},)"
#define OPTIONS "{'an-option': <true>}"

/* What each handler does with a call, and with the token that it is about. */
static const struct {
  const char *interface, *method;
  gboolean is_fresh, is_read;
  const char *calls;
} handled[] = {
  { "org.tokend.Tokend1.Token", "GetStatus", TRUE, TRUE, "reply" STATUS },
  { "org.tokend.Tokend1.Token", "GetStatus", TRUE, FALSE, "reply" STATUS },
  { "org.tokend.Tokend1.Token", "GetStatus", FALSE, TRUE, "refresh reply" STATUS },
  { "org.tokend.Tokend1.Token", "GetStatus", FALSE, FALSE, "refresh error" },
  { "org.tokend.Tokend1.Token", "Refresh", TRUE, TRUE, "refresh reply" STATUS },
  { "org.tokend.Tokend1.Token", "Refresh", FALSE, TRUE, "refresh reply" STATUS },
  { "org.tokend.Tokend1.Token", "Refresh", TRUE, FALSE, "refresh error" },
  { "org.tokend.Tokend1.Token", "Unlock", TRUE, TRUE, "start PUK " OPTIONS },
  { "org.tokend.Tokend1.Token", "SetPin", TRUE, TRUE, "start PIN " OPTIONS },
  { "org.tokend.Tokend1.Operation", "Finish", TRUE, TRUE, "finish " OPTIONS },
  { "org.tokend.Tokend1.Operation", "Again", TRUE, TRUE, "again" },
  { "org.tokend.Tokend1.Operation", "Cancel", TRUE, TRUE, "cancel" },
};

static void
test_handlers (void)
{
  scene.token = g_object_new (TOKEND_TYPE_TOKEN, NULL);
  scene.arguments =
      g_variant_ref_sink (g_variant_new_parsed ("(" OPTIONS ", {'no-option': <true>})"));
  for (gsize i = 0; i < G_N_ELEMENTS (handled); i++) {
    const TokendMethod *method = tokend_methods_find (handled[i].interface, handled[i].method);
    const gboolean is_operations = method->rule == TOKEND_METHOD_OWNER;

    g_test_message ("row %" G_GSIZE_FORMAT ": %s", i, handled[i].method);
    scene.is_fresh = handled[i].is_fresh;
    scene.is_read = handled[i].is_read;
    scene.calls = g_string_new (NULL);
    method->handler (&scene.service, is_operations ? (gpointer) OPERATION : (gpointer) scene.token,
                     INVOCATION, is_operations ? NULL : ACTION);
    g_assert_cmpstr (scene.calls->str, ==, handled[i].calls);
    g_string_free (scene.calls, TRUE);
  }
  g_clear_pointer (&scene.arguments, g_variant_unref);
  g_assert_finalize_object (scene.token);
}

static TokendMethodFunc
get_handler (const char *method)
{
  return tokend_methods_find ("org.tokend.Tokend1.Manager", method)->handler;
}

static void
test_handlers_of_manager (void)
{
  g_assert_true (get_handler ("Subscribe") == tokend_manager_subscribe);
  g_assert_true (get_handler ("Unsubscribe") == tokend_manager_unsubscribe);
  g_assert_true (get_handler ("GetModules") == tokend_manager_get_modules);
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
  g_test_add_func ("/methods/handlers", test_handlers);
  g_test_add_func ("/methods/handlers/of-manager", test_handlers_of_manager);
  return g_test_run ();
}
