/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "printable.h"

static gboolean
is_printable (gunichar character)
{
  switch (g_unichar_type (character)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT: /* includes all bidirectional controls */
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
  case G_UNICODE_PRIVATE_USE:
  case G_UNICODE_SURROGATE:
  case G_UNICODE_UNASSIGNED:
    return FALSE;
  default:
    return TRUE;
  }
}

/**
 * tokend_printable:
 * @raw: a text field of a token, any bytes.
 *
 * Makes untrusted text fit to be shown.
 *
 * Returns: (transfer full): @raw as valid UTF-8, with U+FFFD for each invalid byte and each
 *   control, format or bidirectional character.
 */
char *
tokend_printable (GBytes *raw)
{
  gsize length;
  const char *data = g_bytes_get_data (raw, &length);
  g_autofree char *valid = g_utf8_make_valid (length > 0 ? data : "", (gssize) length);
  GString *printable = g_string_new (NULL);

  for (const char *p = valid; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar character = g_utf8_get_char (p);
    g_string_append_unichar (printable, is_printable (character) ? character : 0xfffd);
  }
  return g_string_free (printable, FALSE);
}
