/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* A SoftHSM2 token in a folder of its own, and another program's look at it: each call initialises
 * the module anew. */

#define SOFTHSM_LABEL "SOFTHSM"
#define SOFTHSM_PIN "1234"
#define SOFTHSM_PUK "12345678"

void softhsm_create (const char *folder);
char *softhsm_configuration (const char *folder);
gboolean softhsm_accepts_pin (const char *pin);
gboolean softhsm_accepts_puk (const char *puk);
gboolean softhsm_pin_count_low (void);
gboolean softhsm_puk_count_low (void);
