/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "printable.h"

/**
 * tokenctl_printable:
 * @text: UTF-8 from elsewhere
 *
 * Makes text fit for a terminal, which is not to depend on the service for that.
 *
 * Returns: (transfer full): @text with control and formatting characters shown as \u{…}
 */
char *
tokenctl_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *printable = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);

    if (g_unichar_isprint (c))
      g_string_append_unichar (printable, c);
    else
      g_string_append_printf (printable, "\\u{%X}", c);
  }
  return g_string_free (printable, FALSE);
}
