/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tokend-status.h"

#include <glib.h>

G_BEGIN_DECLS

/** TokendCodeName: which code of an operation it is. */
typedef enum {
  TOKEND_CODE_PUK,
  TOKEND_CODE_PIN,
  TOKEND_CODE_NEW_PIN,
} TokendCodeName;

/** TokendLengthLimits: both inclusive. */
typedef struct {
  guint minimum;
  guint maximum;
} TokendLengthLimits;

/** TokendPinPolicy: what a new PIN has to be. */
typedef struct {
  TokendLengthLimits characters_limits; /* in characters: the provider's and the token's rule */
  TokendLengthLimits bytes_limits;      /* in bytes: what the token can take */
  TokendCharacters characters;
} TokendPinPolicy;

const char *tokend_code_name (TokendCodeName name);

gboolean tokend_code_check (const char *bytes, gsize length, TokendCodeName name,
                            const TokendLengthLimits *limits, gboolean send_unusual,
                            GError **error);
gboolean tokend_new_pin_check (const char *bytes, gsize length, const TokendPinPolicy *policy,
                               GError **error);

G_END_DECLS
