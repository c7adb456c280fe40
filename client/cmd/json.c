/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json.h"

#include <json-glib/json-glib.h>
#include <stdio.h>

/**
 * tokenctl_json:
 * @value: dictionaries, arrays, strings, numbers and booleans; variants are unpacked
 * @pretty: whether to use several lines
 *
 * Returns: (transfer full): @value as JSON, without a line end
 */
char *
tokenctl_json (GVariant *value, gboolean pretty)
{
  g_autoptr (JsonNode) node = json_gvariant_serialize (value);

  return json_to_string (node, pretty);
}

/**
 * tokenctl_json_print:
 *
 * Prints tokenctl_json() to stdout, in UTF-8 whatever the locale.
 */
void
tokenctl_json_print (GVariant *value, gboolean pretty)
{
  g_autofree char *text = tokenctl_json (value, pretty);

  printf ("%s\n", text);
  fflush (stdout);
}
