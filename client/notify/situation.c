/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "situation.h"

#include <glib/gi18n.h>

#include "choice.h"
#include "printable.h"
#include "record.h"
#include "validity.h"

#define SERIAL_SHOWN 4 /* characters, at most */

static const char *
label_of (const TokenctlToken *token)
{
  return tokenctl_status_string (token->status, TOKEND_STATUS_LABEL);
}

static const char *
serial_of (const TokenctlToken *token)
{
  return tokenctl_status_string (token->status, TOKEND_STATUS_SERIAL);
}

static char *
make_identity (GVariant *status, gboolean with_label)
{
  const char *serial = tokenctl_status_string (status, TOKEND_STATUS_SERIAL);
  const char *label = tokenctl_status_string (status, TOKEND_STATUS_LABEL);
  g_autoptr (GVariant) parts = g_variant_ref_sink (g_variant_new (
      "(ssss)", tokenctl_status_string (status, TOKEND_STATUS_MANUFACTURER),
      tokenctl_status_string (status, TOKEND_STATUS_MODEL), serial, with_label ? label : ""));

  return g_variant_print (parts, FALSE);
}

/**
 * tokend_notify_identity:
 *
 * Returns: (transfer full): the same text for all views of one physical token by one name
 */
char *
tokend_notify_identity (GVariant *status)
{
  return make_identity (status, *tokenctl_status_string (status, TOKEND_STATUS_SERIAL) == '\0');
}

/**
 * tokend_notify_pin_identity:
 *
 * Returns: (transfer full): the same text for all views of one PIN, as the service says; another
 *   one after its restart
 */
char *
tokend_notify_pin_identity (GVariant *status)
{
  const char *id = tokenctl_status_string (status, TOKEND_STATUS_PIN_ID);

  return *id != '\0' ? g_strdup (id) : tokend_notify_pin_name (status);
}

/**
 * tokend_notify_pin_name:
 *
 * Returns: (transfer full): the same text for all views of one PIN by one name, also after a
 *   restart; the token's name where it has one PIN
 */
char *
tokend_notify_pin_name (GVariant *status)
{
  if (tokenctl_status_is (status, TOKEND_STATUS_PIN_SHARED, TRUE))
    return tokend_notify_identity (status);
  return make_identity (status, TRUE);
}

static gboolean
is_view_of (const TokenctlToken *token, const char *identity)
{
  g_autofree char *whole = tokend_notify_identity (token->status);
  g_autofree char *pin = tokend_notify_pin_identity (token->status);

  return g_str_equal (whole, identity) || g_str_equal (pin, identity);
}

/* Returns the last characters, and never more than half. */
static const char *
end_of_serial (const TokenctlToken *token)
{
  const char *serial = serial_of (token);
  glong length = g_utf8_strlen (serial, -1);
  glong shown = MIN (length / 2, SERIAL_SHOWN);

  return g_utf8_offset_to_pointer (serial, length - shown);
}

static gboolean
shares_its_label (GPtrArray *tokens, const TokenctlToken *token, const char *identity)
{
  for (guint i = 0; i < tokens->len; i++) {
    if (!is_view_of (tokens->pdata[i], identity)
        && g_str_equal (label_of (tokens->pdata[i]), label_of (token)))
      return TRUE;
  }
  return FALSE;
}

static char *
name_of (GPtrArray *tokens, const TokenctlToken *token, const char *identity)
{
  g_autofree char *label = tokenctl_printable (label_of (token));
  g_autofree char *end = tokenctl_printable (end_of_serial (token));
  const char *name = *label != '\0' ? label : _ ("a token without a label");

  if (*end != '\0' && shares_its_label (tokens, token, identity))
    return g_strdup_printf ("%s (…%s)", name, end);
  return g_strdup (name);
}

static void
take_later (GDateTime **not_after, GVariant *status)
{
  g_autoptr (GDateTime) other = tokenctl_status_not_after (status);

  if (other == NULL || (*not_after != NULL && g_date_time_compare (*not_after, other) >= 0))
    return;
  g_clear_pointer (not_after, g_date_time_unref);
  *not_after = g_steal_pointer (&other);
}

/* Returns: whether one of them is worse than all before. */
static gboolean
take_worse (TokendNotifyTries *worst, const TokenctlToken *token)
{
  gboolean is_worse = FALSE;

  for (guint role = 0; role < G_N_ELEMENTS (worst->of); role++) {
    TokenctlTries tries = tokenctl_status_tries (token->status, (TokendRole) role);

    if (tokend_notify_is_worse (&tries, &worst->of[role])) {
      worst->of[role] = tries;
      is_worse = TRUE;
    } else if (worst->of[role].state == TOKEND_STATE_UNKNOWN && !worst->of[role].flag_gone) {
      worst->of[role] = tries;
    }
  }
  return is_worse;
}

static gboolean
is_wanted (const TokenctlToken *token, const char *identity, const char *label)
{
  return is_view_of (token, identity) && (label == NULL || g_str_equal (label_of (token), label));
}

/* Returns: (nullable): the view to speak of: the one with the gravest news, of the PUK first. Of
 *   several modules' views it is the one to operate on, so that the name does not depend on the
 *   last read. */
static const TokenctlToken *
find_speaker (GPtrArray *tokens, const char *identity, const char *label)
{
  const TokenctlToken *speaker = NULL;
  TokendNotifyTries worst = { { { 0 } } };
  gboolean is_preferred = FALSE;

  for (guint i = 0; i < tokens->len; i++) {
    const TokenctlToken *token = tokens->pdata[i];
    const gboolean is_better = tokenctl_status_is (token->status, TOKEND_STATUS_PREFERRED, TRUE);

    if (!is_wanted (token, identity, label) || (is_preferred && !is_better))
      continue;
    if (is_better && !is_preferred) {
      worst = (TokendNotifyTries){ { { 0 } } };
      speaker = NULL;
      is_preferred = TRUE;
    }
    if (take_worse (&worst, token) || speaker == NULL)
      speaker = token;
  }
  return speaker;
}

static void
merge_views (TokendNotifySituation *situation, GPtrArray *tokens, const char *identity,
             const char *label)
{
  for (guint i = 0; i < tokens->len; i++) {
    const TokenctlToken *token = tokens->pdata[i];
    const char *provider = tokenctl_status_string (token->status, TOKEND_STATUS_PROVIDER);

    if (!is_wanted (token, identity, label))
      continue;
    take_worse (&situation->tries, token);
    if (tokenctl_status_is (token->status, TOKEND_STATUS_CAN_UNLOCK, TRUE))
      situation->can_unlock = TRUE;
    if (tokenctl_may_be_locked (token->status, TOKEND_ROLE_PUK))
      situation->puk_may_be_locked = TRUE;
    if (tokenctl_status_is (token->status, TOKEND_STATUS_NO_CERTIFICATE, TRUE))
      situation->has_no_certificate = TRUE;
    if (situation->provider == NULL && *provider != '\0')
      situation->provider = g_strdup (provider);
    take_later (&situation->not_after, token->status);
  }
  if (situation->not_after != NULL)
    situation->has_no_certificate = FALSE;
}

/**
 * tokend_notify_situation_new:
 * @tokens: (element-type TokenctlToken): what is plugged in
 * @identity: of one physical token, by tokend_notify_identity(), or of one PIN, by
 *   tokend_notify_pin_identity()
 * @label: (nullable): the only label to take; %NULL for all
 *
 * Returns: (transfer full) (nullable): what is known of it; %NULL if it is not plugged in
 */
TokendNotifySituation *
tokend_notify_situation_new (GPtrArray *tokens, const char *identity, const char *label)
{
  g_autoptr (TokendNotifySituation) situation = g_new0 (TokendNotifySituation, 1);
  const TokenctlToken *speaker = find_speaker (tokens, identity, label);

  if (speaker == NULL)
    return NULL;
  merge_views (situation, tokens, identity, label);
  situation->name = name_of (tokens, speaker, identity);
  situation->names = tokenctl_names_of (tokens, speaker);
  if (situation->names == NULL)
    situation->names = g_new0 (char *, 1);
  return g_steal_pointer (&situation);
}

void
tokend_notify_situation_free (TokendNotifySituation *situation)
{
  g_free (situation->name);
  g_strfreev (situation->names);
  g_free (situation->provider);
  g_clear_pointer (&situation->not_after, g_date_time_unref);
  g_free (situation);
}
