/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "pcsc.h"

G_BEGIN_DECLS

/** TokendReaderReach: which cards can be reached: pcscd connects nobody to one that another program has a transaction with, and
 * a module that asks for it waits for the end of that, however long. Of one thread. */
typedef struct _TokendReaderReach TokendReaderReach;

TokendReaderReach *tokend_reader_reach_new (void);

GHashTable *tokend_reader_reach_try (TokendReaderReach *self, TokendPcsc *pcsc, GHashTable **states,
                                     GHashTable *others, gint64 timeout);
gint64 tokend_reader_reach_get_met_at (TokendReaderReach *self);

G_END_DECLS
