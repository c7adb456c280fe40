/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "exit-code.h"
#include "module-words.h"
#include "printable.h"
#include "tokend-error.h"
#include "tokend-glue.h"

#define LOADING_DEADLINE (10 * G_USEC_PER_SEC)
#define LOADING_POLL (G_USEC_PER_SEC / 5)

struct _TokenctlBus {
  GDBusConnection *connection;
  TokendDbusManager *manager;
  char *owner; /* the unique name of the service that told the tokens; or NULL */
};

static const GDBusCallFlags interactive = G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION;
static const GDBusProxyFlags plain =
    G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_CONNECT_SIGNALS;

/**
 * tokenctl_bus_open:
 *
 * Returns: (transfer full): a connection to the service, which its first call starts
 */
TokenctlBus *
tokenctl_bus_open (GError **error)
{
  g_autoptr (TokenctlBus) bus = g_new0 (TokenctlBus, 1);

  g_quark_to_string (TOKEND_ERROR); /* registers the errors' names */

  bus->connection = g_bus_get_sync (G_BUS_TYPE_SYSTEM, NULL, error);
  if (bus->connection == NULL)
    return NULL;
  g_dbus_connection_set_exit_on_close (bus->connection, FALSE);

  bus->manager = tokend_dbus_manager_proxy_new_sync (bus->connection, plain, TOKEND_BUS_NAME,
                                                     TOKEND_OBJECT_PATH, NULL, error);
  if (bus->manager == NULL)
    return NULL;
  return g_steal_pointer (&bus);
}

void
tokenctl_bus_close (TokenctlBus *bus)
{
  g_clear_object (&bus->manager);
  g_clear_object (&bus->connection);
  g_free (bus->owner);
  g_free (bus);
}

static TokendDbusToken *
proxy_for (TokenctlBus *bus, const char *name, const char *path, GError **error)
{
  return tokend_dbus_token_proxy_new_sync (bus->connection, plain, name, path, NULL, error);
}

/**
 * tokenctl_bus_refresh:
 * @path: a token's object
 *
 * Returns: (transfer full): the status as the token shows it now
 */
GVariant *
tokenctl_bus_refresh (TokenctlBus *bus, const char *path, GError **error)
{
  g_autoptr (TokendDbusToken) proxy = proxy_for (bus, TOKEND_BUS_NAME, path, error);
  GVariant *status = NULL;

  if (proxy == NULL)
    return NULL;
  tokend_dbus_token_call_refresh_sync (proxy, interactive, TOKENCTL_NO_TIMEOUT, &status, NULL,
                                       error);
  return status;
}

/**
 * tokenctl_bus_modules:
 *
 * Returns: (transfer full): an aa{sv}, see Manager.GetModules
 */
GVariant *
tokenctl_bus_modules (TokenctlBus *bus, GError **error)
{
  GVariant *modules = NULL;

  tokend_dbus_manager_call_get_modules_sync (bus->manager, interactive, TOKENCTL_NO_TIMEOUT,
                                             &modules, NULL, error);
  return modules;
}

/**
 * tokenctl_bus_modules_if_allowed:
 *
 * Returns: (transfer full) (nullable): tokenctl_bus_modules(), or %NULL if a person would have to
 *   be asked for a password
 */
GVariant *
tokenctl_bus_modules_if_allowed (TokenctlBus *bus)
{
  GVariant *modules = NULL;

  tokend_dbus_manager_call_get_modules_sync (bus->manager, G_DBUS_CALL_FLAGS_NONE,
                                             TOKENCTL_NO_TIMEOUT, &modules, NULL, NULL);
  return modules;
}

GDBusConnection *
tokenctl_bus_connection (TokenctlBus *bus)
{
  return bus->connection;
}

/**
 * tokenctl_bus_list:
 * @managed_objects: the reply of GetManagedObjects, (a{oa{sa{sv}}})
 *
 * Returns: (transfer full) (element-type utf8): the object paths of the tokens
 */
GPtrArray *
tokenctl_bus_list (GVariant *managed_objects)
{
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GVariantIter) objects = NULL;
  const char *path;
  GVariant *interfaces;

  g_variant_get (managed_objects, "(a{oa{sa{sv}}})", &objects);
  while (g_variant_iter_loop (objects, "{&o@a{sa{sv}}}", &path, &interfaces)) {
    g_autoptr (GVariant) token =
        g_variant_lookup_value (interfaces, TOKENCTL_TOKEN_INTERFACE, NULL);

    if (token != NULL)
      g_ptr_array_add (paths, g_strdup (path));
  }
  return paths;
}

static GPtrArray *
list_paths (TokenctlBus *bus, GError **error)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      bus->connection, TOKEND_BUS_NAME, TOKEND_OBJECT_PATH, TOKENCTL_OBJECT_MANAGER_INTERFACE,
      "GetManagedObjects", NULL, G_VARIANT_TYPE ("(a{oa{sa{sv}}})"), interactive,
      TOKENCTL_NO_TIMEOUT, NULL, error);

  return reply != NULL ? tokenctl_bus_list (reply) : NULL;
}

static gint
compare_tokens (gconstpointer a, gconstpointer b)
{
  const TokenctlToken *left = *(const TokenctlToken *const *) a;
  const TokenctlToken *right = *(const TokenctlToken *const *) b;
  int by_label = g_utf8_collate (tokenctl_status_string (left->status, TOKEND_STATUS_LABEL),
                                 tokenctl_status_string (right->status, TOKEND_STATUS_LABEL));

  return by_label != 0 ? by_label : g_strcmp0 (left->path, right->path);
}

/**
 * tokenctl_bus_has_left:
 * @error: what a call to a token answered
 *
 * Returns: whether the token is not there any more
 */
gboolean
tokenctl_bus_has_left (const GError *error)
{
  return g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD);
}

/* Gets the status without a read: Subscribe has just read the tokens, and the service watches them.
 */
static GVariant *
get_status (TokenctlBus *bus, const char *path, GError **error)
{
  g_autoptr (TokendDbusToken) proxy = proxy_for (bus, TOKEND_BUS_NAME, path, error);
  GVariant *status = NULL;

  if (proxy == NULL)
    return NULL;
  tokend_dbus_token_call_get_status_sync (proxy, interactive, TOKENCTL_NO_TIMEOUT, &status, NULL,
                                          error);
  return status;
}

typedef GVariant *(*ReadToken) (TokenctlBus *bus, const char *path, GError **error);

/* @some_left: (inout): set if a listed token had left when it was read. */
static GPtrArray *
read_tokens (TokenctlBus *bus, ReadToken read_token, GPtrArray *problems, gboolean *some_left,
             GError **error)
{
  g_autoptr (GPtrArray) paths = list_paths (bus, error);
  g_autoptr (GPtrArray) tokens =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

  if (paths == NULL)
    return NULL;

  g_ptr_array_set_size (problems, 0);
  for (guint i = 0; i < paths->len; i++) {
    g_autoptr (GError) problem = NULL;
    g_autoptr (GVariant) status = read_token (bus, paths->pdata[i], &problem);

    if (status != NULL) {
      g_ptr_array_add (tokens, tokenctl_token_new (paths->pdata[i], status));
    } else if (tokend_error_is_not_authorized (problem)) {
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    } else if (tokenctl_bus_has_left (problem)) {
      *some_left = TRUE;
    } else {
      g_ptr_array_add (problems, g_steal_pointer (&problem));
    }
  }
  g_ptr_array_sort (tokens, compare_tokens);
  return g_steal_pointer (&tokens);
}

/* Returns: the name of the first module in that state, made printable; or NULL. */
static char *
find_module (GVariant *modules, const char *state)
{
  for (gsize i = 0; i < g_variant_n_children (modules); i++) {
    g_autoptr (GVariant) module = g_variant_get_child_value (modules, i);

    if (g_str_equal (tokenctl_status_string (module, "state"), state))
      return tokenctl_printable (tokenctl_status_string (module, "name"));
  }
  return NULL;
}

/* Adds the modules that may have tokens which are no objects on the bus, such as a card that
 * another program has had all the time. Leaves out those that have failed. */
static void
add_unread_modules (GVariant *modules, GPtrArray *problems)
{
  for (gsize i = 0; i < g_variant_n_children (modules); i++) {
    g_autoptr (GVariant) module = g_variant_get_child_value (modules, i);
    g_autofree char *words = NULL;

    if (tokenctl_status_is (module, "busy", TRUE)) {
      g_ptr_array_add (problems, g_error_new_literal (TOKEND_ERROR, TOKEND_ERROR_BUSY,
                                                      tokenctl_status_string (module, "reason")));
    } else if (g_str_equal (tokenctl_status_string (module, "state"), "ready")
               && tokenctl_module_is_unread (module)) {
      words = tokenctl_words_for_unread_module (module);
      g_ptr_array_add (problems, g_error_new_literal (TOKENCTL_ERROR, TOKENCTL_EXIT_FAILED, words));
    }
  }
}

/* Leaves out those that have failed. */
static gboolean
has_unread_module (GVariant *modules)
{
  for (gsize i = 0; i < g_variant_n_children (modules); i++) {
    g_autoptr (GVariant) module = g_variant_get_child_value (modules, i);

    if (!g_str_equal (tokenctl_status_string (module, "state"), "failed")
        && tokenctl_module_is_unread (module))
      return TRUE;
  }
  return FALSE;
}

static char *
find_unknown_card (GVariant *modules)
{
  char *reader = NULL;

  for (gsize i = 0; reader == NULL && i < g_variant_n_children (modules); i++) {
    g_autoptr (GVariant) module = g_variant_get_child_value (modules, i);

    reader = tokenctl_module_find_unknown_card (module);
  }
  return reader;
}

static void
set_unread (GError **doubt)
{
  g_set_error_literal (
      doubt, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
      _ ("Not every token could be read, so it is not certain which one is meant. Name the token "
         "by its serial, or by its whole label if no code comes from a descriptor. Nothing was "
         "sent; no try was spent. “tokenctl status” shows what could not be read."));
}

/* @is_any_unread: whether a listed token could not be read. Leaves the module that has failed and
 * the card that is no token to people: they see at the terminal which token it is. */
static void
set_doubt (GVariant *modules, const TokenctlWanted *wanted, gboolean is_any_unread, GError **doubt)
{
  g_autofree char *failed = wanted->may_be_start ? NULL : find_module (modules, "failed");
  g_autofree char *loading = find_module (modules, "loading");
  g_autofree char *unknown = wanted->may_be_start ? NULL : find_unknown_card (modules);

  if (failed != NULL)
    g_set_error (doubt, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                 _ ("The module “%s” has failed, and a token that only it would show may be the "
                    "one that is meant. Name the token by its serial. Nothing was sent; no try was "
                    "spent. “tokenctl modules” shows why the module failed."),
                 failed);
  else if (loading != NULL || is_any_unread || has_unread_module (modules))
    set_unread (doubt);
  else if (unknown != NULL)
    g_set_error (doubt, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                 _ ("There is a card in the reader “%s” that no module makes a token of, and the "
                    "code may be meant for it. Name the token by its serial. Nothing was sent; no "
                    "try was spent."),
                 unknown);
}

static gboolean
is_there (GPtrArray *tokens, const TokenctlWanted *wanted)
{
  g_autoptr (TokenctlChoice) choice = tokenctl_choose (tokens, wanted);

  if (wanted->words == NULL || wanted->words[0] == NULL)
    return tokens->len > 0;
  return tokenctl_choice_is_one (choice);
}

/* Needs no error: without an owner nothing is operated on. */
static char *
find_owner (TokenctlBus *bus)
{
  g_autoptr (GVariant) reply = g_dbus_connection_call_sync (
      bus->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
      "GetNameOwner", g_variant_new ("(s)", TOKEND_BUS_NAME), G_VARIANT_TYPE ("(s)"),
      G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL);
  char *owner = NULL;

  if (reply != NULL)
    g_variant_get (reply, "(s)", &owner);
  return owner;
}

/* Reads the tokens once all modules were read. One may have failed since, and its tokens are not
 * listed any more. */
static GPtrArray *
read_all (TokenctlBus *bus, ReadToken read_token, const TokenctlWanted *wanted, GPtrArray *problems,
          gboolean some_left, GError **doubt, GError **error)
{
  g_autoptr (GPtrArray) tokens = read_tokens (bus, read_token, problems, &some_left, error);
  g_autoptr (GVariant) modules = tokens != NULL ? tokenctl_bus_modules (bus, error) : NULL;

  if (modules == NULL)
    return NULL;
  set_doubt (modules, wanted, problems->len > 0 || some_left, doubt);
  add_unread_modules (modules, problems);
  return g_steal_pointer (&tokens);
}

/* @doubt: set if a module was still loading, had failed or could not be read, or a token could not
 *   be read or left meanwhile: a token that could not be read for a while is taken for gone. */
static GPtrArray *
wait_for_tokens (TokenctlBus *bus, ReadToken read_token, const TokenctlWanted *wanted,
                 gboolean (*suffice) (GPtrArray *tokens, const TokenctlWanted *wanted),
                 GPtrArray *problems, GError **doubt, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + LOADING_DEADLINE;
  gboolean told = !isatty (STDERR_FILENO);
  gboolean some_left = FALSE;

  if (!tokend_dbus_manager_call_subscribe_sync (bus->manager, interactive, TOKENCTL_NO_TIMEOUT,
                                                NULL, error))
    return NULL;
  g_free (bus->owner);
  bus->owner = find_owner (bus);

  while (TRUE) {
    g_autoptr (GVariant) modules = NULL;
    g_autofree char *loading = NULL;
    g_autoptr (GPtrArray) tokens = read_tokens (bus, read_token, problems, &some_left, error);

    if (tokens == NULL || suffice (tokens, wanted))
      return g_steal_pointer (&tokens);
    if (g_get_monotonic_time () > deadline) {
      set_unread (doubt);
      return g_steal_pointer (&tokens);
    }

    if ((modules = tokenctl_bus_modules (bus, error)) == NULL)
      return NULL;
    loading = find_module (modules, "loading");
    if (loading == NULL)
      return read_all (bus, read_token, wanted, problems, some_left, doubt, error);

    if (!told)
      g_printerr (_ ("Waiting for the module “%s”…\n"), loading);
    told = TRUE;
    g_usleep (LOADING_POLL);
  }
}

/**
 * tokenctl_bus_tokens:
 * @wanted: the token that is looked for; without words any will do
 * @problems: (element-type GError): gets the errors of tokens that could not be read
 *
 * Has all tokens read now. Waits for modules that are loading while @wanted is not there.
 *
 * Returns: (transfer full) (element-type TokenctlToken): the tokens that are plugged in, by label
 */
GPtrArray *
tokenctl_bus_tokens (TokenctlBus *bus, const TokenctlWanted *wanted, GPtrArray *problems,
                     GError **error)
{
  return wait_for_tokens (bus, get_status, wanted, is_there, problems, NULL, error);
}

/**
 * tokenctl_bus_tokens_to_operate:
 * @wanted: the token that is looked for
 * @problems: (element-type GError): gets the errors of tokens that could not be read
 * @doubt: set to what to say if @wanted may mean a token that is missing in the result
 *
 * Has all tokens read now. Waits for modules that are loading while @wanted does not name a token
 * for certain, see tokenctl_is_named(): they may bring another token that it means too.
 *
 * Returns: (transfer full) (element-type TokenctlToken): the tokens that are plugged in, by label
 */
GPtrArray *
tokenctl_bus_tokens_to_operate (TokenctlBus *bus, const TokenctlWanted *wanted, GPtrArray *problems,
                                GError **doubt, GError **error)
{
  g_autoptr (GPtrArray) tokens = wait_for_tokens (bus, tokenctl_bus_refresh, wanted,
                                                  tokenctl_is_named, problems, doubt, error);

  if (tokens != NULL && tokenctl_is_named (tokens, wanted))
    g_clear_error (doubt);
  return g_steal_pointer (&tokens);
}

/**
 * tokenctl_bus_find_failed_module:
 *
 * Returns: (transfer full) (nullable): the name of a module that has failed, printable; %NULL if
 *   there is none, or @error is set
 */
char *
tokenctl_bus_find_failed_module (TokenctlBus *bus, GError **error)
{
  g_autoptr (GVariant) modules = tokenctl_bus_modules (bus, error);

  return modules != NULL ? find_module (modules, "failed") : NULL;
}

/**
 * tokenctl_bus_open_operation:
 * @path: a token's object
 * @role: %TOKEND_ROLE_PUK to unlock, %TOKEND_ROLE_PIN to change the PIN
 * @options: (transfer none): see Token.Unlock
 * @error: nothing was sent
 *
 * Opens an operation with the very process that told of the token.
 *
 * Returns: (transfer full): the operation
 */
TokenctlOpenOperation *
tokenctl_bus_open_operation (TokenctlBus *bus, const char *path, TokendRole role, GVariant *options,
                             GError **error)
{
  return tokenctl_open_operation_new (bus->connection, bus->owner, path, role, options, error);
}
