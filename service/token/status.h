/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "code-check.h"
#include "counter.h"

G_BEGIN_DECLS

/**
 * TokendPinPolicy:
 *
 * What a new PIN must be; lengths in characters, or -1.
 */
typedef struct {
  int minimum_length;
  int maximum_length;
  TokendCharacters characters;
} TokendPinPolicy;

/**
 * TokendStatus:
 *
 * A token's status as it goes out. Strings may be %NULL or empty: not known.
 */
typedef struct {
  const char *label;
  const char *manufacturer;
  const char *model;
  const char *serial;
  const char *module;
  const char *module_profile;
  GVariant *module_profile_match; /* a{ss}, or NULL; a floating one is taken */
  const char *module_profile_override;
  const char *provider;
  GVariant *provider_match; /* the same */
  const char *provider_override;
  TokendCounter pin;
  TokendCounter puk;
  TokendPinPolicy pin_policy;
  TokendCodeRules pin_rules; /* of the present PIN */
  TokendCodeRules puk_rules;
  gboolean pin_must_change;
  gboolean pin_shared;
  const char *unsupported; /* why SetPin is not supported; NULL: it is */
  gboolean can_unlock;
  const char *card_id; /* NULL: not found out yet */
  const char *pin_id;
  gboolean is_left_open;
  gboolean is_preferred;
  gboolean has_no_certificate;
  gint64 certificate_not_after; /* microseconds since the epoch, or 0 */
  gint64 read_at;               /* the same */
} TokendStatus;

GVariant *tokend_status_to_variant (const TokendStatus *status);

G_END_DECLS
