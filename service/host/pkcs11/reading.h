/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "certificate.h"
#include "narrow-pkcs11.h"
#include "token-field.h"
#include "tokend-status.h"

#include <glib.h>

G_BEGIN_DECLS

/* An unknown number. */
#define TOKEND_NUMBER_UNKNOWN (-1)

/**
 * TokendRetries:
 *
 * The token's own counter of one code: numbers, or TOKEND_NUMBER_UNKNOWN.
 */
typedef struct {
  gint remaining;
  gint maximum;
} TokendRetries;

/**
 * TokendUnread:
 *
 * Why a token that is there could not be read. All but its identity is then from an earlier
 * reading.
 */
typedef enum {
  TOKEND_UNREAD_NOT, /* it was read */
  TOKEND_UNREAD_FAILED,
} TokendUnread;

/* The longest answer to reset, 33 bytes (ISO/IEC 7816-3, 8.2.1), in hexadecimal. */
#define TOKEND_ATR_TEXT_MAX 66

/**
 * TokendHostReading:
 *
 * A token's reading; org.tokend.Module1.xml describes its form on the bus.
 */
typedef struct {
  TokendTokenIdentity identity;
  guint flags; /* TokendTokenFlags */
  gint
      pin_minimum_length; /* bytes, or TOKEND_NUMBER_UNKNOWN: excludes any code of another length */
  gint pin_maximum_length;
  gint new_pin_minimum_length; /* the same, by the token's policy for a new PIN */
  gint new_pin_maximum_length;
  TokendRetries pin;
  TokendRetries puk;
  gboolean has_no_certificate; /* they were read, and there is none to be seen */
  TokendUnread unread;
  CK_RV unread_reason;               /* TOKEND_UNREAD_FAILED: what C_GetTokenInfo returned */
  char atr[TOKEND_ATR_TEXT_MAX + 1]; /* of its card; empty: not known */
  guint slot_events;                 /* how often its slot was told of; by a watching host alone */
} TokendHostReading;

/**
 * TokendSlotReading:
 *
 * The reading of the token in @slot.
 */
typedef struct {
  CK_SLOT_ID slot;
  const char *reader;         /* interned: the name of its pcscd reader, or NULL */
  gboolean is_other_possible; /* another reader, whose name begins alike, may be meant */
  TokendHostReading reading;
} TokendSlotReading;

gboolean tokend_host_reading_init (TokendHostReading *reading, const CK_TOKEN_INFO *info);
GVariant *tokend_host_reading_to_variant (const TokendHostReading *reading, const char *reader,
                                          const TokendCertificate *certificate);
gboolean tokend_host_reading_same_tries (const TokendHostReading *a, const TokendHostReading *b,
                                         TokendRole role);
gboolean tokend_host_reading_tells_less (const TokendHostReading *before,
                                         const TokendHostReading *after, TokendRole role);
gboolean tokend_host_reading_lost_tries (const TokendHostReading *before,
                                         const TokendHostReading *after, TokendRole role);

G_END_DECLS
