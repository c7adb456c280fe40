/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "module-words.h"

#include <glib/gi18n.h>

#include "printable.h"
#include "status.h"

/**
 * tokenctl_module_is_unread:
 * @module: an a{sv} as Manager.GetModules gives it
 *
 * Returns: whether there may be a token that only it would show, other than a card that no module
 *   makes a token of
 */
gboolean
tokenctl_module_is_unread (GVariant *module)
{
  g_autofree char *reader = tokenctl_module_find_unknown_card (module);

  return *tokenctl_status_string (module, "reason") != '\0' && reader == NULL;
}

/**
 * tokenctl_module_find_unknown_card:
 * @module: an a{sv} as Manager.GetModules gives it
 *
 * Returns: (transfer full) (nullable): the first reader, made printable, with a card that no module
 *   makes a token of
 */
char *
tokenctl_module_find_unknown_card (GVariant *module)
{
  g_autofree const char **readers = NULL;

  if (!g_variant_lookup (module, "unknown-cards", "^a&s", &readers) || readers[0] == NULL)
    return NULL;
  return tokenctl_printable (readers[0]);
}

/**
 * tokenctl_words_for_unread_module:
 * @module: an a{sv} as Manager.GetModules gives it, with a reason
 *
 * Returns: (transfer full): that there may be other tokens, and why
 */
char *
tokenctl_words_for_unread_module (GVariant *module)
{
  const char *reason = tokenctl_status_string (module, "reason");
  g_autofree char *unknown = tokenctl_module_find_unknown_card (module);
  g_autofree char *name = tokenctl_printable (tokenctl_status_string (module, "name"));
  g_autofree char *why = tokenctl_printable (_ (reason));

  if (unknown != NULL)
    return g_strdup_printf (_ ("There is a card in the reader “%s” that no module makes a token "
                               "of."),
                            unknown);
  return g_strdup_printf (
      _ ("The module “%s” could not be read; a token that only it would show is "
         "not listed here. The reason: %s."),
      name, why);
}
