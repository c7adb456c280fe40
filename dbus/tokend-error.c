/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tokend-error.h"

#include "tokend-enums.h"

/**
 * tokend_error_quark:
 *
 * Registers the D-Bus names of the errors with GDBus when first called, so that a reply's error
 * becomes (TOKEND_ERROR, code). Call it before the first D-Bus call.
 */
GQuark
tokend_error_quark (void)
{
  static gsize quark = 0;

  if (g_once_init_enter (&quark)) {
    GQuark domain = g_quark_from_static_string ("tokend-error-quark");
    g_autoptr (GEnumClass) errors = g_type_class_ref (TOKEND_TYPE_ERROR);

    for (guint i = 0; i < errors->n_values; i++) {
      const GEnumValue *value = &errors->values[i];
      const char *prefix = tokend_error_get_prefix ((TokendError) value->value);
      g_autofree char *name = g_strconcat (prefix, value->value_nick, NULL);

      g_dbus_error_register_error (domain, value->value, name);
    }
    g_once_init_leave (&quark, domain);
  }

  return (GQuark) quark;
}

/**
 * tokend_error_get_prefix:
 *
 * Returns: what comes before the nick in the D-Bus name of @code.
 */
const char *
tokend_error_get_prefix (TokendError code)
{
  return code == TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED ? "org.freedesktop.DBus.Error."
                                                                 : TOKEND_ERROR_PREFIX;
}

/**
 * tokend_error_is_not_authorized:
 * @error: (nullable): of a call.
 *
 * Returns: whether polkit refused the caller, with or without asking a person.
 */
gboolean
tokend_error_is_not_authorized (const GError *error)
{
  return g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_NOT_AUTHORIZED)
         || g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED);
}
