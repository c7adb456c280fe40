/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exit-code.h"

#include "tokend-enums.h"
#include "tokend-error.h"

/* The contract of tokenctl(1), row by row; independent of the table in the program. */
static const struct {
  const char *nick;
  int exit;
  TokenctlCost cost;
} contract[] = {
  { "Failed", 1, TOKENCTL_COST_ASK },
  { "NotAuthorized", 3, TOKENCTL_COST_NONE },
  { "InvalidArgs", 2, TOKENCTL_COST_NONE },
  { "NotFound", 4, TOKENCTL_COST_NONE },
  { "Busy", 8, TOKENCTL_COST_NONE },
  { "LimitsExceeded", 8, TOKENCTL_COST_NONE },
  { "PinIncorrect", 5, TOKENCTL_COST_ONE },
  { "PukIncorrect", 5, TOKENCTL_COST_ONE },
  { "PinLocked", 6, TOKENCTL_COST_ASK },
  { "PukLocked", 6, TOKENCTL_COST_ASK },
  { "PinPolicy", 7, TOKENCTL_COST_ASK },
  { "AlreadyRefused", 7, TOKENCTL_COST_NONE },
  { "FinalAttempt", 7, TOKENCTL_COST_NONE },
  { "RetriesChanged", 7, TOKENCTL_COST_NONE },
  { "TokenRemoved", 9, TOKENCTL_COST_ASK },
  { "ModuleFailed", 1, TOKENCTL_COST_NONE },
  { "TimedOut", 8, TOKENCTL_COST_NONE },
  { "OutcomeUnknown", 9, TOKENCTL_COST_ASK },
  { "ServiceEnding", 8, TOKENCTL_COST_NONE },
  { "NotSupported", 1, TOKENCTL_COST_NONE },
  { "InteractiveAuthorizationRequired", 3, TOKENCTL_COST_NONE },
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
    TokenctlVerdict verdict;

    g_assert_nonnull (value);
    name =
        g_strconcat (tokend_error_get_prefix ((TokendError) value->value), value->value_nick, NULL);
    g_quark_to_string (TOKEND_ERROR);
    error = g_dbus_error_new_for_dbus_error (name, "detail");
    g_assert_error (error, TOKEND_ERROR, value->value);

    verdict = tokenctl_verdict (error, TRUE);
    g_test_message ("%s", name);
    g_assert_cmpint (verdict.exit, ==, contract[i].exit);
    g_assert_cmpint (verdict.cost, ==, contract[i].cost);
    g_assert_cmpstr (verdict.what, !=, "");
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
  } rows[] = {
    { TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE, FALSE, 2 },
    { G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN, FALSE, 1 },
    { G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN, TRUE, 1 },
    { G_DBUS_ERROR, G_DBUS_ERROR_SPAWN_CHILD_EXITED, TRUE, 1 },
    { G_DBUS_ERROR, G_DBUS_ERROR_ACCESS_DENIED, TRUE, 3 },
    { G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, TRUE, 4 },
    { G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD, TRUE, 4 },
    { G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY, FALSE, 1 },
    { G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY, TRUE, 9 },
    { G_IO_ERROR, G_IO_ERROR_CLOSED, FALSE, 1 },
    { G_IO_ERROR, G_IO_ERROR_CLOSED, TRUE, 9 },
    { G_IO_ERROR, G_IO_ERROR_NOT_FOUND, FALSE, 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GError) error = g_error_new_literal (rows[i].domain, rows[i].code, "detail");

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpint (tokenctl_verdict (error, rows[i].handed_over).exit, ==, rows[i].exit);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/exit-code/service", test_every_error_of_the_service);
  g_test_add_func ("/exit-code/others", test_everything_else);
  return g_test_run ();
}
