/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event.h"

#include <glib/gi18n.h>

#include "table.h"
#include "token.h"
#include "validity.h"
#include "words.h"

static GVariant *
without_time (GVariant *status)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, status);
  g_variant_dict_remove (&dict, TOKEND_STATUS_READ_AT);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static gboolean
says_the_same (GVariant *a, GVariant *b)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  if (g_variant_n_children (a) != g_variant_n_children (b))
    return FALSE;

  g_variant_iter_init (&iter, a);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
    g_autoptr (GVariant) other = g_variant_lookup_value (b, key, NULL);

    if (other == NULL || !g_variant_equal (value, other)) {
      g_variant_unref (value);
      return FALSE;
    }
  }
  return TRUE;
}

/**
 * tokenctl_event_is_worth_telling:
 * @before: a status
 * @status: a later one
 *
 * Returns: whether they differ in more than the time of the reading
 */
gboolean
tokenctl_event_is_worth_telling (GVariant *before, GVariant *status)
{
  g_autoptr (GVariant) old = without_time (before);
  g_autoptr (GVariant) new = without_time (status);

  return !says_the_same (old, new);
}

static char *
tries_to_text (GVariant *status, TokendRole role, gboolean colour)
{
  TokenctlTries tries = tokenctl_status_tries (status, role);
  g_autofree char *words = tokenctl_words_for_tries (&tries, role);

  return tokenctl_emphasised (words, tokenctl_emphasis_of (&tries), colour);
}

static char *
added_to_text (GVariant *status, gboolean colour)
{
  g_autofree char *pin = NULL;
  g_autofree char *puk = NULL;
  g_autofree char *text = NULL;

  if (status == NULL)
    return g_strdup (_ ("here; its status cannot be read"));
  pin = tries_to_text (status, TOKEND_ROLE_PIN, colour);
  puk = tries_to_text (status, TOKEND_ROLE_PUK, colour);
  text = g_strdup_printf (_ ("here; PIN: %s; PUK: %s"), pin, puk);
  return tokenctl_name_puk (tokenctl_status_puk_words (status), text);
}

static void
append_validity (GString *text, GVariant *before, GVariant *status, gboolean colour)
{
  g_autoptr (GDateTime) old = tokenctl_status_not_after (before);
  g_autoptr (GDateTime) new = tokenctl_status_not_after (status);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *words = NULL;
  g_autofree char *shown = NULL;
  TokenctlValidity validity;

  if (new == NULL || (old != NULL && g_date_time_equal (old, new)))
    return;
  validity = tokenctl_validity (new, now);
  words = tokenctl_words_for_validity (new, now);
  shown = tokenctl_emphasised (words, tokenctl_emphasis_of_validity (&validity), colour);
  g_string_append_printf (text, "%s%s", text->len > 0 ? "; " : "", shown);
}

static char *
changed_to_text (GVariant *before, GVariant *status, gboolean colour)
{
  GString *text = g_string_new (NULL);

  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_autofree char *old = tries_to_text (before, role, colour);
    g_autofree char *new = tries_to_text (status, role, colour);
    const TokenctlTries tries = tokenctl_status_tries (status, role);
    g_autofree char *code = tokenctl_words_for_code (&tries, role);

    if (g_str_equal (old, new))
      continue;
    g_string_append_printf (text, _ ("%s%s: %s → %s"), text->len > 0 ? "; " : "", code, old, new);
  }
  append_validity (text, before, status, colour);
  if (text->len == 0)
    g_string_append (text, _ ("its status changed"));
  return g_string_free (text, FALSE);
}

static char *
name_of (const TokenctlEvent *event)
{
  TokenctlToken token = { (char *) event->path, event->status };

  return event->status != NULL ? tokenctl_token_name (&token) : g_strdup (event->path);
}

/**
 * tokenctl_event_to_text:
 * @colour: whether to use colours
 *
 * Returns: (transfer full): one line for people
 */
char *
tokenctl_event_to_text (const TokenctlEvent *event, gboolean colour)
{
  g_autofree char *name = name_of (event);
  g_autofree char *what = NULL;

  switch (event->kind) {
  case TOKENCTL_EVENT_ADDED:
    what = added_to_text (event->status, colour);
    break;
  case TOKENCTL_EVENT_REMOVED:
    what = g_strdup (_ ("unplugged"));
    break;
  case TOKENCTL_EVENT_CHANGED:
  default:
    what = changed_to_text (event->before, event->status, colour);
    break;
  }
  return g_strdup_printf (_ ("%s: %s"), name, what);
}

/**
 * tokenctl_event_to_dictionary:
 *
 * Returns: (transfer full): an a{sv} of event, path, and the keys of the status where it is known
 */
GVariant *
tokenctl_event_to_dictionary (const TokenctlEvent *event)
{
  static const char *const kinds[] = { "added", "removed", "changed" };
  GVariantBuilder builder;

  g_variant_builder_init (&builder, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add (&builder, "{sv}", "event", g_variant_new_string (kinds[event->kind]));
  g_variant_builder_add (&builder, "{sv}", "path", g_variant_new_string (event->path));
  for (gsize i = 0; event->status != NULL && i < g_variant_n_children (event->status); i++) {
    g_autoptr (GVariant) entry = g_variant_get_child_value (event->status, i);

    g_variant_builder_add_value (&builder, entry);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}
