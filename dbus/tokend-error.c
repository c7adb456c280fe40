/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tokend-error.h"

#include "tokend-enums.h"

/**
 * tokend_error_quark:
 * The domain of #TokendError. The first call registers every member's D-Bus name with GDBus, so
 * that a reply's error comes back as (TOKEND_ERROR, code) on the other side; call it once before
 * the first D-Bus call.
 */
GQuark
tokend_error_quark (void)
{
  static gsize quark = 0;

  if (g_once_init_enter (&quark)) {
    GQuark domain = g_quark_from_static_string ("tokend-error-quark");
    g_autoptr (GEnumClass) errors = g_type_class_ref (TOKEND_TYPE_ERROR);

    for (guint i = 0; i < errors->n_values; i++) {
      g_autofree char *name = g_strconcat (TOKEND_ERROR_PREFIX, errors->values[i].value_nick, NULL);
      g_dbus_error_register_error (domain, errors->values[i].value, name);
    }
    g_once_init_leave (&quark, domain);
  }

  return (GQuark) quark;
}
