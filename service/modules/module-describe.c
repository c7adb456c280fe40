/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib/gi18n.h>
#include <string.h>

#include "enum-nick.h"
#include "module-enums.h"
#include "module-private.h"
#include "printable.h"

/**
 * tokend_module_explain_doubt:
 *
 * Returns: (nullable): for people, why there may be other tokens than those that were read.
 */
const char *
tokend_module_explain_doubt (TokendDoubt doubt)
{
  switch (doubt) {
  case TOKEND_DOUBT_UNREAD_CARD:
    return N_ ("A card could not be read yet");
  case TOKEND_DOUBT_HIDDEN_CARD:
    return N_ ("Another program is using a card and does not let go of it");
  case TOKEND_DOUBT_PCSCD_REFUSES:
    return N_ ("pcscd, by which cards are reached, refuses: a polkit rule must allow "
               "org.debian.pcsc-lite.access_pcsc to the user tokend-module");
  case TOKEND_DOUBT_PCSCD_ABSENT:
    return N_ ("pcscd, by which cards are reached, is not running: an administrator can start "
               "pcscd.socket");
  case TOKEND_DOUBT_NONE:
  case TOKEND_DOUBT_UNKNOWN_CARD:
  default:
    return NULL;
  }
}

static gboolean
is_shown_in (TokendService *service, const char *reader)
{
  for (guint i = 0; i < service->modules->len; i++) {
    const TokendModule *module = service->modules->pdata[i];

    for (guint j = 0; j < module->tokens->len; j++)
      if (g_strcmp0 (tokend_token_get_reader (module->tokens->pdata[j]), reader) == 0)
        return TRUE;
  }
  return FALSE;
}

/* Returns: (transfer full): the readers with a card of which no module makes a token. */
static GStrv
list_unknown_cards (TokendModule *self)
{
  const char *const *readers =
      self->host != NULL ? tokend_host_get_unknown_readers (self->host) : NULL;
  g_autoptr (GStrvBuilder) unknown = g_strv_builder_new ();

  for (guint i = 0; readers != NULL && readers[i] != NULL; i++) {
    g_autoptr (GBytes) raw = g_bytes_new_static (readers[i], strlen (readers[i]));
    g_autofree char *printable = tokend_printable (raw);

    if (!is_shown_in (self->service, readers[i]))
      g_strv_builder_add (unknown, printable);
  }
  return g_strv_builder_end (unknown);
}

static void
put_reason (TokendModule *self, GVariantDict *module)
{
  g_auto (GStrv) unknown = list_unknown_cards (self);

  if (self->reason != NULL) {
    g_variant_dict_insert (module, "reason", "s", self->reason);
  } else if (*unknown != NULL) {
    g_variant_dict_insert (module, "reason", "s", N_ ("No module makes a token of a card"));
    g_variant_dict_insert (module, "unknown-cards", "^as", unknown);
  }
}

/**
 * tokend_module_describe:
 *
 * Returns: (transfer floating): an a{sv}, as Manager.GetModules of org.tokend.Tokend1.xml describes
 *   it.
 */
GVariant *
tokend_module_describe (TokendModule *self)
{
  g_auto (GVariantDict) module = G_VARIANT_DICT_INIT (NULL);
  const TokendProfile *profile = tokend_token_source_get_profile (TOKEND_TOKEN_SOURCE (self));

  g_variant_dict_insert (&module, "name", "s", self->name);
  g_variant_dict_insert (&module, "path", "s", self->path);
  if (profile != NULL)
    g_variant_dict_insert (&module, "profile", "s", profile->name);
  g_variant_dict_insert (&module, "state", "s",
                         tokend_enum_get_nick (TOKEND_TYPE_MODULE_STATE, (int) self->state));
  put_reason (self, &module);
  if (self->is_busy)
    g_variant_dict_insert (&module, "busy", "b", TRUE);
  return g_variant_dict_end (&module);
}
