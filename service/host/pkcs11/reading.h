/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "certificate.h"
#include "narrow-pkcs11.h"
#include "token-field.h"
#include "tokend-status.h"

#include <glib.h>

G_BEGIN_DECLS

/* A number that the token does not tell. */
#define TOKEND_NUMBER_UNKNOWN (-1)

/** TokendRetries: the token's own count of one code; a number or TOKEND_NUMBER_UNKNOWN. */
typedef struct {
  gint remaining;
  gint maximum;
} TokendRetries;

/** TokendUnread: why a token that is there could not be read. All but its identity is then of an earlier reading. */
typedef enum {
  TOKEND_UNREAD_NOT, /* it was read */
  TOKEND_UNREAD_BUSY,
  TOKEND_UNREAD_FAILED,
} TokendUnread;

/** TokendHostReading: what a token says of itself; its form on the bus stands in
 * org.tokend.Module1.xml. */
typedef struct {
  TokendTokenIdentity identity;
  guint flags;             /* TokendTokenFlags */
  gint pin_minimum_length; /* bytes, or TOKEND_NUMBER_UNKNOWN: what no code can be outside of */
  gint pin_maximum_length;
  gint new_pin_minimum_length; /* likewise, by the policy on the token: of a new PIN alone */
  gint new_pin_maximum_length;
  TokendRetries pin;
  TokendRetries puk;
  TokendUnread unread;
  CK_RV unread_reason; /* TOKEND_UNREAD_FAILED: what C_GetTokenInfo answered, or would have */
  guint64 insertion;   /* the same as long as the card has stayed in its reader; 0: not known */
  guint slot_events;   /* how often its slot was told of; of a watching host alone */
  gboolean
      is_spared; /* the last read left its card alone, which nobody had used: all is of an earlier reading */
} TokendHostReading;

/** TokendSlotReading: the reading of the token in @slot. */
typedef struct {
  CK_SLOT_ID slot;
  const char *reader;         /* interned; where it is, as pcscd calls it, or NULL */
  gboolean is_other_possible; /* another reader may be meant: its name begins alike */
  TokendHostReading reading;
} TokendSlotReading;

gboolean tokend_host_reading_init (TokendHostReading *reading, const CK_TOKEN_INFO *info);
GVariant *tokend_host_reading_to_variant (const TokendHostReading *reading, const char *reader,
                                          const TokendCertificate *certificate);
gboolean tokend_host_reading_same_tries (const TokendHostReading *a, const TokendHostReading *b,
                                         TokendRole role);

G_END_DECLS
