/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pkcs11-module.h"
#include "reading.h"
#include "slot-events.h"

G_BEGIN_DECLS

GArray *tokend_slots_read (const TokendReadFunctions *functions, const GArray *last,
                           GError **error);
GArray *tokend_slots_read_again (const TokendReadFunctions *functions, const GArray *last);
GArray *tokend_slots_complete (const TokendReadFunctions *functions, GPtrArray *certificates,
                               GArray *readings);
GVariant *tokend_slots_to_variant (GPtrArray *certificates, const GArray *readings);
GVariant *tokend_slots_read_all (const TokendReadFunctions *functions, GPtrArray *certificates,
                                 TokendSlotEvents *events, GArray **last, GError **error);

G_END_DECLS
