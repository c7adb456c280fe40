/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pkcs11-module.h"

#include <glib.h>

G_BEGIN_DECLS

const char *tokend_slot_reader_find (GHashTable *readers, const CK_SLOT_INFO *slot,
                                     gboolean *is_other_possible);
void tokend_slot_readers_look_up (const TokendReadFunctions *functions, const GArray *last,
                                  GArray *readings);

G_END_DECLS
