/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token-field.h"

#include <string.h>

/**
 * tokend_token_field_init:
 * @bytes: (array length=size): a field of CK_TOKEN_INFO or CK_INFO, padded
 * @size: its size in bytes, at most TOKEND_TOKEN_FIELD_MAX
 *
 * Takes the bytes without their padding.
 */
void
tokend_token_field_init (TokendTokenField *field, const guint8 *bytes, gsize size)
{
  g_assert (size <= TOKEND_TOKEN_FIELD_MAX);

  /* PKCS#11 pads with blanks; some modules pad with NULs. */
  while (size > 0 && (bytes[size - 1] == ' ' || bytes[size - 1] == '\0'))
    size--;

  memcpy (field->bytes, bytes, size);
  field->length = size;
}

/**
 * tokend_token_field_init_from_variant:
 * @variant: of type ay
 *
 * Takes the bytes as they are.
 *
 * Returns: %FALSE if no field can hold them
 */
gboolean
tokend_token_field_init_from_variant (TokendTokenField *field, GVariant *variant)
{
  gsize length;
  const guint8 *bytes = g_variant_get_fixed_array (variant, &length, sizeof (guint8));

  if (length > TOKEND_TOKEN_FIELD_MAX)
    return FALSE;
  if (length > 0)
    memcpy (field->bytes, bytes, length);
  field->length = length;
  return TRUE;
}

GVariant *
tokend_token_field_to_variant (const TokendTokenField *field)
{
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, field->bytes, field->length,
                                    sizeof (guint8));
}

gboolean
tokend_token_field_is (const TokendTokenField *field, const char *text)
{
  return field->length == strlen (text) && memcmp (field->bytes, text, field->length) == 0;
}

/**
 * tokend_token_field_tells_apart:
 *
 * Returns: whether a serial number has more than zeros and blanks, as for the service.
 */
gboolean
tokend_token_field_tells_apart (const TokendTokenField *field)
{
  for (gsize i = 0; i < field->length; i++)
    if (field->bytes[i] != '0' && field->bytes[i] != ' ' && field->bytes[i] != '\0')
      return TRUE;
  return FALSE;
}

gboolean
tokend_token_field_equal (const TokendTokenField *a, const TokendTokenField *b)
{
  return a->length == b->length && memcmp (a->bytes, b->bytes, a->length) == 0;
}

gboolean
tokend_token_identity_equal (const TokendTokenIdentity *a, const TokendTokenIdentity *b)
{
  return tokend_token_field_equal (&a->manufacturer, &b->manufacturer)
         && tokend_token_field_equal (&a->model, &b->model)
         && tokend_token_field_equal (&a->serial, &b->serial)
         && tokend_token_field_equal (&a->label, &b->label);
}
