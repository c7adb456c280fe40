/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "status.h"

#include "enum-nick.h"
#include "tokend-enums.h"

static void
add_string (GVariantBuilder *builder, const char *key, const char *value)
{
  if (value != NULL && value[0] != '\0')
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_string (value));
}

static void
add_value (GVariantBuilder *builder, const char *key, GVariant *value)
{
  if (value != NULL)
    g_variant_builder_add (builder, "{sv}", key, value);
}

static void
add_nick (GVariantBuilder *builder, const char *key, GType type, int value)
{
  add_string (builder, key, tokend_enum_get_nick (type, value));
}

static void
add_number (GVariantBuilder *builder, const char *key, int number)
{
  if (number >= 0)
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_uint32 ((guint32) number));
}

static void
add_if_true (GVariantBuilder *builder, const char *key, gboolean value)
{
  if (value)
    g_variant_builder_add (builder, "{sv}", key, g_variant_new_boolean (TRUE));
}

static void
add_record (GVariantBuilder *builder, const TokendCounter *counter, const TokendStatusKeys *keys)
{
  const gboolean was_seen = counter->seen != TOKEND_STATE_UNKNOWN;

  if (was_seen)
    add_nick (builder, keys->last_seen, TOKEND_TYPE_STATE, (int) counter->seen);
  if (counter->wrong > 0)
    add_number (builder, keys->wrong_sent, (int) counter->wrong);
  if (counter->maybe_lost > 0)
    add_number (builder, keys->maybe_lost, (int) counter->maybe_lost);
  if (counter->sent_at != 0 && (was_seen || counter->wrong + counter->maybe_lost > 0))
    g_variant_builder_add (builder, "{sv}", keys->sent_at,
                           g_variant_new_uint64 ((guint64) counter->sent_at));
  add_if_true (builder, keys->record_lost, counter->is_record_lost);
  add_if_true (builder, keys->sent_elsewhere, counter->is_sent_elsewhere);
}

static void
add_counter (GVariantBuilder *builder, const TokendCounter *counter, const TokendStatusKeys *keys)
{
  add_nick (builder, keys->state, TOKEND_TYPE_STATE, (int) counter->state);
  add_number (builder, keys->remaining, counter->remaining);
  add_number (builder, keys->maximum, counter->maximum);
  add_number (builder, keys->minimum, tokend_counter_get_minimum (counter));
  add_if_true (builder, keys->never_locks, counter->never_locks);
  add_if_true (builder, keys->flag_gone, counter->is_flag_gone);
  if (counter->source != TOKEND_RETRIES_SOURCE_NONE)
    add_nick (builder, keys->source, TOKEND_TYPE_RETRIES_SOURCE, (int) counter->source);
  add_record (builder, counter, keys);
}

/* Leaves out what is 0, not known. */
static void
add_limits (GVariantBuilder *builder, const TokendCodeLimits *limits, const char *minimum_key,
            const char *maximum_key)
{
  add_number (builder, minimum_key, limits->minimum > 0 ? (int) limits->minimum : -1);
  add_number (builder, maximum_key, limits->maximum > 0 ? (int) limits->maximum : -1);
}

static void
add_rules (GVariantBuilder *builder, const TokendCodeRules *rules, const TokendStatusKeys *keys)
{
  add_limits (builder, &rules->length, keys->minimum_length, keys->maximum_length);
  add_limits (builder, &rules->usual_length, keys->usual_minimum, keys->usual_maximum);
  add_nick (builder, keys->usual_characters, TOKEND_TYPE_CHARACTERS, (int) rules->usual_characters);
}

/**
 * tokend_status_to_variant:
 *
 * Returns: (transfer floating): @status as an a{sv}, as Token.GetStatus of org.tokend.Tokend1.xml
 *   describes it. It lacks what is not known.
 */
GVariant *
tokend_status_to_variant (const TokendStatus *status)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  add_string (&builder, TOKEND_STATUS_LABEL, status->label);
  add_string (&builder, TOKEND_STATUS_MANUFACTURER, status->manufacturer);
  add_string (&builder, TOKEND_STATUS_MODEL, status->model);
  add_string (&builder, TOKEND_STATUS_SERIAL, status->serial);
  add_string (&builder, TOKEND_STATUS_MODULE, status->module);
  add_string (&builder, TOKEND_STATUS_MODULE_PROFILE, status->module_profile);
  add_value (&builder, TOKEND_STATUS_MODULE_PROFILE_MATCH, status->module_profile_match);
  add_string (&builder, TOKEND_STATUS_MODULE_PROFILE_OVERRIDE, status->module_profile_override);
  add_string (&builder, TOKEND_STATUS_PROVIDER, status->provider);
  add_value (&builder, TOKEND_STATUS_PROVIDER_MATCH, status->provider_match);
  add_string (&builder, TOKEND_STATUS_PROVIDER_OVERRIDE, status->provider_override);

  add_counter (&builder, &status->pin, &tokend_status_keys[TOKEND_ROLE_PIN]);
  add_counter (&builder, &status->puk, &tokend_status_keys[TOKEND_ROLE_PUK]);

  add_number (&builder, TOKEND_STATUS_PIN_MINIMUM_LENGTH, status->pin_policy.minimum_length);
  add_number (&builder, TOKEND_STATUS_PIN_MAXIMUM_LENGTH, status->pin_policy.maximum_length);
  add_nick (&builder, TOKEND_STATUS_PIN_CHARACTERS, TOKEND_TYPE_CHARACTERS,
            (int) status->pin_policy.characters);
  add_rules (&builder, &status->pin_rules, &tokend_status_keys[TOKEND_ROLE_PIN]);
  add_rules (&builder, &status->puk_rules, &tokend_status_keys[TOKEND_ROLE_PUK]);
  g_variant_builder_add (&builder, "{sv}", TOKEND_STATUS_PIN_MUST_CHANGE,
                         g_variant_new_boolean (status->pin_must_change));
  g_variant_builder_add (&builder, "{sv}", TOKEND_STATUS_PIN_SHARED,
                         g_variant_new_boolean (status->pin_shared));
  g_variant_builder_add (&builder, "{sv}", TOKEND_STATUS_CAN_SET_PIN,
                         g_variant_new_boolean (status->unsupported == NULL));
  add_string (&builder, TOKEND_STATUS_UNSUPPORTED, status->unsupported);
  g_variant_builder_add (&builder, "{sv}", TOKEND_STATUS_CAN_UNLOCK,
                         g_variant_new_boolean (status->can_unlock));
  add_string (&builder, TOKEND_STATUS_CARD_ID, status->card_id);
  add_string (&builder, TOKEND_STATUS_PIN_ID, status->pin_id);
  g_variant_builder_add (&builder, "{sv}", TOKEND_STATUS_PREFERRED,
                         g_variant_new_boolean (status->is_preferred));
  add_if_true (&builder, TOKEND_STATUS_LEFT_OPEN, status->is_left_open);
  add_if_true (&builder, TOKEND_STATUS_NO_CERTIFICATE, status->has_no_certificate);
  if (status->certificate_not_after > 0)
    g_variant_builder_add (&builder, "{sv}", TOKEND_STATUS_CERTIFICATE_NOT_AFTER,
                           g_variant_new_uint64 ((guint64) status->certificate_not_after));
  g_variant_builder_add (&builder, "{sv}", TOKEND_STATUS_READ_AT,
                         g_variant_new_uint64 ((guint64) status->read_at));
  return g_variant_builder_end (&builder);
}
