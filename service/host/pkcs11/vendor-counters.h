/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pkcs11-module.h"
#include "reading.h"

G_BEGIN_DECLS

/**
 * TokendVendorNumbers:
 *
 * The numbers of the token's vendor objects, unchecked; G_MAXUINT64: not known.
 */
typedef struct {
  guint64 pin_remaining;
  guint64 pin_maximum;
  guint64 puk_remaining;
  guint64 puk_maximum;
  guint64 has_puk;
  guint64 pin_minimum_length;
  guint64 pin_maximum_length;
  guint64 pin_complexity;
} TokendVendorNumbers;

gboolean tokend_vendor_counters_expected (const TokendTokenIdentity *identity);
void tokend_vendor_numbers_apply (const TokendVendorNumbers *numbers, TokendHostReading *reading);

void tokend_vendor_counters_read (const TokendReadFunctions *functions, CK_SESSION_HANDLE session,
                                  TokendHostReading *reading);
void tokend_vendor_counters_read_slot (const TokendReadFunctions *functions, CK_SLOT_ID slot,
                                       TokendHostReading *reading);

G_END_DECLS
