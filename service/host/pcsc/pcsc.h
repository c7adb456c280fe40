/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reader-use.h"

G_BEGIN_DECLS

/**
 * TokendPcscState:
 *
 * Whether there is a connection, and why not.
 */
typedef enum {
  TOKEND_PCSC_ABSENT, /* pcscd is not running, or was not asked yet */
  TOKEND_PCSC_REFUSES,
  TOKEND_PCSC_CONNECTED,
} TokendPcscState;

/**
 * TokendPcsc:
 *
 * A connection to pcscd, made when needed, and again when pcscd was restarted. Of one thread.
 */
typedef struct _TokendPcsc TokendPcsc;

TokendPcsc *tokend_pcsc_new (void);
void tokend_pcsc_free (TokendPcsc *self);

GHashTable *tokend_pcsc_list (TokendPcsc *self);
GHashTable *tokend_pcsc_list_once (void);
GHashTable *tokend_pcsc_list_again (TokendPcsc *self);
TokendPcscState tokend_pcsc_get_state (TokendPcsc *self);
char *tokend_pcsc_get_atr (TokendPcsc *self, const char *reader);
void tokend_pcsc_wait (TokendPcsc *self);

G_END_DECLS
