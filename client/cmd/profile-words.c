/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "profile-words.h"

#include <glib/gi18n.h>

#include "printable.h"
#include "status.h"
#include "words.h"

static char *
printable_string (GVariant *status, const char *key)
{
  return tokenctl_printable (tokenctl_status_string (status, key));
}

/* Returns: (transfer full): why a profile was selected, from the a{ss} at @key. */
static char *
words_for_match (GVariant *status, const char *key)
{
  /* In the order in which they are told. */
  const struct {
    const char *name;
    const char *words;
  } reasons[] = {
    { "file", _ ("file") }, { "manufacturer", _ ("manufacturer") }, { "model", _ ("model") },
    { "atr", _ ("ATR") },   { "issuer", _ ("certificate issuer") },
  };
  g_autoptr (GVariant) match = g_variant_lookup_value (status, key, G_VARIANT_TYPE ("a{ss}"));
  g_autoptr (GString) text = g_string_new (NULL);
  const char *value;

  for (gsize i = 0; match != NULL && i < G_N_ELEMENTS (reasons); i++) {
    if (g_variant_lookup (match, reasons[i].name, "&s", &value)) {
      g_autofree char *printable = tokenctl_printable (value);

      g_string_append_printf (text, "%s%s “%s”", text->len > 0 ? ", " : "", reasons[i].words,
                              printable);
    }
  }
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
append_override (GString *text, GVariant *status, const char *key)
{
  g_autofree char *path = printable_string (status, key);

  if (*path != '\0')
    g_string_append_printf (text, _ ("  By the administrator's file: %s\n"), path);
}

static void
append_no_profile (GString *text, GVariant *status)
{
  g_autofree char *manufacturer = printable_string (status, TOKEND_STATUS_MANUFACTURER);
  g_autofree char *model = printable_string (status, TOKEND_STATUS_MODEL);

  g_string_append_printf (text,
                          _ ("  Profile: none: nothing is known of tokens of this kind "
                             "(manufacturer “%s”, model “%s”).\n"),
                          manufacturer, model);
}

static void
append_offer (GString *text, GVariant *status)
{
  if (tokenctl_status_is (status, TOKEND_STATUS_CAN_SET_PIN, FALSE))
    g_string_append_printf (text,
                            _ ("  Neither a change of the PIN nor unlocking is offered: %s.\n"),
                            tokenctl_words_for_unsupported (status));
  else if (!tokenctl_status_is (status, TOKEND_STATUS_CAN_UNLOCK, TRUE))
    g_string_append (text, _ ("  The PIN can be changed; unlocking is not offered.\n"));
}

static void
append_profile (GString *text, GVariant *status)
{
  g_autofree char *name = printable_string (status, TOKEND_STATUS_MODULE_PROFILE);
  g_autofree char *match = words_for_match (status, TOKEND_STATUS_MODULE_PROFILE_MATCH);

  if (*name == '\0') {
    append_no_profile (text, status);
  } else {
    g_string_append_printf (text, _ ("  Profile: %s (%s)\n"), name, match);
    append_override (text, status, TOKEND_STATUS_MODULE_PROFILE_OVERRIDE);
  }
  append_offer (text, status);
}

static void
append_provider (GString *text, GVariant *status)
{
  g_autofree char *name = printable_string (status, TOKEND_STATUS_PROVIDER);
  g_autofree char *match = words_for_match (status, TOKEND_STATUS_PROVIDER_MATCH);

  if (*name == '\0') {
    g_string_append (text, _ ("  Provider: not known\n"));
    return;
  }
  g_string_append_printf (text, _ ("  Provider: %s (%s)\n"), name, match);
  append_override (text, status, TOKEND_STATUS_PROVIDER_OVERRIDE);
}

/**
 * tokenctl_words_for_profiles:
 *
 * Returns: (transfer full): which profiles describe the token and why: whole lines, indented
 */
char *
tokenctl_words_for_profiles (GVariant *status)
{
  GString *text = g_string_new (NULL);

  append_profile (text, status);
  append_provider (text, status);
  return g_string_free (text, FALSE);
}
