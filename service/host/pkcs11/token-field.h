/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The longest text field of CK_TOKEN_INFO and CK_INFO, in bytes. */
#define TOKEND_TOKEN_FIELD_MAX 32

/**
 * TokendTokenField:
 *
 * A text field as the module gave it, without trailing blanks or NULs; not necessarily UTF-8.
 */
typedef struct {
  guint8 bytes[TOKEND_TOKEN_FIELD_MAX];
  gsize length;
} TokendTokenField;

/**
 * TokendTokenIdentity:
 *
 * What identifies a token, whatever slot it is in.
 */
typedef struct {
  TokendTokenField manufacturer;
  TokendTokenField model;
  TokendTokenField serial;
  TokendTokenField label;
} TokendTokenIdentity;

void tokend_token_field_init (TokendTokenField *field, const guint8 *bytes, gsize size);
gboolean tokend_token_field_init_from_variant (TokendTokenField *field, GVariant *variant);
GVariant *tokend_token_field_to_variant (const TokendTokenField *field);
gboolean tokend_token_field_is (const TokendTokenField *field, const char *text);

gboolean tokend_token_field_equal (const TokendTokenField *a, const TokendTokenField *b);
gboolean tokend_token_field_tells_apart (const TokendTokenField *field);

gboolean tokend_token_identity_equal (const TokendTokenIdentity *a, const TokendTokenIdentity *b);

G_END_DECLS
