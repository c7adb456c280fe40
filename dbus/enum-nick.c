/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "enum-nick.h"

/**
 * tokend_enum_get_nick:
 *
 * Returns: (transfer none): the nick of @value in the enumeration @type.
 */
const char *
tokend_enum_get_nick (GType type, int value)
{
  g_autoptr (GEnumClass) values = g_type_class_ref (type);

  return g_enum_get_value (values, value)->value_nick;
}

/**
 * tokend_enum_parse:
 * @type: an enumeration.
 * @nick: what may be the nick of one of its values.
 * @value: (out): a variable of that enumeration; untouched if there is no such value.
 *
 * Returns: whether there is such a value.
 */
gboolean
tokend_enum_parse (GType type, const char *nick, gpointer value)
{
  g_autoptr (GEnumClass) values = g_type_class_ref (type);

  /* g_enum_get_value_by_nick() ignores case from GLib 2.90 on. */
  for (guint i = 0; i < values->n_values; i++)
    if (g_str_equal (values->values[i].value_nick, nick)) {
      *(int *) value = values->values[i].value;
      return TRUE;
    }
  return FALSE;
}
