/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exit-code.h"

#include "tokend-enums.h"
#include "tokend-error.h"

/* The contract of tokenctl(1), row by row; independent of the table in the program. */
static const struct {
  const char *nick;
  int exit;
  TokenctlCost cost;
  gboolean has_detail; /* the service's own words are shown, too */
} contract[] = {
  { "Failed", 1, TOKENCTL_COST_ASK, TRUE },
  { "NotAuthorized", 3, TOKENCTL_COST_NONE, TRUE },
  { "InvalidArgs", 2, TOKENCTL_COST_NONE, TRUE },
  { "NotFound", 4, TOKENCTL_COST_NONE },
  { "Busy", 8, TOKENCTL_COST_NONE },
  { "LimitsExceeded", 8, TOKENCTL_COST_NONE },
  { "PinIncorrect", 5, TOKENCTL_COST_ONE },
  { "PukIncorrect", 5, TOKENCTL_COST_ONE },
  { "PinLocked", 6, TOKENCTL_COST_ASK },
  { "PukLocked", 6, TOKENCTL_COST_ASK },
  { "PinPolicy", 7, TOKENCTL_COST_ASK, TRUE },
  { "AlreadyRefused", 7, TOKENCTL_COST_NONE },
  { "FinalAttempt", 7, TOKENCTL_COST_NONE },
  { "RetriesChanged", 7, TOKENCTL_COST_NONE },
  { "TokenRemoved", 4, TOKENCTL_COST_NONE },
  { "ModuleFailed", 1, TOKENCTL_COST_NONE, TRUE },
  { "TimedOut", 8, TOKENCTL_COST_NONE, TRUE },
  { "OutcomeUnknown", 9, TOKENCTL_COST_ASK },
  { "ServiceEnding", 8, TOKENCTL_COST_NONE },
  { "NotSupported", 1, TOKENCTL_COST_NONE, TRUE },
  { "InteractiveAuthorizationRequired", 3, TOKENCTL_COST_NONE, TRUE },
};

static void
test_every_error_of_the_service (void)
{
  g_autoptr (GEnumClass) errors = g_type_class_ref (TOKEND_TYPE_ERROR);

  g_assert_cmpuint (errors->n_values, ==, G_N_ELEMENTS (contract));
  for (gsize i = 0; i < G_N_ELEMENTS (contract); i++) {
    GEnumValue *value = g_enum_get_value_by_nick (errors, contract[i].nick);
    g_autofree char *name = NULL;
    g_autoptr (GError) error = NULL;
    TokenctlExplanation explanation;

    g_assert_nonnull (value);
    name =
        g_strconcat (tokend_error_get_prefix ((TokendError) value->value), value->value_nick, NULL);
    g_quark_to_string (TOKEND_ERROR);
    error = g_dbus_error_new_for_dbus_error (name, "detail");
    g_assert_error (error, TOKEND_ERROR, value->value);

    explanation = tokenctl_explain_error (error, TRUE);
    g_test_message ("%s", name);
    g_assert_cmpint (explanation.exit, ==, contract[i].exit);
    g_assert_cmpint (explanation.cost, ==, contract[i].cost);
    g_assert_cmpint (explanation.detail, ==, contract[i].has_detail);
    g_assert_cmpstr (explanation.what, !=, "");

    /* Where the service had no code, it can have spent no try. */
    explanation = tokenctl_explain_error (error, FALSE);
    g_assert_cmpint (explanation.exit, ==, contract[i].exit);
    g_assert_cmpint (explanation.cost, ==, TOKENCTL_COST_NONE);
  }
}

static void
test_everything_else (void)
{
  const struct {
    GQuark domain;
    int code;
    gboolean handed_over;
    int exit;
    TokenctlCost cost;
    gboolean has_detail;
  } rows[] = {
    { TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE, FALSE, 2, TOKENCTL_COST_NONE, FALSE },
    { TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED, TRUE, 7, TOKENCTL_COST_NONE, FALSE },
    { G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED, TRUE, 3, TOKENCTL_COST_NONE, TRUE },
    { G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, TRUE, 4, TOKENCTL_COST_NONE, FALSE },
    { G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE, TRUE, 4, TOKENCTL_COST_NONE, FALSE },
    { G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD, TRUE, 4, TOKENCTL_COST_NONE, FALSE },
    { G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY, FALSE, 1, TOKENCTL_COST_NONE, TRUE },
    { G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY, TRUE, 9, TOKENCTL_COST_ASK, TRUE },
    { G_IO_ERROR, G_IO_ERROR_CLOSED, FALSE, 1, TOKENCTL_COST_NONE, TRUE },
    { G_IO_ERROR, G_IO_ERROR_CLOSED, TRUE, 9, TOKENCTL_COST_ASK, TRUE },
    { G_IO_ERROR, G_IO_ERROR_NOT_FOUND, FALSE, 1, TOKENCTL_COST_NONE, TRUE },
    /* One that this tokenctl does not know. */
    { TOKEND_ERROR, 999, FALSE, 1, TOKENCTL_COST_NONE, TRUE },
    { TOKEND_ERROR, 999, TRUE, 9, TOKENCTL_COST_ASK, TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = g_error_new_literal (rows[i].domain, rows[i].code, "detail");
    const TokenctlExplanation explanation = tokenctl_explain_error (error, rows[i].handed_over);

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (explanation.exit, ==, rows[i].exit);
    g_assert_cmpint (explanation.cost, ==, rows[i].cost);
    g_assert_cmpint (explanation.detail, ==, rows[i].has_detail);
    g_assert_false (tokenctl_service_is_missing (error));
  }
}

/* The bus cannot start it: then it has seen no code. */
static void
test_service_missing (void)
{
  static const char *const names[] = {
    "ServiceUnknown",      "NameHasNoOwner",        "Spawn.ExecFailed",      "Spawn.ForkFailed",
    "Spawn.ChildExited",   "Spawn.ChildSignaled",   "Spawn.Failed",          "Spawn.FailedToSetup",
    "Spawn.ConfigInvalid", "Spawn.ServiceNotValid", "Spawn.ServiceNotFound",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *name = g_strconcat ("org.freedesktop.DBus.Error.", names[i], NULL);
    g_autoptr (GError) error = g_dbus_error_new_for_dbus_error (name, "detail");

    g_test_message ("%s", name);
    g_assert_true (tokenctl_service_is_missing (error));
    for (int is_handed_over = 0; is_handed_over < 2; is_handed_over++) {
      const TokenctlExplanation explanation = tokenctl_explain_error (error, is_handed_over);

      g_assert_cmpint (explanation.exit, ==, TOKENCTL_EXIT_FAILED);
      g_assert_cmpint (explanation.cost, ==, TOKENCTL_COST_NONE);
      g_assert_true (explanation.detail);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/exit-code/service", test_every_error_of_the_service);
  g_test_add_func ("/exit-code/others", test_everything_else);
  g_test_add_func ("/exit-code/service-missing", test_service_missing);
  return g_test_run ();
}
