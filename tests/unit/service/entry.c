/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "entry.h"

#include <string.h>

static int
compare_lines (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * entry_print:
 * @fields: (transfer floating): of an entry of the journal, all text.
 *
 * Returns: (transfer full): a line FIELD=text each, sorted.
 */
char *
entry_print (GVariant *fields)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (fields);
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  GVariantIter iter;
  const char *field;
  GVariant *text;

  g_variant_iter_init (&iter, owned);
  while (g_variant_iter_loop (&iter, "{&sv}", &field, &text))
    g_ptr_array_add (lines, g_strdup_printf ("%s=%s", field, g_variant_get_string (text, NULL)));
  g_ptr_array_sort (lines, compare_lines);
  g_ptr_array_add (lines, NULL);
  return g_strjoinv ("\n", (char **) lines->pdata);
}
