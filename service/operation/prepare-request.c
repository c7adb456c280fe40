/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "prepare-request-private.h"

#include "enum-nick.h"
#include "profile-rules.h"
#include "tokend-enums.h"

static void
add_bytes (GVariantDict *request, const char *key, GBytes *bytes)
{
  g_variant_dict_insert_value (request, key,
                               g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE));
}

static void
add_limits (GVariantDict *request, const char *minimum_key, int minimum, const char *maximum_key,
            int maximum)
{
  g_variant_dict_insert (request, minimum_key, "u", (guint32) MAX (minimum, 1));
  g_variant_dict_insert (
      request, maximum_key, "u",
      (guint32) (maximum < 1 ? TOKEND_CODE_MAX : MIN (maximum, TOKEND_CODE_MAX)));
}

static void
add_nick (GVariantDict *request, const char *key, GType type, int value)
{
  g_variant_dict_insert (request, key, "s", tokend_enum_get_nick (type, value));
}

/**
 * tokend_prepare_request_new:
 * @token: the token.
 * @role: the PUK's for unlock, the PIN's for set-pin.
 * @attempt: what the caller allows.
 * @digest_key: of the digest by which refused codes are known.
 *
 * Returns: (transfer floating): the a{sv} for Prepare of org.tokend.Module1.Operation.
 */
GVariant *
tokend_prepare_request_new (TokendToken *token, TokendRole role, const TokendAttempt *attempt,
                            GBytes *digest_key)
{
  g_auto (GVariantDict) request = G_VARIANT_DICT_INIT (NULL);
  const TokendReading *reading = tokend_token_get_reading (token);
  const TokendProfile *profile = tokend_token_get_profile (token);
  TokendPinPolicy policy = tokend_token_get_pin_policy (token);
  TokendCodeRules rules = tokend_token_get_code_rules (token, role);

  if (role == TOKEND_ROLE_PUK) {
    g_variant_dict_insert (&request, "operation", "s", "unlock");
    add_nick (&request, "way", TOKEND_TYPE_UNLOCK_METHOD, (int) profile->unlock_method);
  } else {
    g_variant_dict_insert (&request, "operation", "s", "set-pin");
    g_variant_dict_insert (&request, "login-first", "b", tokend_profile_rules_want_login (profile));
  }
  g_variant_dict_insert (&request, "logout-closes", "b", profile != NULL && profile->logout_closes);
  add_nick (&request, "wrong-code", TOKEND_TYPE_WRONG_CODE,
            (int) tokend_token_get_wrong_code (token, role));
  add_bytes (&request, "manufacturer", reading->manufacturer);
  add_bytes (&request, "model", reading->model);
  add_bytes (&request, "serial", reading->serial);
  add_bytes (&request, "label", reading->label);
  add_limits (&request, "code-minimum-length", (int) rules.length.minimum, "code-maximum-length",
              (int) rules.length.maximum);
  add_limits (&request, "new-pin-minimum-length", policy.minimum_length, "new-pin-maximum-length",
              policy.maximum_length);
  add_nick (&request, "new-pin-characters", TOKEND_TYPE_CHARACTERS, (int) policy.characters);
  g_variant_dict_insert (&request, "send-unusual-code", "b", attempt->send_unusual_code);
  add_bytes (&request, "digest-key", digest_key);
  return g_variant_dict_end (&request);
}
