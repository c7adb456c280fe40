/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-request.h"

#include "enum-nick.h"
#include "tokend-enums.h"
#include "tokend-error.h"

/* The number of keys of a request; an unlock has "way" among them, a change "login-first". */
#define N_KEYS 15

static GVariant *
take (GVariant *variant, const char *key, const char *type, GError **error)
{
  GVariant *value = g_variant_lookup_value (variant, key, G_VARIANT_TYPE (type));

  if (value == NULL)
    g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                 "The request has no “%s” of type %s", key, type);
  return value;
}

static gboolean
set_invalid (const char *key, GError **error)
{
  g_set_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS, "The request's “%s” is out of range",
               key);
  return FALSE;
}

static gboolean
take_field (GVariant *variant, const char *key, TokendTokenField *field, GError **error)
{
  g_autoptr (GVariant) value = take (variant, key, "ay", error);

  if (value == NULL)
    return FALSE;
  return tokend_token_field_init_from_variant (field, value) || set_invalid (key, error);
}

static gboolean
take_limits (GVariant *variant, const char *minimum_key, const char *maximum_key,
             TokendCodeLimits *limits, GError **error)
{
  g_autoptr (GVariant) minimum = take (variant, minimum_key, "u", error);
  g_autoptr (GVariant) maximum = minimum != NULL ? take (variant, maximum_key, "u", error) : NULL;

  if (maximum == NULL)
    return FALSE;
  limits->minimum = g_variant_get_uint32 (minimum);
  limits->maximum = g_variant_get_uint32 (maximum);
  return limits->minimum <= limits->maximum || set_invalid (maximum_key, error);
}

static gboolean
take_enum (GVariant *variant, const char *key, GType type, gpointer value, GError **error)
{
  g_autoptr (GVariant) nick = take (variant, key, "s", error);

  if (nick == NULL)
    return FALSE;
  return tokend_enum_parse (type, g_variant_get_string (nick, NULL), value)
         || set_invalid (key, error);
}

static gboolean
take_boolean (GVariant *variant, const char *key, gboolean *value, GError **error)
{
  g_autoptr (GVariant) boolean = take (variant, key, "b", error);

  if (boolean == NULL)
    return FALSE;
  *value = g_variant_get_boolean (boolean);
  return TRUE;
}

static gboolean
take_operation (TokendOperationRequest *request, GVariant *variant, GError **error)
{
  g_autoptr (GVariant) operation = take (variant, "operation", "s", error);

  if (operation == NULL)
    return FALSE;

  request->unlock = g_str_equal (g_variant_get_string (operation, NULL), "unlock");
  if (!request->unlock && !g_str_equal (g_variant_get_string (operation, NULL), "set-pin"))
    return set_invalid ("operation", error);
  if (!request->unlock)
    return take_boolean (variant, "login-first", &request->login_first, error);
  return take_enum (variant, "way", TOKEND_TYPE_UNLOCK_METHOD, &request->method, error)
         && (request->method != TOKEND_UNLOCK_METHOD_NONE || set_invalid ("way", error));
}

static gboolean
take_digest_key (TokendOperationRequest *request, GVariant *variant, GError **error)
{
  g_autoptr (GVariant) key = take (variant, "digest-key", "ay", error);
  const guint8 *bytes;
  gsize length;

  if (key == NULL)
    return FALSE;
  bytes = g_variant_get_fixed_array (key, &length, sizeof (guint8));
  if (length != sizeof request->digest_key)
    return set_invalid ("digest-key", error);

  memcpy (request->digest_key, bytes, length);
  return TRUE;
}

/**
 * tokend_operation_request_parse:
 * @variant: (type a{sv}): the request of Prepare
 * @error: InvalidArgs: a key is missing, unknown, there twice, of a wrong type or out of range
 */
gboolean
tokend_operation_request_parse (TokendOperationRequest *request, GVariant *variant, GError **error)
{
  TokendTokenIdentity *identity = &request->identity;

  *request = (TokendOperationRequest){ 0 };
  if (!take_operation (request, variant, error)
      || !take_enum (variant, "wrong-code", TOKEND_TYPE_WRONG_CODE, &request->wrong_code, error)
      || !take_field (variant, "manufacturer", &identity->manufacturer, error)
      || !take_field (variant, "model", &identity->model, error)
      || !take_field (variant, "serial", &identity->serial, error)
      || !take_field (variant, "label", &identity->label, error)
      || !take_limits (variant, "code-minimum-length", "code-maximum-length", &request->code_limits,
                       error)
      || !take_limits (variant, "new-pin-minimum-length", "new-pin-maximum-length",
                       &request->new_pin_limits, error)
      || !take_enum (variant, "new-pin-characters", TOKEND_TYPE_CHARACTERS,
                     &request->new_pin_characters, error)
      || !take_boolean (variant, "logout-closes", &request->logout_closes, error)
      || !take_boolean (variant, "send-unusual-code", &request->send_unusual_code, error)
      || !take_digest_key (request, variant, error))
    return FALSE;

  /* All required keys are there, so that any further child is unknown or doubled. */
  if (g_variant_n_children (variant) != N_KEYS) {
    g_set_error_literal (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS,
                         "The request has a key too many");
    return FALSE;
  }

  return TRUE;
}
