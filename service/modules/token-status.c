/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-private.h"

#include "profile-rules.h"
#include "tokend-error.h"

#include <glib/gi18n.h>

/* A watched token is read every second; an older reading is not of a watched one. */
#define FRESH_US (3 * G_USEC_PER_SEC)
/* A card is read when it was used. A use too short to be seen must not make the status wrong for
 * ever. */
#define FRESH_IF_UNCHANGED_US (60 * G_USEC_PER_SEC)

/* Adds what other modules show of the same PIN, as if this one had shown it. */
static TokendCounterRecord
get_record (TokendToken *self, TokendRole role)
{
  TokendCounterRecord record = tokend_ledger_get_record (self->service->ledger, self->target, role);

  record.locked = record.locked || self->relations.shown[role].locked;
  record.final_try = record.final_try || self->relations.shown[role].final_try;
  return record;
}

/**
 * tokend_token_evaluate:
 * @reading: a reading of this token, not necessarily the last.
 * @role: whose counter.
 *
 * Evaluates @reading with the profile, the ledger, and what other modules show of the same token.
 *
 * Returns: the status that bars a code.
 */
TokendCounter
tokend_token_evaluate (TokendToken *self, const TokendReading *reading, TokendRole role)
{
  TokendCounterRecord record = get_record (self, role);
  TokendCounterRules rules =
      tokend_profile_rules_get (self->profile, self->provider, reading, role);

  return tokend_counter_evaluate (&reading->counters[role], &rules, &record);
}

/**
 * tokend_token_evaluate_now:
 * @role: whose counter.
 *
 * Returns: tokend_token_evaluate() of the last reading.
 */
TokendCounter
tokend_token_evaluate_now (TokendToken *self, TokendRole role)
{
  return tokend_token_evaluate (self, self->reading, role);
}

/**
 * tokend_token_get_counter:
 *
 * Returns: what people are told of @role, as tokend_token_get_status() gives it.
 */
TokendCounter
tokend_token_get_counter (TokendToken *self, TokendRole role)
{
  TokendCounterRecord record;
  TokendCounterRules rules;
  TokendCounter told;

  if (!self->counters_known)
    return tokend_counter_unknown;
  record = get_record (self, role);
  rules = tokend_profile_rules_get (self->profile, self->provider, self->reading, role);
  told = tokend_counter_tell (&self->reading->counters[role], &rules, &record);
  /* The time is in the future if the clock was put back. */
  if (told.sent_at < 0 || told.sent_at > g_get_real_time ())
    told.sent_at = 0;
  return told;
}

const char *
tokend_token_get_object_path (TokendToken *self)
{
  return self->object_path;
}

const TokendReading *
tokend_token_get_reading (TokendToken *self)
{
  return self->reading;
}

const TokendProfile *
tokend_token_get_profile (TokendToken *self)
{
  return self->profile;
}

/**
 * tokend_token_get_wrong_code:
 *
 * Returns: what the module answers where the card refuses a code of @role.
 */
TokendWrongCode
tokend_token_get_wrong_code (TokendToken *self, TokendRole role)
{
  return self->profile != NULL ? self->profile->wrong_codes[role] : TOKEND_WRONG_CODE_PIN_INCORRECT;
}

const char *
tokend_token_get_physical_id (TokendToken *self)
{
  return self->target->card;
}

const TokendTarget *
tokend_token_get_target (TokendToken *self)
{
  return self->target;
}

const char *
tokend_token_get_label (TokendToken *self)
{
  return self->label;
}

const char *
tokend_token_get_serial (TokendToken *self)
{
  return self->serial;
}

/**
 * tokend_token_get_source:
 *
 * Returns: (transfer none) (nullable): the module that shows it; %NULL once it is gone.
 */
TokendTokenSource *
tokend_token_get_source (TokendToken *self)
{
  return self->source;
}

TokendPinPolicy
tokend_token_get_pin_policy (TokendToken *self)
{
  return tokend_profile_rules_get_pin_policy (self->profile, self->provider, self->reading);
}

TokendCodeRules
tokend_token_get_code_rules (TokendToken *self, TokendRole role)
{
  return tokend_profile_rules_get_code_rules (self->profile, self->provider, self->reading, role);
}

/**
 * tokend_token_check_certain:
 * @error: Busy.
 *
 * Whether it is certain which card is meant. Where the serial number is none, a card that no read
 * could reach yet may be meant as well.
 */
gboolean
tokend_token_check_certain (TokendToken *self, GError **error)
{
  if (self->source == NULL || tokend_reading_has_serial (self->reading)
      || !tokend_token_source_has_hidden (self->source))
    return TRUE;
  g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_BUSY,
                       N_ ("Another program is using a card that may be this token, and does not "
                           "let go of it"));
  return FALSE;
}

gboolean
tokend_token_supports (TokendToken *self, TokendRole role, GError **error)
{
  return tokend_profile_rules_support (self->profile, self->reading, role, error);
}

static GVariant *
explain_module_profile (TokendToken *self)
{
  if (self->source == NULL)
    return NULL;
  return tokend_profile_explain_match (self->profile, tokend_token_source_get_path (self->source),
                                       self->manufacturer, self->model, self->reading->atr);
}

/**
 * tokend_token_get_status:
 *
 * Returns: (transfer floating): the status, an a{sv} as Token.GetStatus of org.tokend.Tokend1.xml
 *   describes it.
 */
GVariant *
tokend_token_get_status (TokendToken *self)
{
  g_autoptr (GError) unsupported = NULL;
  const gboolean can_set_pin = tokend_token_supports (self, TOKEND_ROLE_PIN, &unsupported);
  const TokendStatus status = {
    .label = self->label,
    .manufacturer = self->manufacturer,
    .model = self->model,
    .serial = self->serial,
    .module = self->source != NULL ? tokend_token_source_get_name (self->source) : NULL,
    .module_profile = self->profile != NULL ? self->profile->name : NULL,
    .module_profile_match = explain_module_profile (self),
    .module_profile_override = self->profile != NULL ? self->profile->admin_path : NULL,
    .provider = self->provider != NULL ? self->provider->name : NULL,
    .provider_match = tokend_profile_explain_provider (self->provider, self->issuer),
    .provider_override = self->provider != NULL ? self->provider->admin_path : NULL,
    .pin = tokend_token_get_counter (self, TOKEND_ROLE_PIN),
    .puk = tokend_token_get_counter (self, TOKEND_ROLE_PUK),
    .pin_policy = tokend_token_get_pin_policy (self),
    .pin_rules = tokend_token_get_code_rules (self, TOKEND_ROLE_PIN),
    .puk_rules = tokend_token_get_code_rules (self, TOKEND_ROLE_PUK),
    .pin_must_change = self->reading->pin_must_change,
    .pin_shared = tokend_target_shares_codes (self->target),
    .unsupported = can_set_pin ? NULL : unsupported->message,
    .can_unlock = tokend_token_supports (self, TOKEND_ROLE_PUK, NULL),
    .card_id = self->relations.card_id,
    .pin_id = self->relations.pin_id,
    .is_preferred = self->relations.is_preferred,
    .is_left_open = self->is_left_open,
    .has_no_certificate = self->has_no_certificate,
    .certificate_not_after = self->certificate_not_after,
    .read_at = self->read_at,
  };

  return tokend_status_to_variant (&status);
}

/**
 * tokend_token_is_fresh:
 *
 * Returns: whether the status is what the token shows now, so that it need not be read.
 */
gboolean
tokend_token_is_fresh (TokendToken *self)
{
  gint64 limit = FRESH_US;

  if (self->source == NULL || self->unread != NULL || !self->counters_known
      || self->read_at_monotonic == 0 || !tokend_token_source_is_ready (self->source)
      || tokend_callers_count_subscribers (self->service->callers) == 0)
    return FALSE;
  if (tokend_token_source_is_unchanged (self->source))
    limit = FRESH_IF_UNCHANGED_US;
  return g_get_monotonic_time () - self->read_at_monotonic < limit;
}
